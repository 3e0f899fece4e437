import { setFlagsFromString } from 'node:v8';

import type { Engine, OnThrown, UpstreamHttp2 } from './exchange.ts';
import { GrpcAwareUpstream } from './h2/grpc-upstream.ts';
import { Http2Upstream } from './h2/upstream.ts';
import { createWireHeaders } from './message/wire-headers.ts';
import { startListener } from './server/listener.ts';
import { Sweep } from './socket/sweep.ts';
import { createDnsCache } from './upstream/dns.ts';
import { UpstreamPool } from './upstream/pool.ts';

/** Host names whose addresses are remembered. */
const namesMax = 1_000;

/**
 * The gateway's own HTTP/1.1 engine, on `net` sockets, with Node's HTTP/2 beside it; see README.md for the machine.
 *
 * Upstreams with the same time to live share one cache of addresses. Without anybody to tell it to, what is thrown ends the process, as
 * it does elsewhere: a bug that nobody hears of would stay.
 */
export function createEngine(onThrown: OnThrown = endProcess): Engine {
  // Answers that wait for their access record live a little longer than others. V8 takes that for a habit and allocates whole
  // requests among the old objects, where only a full collection finds them: pauses of 15 to 140 ms instead of 0.4 and a
  // third more CPU per request (`bench:profile -- --role record`). The flag says not to guess.
  setFlagsFromString('--no-allocation-site-pretenuring');
  const sweep = new Sweep(onThrown);
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
    createUpstream(options) {
      const dns = cacheOf(options.dnsTtlMs);
      const over = (http2: UpstreamHttp2): Http2Upstream =>
        new Http2Upstream({ ...options, http2 }, http2, sweep, dns);
      if (options.http2 !== undefined) return over(options.http2);
      return new GrpcAwareUpstream(new UpstreamPool(options, sweep, dns), () => over(grpcAlone));
    },
    createHeaders: createWireHeaders,
  };
}

/** How gRPC is spoken to an upstream of which nothing is said. */
const grpcAlone: UpstreamHttp2 = {
  isRequired: true,
  streamsMax: undefined,
  connectionWindowBytes: undefined,
  streamWindowBytes: undefined,
  frameBytesMax: undefined,
};

function endProcess(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
