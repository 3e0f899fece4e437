import { Fault } from '../../../proto/faults/fault.ts';
import { scrubError } from '../../../proto/model/secrets/scrub.ts';
import type { Log } from '../../../proto/process/log.ts';
import type { Nack } from '../../../proto/wire/published.ts';
import { pathInFile, type PlaceInFile, type SetRecord } from './change.ts';

/** Refuses a record for what was thrown. What is no fault of the record's is logged: nobody but us can mend it, and the nack says no more. */
export function nackOf(
  { kind, id, seq, at, secrets = [] }: SetRecord,
  error: unknown,
  { log, environment }: { readonly log: Log; readonly environment: { readonly environment: string } },
): Nack {
  if (!(error instanceof Fault)) {
    const what = { environment: environment.environment, kind, id };
    log.error({ ...what, err: error }, 'a record ran into a bug');
  }
  return { kind, id, seq, ...reasonOf(scrubError(error, secrets), at) };
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
