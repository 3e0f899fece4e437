import type { Clock } from '../../../proto/process/clock.ts';
import type { Log } from '../../../proto/process/log.ts';

/** Which request something threw on, as far as it is known. */
export interface ThrownWhere {
  readonly api: string;
  readonly requestId: string;
  /** The policy's place in the definition, e.g. flows[0].request[1]; undefined outside of policies. */
  readonly at: string | undefined;
}

/** Tells of something that threw on the way of a request although nothing should. Its request is answered by others. */
export type TellThrown = (error: unknown, where?: ThrownWhere) => void;

/** A bug that every request runs into must not fill the log's disk as well. */
const linesPerSecondMax = 10;

/** Counts each throw and logs it with its stack; past 10 lines a second only the count goes on, and the next line says how many were left out. */
export function createThrownTeller(options: {
  readonly log: Log;
  readonly clock: Clock;
  readonly count: () => void;
}): TellThrown {
  const { log, clock, count } = options;
  let sinceMs = -Infinity;
  let lines = 0;
  let leftOut = 0;
  return (error, where) => {
    count();
    const nowMs = clock.monotonicMs();
    if (nowMs - sinceMs >= 1_000) {
      sinceMs = nowMs;
      lines = 0;
    }
    lines += 1;
    if (lines > linesPerSecondMax) {
      leftOut += 1;
      return;
    }
    const more = leftOut > 0 ? { leftOut } : {};
    leftOut = 0;
    log.error(
      { ...where, ...more, err: error },
      where?.at === undefined ? 'a request failed' : 'a policy threw',
    );
  };
}
