import type { CertificateRef, SubscriptionPayload } from '../../proto/wire/payloads.ts';
import { ApiKeys } from './api-keys.ts';
import { Certificates, type CertificateWish } from './certificates.ts';
import { Clients, type ClientWish } from './clients.ts';

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
 * The subscriptions of one environment, by id, and what callers present to be found: keys, ids of clients, certificates.
 *
 * They change in place: each is looked up whole by one request, and a revocation must not wait for anything.
 */
export class Subscriptions {
  readonly keys: ApiKeys;
  readonly #clients = new Clients<Subscription>();
  readonly #certificates = new Certificates<Subscription>();
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

  /** The first of a client to a plan that is in force. */
  ofClient(wish: ClientWish, nowMs: number): Subscription | undefined {
    return this.#clients.find(wish).find((each) => isInForce(each, nowMs));
  }

  /** The first of a certificate to a plan that is in force. */
  ofCertificate(wish: CertificateWish, nowMs: number): Subscription | undefined {
    return this.#certificates.find(wish, nowMs, (each) => isInForce(each, nowMs));
  }

  /** Whether any that is in force has the certificate: such a one is trusted in handshakes. */
  trustsCertificate(fingerprint: string, nowMs: number): boolean {
    return this.#certificates.has(fingerprint, nowMs, (each) => isInForce(each, nowMs));
  }

  /** How a subscription holds a certificate; undefined when it does not, or not any more. */
  certificateOf(id: string, fingerprint: string): CertificateRef | undefined {
    const subscription = this.#byId.get(id);
    return subscription && this.#certificates.of(subscription, fingerprint);
  }

  set(payload: SubscriptionPayload): void {
    this.delete(payload.id);
    const isAccepted = payload.status === 'ACCEPTED' || payload.status === 'RESUMED';
    const subscription = { ...payload, isAccepted };
    this.#byId.set(payload.id, subscription);
    this.#clients.add(subscription);
    this.#certificates.add(subscription);
  }

  delete(id: string): void {
    const before = this.#byId.get(id);
    if (before === undefined) return;
    this.#byId.delete(id);
    this.#clients.delete(before);
    this.#certificates.delete(before);
  }
}
