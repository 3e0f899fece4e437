import { ByTurn, type ByTurnOptions, type Take } from './by-turn.ts';
import type { Count, Counters, CounterStore } from './limiter.ts';
import type { MemoryCounterStore } from './memory.ts';

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
}

/**
 * Counters that another process keeps for several. While it is late each process counts by itself, from what it last heard on, and each of
 * its own as often as there are processes: together they let no more pass than the limit, but for what one has not heard of. What he was not asked
 * is told to him before the next that he is asked.
 */
export function createAskedCounters(options: AskedCountersOptions): CounterStore {
  const { local, askers, owedMax, onLocal } = options;
  const turns = new ByTurn(options);
  const owed = new Map<string, Take>();
  /** False when he is not asked: then nothing of it was told. */
  const tellOwed = (): boolean => {
    for (const [name, take] of owed) {
      const told = turns.take(take);
      if (told === undefined) return false;
      owed.delete(name);
      told.catch(() => undefined);
    }
    return true;
  };
  const owe = (take: Take): void => {
    if (take.amount === 0) return;
    const name = `${take.rule.kind}\n${take.environment}\n${take.rule.group ?? ''}${take.key}`;
    const known = owed.get(name);
    if (known === undefined && owed.size >= owedMax) return;
    owed.set(name, { ...take, amount: take.amount + (known?.amount ?? 0) });
  };
  return {
    within(environment): Counters {
      const own = local.within(environment);
      return {
        take(key, rule, amount) {
          const alone = (): Count => {
            onLocal();
            const { count, resetAtMs } = own.take(key, rule, amount * askers);
            return { count, resetAtMs, isEstimate: true };
          };
          const take = { environment, key, rule, amount };
          const asked = tellOwed() ? turns.take(take) : undefined;
          if (asked === undefined) {
            owe(take);
            return alone();
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
