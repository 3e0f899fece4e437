import { auditChain } from './0044-audit-chain.ts';
import { breakGlass } from './0051-break-glass.ts';
import { identityProviders } from './0050-identity-providers.ts';
import type { Migration } from './migration.ts';
import { platform } from './0001-platform.ts';
import { management } from './0002-management.ts';
import { analytics } from './0003-analytics.ts';
import { bucket } from './0004-bucket.ts';
import { seats } from './0006-seats.ts';
import { lakeProofs } from './0008-lake-proofs.ts';
import { memberships } from './0010-memberships.ts';
import { lakeVerdicts } from './0012-lake-verdicts.ts';
import { tokenScopes } from './0013-token-scopes.ts';
import { recordOrigins } from './0014-record-origins.ts';
import { generation } from './0015-generation.ts';
import { sessions } from './0016-sessions.ts';
import { rootSuccessions } from './0017-root-successions.ts';
import { arrivedTickets } from './0018-arrived-tickets.ts';
import { apiImports } from './0019-api-imports.ts';
import { applicationCertificates } from './0022-application-certificates.ts';
import { sharedPolicyGroups } from './0023-shared-policy-groups.ts';
import { organizationFlows } from './0024-organization-flows.ts';
import { dictionaries } from './0025-dictionaries.ts';
import { applicationClients } from './0026-application-clients.ts';
import { dataKeys } from './0027-data-keys.ts';
import { customRoles } from './0028-custom-roles.ts';
import { userGroups } from './0029-user-groups.ts';
import { userStates } from './0030-user-states.ts';
import { serverPaths } from './0031-server-paths.ts';
import { apiSearch } from './0036-api-search.ts';
import { apiDrafts } from './0037-api-drafts.ts';
import { subscriptionPauses } from './0038-subscription-pauses.ts';
import { metadata } from './0039-metadata.ts';
import { apiReviews } from './0040-api-reviews.ts';
import { categories } from './0041-categories.ts';
import { documentation } from './0042-documentation.ts';
import { dashboards } from './0045-dashboards.ts';
import { groupVersions } from './0046-group-versions.ts';
import { sharedKeys } from './0047-shared-keys.ts';
import { auditKept } from './0048-audit-kept.ts';
import { pendingSubscriptions } from './0049-pending-subscriptions.ts';
import { idempotencyKeys } from './0055-idempotency-keys.ts';
import { archivedEnvironments } from './0058-archived-environments.ts';
import { rollups } from './0059-rollups.ts';
import { retention } from './0061-retention.ts';
import { indexesOfMany } from './0064-indexes-of-many.ts';
import { samples } from './0071-samples.ts';
import { registrations } from './0072-registrations.ts';
import { notificationTemplates } from './0073-notification-templates.ts';
import { pendingFound } from './0076-pending-found.ts';
import { endsTold } from './0077-ends-told.ts';
import { peopleFound } from './0078-people-found.ts';
import { environmentPages } from './0052-environment-pages.ts';
import { outgoingMail } from './0053-outgoing-mail.ts';
import { secondFactor } from './0054-second-factor.ts';
import { passwordLinks } from './0056-password-links.ts';
import { notifications } from './0057-notifications.ts';
import { tags } from './0067-tags.ts';
import { preferences } from './0066-preferences.ts';
import { entrypoints } from './0043-entrypoints.ts';

/** Every migration in order; add yours in its place and never change one that was released. */
export const migrations: readonly Migration[] = [
  platform,
  management,
  analytics,
  bucket,
  seats,
  lakeProofs,
  memberships,
  lakeVerdicts,
  tokenScopes,
  recordOrigins,
  generation,
  sessions,
  rootSuccessions,
  arrivedTickets,
  apiImports,
  applicationCertificates,
  sharedPolicyGroups,
  organizationFlows,
  dictionaries,
  applicationClients,
  dataKeys,
  customRoles,
  userGroups,
  userStates,
  serverPaths,
  apiSearch,
  apiDrafts,
  subscriptionPauses,
  metadata,
  apiReviews,
  categories,
  documentation,
  entrypoints,
  auditChain,
  dashboards,
  groupVersions,
  sharedKeys,
  auditKept,
  pendingSubscriptions,
  identityProviders,
  breakGlass,
  environmentPages,
  outgoingMail,
  secondFactor,
  idempotencyKeys,
  passwordLinks,
  notifications,
  archivedEnvironments,
  rollups,
  retention,
  indexesOfMany,
  preferences,
  tags,
  samples,
  registrations,
  notificationTemplates,
  pendingFound,
  endsTold,
  peopleFound,
];
