import { ByTurn, type ByTurnOptions } from './by-turn.ts';
import type { Counters, CounterStore } from './limiter.ts';

/** Whom to ask, and what counts while he does not answer. */
export interface AskedCountersOptions extends ByTurnOptions {
  readonly local: CounterStore;
  /** A take that was counted by `local`. */
  readonly onLocal: () => void;
}

/**
 * Counters that another process keeps for several. While it is late each process counts by itself: a limit then lets up to as much pass in
 * each, which is better than to refuse, or to let all pass. What was counted by itself is not added afterwards.
 */
export function createAskedCounters(options: AskedCountersOptions): CounterStore {
  const { local, onLocal } = options;
  const turns = new ByTurn(options);
  return {
    within(environment): Counters {
      const own = local.within(environment);
      return {
        take(key, rule, amount) {
          const alone = (): ReturnType<Counters['take']> => {
            onLocal();
            return own.take(key, rule, amount);
          };
          return turns.take({ environment, key, rule, amount })?.catch(alone) ?? alone();
        },
      };
    },
  };
}
