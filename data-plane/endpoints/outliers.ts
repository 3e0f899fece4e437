import type { Clock } from '../../proto/process/clock.ts';
import type { Upstream, UpstreamResult } from '../http/exchange.ts';

/** When an endpoint is taken out for what requests found there; the words are Envoy's. */
export interface OutlierSettings {
  /** Requests in a row that found no connection, no answer, or a status of 500 or more; 0 takes nothing out. */
  readonly consecutive5xx: number;
  /** How long it stays out the first time; so much longer each time, while it comes back no better. */
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
}

/** What taking endpoints out needs of the gateway. */
export interface OutlierHost {
  readonly settings: OutlierSettings;
  readonly clock: Clock;
  /** Hears of each one that is taken out, and for how long. */
  readonly onEjected: (ejected: {
    readonly api: string;
    readonly endpoint: string;
    readonly forMs: number;
  }) => void;
}

/** What an endpoint does with what its requests find. */
export interface OutlierPlace {
  readonly api: string;
  readonly endpoint: string;
  /** Another one of its group gets requests. */
  readonly isReplaceable: () => boolean;
  /** It is out, or back. */
  readonly onChange: () => void;
}

/** What is the caller's or the gateway's doing, and says nothing of the endpoint. */
const notOurs: ReadonlySet<string> = new Set(['aborted', 'requestBodyFailed', 'queueFull', 'queueTimeout']);

/** Follows the requests of one endpoint, in one process, and takes it out for a while when they fail in a row. */
export class Outlier {
  isEjected = false;
  readonly #host: OutlierHost;
  readonly #place: OutlierPlace;
  #failures = 0;
  #times = 0;
  #backAtMs = -Infinity;
  #cancel = (): void => undefined;

  constructor(host: OutlierHost, place: OutlierPlace) {
    this.#host = host;
    this.#place = place;
  }

  /** The same pool, whose results are followed. */
  follow(upstream: Upstream): Upstream {
    return {
      send: (request, receive) =>
        upstream.send(request, (result) => {
          this.#take(result);
          receive(result);
        }),
      close: (deadlineMs) => upstream.close(deadlineMs),
    };
  }

  release(): void {
    this.#cancel();
  }

  #take(result: UpstreamResult): void {
    if (result.kind === 'failure' && notOurs.has(result.failure)) return;
    const hasFailed = result.kind === 'failure' || (result.kind === 'response' && result.head.status >= 500);
    this.#failures = hasFailed ? this.#failures + 1 : 0;
    if (this.#failures < this.#host.settings.consecutive5xx || this.isEjected || !this.#place.isReplaceable())
      return;
    this.#eject();
  }

  #eject(): void {
    const { settings, clock, onEjected } = this.#host;
    const { api, endpoint, onChange } = this.#place;
    const { baseEjectionMs, maxEjectionMs } = settings;
    const msAfter = (times: number): number => Math.min(maxEjectionMs, baseEjectionMs * times);
    // Who did well for as long as he was out last begins anew.
    this.#times = clock.monotonicMs() - this.#backAtMs >= msAfter(this.#times) ? 1 : this.#times + 1;
    this.isEjected = true;
    this.#failures = 0;
    const forMs = msAfter(this.#times);
    this.#cancel = clock.after(forMs, () => {
      this.isEjected = false;
      this.#backAtMs = clock.monotonicMs();
      onChange();
    });
    onChange();
    onEjected({ api, endpoint, forMs });
  }
}
