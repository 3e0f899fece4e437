import { LRUCache } from 'lru-cache';
import type { Redactor } from '../../../proto/model/redaction.ts';
import type { Clock } from '../../../proto/process/clock.ts';
import type { Log } from '../../../proto/process/log.ts';
import type { Metrics } from '../../../proto/process/metrics.ts';
import type { UpstreamFailure, UpstreamResult } from '../../http/exchange.ts';

/** A backend that was called. */
export interface CalledBackend {
  /** Of its API. */
  readonly api: string;
  readonly endpoint: string;
  /** As in records. */
  readonly url: string;
}

/** Tells an operator of backends that do not answer, which stands in records besides. */
export interface BackendTeller {
  /** What a call came to: of any result while some backend is down, else of failures; see {@link isAnyDown}. */
  heard(backend: CalledBackend, result: UpstreamResult): void;
  /** False: an answer is no news, and nobody need be told. */
  readonly isAnyDown: boolean;
}

/** A line for a backend in this time: it may be called a thousand times a second, or come and go. */
const lineEveryMs = 60_000;
/** Backends that are followed; of the one that was longest unheard of the next failure is news again. */
const backendsMax = 10_000;
/** What an API is called that has no series of its own. */
const rest = 'other';

/** What is the caller's or the gateway's doing, and says nothing of the backend. */
const notTheirs: ReadonlySet<UpstreamFailure> = new Set([
  'aborted',
  'requestBodyFailed',
  'queueFull',
  'queueTimeout',
]);

interface Followed {
  /** Undefined while it answers. */
  downSinceMs: number | undefined;
  failures: number;
  lineAtMs: number;
  /** The last line said that it is down. */
  isToldDown: boolean;
}

/**
 * Counts calls that found no backend, or no answer, by API and reason, says how many endpoints are down (the last call of each failed), and
 * logs the first failure of an endpoint in a minute and its return.
 *
 * apisMax: APIs with series of their own, from their first failure on.
 */
export function createBackendTeller(options: {
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, 'counter' | 'gauge'>;
  readonly apisMax: number;
  /** Takes keys out of addresses and messages, as in records. */
  readonly redactor: Redactor;
}): BackendTeller {
  const { log, clock, metrics, apisMax, redactor } = options;
  const apis = new Set<string>();
  let down = 0;
  const followed = new LRUCache<string, Followed>({
    max: backendsMax,
    dispose: ({ downSinceMs }) => void (down -= downSinceMs === undefined ? 0 : 1),
    noDisposeOnSet: true,
  });
  const counter = metrics.counter(
    'isthmus_gateway_upstream_failures_total',
    'Calls that found no backend or no answer, by API and reason; what callers see is 502, 503 or 504 unless failover finds another.',
    ['api', 'reason'],
  );
  const gauge = metrics.gauge(
    'isthmus_gateway_upstream_down',
    'Endpoints whose last call found no backend or no answer.',
  );
  gauge.set(0);
  const shown = (backend: CalledBackend): CalledBackend => ({ ...backend, url: redactor.uri(backend.url) });
  const failed = (key: string, backend: CalledBackend, reason: string, message: string | undefined): void => {
    const nowMs = clock.monotonicMs();
    const one = followed.get(key) ?? {
      downSinceMs: undefined,
      failures: 0,
      lineAtMs: -Infinity,
      isToldDown: false,
    };
    if (one.downSinceMs === undefined) {
      one.downSinceMs = nowMs;
      one.failures = 0;
      followed.set(key, one);
      gauge.set((down += 1));
    }
    one.failures += 1;
    if (nowMs - one.lineAtMs < lineEveryMs) return;
    one.lineAtMs = nowMs;
    one.isToldDown = true;
    const downMs = Math.round(nowMs - one.downSinceMs);
    log.warn(
      {
        ...shown(backend),
        reason,
        detail: message === undefined ? undefined : redactor.text(message),
        failures: one.failures,
        downMs,
      },
      'a backend does not answer',
    );
  };
  const answered = (key: string, backend: CalledBackend): void => {
    const one = followed.get(key);
    if (one?.downSinceMs === undefined) return;
    const downMs = Math.round(clock.monotonicMs() - one.downSinceMs);
    one.downSinceMs = undefined;
    gauge.set((down -= 1));
    if (!one.isToldDown) return;
    one.isToldDown = false;
    log.info({ ...shown(backend), failures: one.failures, downMs }, 'the backend answers again');
  };
  return {
    get isAnyDown() {
      return down > 0;
    },
    heard(backend, result) {
      const key = `${backend.api}\0${backend.url}`;
      if (result.kind !== 'failure') return answered(key, backend);
      const { failure, message } = result;
      if (notTheirs.has(failure)) return;
      if (apis.size < apisMax) apis.add(backend.api);
      counter.inc({ api: apis.has(backend.api) ? backend.api : rest, reason: failure });
      failed(key, backend, failure, message);
    },
  };
}
