import type { Engine } from '../exchange.ts';
import { breakingPromises } from './breaking.ts';
import { exchangingPromises } from './exchanging.ts';
import { makingPromises } from './making.ts';
import { meetingPromises } from './meeting.ts';
import { proxyingPromises } from './proxying.ts';
import { refusingPromises } from './refusing.ts';
import { brokenTransformPromises, transformingPromises } from './transforming.ts';

/**
 * What every engine promises, spoken over raw sockets on both sides. Run by the test file of each engine.
 *
 * These are conversations; single messages, some 1,200 of them, stand as tables in `cases/` and are played by `tables.ts`.
 */
export function describeEngine(name: string, create: () => Engine): void {
  for (const promises of [
    proxyingPromises,
    breakingPromises,
    refusingPromises,
    exchangingPromises,
    makingPromises,
    meetingPromises,
    transformingPromises,
    brokenTransformPromises,
  ])
    promises(name, create);
}
