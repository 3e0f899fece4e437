import type { Engine } from '../exchange.ts';
import { breakingPromises } from './breaking.ts';
import { exchangingPromises } from './exchanging.ts';
import { proxyingPromises } from './proxying.ts';
import { refusingPromises } from './refusing.ts';

/** What every engine promises, spoken over raw sockets on both sides. Run by the test file of each engine. */
export function describeEngine(name: string, create: () => Engine): void {
  for (const promises of [proxyingPromises, breakingPromises, refusingPromises, exchangingPromises])
    promises(name, create);
}
