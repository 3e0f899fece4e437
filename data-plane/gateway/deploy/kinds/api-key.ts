import { type ApiKeyPayload, decodeApiKey } from '../../../../proto/wire/payloads.ts';
import type { Kind } from './kind.ts';

/** API keys: looked up by each request, so they change for the next one. A key ends what it opened. */
export const apiKeys: Kind<ApiKeyPayload> = {
  read: ({ payload }) => decodeApiKey(payload),
  apply(_record, key, { environment }) {
    environment.subscriptions.keys.set(key);
    return undefined;
  },
  remove: (id, { environment }) => environment.subscriptions.keys.delete(id),
  ids: (environment) => environment.subscriptions.keys.ids(),
  reach(id, environment, reached) {
    for (const opened of environment.subscriptions.keys.get(id)?.subscriptions ?? [])
      reached.subscriptions.add(opened);
  },
};
