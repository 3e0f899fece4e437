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

/** What an endpoint does with what its requests find. */
export interface OutlierPlace {
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
  readonly #settings: OutlierSettings;
  readonly #clock: Clock;
  readonly #place: OutlierPlace;
  #failures = 0;
  #times = 0;
  #backAtMs = -Infinity;
  #cancel = (): void => undefined;

  constructor(settings: OutlierSettings, clock: Clock, place: OutlierPlace) {
    this.#settings = settings;
    this.#clock = clock;
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
    if (this.#failures < this.#settings.consecutive5xx || this.isEjected || !this.#place.isReplaceable())
      return;
    this.#eject();
  }

  #eject(): void {
    const { baseEjectionMs, maxEjectionMs } = this.#settings;
    const nowMs = this.#clock.monotonicMs();
    const forMs = (times: number): number => Math.min(maxEjectionMs, baseEjectionMs * times);
    // Who did well for as long as he was out last begins anew.
    this.#times = nowMs - this.#backAtMs >= forMs(this.#times) ? 1 : this.#times + 1;
    this.isEjected = true;
    this.#failures = 0;
    this.#cancel = this.#clock.after(forMs(this.#times), () => {
      this.isEjected = false;
      this.#backAtMs = this.#clock.monotonicMs();
      this.#place.onChange();
    });
    this.#place.onChange();
  }
}
