import { LRUCache } from 'lru-cache';
import type { Redactor } from '../../../proto/model/redaction.ts';
import type { Clock } from '../../../proto/process/clock.ts';
import type { Log } from '../../../proto/process/log.ts';
import type { CounterMetric, GaugeMetric, Metrics } from '../../../proto/process/metrics.ts';
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

/** What the teller needs of the gateway. */
interface BackendTellerOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, 'counter' | 'gauge'>;
  /** APIs with series of their own, from their first failure on. */
  readonly apisMax: number;
  /** Takes keys out of addresses and messages, as in records. */
  readonly redactor: Redactor;
}

/**
 * Counts calls that found no backend, or no answer, by API and reason, says how many endpoints are down (the last call of each failed), and
 * logs the first failure of an endpoint in a minute and its return.
 */
export class Backends implements BackendTeller {
  readonly #options: BackendTellerOptions;
  readonly #apis = new Set<string>();
  readonly #failures: CounterMetric;
  readonly #downGauge: GaugeMetric;
  #down = 0;
  readonly #followed = new LRUCache<string, Followed>({
    max: backendsMax,
    dispose: ({ downSinceMs }) => downSinceMs !== undefined && this.#count(-1),
    noDisposeOnSet: true,
  });

  constructor(options: BackendTellerOptions) {
    this.#options = options;
    const { metrics } = options;
    this.#failures = metrics.counter(
      'isthmus_gateway_upstream_failures_total',
      'Calls that found no backend or no answer, by API and reason; what callers see is 502, 503 or 504 unless failover finds another.',
      ['api', 'reason'],
    );
    this.#downGauge = metrics.gauge(
      'isthmus_gateway_upstream_down',
      'Endpoints whose last call found no backend or no answer.',
    );
    this.#count(0);
  }

  get isAnyDown(): boolean {
    return this.#down > 0;
  }

  heard(backend: CalledBackend, result: UpstreamResult): void {
    if (result.kind !== 'failure') return this.#answered(backend);
    const { failure, message } = result;
    if (notTheirs.has(failure)) return;
    const { api } = backend;
    if (this.#apis.size < this.#options.apisMax) this.#apis.add(api);
    this.#failures.inc({ api: this.#apis.has(api) ? api : rest, reason: failure });
    const { redactor } = this.#options;
    this.#failed(backend, {
      reason: failure,
      detail: message === undefined ? undefined : redactor.text(message),
    });
  }

  #failed(
    backend: CalledBackend,
    why: { readonly reason: string; readonly detail: string | undefined },
  ): void {
    const { clock, log } = this.#options;
    const nowMs = clock.monotonicMs();
    const one = this.#followed.get(keyOf(backend)) ?? unheard();
    if (one.downSinceMs === undefined) {
      one.downSinceMs = nowMs;
      one.failures = 0;
      this.#followed.set(keyOf(backend), one);
      this.#count(1);
    }
    one.failures += 1;
    if (nowMs - one.lineAtMs < lineEveryMs) return;
    one.lineAtMs = nowMs;
    one.isToldDown = true;
    const downMs = Math.round(nowMs - one.downSinceMs);
    log.warn(
      { ...this.#shown(backend), ...why, failures: one.failures, downMs },
      'a backend does not answer',
    );
  }

  #answered(backend: CalledBackend): void {
    const { clock, log } = this.#options;
    const one = this.#followed.get(keyOf(backend));
    if (one?.downSinceMs === undefined) return;
    const downMs = Math.round(clock.monotonicMs() - one.downSinceMs);
    one.downSinceMs = undefined;
    this.#count(-1);
    if (!one.isToldDown) return;
    one.isToldDown = false;
    log.info({ ...this.#shown(backend), failures: one.failures, downMs }, 'the backend answers again');
  }

  #count(more: number): void {
    this.#down += more;
    this.#downGauge.set(this.#down);
  }

  #shown(backend: CalledBackend): CalledBackend {
    return { ...backend, url: this.#options.redactor.uri(backend.url) };
  }
}

const keyOf = ({ api, url }: CalledBackend): string => `${api}\0${url}`;

const unheard = (): Followed => ({
  downSinceMs: undefined,
  failures: 0,
  lineAtMs: -Infinity,
  isToldDown: false,
});
