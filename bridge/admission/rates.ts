import { LRUCache } from 'lru-cache';
import type { Clock } from '../../proto/process/clock.ts';
import { createRate, type Rate } from '../../proto/process/rate.ts';

/** One rate for each of many: sources, gateways. */
export interface Rates {
  /** As of {@link Rate}. */
  take(key: string, cost?: number): number;
  giveBack(key: string): void;
}

/** Rates that are remembered; one that nobody asked for since a second is full again, and may as well be forgotten. */
const rememberedMax = 10_000;

/** Makes them when they are first asked for; the table is bounded, whoever comes. */
export function createRates(perSecondMax: number, clock: Pick<Clock, 'monotonicMs'>): Rates {
  const rates = new LRUCache<string, Rate>({ max: rememberedMax });
  return {
    take(key, cost) {
      const rate = rates.get(key) ?? createRate(perSecondMax, clock);
      rates.set(key, rate);
      return rate.take(cost);
    },
    giveBack: (key) => rates.get(key)?.giveBack(),
  };
}
