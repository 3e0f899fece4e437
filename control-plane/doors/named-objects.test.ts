import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from '@hono/zod-openapi';
import {
  apiBody,
  environment,
  fleetsPath,
  type Office,
  openOffice,
  planBody,
  v1,
} from '../../test/kit/control-plane/office.ts';
import { makeWords } from '../../test/kit/control-plane/words.ts';
import { type TestDatabase, testDatabases } from '../../test/kit/servers/databases.ts';
import { routes } from '../management/index.ts';

const organization = '/management/organizations/DEFAULT';
/** What nothing is called. */
const nothing = 'nothing';

/** Codes of the reference that say which field they are about. */
const speaking = new Set(['groups.notFound', 'user.notFound', 'role.invalid']);

/** Something that names what is not there: what is sent, and the field that is told of. */
interface Naming {
  readonly operation: string;
  readonly method: 'POST' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly body: unknown;
  readonly field: string;
}

/** What is asked of an API, a plan, an application and all that is made beside them. */
async function furnish(office: Office) {
  const make = async (path: string, body: unknown): Promise<string> => {
    const answer = await office.call('POST', path, { body });
    assert.ok([200, 201].includes(answer.status), `${path} ${answer.text}`);
    return String(answer.body['id']);
  };
  const { id, planId } = await office.deployedApi('/named');
  await makeWords(office, { tags: ['internal'] });
  return {
    api: `${environment}/apis/${id}`,
    planId,
    applicationId: await make(`${v1}/applications`, { name: 'shop', description: '' }),
    group: await make(`${v1}/configuration/groups`, { name: 'friends' }),
    user: await make(`${organization}/users`, { username: 'ann', password: 'a password of twelve' }),
    page: await make(`${environment}/apis/${id}/pages`, { name: 'One', type: 'MARKDOWN', content: 'x' }),
    fleet: await make(fleetsPath, { name: 'plant', environments: ['DEFAULT'] }),
    entrypoint: await make(`${organization}/configuration/entrypoints`, {
      target: 'HTTP',
      value: 'https://api.example',
      tags: ['internal'],
    }),
  };
}

type Furniture = Awaited<ReturnType<typeof furnish>>;

const withTenants = (tenants: readonly string[]) => {
  const endpoint = { name: 'one', type: 'http-proxy', configuration: { target: 'http://backend.example' } };
  const group = { name: 'default', type: 'http-proxy', endpoints: [{ ...endpoint, tenants }] };
  return { endpointGroups: [group] };
};
const page = { name: 'Two', type: 'MARKDOWN', content: 'x' };

/** A body, and the field of it that names nothing. */
type Part = readonly [body: unknown, field: string];

const post = (operation: string, path: string, [body, field]: Part): Naming => ({
  operation,
  method: 'POST',
  path,
  body,
  field,
});
const put = (operation: string, path: string, part: Part): Naming => ({
  ...post(operation, path, part),
  method: 'PUT',
});

const apiParts: readonly (readonly [object, string])[] = [
  [{ tags: [nothing] }, 'tags[0]'],
  [{ groups: [nothing] }, 'groups'],
  [{ categories: [nothing] }, 'categories[0]'],
  [withTenants([nothing]), 'endpointGroups[0].endpoints[0].tenants[0]'],
];
const planParts: readonly (readonly [object, string])[] = [
  [{ tags: [nothing] }, 'tags[0]'],
  [{ excludedGroups: [nothing] }, 'excludedGroups[0]'],
  [{ generalConditions: nothing }, 'generalConditions'],
];

/** What APIs name, and what is made of them. */
function ofApis({ api, planId, applicationId, user, page: pageId }: Furniture): readonly Naming[] {
  const imported = { api: apiBody('/new', { tags: [nothing] }) };
  const subscriptions = `${api}/subscriptions`;
  return [
    ...apiParts.flatMap(([part, field]) => [
      post('createApi', `${environment}/apis`, [apiBody('/new', part), field]),
      put('updateApi', api, [apiBody('/named', part), field]),
      { operation: 'patchApi', method: 'PATCH', path: api, body: part, field } as const,
    ]),
    post('importApi', `${environment}/apis/_import/definition`, [imported, 'tags[0]']),
    ...planParts.flatMap(([part, field]) => [
      post('createApiPlan', `${api}/plans`, [planBody('API_KEY', part), field]),
      put('updateApiPlan', `${api}/plans/${planId}`, [planBody('API_KEY', part), field]),
    ]),
    ...[
      ['GROUP', nothing],
      ['ROLE', nothing],
      ['ROLE', 'ENVIRONMENT-NOTHING'],
    ].flatMap(([referenceType, referenceId]) => {
      const body = { ...page, accessControls: [{ referenceId, referenceType }] };
      const field = 'accessControls[0].referenceId';
      return [
        post('createDocumentationPage', `${api}/pages`, [body, field]),
        put('updateDocumentationPage', `${api}/pages/${pageId}`, [{ ...body, name: 'One' }, field]),
        post('createPortalPage', `${v1}/portal/pages`, [body, field]),
      ];
    }),
    post('createDocumentationPage', `${api}/pages`, [{ ...page, parentId: nothing }, 'parentId']),
    post('createPortalPage', `${v1}/portal/pages`, [{ ...page, parentId: nothing }, 'parentId']),
    post('createApiSubscription', subscriptions, [{ planId: nothing, applicationId }, 'planId']),
    post('createApiSubscription', subscriptions, [{ planId, applicationId: nothing }, 'applicationId']),
    post('addApiMember', `${api}/members`, [{ userId: nothing, roleName: 'USER' }, 'userId']),
    post('addApiMember', `${api}/members`, [{ userId: user, roleName: nothing }, 'roleName']),
  ];
}

/** What applications and people are given. */
function ofPeople({ applicationId, group, user }: Furniture): readonly Naming[] {
  const groups = `${v1}/configuration/groups`;
  const shop = { name: 'shop', description: '', groups: [nothing] };
  const roles = `${organization}/users/${user}/roles`;
  const ofUser = { user, referenceType: 'ORGANIZATION', referenceId: 'DEFAULT', roles: [nothing] };
  const elsewhere = { user, referenceType: 'ENVIRONMENT', referenceId: nothing, roles: [] };
  const roleOf = (mapping: object): unknown =>
    provider({ roleMappings: [{ condition: 'true', organizations: [], ...mapping }] });
  const parts: readonly Part[] = [
    [provider({ groupMappings: [{ condition: 'true', groups: [nothing] }] }), 'groupMappings[0].groups'],
    [roleOf({ organizations: [nothing] }), 'roleMappings[0].organizations'],
    [roleOf({ environments: { [nothing]: ['USER'] } }), 'roleMappings[0].environments'],
    [roleOf({ environments: { DEFAULT: [nothing] } }), 'roleMappings[0].environments'],
  ];
  return [
    post('createApplication', `${v1}/applications`, [shop, 'groups']),
    put('updateApplication', `${v1}/applications/${applicationId}`, [shop, 'groups']),
    post('createGroup', groups, [{ name: 'two', roles: { API: nothing } }, 'roles.API']),
    put('updateGroup', `${groups}/${group}`, [
      { name: 'friends', roles: { APPLICATION: nothing } },
      'roles.APPLICATION',
    ]),
    put('updateUserRoles', roles, [ofUser, 'roles']),
    put('updateUserRoles', roles, [elsewhere, 'referenceId']),
    ...parts.map((part) => post('createIdentityProvider', `${organization}/configuration/identities`, part)),
  ];
}

/** What gateways are sharded by, and where they are reached. */
function ofGateways({ fleet, entrypoint }: Furniture): readonly Naming[] {
  const tags = `${organization}/configuration/tags`;
  const entrypoints = `${organization}/configuration/entrypoints`;
  const plant = { name: 'two', environments: ['DEFAULT'] };
  const reached = { target: 'HTTP', value: 'https://api.example', tags: ['internal'] };
  const kept = { name: 'X', restricted_groups: [nothing] };
  const fleetParts: readonly Part[] = [
    [{ ...plant, tags: [nothing] }, 'tags[0]'],
    [{ ...plant, tags: [`!${nothing}`] }, 'tags[0]'],
    [{ ...plant, tenant: nothing }, 'tenant'],
    [{ ...plant, environments: [nothing] }, 'environments[0]'],
  ];
  const entrypointParts: readonly (readonly [object, string])[] = [
    [{ ...reached, tags: ['internal', nothing] }, 'tags[1]'],
    [{ ...reached, tags: [nothing], environmentIds: [nothing] }, 'environmentIds[0]'],
  ];
  return [
    ...fleetParts.flatMap((part) => [
      post('createFleet', fleetsPath, part),
      put('updateFleet', `${fleetsPath}/${fleet}`, part),
    ]),
    ...entrypointParts.flatMap(([body, field]) => [
      post('createEntrypoint', entrypoints, [body, field]),
      put('updateEntrypoint', entrypoints, [{ id: entrypoint, ...body }, field]),
    ]),
    post('createTag', tags, [{ key: 'x', ...kept }, 'restricted_groups[0]']),
    put('updateTag', `${tags}/internal`, [kept, 'restricted_groups[0]']),
  ];
}

const provider = (part: object) => ({
  name: 'Corporate',
  type: 'OIDC',
  enabled: false,
  configuration: {
    clientId: 'c',
    clientSecret: 's',
    discoveryEndpoint: 'https://id.example.com/.well-known/openid-configuration',
  },
  ...part,
});

/** Everything that names another object in its body, each with one that is not there. */
const namings = (there: Furniture): readonly Naming[] => [
  ...ofApis(there),
  ...ofPeople(there),
  ...ofGateways(there),
];

test('whatever names a tag, tenant, group, category, role or anything else that is not there is refused by the field', async (t) => {
  const office = await openOffice(t, testDatabases[0] as TestDatabase);
  const furniture = await furnish(office);
  const wrong: string[] = [];
  for (const { operation, method, path, body, field } of namings(furniture)) {
    const answer = await office.call(method, path, { body });
    const details = (answer.body['details'] ?? []) as readonly { readonly location?: string }[];
    const isNamed =
      details.some((one) => one.location === field) || speaking.has(String(answer.body.technicalCode));
    const told = `${answer.status} ${answer.text.slice(0, 250)}`;
    if (![400, 404].includes(answer.status) || !isNamed) wrong.push(`${operation} ${field}: ${told}`);
  }
  assert.deepEqual(wrong, []);
});

/** Fields that name what is kept beside the object. */
const namingFields = new Set([
  'tags',
  'tenant',
  'tenants',
  'groups',
  'categories',
  'excludedGroups',
  'restricted_groups',
  'environments',
  'environmentIds',
  'generalConditions',
  'accessControls',
  'groupMappings',
  'roleMappings',
]);

/** Those that name nothing, or are held by a test of their own. */
const others: ReadonlyMap<string, string> = new Map([
  ['updatePortalPage', 'judged as a page of an API is'],
  ['searchApis', 'a filter: what is not there finds nothing'],
  ['updateIdentityProvider', 'judged as a creation'],
]);

test('every operation whose body names tags, tenants, groups, categories or environments is among those', async (t) => {
  const office = await openOffice(t, testDatabases[0] as TestDatabase);
  const tried = new Set(namings(await furnish(office)).map(({ operation }) => operation));
  const naming = routes.filter(({ method, operationId, schemas: { body } }) => {
    // Groups of those are refused, whichever they are.
    if (operationId.endsWith('NotificationSetting')) return false;
    if (body === undefined || !['post', 'put'].includes(method)) return false;
    const schema = z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' });
    return Object.keys(schema.properties ?? {}).some((name) => {
      // What a PUT takes because GET gave it, and does not read, has no schema.
      const field = schema.properties?.[name];
      return namingFields.has(name) && typeof field === 'object' && Object.keys(field).length > 0;
    });
  });
  const ids = naming.map(({ operationId }) => operationId);
  assert.deepEqual(
    [...others.keys()].filter((id) => !ids.includes(id)),
    [],
    'an exception that is none',
  );
  assert.deepEqual(
    ids.filter((id) => !tried.has(id) && !others.has(id)),
    [],
  );
});
