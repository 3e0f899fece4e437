import { lookup as systemLookup } from 'node:dns';
import { isIP } from 'node:net';

import { LRUCache } from 'lru-cache';

/** One address of a host. */
export interface HostAddress {
  readonly address: string;
  readonly family: number;
}

/** Addresses in the resolver's order (at least one), or why there are none; code is e.g. ENOTFOUND, EAI_AGAIN. */
export type DnsAnswer =
  | { readonly kind: 'addresses'; readonly addresses: readonly HostAddress[] }
  | { readonly kind: 'failure'; readonly code: string; readonly message: string };

/** Remembers the addresses of hosts. */
export interface DnsCache {
  /**
   * Calls back once: before `resolve` returns for an IP literal and for what is remembered, else when the resolver has answered.
   * The returned function takes the callback back; it does nothing once that was called.
   */
  resolve(host: string, callback: (answer: DnsAnswer) => void): () => void;
}

/** Asks the system for all addresses of a name. */
export type DnsLookup = (
  name: string,
  callback: (error: Error | null, addresses: readonly HostAddress[]) => void,
) => void;

/** Settings of a cache. */
export interface DnsCacheOptions {
  /** How long an answer is taken as it is. */
  readonly ttlMs: number;
  /** Names that are remembered, and names that may be asked for at the same time. */
  readonly entriesMax: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Default: getaddrinfo by node:dns, all families, in the order the system gives. */
  readonly lookup?: DnsLookup | undefined;
  /** How long a dial waits for a refresh while an older answer is at hand. Default 200. */
  readonly refreshMsMax?: number | undefined;
}

/** An answer that is older than this many times its ttl helps nobody. */
const staleTtls = 10;
/** A failed look-up is repeated after this time; a name that was just created must not stay unknown. */
const negativeMsMax = 1_000;
const refreshMsMaxDefault = 200;

interface Entry {
  readonly answer: DnsAnswer | undefined;
  readonly answeredAtMs: number;
  readonly failure: DnsAnswer | undefined;
  readonly failedAtMs: number;
}

interface Pending {
  readonly waiters: Set<(answer: DnsAnswer) => void>;
  /** The older answer was given out already because this look-up takes too long. */
  isLate: boolean;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Makes a cache over the system's resolver.
 *
 * getaddrinfo knows no ttl and blocks one of four threads, so: one look-up in flight per name, however many dials wait.
 * After ttlMs the name is asked for again. While that fails or takes longer than refreshMsMax, the older answer is used up to
 * ten times its ttl: a resolver that is down for a minute must not take the backends with it. Failures are remembered for
 * one second.
 */
export function createDnsCache(options: DnsCacheOptions): DnsCache {
  const { entriesMax, now, lookup = lookupAll, refreshMsMax = refreshMsMaxDefault } = options;
  const entries = createEntries(options);
  const pending = new Map<string, Pending>();

  const tellAll = (asked: Pending, answer: DnsAnswer): void => {
    const waiters = [...asked.waiters];
    asked.waiters.clear();
    for (const waiter of waiters) waiter(answer);
  };
  const start = (name: string, asked: Pending): void => {
    if (entries.stale(name) !== undefined) {
      asked.timer = setTimeout(() => {
        const stale = entries.stale(name);
        if (stale === undefined) return;
        asked.isLate = true;
        tellAll(asked, stale);
      }, refreshMsMax).unref();
    }
    lookup(name, (error, addresses) => {
      clearTimeout(asked.timer);
      pending.delete(name);
      tellAll(asked, entries.keep(name, answerOf(name, error, addresses)));
    });
  };

  return {
    resolve(host, callback) {
      const family = isIP(host);
      const name = host.toLowerCase();
      const asked = pending.get(name);
      const known: DnsAnswer | undefined =
        family === 0
          ? (entries.known(name, now()) ?? (asked?.isLate === true ? entries.stale(name) : undefined))
          : { kind: 'addresses', addresses: [{ address: host, family }] };
      if (known !== undefined) {
        callback(known);
        return nothing;
      }
      if (asked !== undefined) {
        asked.waiters.add(callback);
        return () => void asked.waiters.delete(callback);
      }
      if (pending.size >= entriesMax) {
        callback(entries.stale(name) ?? failureOf('EAI_AGAIN', `${name}: too many look-ups at once`));
        return nothing;
      }
      const first: Pending = { waiters: new Set([callback]), isLate: false, timer: undefined };
      pending.set(name, first);
      start(name, first);
      return () => void first.waiters.delete(callback);
    },
  };
}

/** What was answered, and how long it may be used. */
function createEntries({ ttlMs, entriesMax, now }: DnsCacheOptions) {
  const entries = new LRUCache<string, Entry>({ max: entriesMax });
  const usable = (entry: Entry | undefined, ageMsMax: number): DnsAnswer | undefined =>
    entry?.answer !== undefined && now() - entry.answeredAtMs <= ageMsMax ? entry.answer : undefined;
  const stale = (name: string): DnsAnswer | undefined => usable(entries.get(name), ttlMs * staleTtls);
  return {
    /** An older answer, for when nothing better comes. */
    stale,
    /** What may be said without asking again. */
    known(name: string, atMs: number): DnsAnswer | undefined {
      const entry = entries.get(name);
      const fresh = usable(entry, ttlMs);
      if (fresh !== undefined || entry?.failure === undefined) return fresh;
      return atMs - entry.failedAtMs < negativeMsMax ? (stale(name) ?? entry.failure) : undefined;
    },
    /** Remembers an answer and gives back the one to use. */
    keep(name: string, answer: DnsAnswer): DnsAnswer {
      const atMs = now();
      if (answer.kind === 'addresses') {
        entries.set(name, { answer, answeredAtMs: atMs, failure: undefined, failedAtMs: 0 });
        return answer;
      }
      const before = entries.get(name);
      const older = { answer: before?.answer, answeredAtMs: before?.answeredAtMs ?? 0 };
      entries.set(name, { ...older, failure: answer, failedAtMs: atMs });
      return stale(name) ?? answer;
    },
  };
}

const lookupAll: DnsLookup = (name, callback) => {
  systemLookup(name, { all: true, order: 'verbatim' }, callback);
};

function answerOf(name: string, error: Error | null, addresses: readonly HostAddress[]): DnsAnswer {
  if (error === null && addresses.length > 0) return { kind: 'addresses', addresses };
  const code = error !== null && 'code' in error ? String(error.code) : 'ENOTFOUND';
  return failureOf(code, `${name}: ${code}`);
}

function failureOf(code: string, message: string): DnsAnswer {
  return { kind: 'failure', code, message };
}

const nothing = (): void => undefined;
