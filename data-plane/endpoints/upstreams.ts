import type { Guard } from '../../proto/process/outbound/guard.ts';
import type { Engine, Upstream } from '../http/exchange.ts';
import type { DefinedOptions } from './options.ts';

/** A pool in use; release it exactly once. */
export interface HeldUpstream {
  readonly upstream: Upstream;
  release(): void;
}

/**
 * Connection pools by API and options.
 *
 * A new revision of an API that talks to the same origin in the same way takes over the pool of the one before, so that
 * a deploy does not open new connections. The last release closes the pool once its requests are answered: a download that began under
 * the revision before runs to its end, bounded by its own timeouts, and a stream as long as its owner lets it (gateway/streams/streams.ts).
 */
export interface Upstreams {
  hold(api: string, options: DefinedOptions): HeldUpstream;
  /** Resolves when every pool is closed; to be called when nothing is served any more. */
  close(deadlineMs: number): Promise<void>;
  readonly size: number;
}

/** The gateway's own settings of its pools. */
export interface UpstreamsSettings {
  readonly upstream: { readonly dnsTtlMs: number; readonly connectionAgeMsMax: number };
}

/** Makes an empty set of pools, which dial what the guard lets them. */
export function createUpstreams(
  engine: Engine,
  { upstream: own }: UpstreamsSettings,
  guard: Guard,
): Upstreams {
  const pools = new Map<string, { readonly upstream: Upstream; holders: number }>();
  const closing = new Set<Upstream>();
  return {
    hold(api, options) {
      const key = `${api}\0${JSON.stringify(options)}`;
      const pool = pools.get(key) ?? {
        upstream: engine.createUpstream({
          ...options,
          ageMsMax: own.connectionAgeMsMax,
          dnsTtlMs: own.dnsTtlMs,
          mayDial: (address, port) =>
            guard.mayConnect(address, {
              host: options.proxy?.host ?? options.foundBy ?? options.host,
              port,
            }),
        }),
        holders: 0,
      };
      pools.set(key, pool);
      pool.holders += 1;
      return {
        upstream: pool.upstream,
        release() {
          pool.holders -= 1;
          if (pool.holders > 0) return;
          pools.delete(key);
          closing.add(pool.upstream);
          void pool.upstream.close(Infinity).then(() => closing.delete(pool.upstream));
        },
      };
    },
    async close(deadlineMs) {
      const all = [...closing, ...[...pools.values()].map(({ upstream }) => upstream)];
      pools.clear();
      await Promise.all(all.map((upstream) => upstream.close(deadlineMs)));
    },
    get size() {
      return pools.size;
    },
  };
}
