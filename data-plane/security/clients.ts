import type { SubscriptionPayload } from '../../proto/wire/payloads.ts';

/** Which client asks for which plan of which API. */
export interface ClientWish {
  readonly api: string;
  readonly plan: string;
  readonly clientId: string;
}

/** The subscriptions of one environment by the client ids of their applications. */
export class Clients<Subscription extends SubscriptionPayload> {
  readonly #byApi = new Map<string, Map<string, readonly Subscription[]>>();

  add(subscription: Subscription): void {
    const { api, clientId } = subscription;
    if (clientId === undefined) return;
    let ofApi = this.#byApi.get(api);
    if (ofApi === undefined) this.#byApi.set(api, (ofApi = new Map()));
    const key = keyOf(subscription.plan, clientId);
    ofApi.set(key, [...(ofApi.get(key) ?? []), subscription]);
  }

  delete(subscription: Subscription): void {
    const { api, clientId } = subscription;
    const ofApi = this.#byApi.get(api);
    if (clientId === undefined || ofApi === undefined) return;
    const key = keyOf(subscription.plan, clientId);
    const left = (ofApi.get(key) ?? []).filter((each) => each !== subscription);
    if (left.length > 0) ofApi.set(key, left);
    else ofApi.delete(key);
    if (ofApi.size === 0) this.#byApi.delete(api);
  }

  /** In the order in which they came: a client may have subscribed again after the first was closed. */
  find({ api, plan, clientId }: ClientWish): readonly Subscription[] {
    return this.#byApi.get(api)?.get(keyOf(plan, clientId)) ?? [];
  }
}

const keyOf = (plan: string, clientId: string): string => `${plan}\0${clientId}`;
