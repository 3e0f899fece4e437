import { accountRoutes } from './account/account.routes.ts';
import { analyticsRoutes } from './analytics/analytics.routes.ts';
import { healthRoutes } from './analytics/health.routes.ts';
import { apiKeyRoutes } from './api-keys/api-keys.routes.ts';
import { apiRoutes } from './apis/apis.routes.ts';
import { applicationCertificateRoutes } from './applications/application-certificates.routes.ts';
import { applicationSubscriptionRoutes } from './applications/application-subscriptions.routes.ts';
import { applicationRoutes } from './applications/applications.routes.ts';
import { definitionRoutes } from './definitions/definitions.routes.ts';
import { propertyFetcher } from './deployments/dynamic-properties.ts';
import { deploymentRoutes } from './deployments/deployments.routes.ts';
import { dictionaryFetcher } from './dictionaries/dictionaries.ts';
import { dictionaryRoutes } from './dictionaries/dictionaries.routes.ts';
import { fleetRoutes } from './fleets/fleets.routes.ts';
import { memberRoutes } from './members/members.routes.ts';
import { organizationFlowsRoutes } from './organization-flows/organization-flows.routes.ts';
import { pluginRoutes } from './plugins/plugins.routes.ts';
import { planRoutes } from './plans/plans.routes.ts';
import { roleRoutes } from './roles/roles.routes.ts';
import type { Route } from './route.ts';
import { rightsAsked } from './scopes.ts';
import { sharedPolicyGroupRoutes } from './shared-policy-groups/shared-policy-groups.routes.ts';
import { subscriptionRoutes } from './subscriptions/subscriptions.routes.ts';
import { tenantRoutes } from './tenants/tenants.routes.ts';
import { tokenRoutes } from './tokens/tokens.routes.ts';
import { userRoutes } from './users/users.routes.ts';

/** The resources of the management API; a new one is a line here. */
const resources: readonly Route[] = [
  ...tenantRoutes,
  ...organizationFlowsRoutes,
  ...apiRoutes,
  ...definitionRoutes,
  ...deploymentRoutes,
  ...planRoutes,
  ...pluginRoutes,
  ...sharedPolicyGroupRoutes,
  ...dictionaryRoutes,
  ...subscriptionRoutes,
  ...apiKeyRoutes,
  ...applicationRoutes,
  ...applicationSubscriptionRoutes,
  ...memberRoutes,
  ...applicationCertificateRoutes,
  ...analyticsRoutes,
  ...healthRoutes,
  ...fleetRoutes,
  ...roleRoutes,
  ...userRoutes,
  ...accountRoutes,
];

/** Who has words fetched, by the kind of the owner. */
export const fetchers = { dictionary: dictionaryFetcher, api: propertyFetcher } as const;

/** All of them, with the tokens that can be narrowed to what they ask for. */
export const routes: readonly Route[] = [...resources, ...tokenRoutes(rightsAsked(resources))];
