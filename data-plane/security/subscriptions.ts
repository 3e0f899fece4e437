import { Buffer } from 'node:buffer';

import { apiKeyHash } from '../../proto/trust/keys.ts';
import type { ConfigChange } from '../gateway/deploy/change.ts';
import type { ApiKeyPayload, SubscriptionPayload } from '../../proto/wire/payloads.ts';

/** A subscription as requests use it. */
export interface Subscription extends SubscriptionPayload {
  /** Only ACCEPTED ones serve; RESUMED is the management API's word for accepted again. */
  readonly isAccepted: boolean;
}

/** A key that was presented and is known. */
export interface PresentedKey {
  readonly key: ApiKeyPayload;
  /** First 8 hex digits of the hash; all that a record may hold of a key. */
  readonly hash8: string;
}

/** Where a subscription stands at a time. */
export function isInForce(subscription: Subscription, nowMs: number): boolean {
  return (
    subscription.isAccepted &&
    (subscription.startingAtMs === undefined || subscription.startingAtMs <= nowMs) &&
    (subscription.endingAtMs === undefined || nowMs < subscription.endingAtMs)
  );
}

/** Where a key stands at a time. */
export function isKeyInForce(key: ApiKeyPayload, nowMs: number): boolean {
  return !key.isRevoked && (key.expireAtMs === undefined || nowMs < key.expireAtMs);
}

interface KnownKey extends PresentedKey {
  readonly hash: string;
}

/**
 * Subscriptions and keys of one environment.
 *
 * A presented key is looked for among those seen before and only then hashed; unknown keys are not remembered, so that
 * guesses cannot push out good ones.
 */
export class Subscriptions {
  private readonly environment: string;
  private readonly seenMax: number;
  private readonly byId = new Map<string, Subscription>();
  private readonly keysById = new Map<string, KnownKey>();
  private readonly keysByHash = new Map<string, KnownKey>();
  private seen = new Map<string, string>();

  constructor(environment: string, seenMax: number) {
    this.environment = environment;
    this.seenMax = seenMax;
  }

  get(id: string): Subscription | undefined {
    return this.byId.get(id);
  }

  set(subscription: SubscriptionPayload): void {
    const isAccepted = subscription.status === 'ACCEPTED' || subscription.status === 'RESUMED';
    this.byId.set(subscription.id, { ...subscription, isAccepted });
  }

  delete(id: string): void {
    this.byId.delete(id);
  }

  getKey(id: string): ApiKeyPayload | undefined {
    return this.keysById.get(id)?.key;
  }

  setKey(key: ApiKeyPayload): void {
    this.deleteKey(key.id);
    const hash = Buffer.from(key.hash).toString('latin1');
    const known = { key, hash, hash8: Buffer.from(key.hash.subarray(0, 4)).toString('hex') };
    this.keysById.set(key.id, known);
    this.keysByHash.set(hash, known);
  }

  deleteKey(id: string): void {
    const known = this.keysById.get(id);
    if (known === undefined) return;
    this.keysById.delete(id);
    if (this.keysByHash.get(known.hash) === known) this.keysByHash.delete(known.hash);
  }

  /** Finds a key as it was presented; undefined when it is unknown. */
  find(presented: string): PresentedKey | undefined {
    const seenHash = this.seen.get(presented);
    if (seenHash !== undefined) return this.keysByHash.get(seenHash);
    const hash = Buffer.from(apiKeyHash(this.environment, presented)).toString('latin1');
    const known = this.keysByHash.get(hash);
    if (known !== undefined) {
      // Emptied whole: a full map of live keys fills again within as many hashes, and needs no bookkeeping per request.
      if (this.seen.size >= this.seenMax) this.seen = new Map();
      this.seen.set(presented, hash);
    }
    return known;
  }

  get size(): { readonly subscriptions: number; readonly keys: number } {
    return { subscriptions: this.byId.size, keys: this.keysById.size };
  }
}

/** The APIs and subscriptions whose streams a change may end; of keys the subscriptions that they opened before. */
export function touchedBy(
  { set, removed }: Pick<ConfigChange, 'set' | 'removed'>,
  before: Subscriptions | undefined,
): { readonly apis: ReadonlySet<string>; readonly subscriptions: ReadonlySet<string> } {
  const apis = new Set<string>();
  const subscriptions = new Set<string>();
  for (const { kind, id } of [...set, ...removed]) {
    if (kind === 'api') apis.add(id);
    else if (kind === 'subscription') subscriptions.add(id);
    else if (kind === 'api-key')
      for (const opened of before?.getKey(id)?.subscriptions ?? []) subscriptions.add(opened);
  }
  return { apis, subscriptions };
}
