import type { SubscriptionPayload } from '../../proto/wire/payloads.ts';
import { ApiKeys } from './api-keys.ts';

/** A subscription as requests use it. */
export interface Subscription extends SubscriptionPayload {
  /** Only ACCEPTED ones serve; RESUMED is the management API's word for accepted again. */
  readonly isAccepted: boolean;
}

/** Where a subscription stands at a time. */
export function isInForce(subscription: Subscription, nowMs: number): boolean {
  return (
    subscription.isAccepted &&
    (subscription.startingAtMs === undefined || subscription.startingAtMs <= nowMs) &&
    (subscription.endingAtMs === undefined || nowMs < subscription.endingAtMs)
  );
}

/**
 * The subscriptions of one environment, by id, and what callers present to be found: keys.
 *
 * They change in place: each is looked up whole by one request, and a revocation must not wait for anything.
 */
export class Subscriptions {
  readonly keys: ApiKeys;
  readonly #byId = new Map<string, Subscription>();

  constructor(environment: string, keysSeenMax: number) {
    this.keys = new ApiKeys(environment, keysSeenMax);
  }

  get size(): number {
    return this.#byId.size;
  }

  ids(): Iterable<string> {
    return this.#byId.keys();
  }

  get(id: string): Subscription | undefined {
    return this.#byId.get(id);
  }

  set(subscription: SubscriptionPayload): void {
    const isAccepted = subscription.status === 'ACCEPTED' || subscription.status === 'RESUMED';
    this.#byId.set(subscription.id, { ...subscription, isAccepted });
  }

  delete(id: string): void {
    this.#byId.delete(id);
  }
}
