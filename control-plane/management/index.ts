import { analyticsRoutes } from './analytics/analytics.ts';
import { apiKeyRoutes } from './api-keys/api-keys.ts';
import { apiRoutes } from './apis/apis.routes.ts';
import { applicationSubscriptionRoutes } from './applications/application-subscriptions.ts';
import { applicationRoutes } from './applications/applications.routes.ts';
import { deploymentRoutes } from './deployments/deployments.ts';
import { fleetRoutes } from './fleets/fleets.routes.ts';
import { planRoutes } from './plans/plans.routes.ts';
import type { Route } from './route.ts';
import { subscriptionRoutes } from './subscriptions/subscriptions.routes.ts';
import { tenantRoutes } from './tenants/tenants.ts';
import { tokenRoutes } from './tokens/tokens.ts';
import { userRoutes } from './users/users.ts';

/** Every resource of the management API; a new one is a line here. */
export const routes: readonly Route[] = [
  ...tenantRoutes,
  ...apiRoutes,
  ...deploymentRoutes,
  ...planRoutes,
  ...subscriptionRoutes,
  ...apiKeyRoutes,
  ...applicationRoutes,
  ...applicationSubscriptionRoutes,
  ...analyticsRoutes,
  ...fleetRoutes,
  ...tokenRoutes,
  ...userRoutes,
];
