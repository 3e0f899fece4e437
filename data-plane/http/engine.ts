import type { Engine } from './exchange.ts';
import { createWireHeaders } from './message/wire-headers.ts';
import { startListener } from './server/listener.ts';
import { Sweep } from './socket/sweep.ts';
import { createDnsCache } from './upstream/dns.ts';
import { UpstreamPool } from './upstream/pool.ts';

/** Host names whose addresses are remembered. */
const namesMax = 1_000;

/**
 * The gateway's own HTTP/1.1 engine, on `net` sockets; see README.md for the machine.
 *
 * Upstreams with the same time to live share one cache of addresses.
 */
export function createEngine(): Engine {
  const sweep = new Sweep();
  const caches = new Map<number, ReturnType<typeof createDnsCache>>();
  const cacheOf = (ttlMs: number): ReturnType<typeof createDnsCache> => {
    const known =
      caches.get(ttlMs) ?? createDnsCache({ ttlMs, entriesMax: namesMax, now: () => performance.now() });
    caches.set(ttlMs, known);
    return known;
  };
  return {
    name: 'isthmus',
    listen: (options) => startListener(options, sweep),
    createUpstream: (options) => new UpstreamPool(options, sweep, cacheOf(options.dnsTtlMs)),
    createHeaders: createWireHeaders,
  };
}
