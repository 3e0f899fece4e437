/** Letters of the reference: C, R, U, D. Every operation is one of these; verbs such as `_start` are updates. */
export const actions = ['create', 'read', 'update', 'delete'] as const;
/** One of {@link actions}. */
export type Action = (typeof actions)[number];

/**
 * What can be permitted, by scope; names of the reference in lower case with dashes (`GATEWAY_DEFINITION` is
 * `gateway-definition`). `organization-fleet` is ours: the reference has no fleets.
 */
export const permissions = {
  organization: [
    'user',
    'environment',
    'role',
    'custom-user-fields',
    'identity-provider',
    'identity-provider-activation',
    'notification-templates',
    'settings',
    'installation',
    'tag',
    'tenant',
    'entrypoint',
    'policies',
    'audit',
    'license-management',
    'user-token',
    'fleet',
  ],
  environment: [
    'instance',
    'group',
    'tag',
    'tenant',
    'api',
    'application',
    'platform',
    'audit',
    'notification',
    'message',
    'dictionary',
    'alert',
    'entrypoint',
    'settings',
    'dashboard',
    'quality-rule',
    'metadata',
    'documentation',
    'category',
    'top-apis',
    'api-header',
    'client-registration-provider',
    'theme',
    'identity-provider-activation',
    'integration',
    'shared-policy-group',
    'cluster',
    'api-product',
  ],
  api: [
    'definition',
    'plan',
    'subscription',
    'member',
    'metadata',
    'analytics',
    'event',
    'health',
    'log',
    'documentation',
    'gateway-definition',
    'rating',
    'rating-answer',
    'audit',
    'discovery',
    'notification',
    'message',
    'alert',
    'response-templates',
    'reviews',
    'quality-rule',
    'native-log',
    'native-analytics',
  ],
  application: [
    'definition',
    'member',
    'analytics',
    'log',
    'subscription',
    'notification',
    'alert',
    'metadata',
  ],
  integration: ['definition', 'member'],
  group: ['member', 'invitation'],
} as const;

/** Where a role is held; each has its own permissions. */
export type Scope = keyof typeof permissions;
/** One of a scope's permissions without the scope, e.g. `plan`. */
export type PermissionOf<S extends Scope> = (typeof permissions)[S][number];
/** A permission with its scope, e.g. `api-plan`. */
export type Permission = { [S in Scope]: `${S}-${PermissionOf<S>}` }[Scope];

/** A permission and what is done with it, e.g. `api-plan:create`. */
export type Right = `${Permission}:${Action}`;

/** Takes a right apart: `api-plan:create` is `create` of `plan` in scope `api`. */
export function partsOf(right: Right): {
  readonly scope: Scope;
  readonly name: string;
  readonly action: Action;
} {
  const dash = right.indexOf('-');
  const colon = right.indexOf(':');
  return {
    scope: right.slice(0, dash) as Scope,
    name: right.slice(dash + 1, colon),
    action: right.slice(colon + 1) as Action,
  };
}
