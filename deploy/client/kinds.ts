import { Fault } from '../../proto/faults/fault.ts';
import { nearest } from '../../proto/faults/nearest.ts';

/** What a kind stands in besides an organization and an environment, by the flag that says which: `--api`, `--application`, `--scope`. */
export type Parent = 'api' | 'application' | 'scope';

/** A column of a table: its header, and where its value stands in an object, dotted. */
export type Column = readonly [header: string, path: string];

/** Something that the management API keeps many of. In paths stand `{org}`, `{env}`, the parent and `{id}`. */
export interface Kind {
  readonly name: string;
  readonly plural: string;
  readonly shorter?: readonly string[];
  readonly parent?: Parent;
  readonly list: string;
  /** Parameter of the list that is the size of a page; undefined where the list has no pages. */
  readonly pageSize?: 'perPage' | 'size';
  /** Of the list, where it would leave some out unasked. */
  readonly asked?: Readonly<Record<string, string>>;
  /** Default: 1. */
  readonly firstPage?: number;
  /** Parameter of the list that looks for a text. */
  readonly search?: string;
  /** The list says less of each than `one` does. */
  readonly isListShort?: true;
  readonly one: string;
  /** Undefined where nobody makes one by hand. */
  readonly create?: string;
  /** Where one is replaced by PUT; undefined where it cannot be. Without `{id}` the body names it. */
  readonly update?: string;
  readonly canDelete?: boolean;
  /** Field that stands for `{id}`; default: id. */
  readonly idField?: string;
  /** Fields that people call one by, besides its id; the first is written where one is told. */
  readonly names: readonly string[];
  readonly columns: readonly Column[];
  /** Where a creation answers with what nobody is shown again. */
  readonly shownOnce?: string;
  /** A field that no PUT changes, and the calls below `{id}` by which it becomes what a file says. */
  readonly moves?: { readonly field: string; readonly to: Readonly<Record<string, string>> };
  /** Fields of a creation that name something of another kind, by its name or id, and the fields that its id goes into. */
  readonly refers?: Readonly<Record<string, string>>;
  /** What gives one to gateways; nothing where that has been done, or it needs none. */
  readonly deployment?: (fields: Readonly<Record<string, unknown>>) => readonly Deployment[];
  /** It is given to gateways as a part of its parent. */
  readonly isDeployedWithParent?: true;
}

/** A call below `{id}`. */
export interface Deployment {
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

const environment = '/organizations/{org}/environments/{env}';
const environment2 = '/v2/environments/{env}';
const organization = '/organizations/{org}';
const organization2 = '/v2/organizations/{org}';

const changeable = (path: string) =>
  ({ list: path, create: path, one: `${path}/{id}`, update: `${path}/{id}`, canDelete: true }) as const;

/** Every kind, in the order of the help. */
export const kinds: readonly Kind[] = [
  {
    name: 'api',
    plural: 'apis',
    ...changeable(`${environment2}/apis`),
    pageSize: 'perPage',
    search: 'query',
    names: ['name'],
    columns: [
      ['name', 'name'],
      ['version', 'apiVersion'],
      ['state', 'state'],
      ['deployed', 'deploymentState'],
      ['visibility', 'visibility'],
      ['updated', 'updatedAt'],
      ['id', 'id'],
    ],
    deployment: ({ state, deploymentState }) => {
      const deployed = { path: '/deployments', body: {} };
      if (state !== 'STARTED') return [{ path: '/_start' }, deployed];
      return deploymentState === 'DEPLOYED' ? [] : [deployed];
    },
  },
  {
    name: 'plan',
    plural: 'plans',
    parent: 'api',
    ...changeable(`${environment2}/apis/{api}/plans`),
    pageSize: 'perPage',
    asked: { statuses: 'STAGING,PUBLISHED,DEPRECATED,CLOSED' },
    names: ['name', 'crossId'],
    columns: [
      ['name', 'name'],
      ['security', 'security.type'],
      ['status', 'status'],
      ['validation', 'validation'],
      ['updated', 'updatedAt'],
      ['id', 'id'],
    ],
    moves: {
      field: 'status',
      to: { PUBLISHED: '/_publish', DEPRECATED: '/_deprecate', CLOSED: '/_close' },
    },
    isDeployedWithParent: true,
  },
  {
    name: 'subscription',
    plural: 'subscriptions',
    shorter: ['sub', 'subs'],
    parent: 'api',
    list: `${environment2}/apis/{api}/subscriptions`,
    create: `${environment2}/apis/{api}/subscriptions`,
    one: `${environment2}/apis/{api}/subscriptions/{id}`,
    update: `${environment2}/apis/{api}/subscriptions/{id}`,
    pageSize: 'perPage',
    names: [],
    columns: [
      ['id', 'id'],
      ['status', 'status'],
      ['plan', 'plan.name'],
      ['application', 'application.name'],
      ['starts', 'startingAt'],
      ['ends', 'endingAt'],
    ],
    shownOnce: 'apiKey.key',
    refers: { plan: 'planId', application: 'applicationId' },
  },
  {
    name: 'page',
    plural: 'pages',
    parent: 'api',
    ...changeable(`${environment2}/apis/{api}/pages`),
    isListShort: true,
    names: ['name'],
    columns: [
      ['name', 'name'],
      ['type', 'type'],
      ['published', 'published'],
      ['visibility', 'visibility'],
      ['id', 'id'],
    ],
  },
  {
    name: 'application',
    plural: 'applications',
    shorter: ['app', 'apps'],
    ...changeable(`${environment}/applications`),
    list: `${environment}/applications/_paged`,
    pageSize: 'size',
    search: 'query',
    names: ['name'],
    columns: [
      ['name', 'name'],
      ['type', 'type'],
      ['status', 'status'],
      ['owner', 'owner.displayName'],
      ['updated', 'updated_at'],
      ['id', 'id'],
    ],
  },
  {
    name: 'shared-policy-group',
    plural: 'shared-policy-groups',
    shorter: ['spg'],
    ...changeable(`${environment2}/shared-policy-groups`),
    pageSize: 'perPage',
    search: 'q',
    names: ['name', 'crossId'],
    columns: [
      ['name', 'name'],
      ['phase', 'phase'],
      ['state', 'lifecycleState'],
      ['version', 'version'],
      ['updated', 'updatedAt'],
      ['id', 'id'],
    ],
    deployment: ({ lifecycleState }) => (lifecycleState === 'DEPLOYED' ? [] : [{ path: '/_deploy' }]),
  },
  {
    name: 'dictionary',
    plural: 'dictionaries',
    ...changeable(`${environment}/configuration/dictionaries`),
    isListShort: true,
    names: ['name', 'key'],
    columns: [
      ['name', 'name'],
      ['key', 'key'],
      ['type', 'type'],
      ['state', 'state'],
      ['properties', 'properties'],
      ['id', 'id'],
    ],
    deployment: ({ type, state, deployed_at: deployedAt, updated_at: updatedAt }) => {
      if (type === 'DYNAMIC') return state === 'STARTED' ? [] : [{ path: '', query: { action: 'START' } }];
      return state === 'STARTED' && deployedAt === updatedAt ? [] : [{ path: '/_deploy' }];
    },
  },
  {
    name: 'category',
    plural: 'categories',
    ...changeable(`${environment}/configuration/categories`),
    names: ['name', 'key'],
    columns: [
      ['name', 'name'],
      ['key', 'key'],
      ['apis', 'totalApis'],
      ['id', 'id'],
    ],
  },
  {
    name: 'group',
    plural: 'groups',
    ...changeable(`${environment}/configuration/groups`),
    names: ['name'],
    columns: [
      ['name', 'name'],
      ['created', 'created_at'],
      ['id', 'id'],
    ],
  },
  {
    name: 'instance',
    plural: 'instances',
    shorter: ['gateway', 'gateways'],
    list: `${environment}/instances`,
    one: `${environment}/instances/{id}`,
    pageSize: 'size',
    firstPage: 0,
    names: ['hostname'],
    columns: [
      ['host', 'hostname'],
      ['state', 'state'],
      ['version', 'version'],
      ['last seen', 'last_heartbeat_at'],
      ['id', 'id'],
    ],
  },
  {
    name: 'environment',
    plural: 'environments',
    shorter: ['env', 'envs'],
    ...changeable(`${organization2}/environments`),
    pageSize: 'perPage',
    names: ['name', 'hrids.0'],
    columns: [
      ['name', 'name'],
      ['hrid', 'hrids.0'],
      ['id', 'id'],
    ],
  },
  {
    name: 'fleet',
    plural: 'fleets',
    ...changeable(`${organization2}/fleets`),
    pageSize: 'perPage',
    names: ['name'],
    columns: [
      ['name', 'name'],
      ['tags', 'tags'],
      ['environments', 'environments'],
      ['id', 'id'],
    ],
  },
  {
    name: 'entrypoint',
    plural: 'entrypoints',
    list: `${organization}/configuration/entrypoints`,
    create: `${organization}/configuration/entrypoints`,
    one: `${organization}/configuration/entrypoints/{id}`,
    update: `${organization}/configuration/entrypoints`,
    canDelete: true,
    names: ['value'],
    columns: [
      ['value', 'value'],
      ['target', 'target'],
      ['tags', 'tags'],
      ['id', 'id'],
    ],
  },
  {
    name: 'user',
    plural: 'users',
    ...changeable(`${organization}/users`),
    pageSize: 'size',
    search: 'q',
    names: ['username', 'email', 'displayName'],
    columns: [
      ['name', 'displayName'],
      ['signs in as', 'username'],
      ['email', 'email'],
      ['status', 'status'],
      ['last sign-in', 'lastConnectionAt'],
      ['id', 'id'],
    ],
  },
  {
    name: 'role',
    plural: 'roles',
    parent: 'scope',
    ...changeable(`${organization}/configuration/rolescopes/{scope}/roles`),
    idField: 'name',
    names: ['name'],
    columns: [
      ['name', 'name'],
      ['default', 'default'],
      ['system', 'system'],
      ['description', 'description'],
    ],
  },
];

/** Every word that names a kind, for completion and for slips. */
export const kindWords: readonly string[] = kinds.flatMap(({ name, plural, shorter = [] }) => [
  name,
  plural,
  ...shorter,
]);

/** Finds a kind by its name, in whatever case, singular, plural or short. Errors: config.invalid with the nearest name. */
export function kindOf(word: string): Kind {
  const wanted = word.toLowerCase().replaceAll('_', '-');
  const squeezed = wanted.replaceAll('-', '');
  const found = kinds.find((kind) =>
    [kind.name, kind.plural, ...(kind.shorter ?? [])].some((name) => name.replaceAll('-', '') === squeezed),
  );
  if (found !== undefined) return found;
  const meant = nearest(wanted, kindWords);
  throw new Fault('config.invalid', {
    detail: `There is no kind ${JSON.stringify(word)}.`,
    hint:
      meant === undefined
        ? `Kinds: ${kinds.map(({ plural }) => plural).join(', ')}.`
        : `Did you mean ${meant}?`,
  });
}
