import { Fault } from '../../../proto/faults/fault.ts';
import { scrubError, secretsIn } from '../../../proto/model/secrets/scrub.ts';
import type { Log } from '../../../proto/process/log.ts';
import { definitionIn } from '../../../proto/wire/definitions.ts';
import type { Nack } from '../../../proto/wire/published.ts';
import { pathInFile, type PlaceInFile, type SetRecord } from './change.ts';

/** Refuses a record for what was thrown. What is no fault of the record's is logged: nobody but us can mend it, and the nack says no more. */
export function nackOf(
  record: SetRecord,
  error: unknown,
  { log, environment }: { readonly log: Log; readonly environment: { readonly environment: string } },
): Nack {
  const { kind, id, seq, at, secrets = openSecretsOf(record) } = record;
  if (!(error instanceof Fault)) {
    const what = { environment: environment.environment, kind, id };
    log.error({ ...what, err: error }, 'a record ran into a bug');
  }
  return { kind, id, seq, ...reasonOf(scrubError(error, secrets), at) };
}

/** Those of a record in which none was sealed: files have them open. What cannot be looked through is refused for that. */
function openSecretsOf(record: SetRecord): readonly string[] {
  try {
    const held = definitionIn(record);
    return held === undefined ? [] : secretsIn(JSON.parse(held.definition));
  } catch {
    return [];
  }
}

/** Says in one line why a record was refused. */
function reasonOf(
  error: unknown,
  at: PlaceInFile | undefined,
): { readonly code: string; readonly reason: string } {
  if (error instanceof Fault) {
    const details = error.details.map(({ path, message }) =>
      path === '' ? message : `${pathInFile(path, at)} ${message}`,
    );
    const reason = details.length === 0 ? error.detail : details.join('; ');
    const code = error.code === 'request.invalid' ? 'definition.invalid' : error.code;
    return { code, reason: reason.slice(0, reasonCharsMax) };
  }
  return { code: 'platform.bug', reason: 'Unexpected error; the gateway log has more.' };
}

const reasonCharsMax = 2_000;
