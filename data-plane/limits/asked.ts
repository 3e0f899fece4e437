import type { Clock } from '../../proto/process/clock.ts';
import { ByTurn, type ByTurnOptions, type Take } from './by-turn.ts';
import type { Count, Counters, CounterStore } from './limiter.ts';
import type { MemoryCounterStore } from './memory.ts';
import { estimateOf, isTaken, nameOf } from './near.ts';

/** Whom to ask, and what counts while he does not answer. */
export interface AskedCountersOptions extends ByTurnOptions {
  /** Goes on from what he last said. */
  readonly local: MemoryCounterStore;
  /** How many processes ask him: while he is late each lets its share of a limit pass. */
  readonly askers: number;
  /** Most keys of which it is kept what he has to be told afterwards. */
  readonly owedMax: number;
  /** A take that was counted by `local`. */
  readonly onLocal: () => void;
  readonly clock: Pick<Clock, 'now' | 'after'>;
}

/** What he was not asked. */
interface Owed {
  readonly take: Take;
  /** Then it is over: what would be told is of a window that has ended. */
  readonly resetAtMs: number;
}

/**
 * Counters that another process keeps for several. While it is late each process counts by itself, from what it last heard on, and each of
 * its own as often as there are processes: together they let no more pass than the limit, but for what one has not heard of. What he was not asked
 * is told to him before the next that he is asked, unless its window is over.
 */
export function createAskedCounters(options: AskedCountersOptions): CounterStore {
  const { local, askers, owedMax, onLocal, clock } = options;
  const turns = new ByTurn(options);
  const owed = new Map<string, Owed>();
  /** False when he is not asked: then nothing of it was told. */
  const tellOwed = (): boolean => {
    for (const [name, { take, resetAtMs }] of owed) {
      const told = clock.now() < resetAtMs ? turns.take(take) : Promise.resolve();
      if (told === undefined) return false;
      owed.delete(name);
      told.catch(() => undefined);
    }
    return true;
  };
  const owe = (take: Take, counted: Count): void => {
    if (!isTaken(take, counted)) return;
    const name = nameOf(take);
    const known = owed.get(name);
    if (known === undefined && owed.size >= owedMax) return;
    const before = known !== undefined && clock.now() < known.resetAtMs ? known.take.amount : 0;
    owed.set(name, { take: { ...take, amount: take.amount + before }, resetAtMs: counted.resetAtMs });
  };
  return {
    within(environment): Counters {
      const own = local.within(environment);
      return {
        take(key, rule, amount) {
          const alone = (): Count => {
            onLocal();
            return estimateOf(own.take(key, rule, amount * askers));
          };
          const take = { environment, key, rule, amount };
          const asked = tellOwed() ? turns.take(take) : undefined;
          if (asked === undefined) {
            const counted = alone();
            owe(take, counted);
            return counted;
          }
          return asked.then((count) => {
            own.learn(key, rule, count);
            return count;
          }, alone);
        },
      };
    },
  };
}
