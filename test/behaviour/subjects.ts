import type { GatewayOf, Subject } from './row.ts';
import { aboutConnections } from './subjects/connections.ts';
import { aboutCors } from './subjects/cors.ts';
import { aboutEndpoints } from './subjects/endpoints.ts';
import { aboutErrors } from './subjects/errors.ts';
import { aboutFlowChoice } from './subjects/flow-choice.ts';
import { aboutFlows } from './subjects/flows.ts';
import { aboutPaths } from './subjects/paths.ts';
import { aboutPlans } from './subjects/plans.ts';
import { aboutPolicies } from './subjects/policies.ts';
import { aboutSpellings } from './subjects/spellings.ts';
import { aboutTokens } from './subjects/tokens.ts';
import { aboutVersion2Flows } from './subjects/version-2-flows.ts';
import { aboutVersion2 } from './subjects/version-2.ts';

/** Everything that the table of behaviour speaks of. */
export const subjects: readonly Subject[] = [
  aboutConnections,
  aboutCors,
  aboutEndpoints,
  aboutErrors,
  aboutFlowChoice,
  aboutFlows,
  aboutPaths,
  aboutPlans,
  aboutPolicies,
  aboutSpellings,
  aboutTokens,
  aboutVersion2,
  aboutVersion2Flows,
];

/** The gateway of subjects that need none of their own. */
export const usualGateway: GatewayOf = {
  tables: { dictionaries: { countries: { fr: 'France' } } },
};
