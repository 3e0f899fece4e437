import { Fault, type FaultDetail } from '../../../proto/faults/fault.ts';
import { type Actor, can } from '../../access/actor.ts';
import { type ApiRef, lockedApi, resourceOf } from '../apis/api-gate.ts';
import type { ApiRow } from '../apis/apis.store.ts';
import { type Change, change, type Desk } from '../desk.ts';
import { readWritten, servedPlansOf } from './publication.ts';

/** Faults that a warning repeats, and characters of each. */
const shownMax = { faults: 5, chars: 200 };

/**
 * The header of an answer to whoever has written an API: it is kept whatever it holds, and what of it a deployment would refuse is named
 * here already. Nothing where that is nothing, and of what is inside only the number for whoever may not read it.
 *
 * Shape: `{ Warning: '299 - "a deployment would refuse 1 part of it: flows[0].request[0].policy there is no policy \'x\' ..."' }`.
 */
export async function deployWarning(
  desk: Desk,
  actor: Actor,
  { at, id }: ApiRef,
): Promise<Readonly<Record<string, string>>> {
  try {
    // Whoever has just made it holds it since.
    const known = await desk.access.withObjects(actor, [{ scope: 'api', reference: id }]);
    return await change(desk, { actor, at, isDryRun: true }, async (now) => {
      const api = await lockedApi(now, id);
      const faults = await refusedOf(now, api);
      const isInside = can(known, 'api-gateway-definition:read', resourceOf(api));
      return faults.length === 0 ? {} : { Warning: wordsOf(faults, isInside) };
    });
  } catch (error) {
    // The API is written already, which an answer about this would deny.
    if (error instanceof Fault) return {};
    throw error;
  }
}

async function refusedOf(now: Change, api: ApiRow): Promise<readonly FaultDetail[]> {
  try {
    await readWritten(now, api, await servedPlansOf(now, api));
    return [];
  } catch (error) {
    if (error instanceof Fault && error.code === 'request.invalid') return error.details;
    throw error;
  }
}

function wordsOf(faults: readonly FaultDetail[], isInside: boolean): string {
  const shown = isInside ? faults.slice(0, shownMax.faults) : [];
  const parts = shown.map(({ path, message }) => shortened(`${path} ${message}`));
  const left = faults.length - shown.length;
  const more = left === 0 || shown.length === 0 ? [] : [`and ${left} more`];
  const said = [...parts, ...more, 'POST .../deployments/_verify lists all'].join(' | ');
  const count = faults.length === 1 ? '1 part of it' : `${faults.length} parts of it`;
  return `299 - "a deployment would refuse ${count}: ${said}"`;
}

/** What stands in quotes in a header: printable ASCII without quotes, whatever is written in an API. */
function shortened(text: string): string {
  const short = text.length > shownMax.chars ? `${text.slice(0, shownMax.chars)}...` : text;
  return short.replaceAll(/["\\]/g, "'").replaceAll(/[^\x20-\x7e]/g, '?');
}
