import type { Clock } from '../../../proto/process/clock.ts';
import type { PolicyCall } from '../policy.ts';

/** Bounds of places. */
export interface PlacesOptions {
  readonly placesMax: number;
  /** Who may wait for one. */
  readonly waitersMax: number;
  readonly waitMsMax: number;
  readonly clock: Clock;
}

/** What came of asking for a place: whoever is `in` leaves it once. `gone`: his request was over before his turn came. */
export type Entered = 'in' | 'full' | 'late' | 'gone';

/** So many at once; the others wait in order, for so long. */
export class Places {
  readonly #options: PlacesOptions;
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  constructor(options: PlacesOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#taken === 0 && this.#waiting.size === 0;
  }

  /** call: for whom; one that is over waits no longer. Undefined for what goes on without its request. */
  enter(call: Pick<PolicyCall, 'over'> | undefined): Entered | Promise<Entered> {
    const { placesMax, waitersMax, waitMsMax, clock } = this.#options;
    if (this.#taken < placesMax) {
      this.#taken += 1;
      return 'in';
    }
    if (this.#waiting.size >= waitersMax) return 'full';
    const over = call?.over;
    if (over?.aborted === true) return 'gone';
    return new Promise((resolve) => {
      const settle = (entered: Entered): void => {
        cancel();
        over?.removeEventListener('abort', give);
        this.#waiting.delete(takeOver);
        resolve(entered);
      };
      const takeOver = (): void => settle('in');
      const give = (): void => settle('gone');
      const cancel = clock.after(waitMsMax, () => settle('late'));
      over?.addEventListener('abort', give);
      this.#waiting.add(takeOver);
    });
  }

  /** Gives a place back: to who has waited longest, else to nobody. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken -= 1;
      return;
    }
    next();
  }
}
