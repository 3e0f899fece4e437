import { set, step } from './pieces.ts';
import type { GatewayOf, Subject } from './row.ts';
import { aboutCache } from './subjects/caches/asked.ts';
import { aboutCachedAnswers } from './subjects/caches/answers.ts';
import { aboutConnections } from './subjects/connections.ts';
import { aboutAssignContent } from './subjects/assign-content.ts';
import { aboutDiscovery } from './subjects/endpoints/discovery.ts';
import { aboutAttributes } from './subjects/attributes.ts';
import { aboutCorsAnswers } from './subjects/cors/answers.ts';
import { aboutCors } from './subjects/cors/preflights.ts';
import { aboutEndpoints } from './subjects/endpoints.ts';
import { aboutErrors } from './subjects/errors.ts';
import { aboutFlowChoice } from './subjects/flow-choice.ts';
import { aboutFlows } from './subjects/flows.ts';
import { aboutHttpRedirect } from './subjects/http-redirect.ts';
import { aboutPaths } from './subjects/paths.ts';
import { aboutPlans } from './subjects/plans.ts';
import { aboutPolicies } from './subjects/policies.ts';
import { aboutServers } from './subjects/servers.ts';
import { aboutSpellings } from './subjects/spellings.ts';
import { aboutStatusCode } from './subjects/status-code.ts';
import { aboutTokens } from './subjects/tokens.ts';
import { aboutVersion2Flows } from './subjects/version-2-flows.ts';
import { aboutVersion2 } from './subjects/version-2.ts';
import { aboutFailover } from './subjects/failover.ts';
import { aboutHealth } from './subjects/endpoints/health.ts';
import { aboutRecords } from './subjects/records.ts';
import {
  aboutCertificates,
  aboutCertificatesInHeaders,
  aboutUnaskedCertificates,
} from './subjects/certificates.ts';
import { aboutOrganization } from './subjects/organization.ts';
import { aboutStanding } from './subjects/standing.ts';
import { aboutIntrospection } from './subjects/introspection.ts';
import { aboutSurroundings } from './subjects/surroundings.ts';

/** Everything that the table of behaviour speaks of. */
export const subjects: readonly Subject[] = [
  aboutConnections,
  aboutAssignContent,
  aboutAttributes,
  aboutDiscovery,
  aboutCors,
  aboutCorsAnswers,
  aboutEndpoints,
  aboutErrors,
  aboutFlowChoice,
  aboutFlows,
  aboutHttpRedirect,
  aboutPaths,
  aboutPlans,
  aboutPolicies,
  aboutServers,
  aboutSpellings,
  aboutStatusCode,
  aboutTokens,
  aboutVersion2,
  aboutVersion2Flows,
  aboutFailover,
  aboutHealth,
  aboutRecords,
  aboutCertificates,
  aboutCertificatesInHeaders,
  aboutUnaskedCertificates,
  aboutOrganization,
  aboutStanding,
  aboutIntrospection,
  aboutSurroundings,
  aboutCache,
  aboutCachedAnswers,
];

/** The gateway of subjects that need none of their own. */
export const usualGateway: GatewayOf = {
  tables: {
    dictionaries: { countries: { fr: 'France' } },
    sharedPolicyGroups: [
      { id: 'marking', name: 'Marking', phase: 'REQUEST', steps: [set('X-Order', 'group')] },
      { id: 'answering', name: 'Answering', phase: 'RESPONSE', steps: [set('X-Answered', 'group')] },
      {
        id: 'nesting',
        name: 'Nesting',
        phase: 'REQUEST',
        steps: [step('shared-policy-group-policy', { sharedPolicyGroupId: 'marking' })],
      },
    ],
  },
};
