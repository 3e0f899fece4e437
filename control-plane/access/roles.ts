import {
  actions,
  permissions,
  type Action,
  type PermissionOf,
  type Right,
  type Scope,
} from './permissions.ts';

/** Letters of what a role may do, e.g. `CRUD` or `R`. */
export type Letters = string;
type Rights<S extends Scope> = Readonly<Partial<Record<PermissionOf<S>, Letters>>>;

/**
 * The roles that every installation has; names and rights of the reference. ADMIN and PRIMARY_OWNER hold everything in their scope.
 *
 * Roles of people's own come beside these, never instead of them.
 */
const systemRoles: { readonly [S in Scope]: Readonly<Record<string, Rights<S>>> } = {
  organization: {
    ADMIN: all('organization'),
    USER: each('R', ['environment', 'role', 'tag', 'tenant', 'entrypoint']),
  },
  environment: {
    ADMIN: all('environment'),
    API_PUBLISHER: {
      ...each('CRUD', ['api', 'application', 'integration', 'shared-policy-group']),
      ...each('R', ['api-product', 'tag', 'group', 'tenant', 'platform', 'cluster']),
    },
    USER: {
      ...each('R', ['api', 'group', 'documentation', 'integration', 'api-product', 'shared-policy-group']),
      application: 'CRUD',
    },
    FEDERATION_AGENT: { integration: 'CRUD' },
  },
  api: {
    PRIMARY_OWNER: { ...all('api'), reviews: '' },
    OWNER: {
      definition: 'CRU',
      'gateway-definition': 'CR',
      ...each('CRUD', ['plan', 'subscription', 'member', 'metadata', 'analytics', 'event', 'health', 'log']),
      ...each('CRUD', ['documentation', 'audit', 'rating', 'rating-answer', 'discovery', 'notification']),
      alert: 'CRUD',
      ...each('R', ['native-log', 'native-analytics']),
    },
    REVIEWER: {
      ...each('R', ['definition', 'gateway-definition', 'plan', 'metadata', 'documentation', 'discovery']),
      alert: 'R',
      notification: 'RU',
      'quality-rule': 'CRU',
      reviews: 'CRUD',
    },
    USER: {
      ...each('R', ['definition', 'plan', 'subscription', 'member', 'metadata', 'event', 'documentation']),
      rating: 'CR',
    },
  },
  application: {
    PRIMARY_OWNER: all('application'),
    OWNER: all('application'),
    USER: { ...each('R', ['definition', 'member', 'analytics', 'log', 'metadata']), subscription: 'CR' },
  },
  integration: {
    PRIMARY_OWNER: all('integration'),
    OWNER: all('integration'),
    USER: each('R', ['definition', 'member']),
  },
  group: { ADMIN: all('group') },
};

/** The letter of each action. */
export const letters: Readonly<Record<Action, string>> = { create: 'C', read: 'R', update: 'U', delete: 'D' };
const rightsByRole = new Map<string, ReadonlyMap<string, Letters>>(
  Object.entries(systemRoles).flatMap(([scope, roles]) =>
    Object.entries(roles).map(
      ([name, rights]) => [`${scope}/${name}`, new Map(Object.entries(rights))] as const,
    ),
  ),
);

/** A role as far as it permits something: `rights` are there for one that people made. */
export interface Permitting {
  readonly scope: Scope;
  readonly name: string;
  readonly rights?: ReadonlyMap<string, Letters> | undefined;
}

/** Says whether a role permits that; a role that does not exist permits nothing. */
export function roleMay(role: Permitting, name: string, action: Action): boolean {
  return heldOf(role)?.get(name)?.includes(letters[action]) === true;
}

/** Reads what a row holds. */
export function readRights(text: string): ReadonlyMap<string, Letters> {
  return new Map(Object.entries(JSON.parse(text) as Readonly<Record<string, Letters>>));
}

const heldOf = ({ scope, name, rights }: Permitting): ReadonlyMap<string, Letters> | undefined =>
  rightsByRole.get(`${scope}/${name}`) ?? rights;

/** Everything that a role permits, one by one. */
export function eachRight(role: Permitting): readonly Right[] {
  return [...(heldOf(role) ?? [])].flatMap(([name, held]) =>
    actions
      .filter((action) => held.includes(letters[action]))
      .map((action) => `${role.scope}-${name}:${action}` as Right),
  );
}

/** What the reference calls a role by, and what rules of pages name: `ENVIRONMENT-USER`. */
export const roleIdOf = (scope: Scope, name: string): string => `${scope.toUpperCase()}-${name}`;

/** Names of the system's roles of a scope, sorted. */
export function systemRoleNames(scope: Scope): readonly string[] {
  const prefix = `${scope}/`;
  return [...rightsByRole.keys()]
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length))
    .toSorted();
}

/** What a role permits, as the reference spells it: `{ GATEWAY_DEFINITION: ['C', 'R'] }`. */
export function rightsOf(role: Permitting): Readonly<Record<string, readonly string[]>> {
  const rights = heldOf(role) ?? new Map<string, Letters>();
  return Object.fromEntries(
    [...rights].flatMap(([name, held]) =>
      held === '' ? [] : [[name.toUpperCase().replaceAll('-', '_'), held.split('')]],
    ),
  );
}

function all<S extends Scope>(scope: S): Readonly<Record<PermissionOf<S>, Letters>> {
  return each('CRUD', permissions[scope]);
}

function each<Name extends string>(held: Letters, names: readonly Name[]): Readonly<Record<Name, Letters>> {
  return Object.fromEntries(names.map((name) => [name, held])) as Record<Name, Letters>;
}
