import type { Clock } from '../../../proto/process/clock.ts';

/** Bounds of places. */
export interface PlacesOptions {
  readonly placesMax: number;
  /** Who may wait for one. */
  readonly waitersMax: number;
  readonly waitMsMax: number;
  readonly clock: Clock;
}

/** What came of asking for a place: whoever is `in` leaves it once. */
export type Entered = 'in' | 'full' | 'late';

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

  enter(): Entered | Promise<Entered> {
    const { placesMax, waitersMax, waitMsMax, clock } = this.#options;
    if (this.#taken < placesMax) {
      this.#taken += 1;
      return 'in';
    }
    if (this.#waiting.size >= waitersMax) return 'full';
    return new Promise((resolve) => {
      const takeOver = (): void => {
        cancel();
        resolve('in');
      };
      const cancel = clock.after(waitMsMax, () => {
        this.#waiting.delete(takeOver);
        resolve('late');
      });
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
    this.#waiting.delete(next);
    next();
  }
}
