import { apis } from './api.ts';
import { apiKeys } from './api-key.ts';
import { dictionaries } from './dictionary.ts';
import { gatewaySettings } from './gateway-settings.ts';
import type { Kinds } from './kind.ts';
import { organizationFlows } from './organization-flows.ts';
import { sharedPolicyGroups } from './shared-policy-group.ts';
import { subscriptions } from './subscription.ts';

/** Every kind of record that the wire has; a new one is its file and a line here. */
export const kinds: Kinds = {
  'gateway-settings': gatewaySettings,
  // It opens the others before they come here (sync/secret-opener.ts).
  'environment-key': undefined,
  'organization-flows': organizationFlows,
  dictionary: dictionaries,
  'shared-policy-group': sharedPolicyGroups,
  api: apis,
  subscription: subscriptions,
  'api-key': apiKeys,
};
