import { Resolver } from 'node:dns/promises';
import { LRUCache } from 'lru-cache';

import type { Clock } from '../proto/process/clock.ts';
import type { GatewayConfig } from './config.ts';
import type { NamedAddresses, PolicyNames } from './policies/policy.ts';

/** Names that are asked for at a time; past it nobody knows. */
const askedMax = 256;
/** So long an answer counts at least, and that there was none: a server that is away is not asked with every request. */
const ttlMsMin = 1_000;
const triesMax = 2;
/** A name that does not exist, or has no addresses of the family. */
const nobody: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

interface Remembered {
  readonly addresses: NamedAddresses;
  /** Monotonic clock. */
  readonly untilMs: number;
}

/** Asks DNS for names that policies name, each once for all who ask at the same time, and remembers what it said as long as that holds. */
export function createNames(settings: GatewayConfig['policy']['dns'], clock: Clock): PolicyNames {
  const known = new LRUCache<string, Remembered>({ max: settings.namesMax });
  const asked = new Map<string, Promise<NamedAddresses>>();
  let resolver: Resolver | undefined;
  const open = (): Resolver => {
    const made = new Resolver({ timeout: settings.answerMsMax, tries: triesMax });
    if (settings.servers.length > 0) made.setServers(settings.servers);
    return made;
  };
  const ask = async (name: string, family: 4 | 6): Promise<Remembered> => {
    resolver ??= open();
    const ttl = { ttl: true } as const;
    try {
      const records = await (family === 4 ? resolver.resolve4(name, ttl) : resolver.resolve6(name, ttl));
      const ttlS = Math.min(...records.map((record) => record.ttl));
      return remember(
        records.map(({ address }) => address),
        ttlS * 1_000,
      );
    } catch (error) {
      const isNobody = error instanceof Error && 'code' in error && nobody.has(String(error.code));
      return remember(isNobody ? [] : undefined, ttlMsMin);
    }
  };
  const remember = (addresses: NamedAddresses, ttlMs: number): Remembered => ({
    addresses,
    untilMs: clock.monotonicMs() + Math.min(settings.ttlMsMax, Math.max(ttlMsMin, ttlMs)),
  });
  return {
    addressesOf(name, family) {
      const key = `${family}${name.toLowerCase()}`;
      const found = known.get(key);
      if (found !== undefined && clock.monotonicMs() < found.untilMs) return found.addresses;
      const running = asked.get(key);
      if (running !== undefined) return running;
      if (asked.size >= askedMax) return undefined;
      const asking = ask(name, family)
        .then((said) => {
          known.set(key, said);
          return said.addresses;
        })
        .finally(() => asked.delete(key));
      asked.set(key, asking);
      return asking;
    },
  };
}
