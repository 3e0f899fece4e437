import { LRUCache } from 'lru-cache';
import type { Clock } from '../../../proto/process/clock.ts';
import type { Log } from '../../../proto/process/log.ts';
import type { CounterMetric, Metrics } from '../../../proto/process/metrics.ts';

/** Something of a request that was not done as its definition says, though the request goes on or is refused as it should be. */
export interface Warning {
  readonly api: string;
  /** Id of the policy whose step it was, or what else was at work: `flow`, `plan`, `endpoint`, `response-template`, `logging`. */
  readonly step: string;
  /** Its place in the definition, e.g. flows[0].request[1]; undefined where nothing of a definition was at work. */
  readonly at: string | undefined;
  /** e.g. EXPRESSION_EVALUATION_ERROR. */
  readonly key: string;
  readonly message: string;
  /** The caller sent what the step is there to refuse; default: it is the gateway's, or its definition's. */
  readonly isCallers?: boolean | undefined;
}

/** Tells an operator of a warning, which stands in the request's record besides. */
export type TellWarning = (warning: Warning) => void;

/** What a caller sends may make any expression fail: one line for a step in this time, with how many there were. */
const lineEveryMs = 60_000;
/** Steps whose last line is known; of the longest silent one the next is told again. */
const stepsMax = 10_000;
/** What an API is called that has no series of its own. */
const rest = 'other';

/**
 * Counts every warning, by API, kind of step and key, and logs the first of a step in a minute. What callers send wrong is said at info, and
 * not counted: records have it, and who would be woken by it could do nothing.
 *
 * apisMax: APIs with series of their own, from their first warning on; kinds of steps and keys are words of this program.
 */
export function createWarningTeller(options: {
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, 'counter'>;
  readonly apisMax: number;
}): TellWarning {
  const { log, clock, metrics, apisMax } = options;
  const apis = new Set<string>();
  const told = new LRUCache<string, { atMs: number; unsaid: number }>({ max: stepsMax });
  const counter: CounterMetric = metrics.counter(
    'isthmus_gateway_warnings_total',
    'What was not done as a definition says, by API, kind of step and key, e.g. an expression that failed (EXPRESSION_EVALUATION_ERROR); records have each with its message.',
    ['api', 'step', 'key'],
  );
  return ({ api, step, at, key, message, isCallers = false }) => {
    if (!isCallers && apis.size < apisMax) apis.add(api);
    if (!isCallers) counter.inc({ api: apis.has(api) ? api : rest, step, key });
    const place = `${api}\n${at ?? step}\n${key}`;
    const nowMs = clock.monotonicMs();
    const last = told.get(place);
    if (last !== undefined && nowMs - last.atMs < lineEveryMs) {
      last.unsaid += 1;
      return;
    }
    told.set(place, { atMs: nowMs, unsaid: 0 });
    const more = last !== undefined && last.unsaid > 0 ? { sinceLastLine: last.unsaid } : {};
    const facts = { api, step, at, key, reason: message, ...more };
    if (isCallers)
      log.info(facts, 'a step refused what a caller sent (one line a minute for it; records have all)');
    else
      log.warn(
        facts,
        'a step could not do what its definition says (one line a minute for it; records have all)',
      );
  };
}
