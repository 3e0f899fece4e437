import { apiKeyHash } from '../../proto/trust/keys.ts';
import type { ApiKeyPayload } from '../../proto/wire/payloads.ts';

/** A key that was presented and is known. */
export interface PresentedKey {
  readonly key: ApiKeyPayload;
  /** First 8 hex digits of the hash; all that a record may hold of a key. */
  readonly hash8: string;
  /** The same key in another record: one that an application shares has one for each of its subscriptions. */
  readonly next: PresentedKey | undefined;
}

interface KnownKey extends PresentedKey {
  readonly hash: string;
  next: KnownKey | undefined;
}

/** Where a key stands at a time. */
export function isKeyInForce(key: ApiKeyPayload, nowMs: number): boolean {
  return !key.isRevoked && (key.expireAtMs === undefined || nowMs < key.expireAtMs);
}

/**
 * The keys of one environment, by id and by hash.
 *
 * A presented key is looked for among those seen before and only then hashed. Of unknown keys the last alone is remembered, so that the
 * next plan of the same API asks for nothing, and guesses cannot push out good ones.
 */
export class ApiKeys {
  readonly #environment: string;
  readonly #seenMax: number;
  readonly #byId = new Map<string, KnownKey>();
  readonly #byHash = new Map<string, KnownKey>();
  #seen = new Map<string, string>();
  #lastUnknown: string | undefined = undefined;

  constructor(environment: string, seenMax: number) {
    this.#environment = environment;
    this.#seenMax = seenMax;
  }

  get size(): number {
    return this.#byId.size;
  }

  ids(): Iterable<string> {
    return this.#byId.keys();
  }

  get(id: string): ApiKeyPayload | undefined {
    return this.#byId.get(id)?.key;
  }

  set(key: ApiKeyPayload): void {
    this.delete(key.id);
    this.#lastUnknown = undefined;
    const hash = Buffer.from(key.hash).toString('latin1');
    const hash8 = Buffer.from(key.hash.subarray(0, 4)).toString('hex');
    const known: KnownKey = { key, hash, hash8, next: this.#byHash.get(hash) };
    this.#byId.set(key.id, known);
    this.#byHash.set(hash, known);
  }

  delete(id: string): void {
    const known = this.#byId.get(id);
    if (known === undefined) return;
    this.#byId.delete(id);
    const first = this.#byHash.get(known.hash);
    if (first === known) {
      if (known.next === undefined) this.#byHash.delete(known.hash);
      else this.#byHash.set(known.hash, known.next);
      return;
    }
    let before = first;
    while (before !== undefined && before.next !== known) before = before.next;
    if (before !== undefined) before.next = known.next;
  }

  /** Finds a key as it was presented, the first of its records; undefined when it is unknown. */
  find(presented: string): PresentedKey | undefined {
    const seenHash = this.#seen.get(presented);
    if (seenHash !== undefined) return this.#byHash.get(seenHash);
    if (presented === this.#lastUnknown) return undefined;
    const hash = Buffer.from(apiKeyHash(this.#environment, presented)).toString('latin1');
    const known = this.#byHash.get(hash);
    if (known === undefined) {
      this.#lastUnknown = presented;
      return undefined;
    }
    // Emptied whole: a full map of live keys fills again within as many hashes, and needs no bookkeeping per request.
    if (this.#seen.size >= this.#seenMax) this.#seen = new Map();
    this.#seen.set(presented, hash);
    return known;
  }
}
