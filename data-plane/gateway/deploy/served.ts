import type { Subscriptions } from '../../security/subscriptions.ts';
import type { ApiEntry } from './kinds/api-entry.ts';

/** What is in service of one environment. It changes in place, within one turn of the event loop. */
export interface ServedEnvironment {
  organization: string;
  readonly environment: string;
  seq: number;
  readonly apis: Map<string, ApiEntry>;
  readonly subscriptions: Subscriptions;
}
