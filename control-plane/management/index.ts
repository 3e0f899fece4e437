import { accountRoutes } from './account/account.routes.ts';
import { analyticsRoutes } from './analytics/analytics.routes.ts';
import { healthRoutes } from './analytics/health.routes.ts';
import { documentRoutes } from './analytics/document.routes.ts';
import { environmentAnalyticsRoutes } from './analytics/environment-analytics.routes.ts';
import { logRoutes } from './analytics/logs.routes.ts';
import { messageLogRoutes } from './analytics/message-logs.routes.ts';
import { v1LogRoutes } from './analytics/v1-logs.routes.ts';
import { apiKeyRoutes } from './api-keys/api-keys.routes.ts';
import { sharedKeyRoutes } from './api-keys/shared-keys.routes.ts';
import { apiHeaderRoutes } from './api-headers/api-headers.routes.ts';
import { apiRoutes } from './apis/apis.routes.ts';
import { applicationCertificateRoutes } from './applications/application-certificates.routes.ts';
import { applicationSubscriptionRoutes } from './applications/application-subscriptions.routes.ts';
import { applicationRoutes } from './applications/applications.routes.ts';
import { categoryRoutes } from './categories/categories.routes.ts';
import { portalCategoryRoutes } from './categories/portal-categories.routes.ts';
import { identityProviderRoutes } from './identity-providers/identity-providers.routes.ts';
import { instanceRoutes } from './instances/instances.routes.ts';
import { dashboardRoutes } from './dashboards/dashboards.routes.ts';
import { definitionRoutes } from './definitions/definitions.routes.ts';
import { propertyFetcher } from './deployments/dynamic-properties.ts';
import { deploymentRoutes } from './deployments/deployments.routes.ts';
import { auditRoutes } from './audit/audit.routes.ts';
import { debugRoutes } from './debug/debug.routes.ts';
import { dictionaryFetcher } from './dictionaries/dictionaries.ts';
import { dictionaryRoutes } from './dictionaries/dictionaries.routes.ts';
import { documentationRoutes } from './documentation/documentation.routes.ts';
import { fetcherRoutes } from './documentation/fetchers.routes.ts';
import { pageFetcher } from './documentation/page-polling.ts';
import { portalPageRoutes } from './documentation/portal-pages.routes.ts';
import { draftRoutes } from './drafts/drafts.routes.ts';
import { entrypointRoutes } from './entrypoints/entrypoints.routes.ts';
import { expressionRoutes } from './expressions/expressions.routes.ts';
import { fleetRoutes } from './fleets/fleets.routes.ts';
import { gatewayTenantRoutes } from './gateway-tenants/gateway-tenants.routes.ts';
import { liveRoutes } from './live/live.routes.ts';
import { groupRoutes } from './groups/groups.routes.ts';
import { memberRoutes } from './members/members.routes.ts';
import { metadataRoutes } from './metadata/metadata.routes.ts';
import { notificationRoutes } from './notifications/notifications.routes.ts';
import { templateRoutes } from './notifications/templates.routes.ts';
import { organizationFlowsRoutes } from './organization-flows/organization-flows.routes.ts';
import { pluginRoutes } from './plugins/plugins.routes.ts';
import { pictureRoutes } from './pictures/pictures.routes.ts';
import { planRoutes } from './plans/plans.routes.ts';
import { preferenceRoutes } from './preferences/preferences.routes.ts';
import { reviewRoutes } from './reviews/reviews.routes.ts';
import { revisionRoutes } from './revisions/revisions.routes.ts';
import { roleRoutes } from './roles/roles.routes.ts';
import type { Route } from './route.ts';
import { rightsAsked } from './scopes.ts';
import { sampleRoutes } from './samples/samples.routes.ts';
import { secondFactorRoutes } from './second-factor/second-factor.routes.ts';
import { sharedPolicyGroupRoutes } from './shared-policy-groups/shared-policy-groups.routes.ts';
import { signInRoutes } from './sign-in/sign-in.routes.ts';
import { subscriptionRoutes } from './subscriptions/subscriptions.routes.ts';
import { retentionRoutes } from './retention/retention.routes.ts';
import { quotaRoutes } from './quotas/quotas.routes.ts';
import { tagRoutes } from './tags/tags.routes.ts';
import { tenantRoutes } from './tenants/tenants.routes.ts';
import { taskRoutes } from './tasks/tasks.routes.ts';
import { tokenRoutes, tokensAsk } from './tokens/tokens.routes.ts';
import { userRoutes } from './users/users.routes.ts';
import { viewRoutes } from './views/views.routes.ts';

/** The resources of the management API; a new one is a line here. */
const resources: readonly Route[] = [
  // Before those of one call or deployment, whose id "_live" would be.
  ...liveRoutes,
  ...tenantRoutes,
  ...quotaRoutes,
  ...retentionRoutes,
  ...sampleRoutes,
  ...organizationFlowsRoutes,
  // Before those of one API or application, whose id "hooks" would be.
  ...notificationRoutes,
  ...templateRoutes,
  ...apiRoutes,
  ...definitionRoutes,
  ...draftRoutes,
  ...debugRoutes,
  ...deploymentRoutes,
  ...revisionRoutes,
  ...reviewRoutes,
  ...pictureRoutes,
  ...categoryRoutes,
  ...portalCategoryRoutes,
  ...dashboardRoutes,
  ...viewRoutes,
  ...instanceRoutes,
  ...documentationRoutes,
  ...portalPageRoutes,
  ...fetcherRoutes,
  ...planRoutes,
  ...pluginRoutes,
  ...expressionRoutes,
  ...sharedPolicyGroupRoutes,
  ...dictionaryRoutes,
  ...subscriptionRoutes,
  ...apiKeyRoutes,
  ...sharedKeyRoutes,
  ...applicationRoutes,
  ...applicationSubscriptionRoutes,
  ...metadataRoutes,
  ...memberRoutes,
  ...groupRoutes,
  ...applicationCertificateRoutes,
  ...analyticsRoutes,
  ...environmentAnalyticsRoutes,
  ...documentRoutes,
  // Before those of one call, whose id "messages" would be.
  ...messageLogRoutes,
  ...logRoutes,
  ...v1LogRoutes,
  ...healthRoutes,
  ...auditRoutes,
  ...fleetRoutes,
  ...entrypointRoutes,
  ...tagRoutes,
  ...gatewayTenantRoutes,
  ...apiHeaderRoutes,
  ...roleRoutes,
  ...userRoutes,
  ...secondFactorRoutes,
  ...signInRoutes,
  ...identityProviderRoutes,
  ...accountRoutes,
  ...preferenceRoutes,
  ...taskRoutes,
];

/** Who has words fetched, by the kind of the owner. */
export const fetchers = { dictionary: dictionaryFetcher, api: propertyFetcher, page: pageFetcher } as const;

/** All of them, with the tokens that can be narrowed to what they ask for. */
export const routes: readonly Route[] = [
  ...resources,
  ...tokenRoutes(rightsAsked([...resources, ...tokensAsk])),
];
