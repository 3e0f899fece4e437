import { decodeSubscription, type SubscriptionPayload } from '../../../../proto/wire/payloads.ts';
import type { Kind } from './kind.ts';

/** Subscriptions: looked up by each request, so they change for the next one. */
export const subscriptions: Kind<SubscriptionPayload> = {
  read: ({ payload }) => decodeSubscription(payload),
  apply(_record, subscription, { environment }) {
    environment.subscriptions.set(subscription);
    return undefined;
  },
  remove: (id, { environment }) => environment.subscriptions.delete(id),
  ids: (environment) => environment.subscriptions.ids(),
  reach(id, _environment, reached) {
    reached.subscriptions.add(id);
  },
};
