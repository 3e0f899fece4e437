import assert from 'node:assert/strict';
import { isLongRun, shortTest as test } from '../../test/kit/long-run.ts';
import { test as inBothRuns } from 'node:test';
import { soapDescription } from '../../proto/definition/wsdl/fixtures.ts';
import { notificationBodies } from '../../test/kit/control-plane/rights/notifications.ts';
import { peopleByGroup } from '../../test/kit/control-plane/people-by-group.ts';
import { people, rightsTable } from '../../test/kit/control-plane/rights/table.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { findUser } from '../access/access.store.ts';
import type { HeldRole } from '../access/actor.ts';
import { addMembership, removeMemberships } from '../access/memberships.store.ts';
import { routes } from '../management/index.ts';
import { basePaths, type Route } from '../management/route.ts';
import {
  apiBody,
  basic,
  environment,
  openOffice,
  planBody,
  v1,
  type Office,
} from '../../test/kit/control-plane/office.ts';

type ByGroup = keyof typeof peopleByGroup;
type Person = (typeof people)[number] | ByGroup | 'anonymous' | 'stranger';
const byGroup = Object.keys(peopleByGroup) as ByGroup[];

const year = { from: '2026-01-01T00:00:00Z', to: '2027-01-01T00:00:00Z' };

const identityProvider = {
  name: 'Corporate',
  type: 'OIDC',
  configuration: {
    clientId: 'c',
    clientSecret: 's',
    discoveryEndpoint: 'https://id.example.com/.well-known/openid-configuration',
  },
};

const bodies: Readonly<Record<string, object | boolean>> = {
  updateRetention: { recordsDays: 30 },
  askDeletion: { subject: 'APPLICATION', value: 'none' },
  countDeletion: { subject: 'APPLICATION', value: 'none' },
  createGroup: { name: 'one more' },
  updateGroup: { name: 'friends' },
  setGroupMembers: [],
  createApi: apiBody('/another'),
  updateApi: apiBody('/private'),
  updateApiDraft: { content: 'half' },
  // Refused once its caller is let in: nothing runs here.
  debugApi: { path: 'none' },
  verifyPaths: { paths: [{ path: '/free' }] },
  verifyHosts: { hosts: ['free.example'] },
  duplicateApi: { contextPath: '/copy', filteredFields: [] },
  createApiFromSwagger: {
    payload: '{"openapi":"3.1.0","info":{"title":"t","version":"1"},"paths":{}}',
    target: 'http://127.0.0.1:9',
  },
  updateApiFromSwagger: { payload: '{}' },
  createApiFromWsdl: { payload: soapDescription('http://127.0.0.1:9/soap') },
  updateApiFromWsdl: { payload: '<a/>' },
  createApiWithImport: { api: apiBody('/imported') },
  updateApiWithDefinition: { api: apiBody('/private') },
  createSharedPolicyGroup: { name: 'limits', apiType: 'PROXY', phase: 'REQUEST' },
  updateSharedPolicyGroup: { name: 'limits' },
  createDictionary: { name: 'words', type: 'MANUAL' },
  updateDictionary: { name: 'words', type: 'MANUAL' },
  createApplicationCertificate: { name: 'one', certificate: 'none' },
  validateApplicationCertificate: { certificate: 'none' },
  updateApplicationCertificate: { name: 'one' },
  updateOrganization: { name: 'Organization' },
  createApiPlan: planBody('API_KEY'),
  updateApiPlan: planBody('API_KEY'),
  patchApi: { description: 'patched' },
  patchApiPlan: { description: 'patched' },
  createApplication: { name: 'one more', description: '' },
  updateApplication: { name: 'shop', description: 'renamed' },
  createFleet: { name: 'another', environments: ['DEFAULT'] },
  updateFleet: { name: 'laptop', environments: ['DEFAULT'] },
  createEnrolmentToken: { bridge: 'http://127.0.0.1:1' },
  createToken: { name: 'mine' },
  createCategory: { name: 'one' },
  createPortalCategory: { title: 'one more' },
  updatePortalCategory: { title: 'one' },
  createEnvironment: { name: 'DEFAULT' },
  updateEnvironment: { name: 'Default environment' },
  createEntrypoint: { target: 'HTTP', value: 'https://api.example', tags: ['one'] },
  updateEntrypoint: { id: 'none', target: 'HTTP', value: 'https://api.example', tags: ['one'] },
  createPortalPage: { name: 'one', type: 'MARKDOWN' },
  updatePortalPage: { name: 'one', type: 'MARKDOWN' },
  createDocumentationPage: { name: 'one', type: 'MARKDOWN' },
  updateDocumentationPage: { name: 'one', type: 'MARKDOWN' },
  updateCategories: [],
  updateCategory: { name: 'one' },
  updateCategoryApi: { order: 0 },
  createDashboard: { name: 'one' },
  updateDashboard: { name: 'one' },
  labelApiDeployment: { label: 'one' },
  rollbackApi: { eventId: 'none' },
  createEnvironmentMetadata: { name: 'one more' },
  updateEnvironmentMetadata: { key: 'none', name: 'one' },
  createApiV1Metadata: { name: 'one more' },
  updateApiV1Metadata: { name: 'one' },
  createApplicationMetadata: { name: 'one more' },
  updateApplicationMetadata: { name: 'one' },
  transferApiSubscription: { planId: 'none' },
  verifyCreateApiSubscription: { applicationId: 'none', apiKey: 'a-custom-key' },
  changePassword: { currentPassword: 'not this one', password: 'long enough now' },
  enrolSecondFactor: { currentPassword: 'not this one' },
  confirmSecondFactor: { code: '000000' },
  renewRecoveryCodes: { currentPassword: 'not this one', code: '000000' },
  disableSecondFactor: { currentPassword: 'not this one', code: '000000' },
  updateSignInSettings: { secondFactor: 'OPTIONAL' },
  processRegistration: true,
  resetUserPassword: { password: 'long enough now' },
  createUserToken: { name: 'one' },
  queryMeasures: { timeRange: year, metrics: [{ name: 'HTTP_REQUESTS' }] },
  queryFacets: { timeRange: year, by: ['API'], metrics: [{ name: 'HTTP_REQUESTS' }] },
  queryTimeSeries: { timeRange: year, interval: '1d', metrics: [{ name: 'HTTP_REQUESTS' }] },
  resolveObservabilityFilterLabels: { entries: [{ filterName: 'API', ids: ['none'] }] },
  checkExpression: { text: '', kind: 'TEMPLATE' },
  searchApiLogs: { timeRange: year },
  exportLogs: { timeRange: year },
  createIdentityProvider: identityProvider,
  updateIdentityProvider: { ...identityProvider, type: undefined },
  setOrganizationIdentities: [],
  setEnvironmentIdentities: [],
  ...notificationBodies,
  createTag: { key: 'one', name: 'One' },
  updateTag: { name: 'One' },
  createTenants: [{ key: 'one', name: 'One' }],
  updateTenants: [{ key: 'one', name: 'One' }],
  createApiHeader: { name: 'one', value: '${api.name}' },
  updateApiHeader: { name: 'one', value: '${api.name}', order: 1 },
  createView: { name: 'mine', page: 'APIS', query: 'q=pets' },
  updateView: { name: 'mine', page: 'APIS', query: '' },
  createUser: { username: 'new', password: 'long enough now', role: 'USER' },
};

/** Parameters of paths whose object there is none of: who may reach the operation finds nothing. */
const absent = `
  sharedPolicyGroupId certificateId dictionaryId metadataKey categoryId dashboardId entrypointId
  identityProviderId notificationId pageId eventId userId memberId roleName requestId logId tokenId
  sessionId gatewayId instanceId monitoredId viewId tagId tenantId headerId templateId
`
  .trim()
  .split(/\s+/);

/** Makes a user and a personal token; a token works under every path, whatever organization it names. */
async function enter(
  office: Office,
  wish: { readonly organization: string; readonly username: string; readonly role: 'ADMIN' | 'USER' },
): Promise<string> {
  const secret = `${wish.username} secret`;
  const passwordHash = await office.desk.access.hashPassword(secret);
  await office.storage.transaction((trx) =>
    office.desk.access.createUser(trx, { ...wish, passwordHash, displayName: wish.username }),
  );
  const path = `/management/organizations/${wish.organization}/user/tokens`;
  const made = await office.call('POST', path, {
    body: { name: 'first' },
    as: basic(wish.username, secret),
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return `Bearer ${String(made.body['token'])}`;
}

async function otherOrganization(office: Office): Promise<string> {
  await office.storage.transaction(async (trx) => {
    await office.desk.publisher.ensureOrganization(trx, { id: 'other', name: 'Other', hrid: 'OTHER' });
    await office.desk.publisher.ensureEnvironment(trx, 'other', {
      id: 'other-env',
      name: 'Other',
      hrid: 'DEFAULT',
    });
  });
  return enter(office, { organization: 'other', username: 'stranger', role: 'ADMIN' });
}

async function prepare(office: Office) {
  const { organization, environment: environmentId } = office.at;
  const join = (username: string, role: 'ADMIN' | 'USER' = 'USER') =>
    enter(office, { organization, username, role });
  const credentials = new Map<Person, string | null>([
    ['admin', await join('second', 'ADMIN')],
    ['anonymous', null],
    ['stranger', await otherOrganization(office)],
  ]);
  for (const person of [...people, ...byGroup])
    if (person !== 'admin') credentials.set(person, await join(person));
  await give(office, 'environmentAdmin', { scope: 'environment', reference: environmentId, name: 'ADMIN' });
  await give(office, 'publisher', { scope: 'environment', reference: environmentId, name: 'API_PUBLISHER' });

  const { id: apiId, planId } = await office.deployedApi('/private');
  await give(office, 'apiPrimaryOwner', { scope: 'api', reference: apiId, name: 'PRIMARY_OWNER' });
  await give(office, 'apiOwner', { scope: 'api', reference: apiId, name: 'OWNER' });
  await give(office, 'apiUser', { scope: 'api', reference: apiId, name: 'USER' });
  const application = await office.call('POST', `${v1}/applications`, {
    body: { name: 'shop', description: '' },
    as: credentials.get('applicationPrimaryOwner') ?? null,
  });
  const applicationId = String(application.body['id']);
  await give(office, 'applicationUser', { scope: 'application', reference: applicationId, name: 'USER' });
  const groupId = await formGroups(office, { apiId, applicationId });
  const subscription = await office.call('POST', `${environment}/apis/${apiId}/subscriptions`, {
    body: { planId, applicationId },
  });
  const key = subscription.body['apiKey'] as { readonly id: string };
  const ids = new Map<string, string>([
    ['orgId', organization],
    ['envId', environmentId],
    ['apiId', apiId],
    ['planId', planId],
    ['applicationId', applicationId],
    ['subscriptionId', String(subscription.body['id'])],
    ['apiKeyId', key.id],
    ['keyId', key.id],
    ['fleetId', office.boot.fleet],
    ...absent.map((name) => [name, 'none'] as const),
    ['number', '1'],
    ['pluginId', 'http-proxy'],
    ['fetcherId', 'http-fetcher'],
    ['groupId', groupId],
    ['scope', 'API'],
    ['apiName', 'HTTP_PROXY'],
    ['metricName', 'HTTP_REQUESTS'],
    ['filterName', 'API'],
  ]);
  return { credentials, ids };
}

/** Groups with those who hold something by one alone; the id of the one that has the API and the application. */
async function formGroups(
  office: Office,
  { apiId, applicationId }: { readonly apiId: string; readonly applicationId: string },
): Promise<string> {
  const groups = `${v1}/configuration/groups`;
  const form = async (name: string, roles: Partial<Record<ByGroup, object>>): Promise<string> => {
    const made = await office.call('POST', groups, { body: { name } });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const id = String(made.body['id']);
    for (const [username, role] of Object.entries(roles)) {
      const user = await findUser(office.storage.db, office.at.organization, username);
      const body = [{ id: user?.id, roles: [role] }];
      assert.equal((await office.call('POST', `${groups}/${id}/members`, { body })).status, 200);
    }
    return id;
  };
  const friends = await form('friends', {
    apiOwnerByGroup: { scope: 'API', name: 'OWNER' },
    applicationUserByGroup: { scope: 'APPLICATION', name: 'USER' },
    groupAdministrator: { scope: 'GROUP', name: 'ADMIN' },
  });
  const others = await form('others', { ownerOfOtherApiByGroup: { scope: 'API', name: 'OWNER' } });
  const other = await office.call('POST', `${environment}/apis`, {
    body: apiBody('/other', { groups: [others] }),
  });
  assert.equal(other.status, 201, JSON.stringify(other.body));
  for (const path of [`${environment}/apis/${apiId}`, `${v1}/applications/${applicationId}`]) {
    const { body } = await office.call('GET', path);
    const put = await office.call('PUT', path, { body: { ...body, groups: [friends] } });
    assert.equal(put.status, 200, JSON.stringify(put.body));
  }
  return friends;
}

/** Gives a role to one of the people; a primary owner takes the place of the one before. */
async function give(office: Office, username: string, role: HeldRole): Promise<void> {
  const { db } = office.storage;
  const { organization } = office.at;
  const user = await findUser(db, organization, username);
  assert.ok(user);
  if (role.name === 'PRIMARY_OWNER') await removeMemberships(db, organization, role);
  await addMembership(db, { ...role, organization, user: user.id, nowMs: office.clock.now() });
}

const isByGroup = (person: Person): person is ByGroup => person in peopleByGroup;

function expectedOf(person: Person, operation: string): string {
  if (person === 'anonymous') return '401';
  if (person === 'stranger') return '404';
  const { as, besides } = isByGroup(person) ? peopleByGroup[person] : { as: person, besides: [] };
  const isOpen = rightsTable[operation]?.replaceAll(' ', '')[people.indexOf(as)] === '+';
  return isOpen || besides.some((name) => name === operation) ? 'ok' : '403';
}

function queryOf(route: Route, ids: ReadonlyMap<string, string>): string {
  if (route.operationId === 'changeSubscriptionConsumerStatus') return '?status=STOPPED';
  return route.operationId === 'createApplicationSubscription' ? `?plan=${ids.get('planId') ?? ''}` : '';
}

function bodyOf(
  route: Route,
  ids: ReadonlyMap<string, string>,
): {
  readonly body?: object | boolean;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
} {
  if (route.operationId === 'createApiSubscription')
    return { body: { planId: ids.get('planId'), applicationId: ids.get('applicationId') } };
  if (route.upload !== undefined)
    return { text: 'no picture', headers: { 'content-type': route.upload.type.replace('*', 'plain') } };
  const body = bodies[route.operationId] ?? {};
  return route.takesBody ? { body } : {};
}

test('the table names every operation of the management API, and no other', () => {
  assert.deepEqual(Object.keys(rightsTable).toSorted(), routes.map((route) => route.operationId).toSorted());
});

/** Rights are decided before a database answers: on PostgreSQL the short run asks for one operation in so many, the long one for each. */
const sampleEvery = 8;

for (const database of testDatabases) {
  const isSample = database.name === 'postgres' && !isLongRun;
  const asked = routes.filter((_, n) => !isSample || n % sampleEvery === 0);
  const declare = database.name === 'postgres' ? inBothRuns : test;
  declare(
    `who may do what: ${isSample ? `one operation in ${sampleEvery}` : 'every operation'} for everybody (${database.name})`,
    { skip: database.skip, timeout: 300_000 },
    async (t) => {
      const office = await openOffice(t, database);
      const { credentials, ids } = await prepare(office);
      const wrong: string[] = [];
      // The refused first: what is allowed changes what the next one would find.
      for (const person of ['stranger', 'anonymous', ...byGroup, ...people.toReversed()] as const)
        for (const route of asked)
          for (const base of basePaths[route.scope]) {
            const expected = expectedOf(person, route.operationId);
            const path = (base + route.path).replaceAll(
              /\{(\w+)\}/g,
              (_all, name: string) => ids.get(name) ?? '',
            );
            const answer = await office.call(route.method.toUpperCase(), path + queryOf(route, ids), {
              ...bodyOf(route, ids),
              // A stale version: whoever may delete it is let in and deletes nothing, so that the next one finds it.
              ...(['deleteApi', 'deleteGroup'].includes(route.operationId)
                ? { headers: { 'if-match': '"0"' } }
                : {}),
              as: credentials.get(person) ?? null,
            });
            const isRefused =
              [401, 403].includes(answer.status) || (person === 'stranger' && answer.status === 404);
            const got = isRefused ? String(answer.status) : answer.status < 500 ? 'ok' : '5xx';
            const isUnavailable = answer.body.technicalCode === 'analytics.unavailable';
            if ((isUnavailable ? 'ok' : got) !== expected)
              wrong.push(`${person} ${route.operationId} ${path}: ${answer.status}, not ${expected}`);
          }
      assert.deepEqual(wrong, []);
    },
  );

  test(
    `a reader sees public APIs without their inside (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const reader = await enter(office, {
        organization: office.at.organization,
        username: 'reader',
        role: 'USER',
      });
      await office.call('POST', `${environment}/apis`, { body: apiBody('/private') });
      const open = await office.call('POST', `${environment}/apis`, {
        body: apiBody('/open', { visibility: 'PUBLIC' }),
      });
      const hidden = await office.call('GET', `${environment}/apis?visibilities=PRIVATE`, { as: reader });
      assert.deepEqual(hidden.body['data'], []);
      const list = await office.call('GET', `${environment}/apis`, { as: reader });
      const data = list.body['data'] as Record<string, unknown>[];
      assert.deepEqual(
        data.map((api) => api['id']),
        [open.body['id']],
      );
      assert.equal(data[0]?.['endpointGroups'], undefined);
      const mine = await office.call('GET', `${environment}/apis/${String(open.body['id'])}`, { as: reader });
      assert.deepEqual([mine.status, mine.body['flows']], [200, undefined]);
    },
  );

  test(
    `a token finds its own DEFAULT environment, never another organization's (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const stranger = await otherOrganization(office);
      await office.deployedApi('/ours');
      const theirs = await office.call('GET', environment, { as: stranger });
      assert.equal(theirs.body['id'], 'other-env');
      const list = await office.call('GET', `${environment}/apis`, { as: stranger });
      assert.deepEqual(list.body['data'], []);
    },
  );
}
