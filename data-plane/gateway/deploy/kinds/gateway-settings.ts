import type { Kind } from './kind.ts';

/** The tags of a fleet. What follows the bridge obeys them (`sync/`); nothing that is served depends on them. */
export const gatewaySettings: Kind<undefined> = {
  read: () => undefined,
  apply: () => undefined,
  remove: () => undefined,
  ids: () => [],
  reach: () => undefined,
};
