import type { Schemas } from '../../api/client.ts';
import { countOf, size, worded } from '../../kit/numbers.ts';
import type { Tone } from '../../kit/status.tsx';

type Told = Pick<Schemas['Gateway'], 'state' | 'counters'>;

/** Something in the network of a fleet that its gateways tell of. */
export interface Beside {
  readonly what: 'redis' | 'shipper';
  readonly words: string;
  readonly tone: Tone;
}

/** What stands beside the gateways of a fleet, as far as those that run tell of it: Redis that counts, and how much their spools hold. */
export function besideOf(gateways: readonly Told[]): readonly Beside[] {
  const running = gateways.filter(({ state }) => state === 'connected').map(({ counters }) => counters);
  return [redisOf(running), shipperOf(running)].filter((each) => each !== undefined);
}

type Counters = Told['counters'];

function redisOf(running: readonly Counters[]): Beside | undefined {
  const asking = running.filter(({ redisWays = 0 }) => redisWays > 0);
  const without = asking.filter(({ redisWaysAway = 0 }) => redisWaysAway > 0).length;
  if (asking.length === 0) return undefined;
  if (without === 0) return { what: 'redis', words: 'Redis counts', tone: 'ok' };
  return {
    what: 'redis',
    words: `Redis away, ${without} of ${asking.length}`,
    tone: without === asking.length ? 'bad' : 'warn',
  };
}

function shipperOf(running: readonly Counters[]): Beside | undefined {
  const writing = running.filter(({ spoolBytes }) => spoolBytes !== undefined);
  const sum = (name: string): number => writing.reduce((all, counters) => all + (counters[name] ?? 0), 0);
  if (writing.length === 0) return undefined;
  const dropped = sum('droppedRecords');
  if (dropped > 0) return { what: 'shipper', words: `${countOf(dropped, 'record')} dropped`, tone: 'bad' };
  return {
    what: 'shipper',
    words: `Spool ${worded(size(sum('spoolBytes')))}`,
    tone: writing.some(({ spoolDegraded }) => spoolDegraded === 1) ? 'warn' : 'ok',
  };
}
