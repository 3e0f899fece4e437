import type { UpstreamOptions } from '../exchange.ts';
import type { Sweep } from '../socket/sweep.ts';

/**
 * How long an upstream may say nothing: `readMsMax` before the head of its answer, `bodyMsMax` within the body; 0 is no bound. Begun anew
 * by whatever moves; looked at by the sweep.
 */
export class Silence {
  readonly #options: Pick<UpstreamOptions, 'readMsMax' | 'bodyMsMax'>;
  readonly #sweep: Sweep;
  #msMax = 0;
  /** 0 while nothing is waited for. */
  #dueMs = 0;

  constructor(options: Pick<UpstreamOptions, 'readMsMax' | 'bodyMsMax'>, sweep: Sweep) {
    this.#options = options;
    this.#sweep = sweep;
  }

  begin(isInBody: boolean): void {
    const ms = isInBody ? this.#options.bodyMsMax : this.#options.readMsMax;
    this.#msMax = ms;
    this.#dueMs = ms === 0 ? 0 : this.#sweep.nowMs + ms;
  }

  /** Nothing is waited for. */
  end(): void {
    this.#dueMs = 0;
  }

  isTooLong(nowMs: number): boolean {
    return this.#dueMs !== 0 && nowMs >= this.#dueMs;
  }

  get words(): string {
    return `the upstream was silent for ${this.#msMax} ms`;
  }
}
