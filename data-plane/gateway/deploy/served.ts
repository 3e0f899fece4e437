import type { Subscriptions } from '../../security/subscriptions.ts';
import type { SharedGroups } from '../compile/shared-groups.ts';
import type { Standing } from '../compile/standing.ts';
import type { Dictionaries } from './kinds/dictionary.ts';
import type { ServedOrganizationFlows } from './kinds/organization-flows.ts';
import type { ApiEntry } from './kinds/api-entry.ts';

/** What is in service of one environment. It changes in place, within one turn of the event loop. */
export interface ServedEnvironment {
  organization: string;
  readonly environment: string;
  seq: number;
  readonly apis: Map<string, ApiEntry>;
  /** Where this gateway stands in it. */
  standing: Standing;
  /** APIs of which parts depend on that. */
  readonly forSome: Set<string>;
  readonly subscriptions: Subscriptions;
  readonly dictionaries: Dictionaries;
  readonly groups: SharedGroups;
  organizationFlows: ServedOrganizationFlows | undefined;
}
