import type { Log } from '../../proto/process/log.ts';
import type { EnvironmentState, RefusalReason } from './state.ts';

/** What of one environment was not taken. */
export class Refusals {
  readonly #tell: (reason: RefusalReason, detail: string) => void;
  readonly #counts: Partial<Record<RefusalReason, number>> = {};
  #last: string | undefined;

  constructor(
    environment: string,
    {
      log,
      onRefused,
    }: { readonly log: Log; readonly onRefused: (environment: string, reason: RefusalReason) => void },
  ) {
    this.#tell = (reason, detail) => {
      onRefused(environment, reason);
      log.warn({ environment, reason, detail }, 'refused what the bridge sent');
    };
  }

  count(reason: RefusalReason, detail: string): void {
    // oxlint-disable-next-line house/foreign-keys -- the reasons are our own, RefusalReason
    this.#counts[reason] = (this.#counts[reason] ?? 0) + 1;
    this.#last = `${reason}: ${detail}`;
    this.#tell(reason, detail);
  }

  state(): Pick<EnvironmentState, 'refused' | 'lastRefusal'> {
    return { refused: { ...this.#counts }, lastRefusal: this.#last };
  }
}
