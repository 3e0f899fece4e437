import type { Exchange } from '../exchange.ts';

/** Waiting requests per upstream when the definition sets no bound. */
const waitingMaxDefault = 10_000;

/** A place among the connections, or why there is none. */
export type Slot =
  | { readonly kind: 'taken'; readonly release: () => void }
  | { readonly kind: 'queueFull' | 'queueTimeout' | 'aborted' };

/** Hands out a bounded number of places, first come, first served. */
export interface Slots {
  take(exchange: Exchange): Promise<Slot> | Slot;
}

/** waitingMax -1 means no bound of the definition's; waitMsMax is how long one waits. */
export function createSlots(options: {
  readonly slotsMax: number;
  readonly waitingMax: number;
  readonly waitMsMax: number;
}): Slots {
  const waitingMax = options.waitingMax < 0 ? waitingMaxDefault : options.waitingMax;
  const waiting = new Set<(slot: Slot) => void>();
  let taken = 0;

  const release = (): void => {
    const [next] = waiting;
    if (next === undefined) taken -= 1;
    else next(place());
  };
  const place = (): Slot => {
    let isReleased = false;
    return {
      kind: 'taken',
      release() {
        if (isReleased) return;
        isReleased = true;
        release();
      },
    };
  };
  return {
    take(exchange) {
      if (taken < options.slotsMax) {
        taken += 1;
        return place();
      }
      if (waiting.size >= waitingMax) return { kind: 'queueFull' };
      return new Promise((resolve) => {
        const settle = (slot: Slot): void => {
          // A place that is handed to somebody who has left goes on to the next.
          if (!waiting.delete(settle)) return slot.kind === 'taken' ? slot.release() : undefined;
          clearTimeout(timer);
          resolve(slot);
        };
        const timer = setTimeout(() => settle({ kind: 'queueTimeout' }), options.waitMsMax).unref();
        waiting.add(settle);
        exchange.onAbort(() => settle({ kind: 'aborted' }));
      });
    },
  };
}
