import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testDatabases } from '../../test/kit/databases.ts';
import { routes } from '../management/index.ts';
import { basePaths } from '../management/route.ts';
import { apiBody, basic, environment, openOffice, planBody, v1, type Office } from './office.test.ts';

/** Who is at the door; the columns of the table. */
const people = ['admin', 'owner', 'user', 'anonymous', 'stranger'] as const;
type Person = (typeof people)[number];

/**
 * What each operation says to: the ADMIN, the USER who owns the application, another USER, nobody, and the ADMIN of
 * another organization. `ok` is any answer that is not a refusal for lack of rights: the operation was reached.
 */
const table: Readonly<Record<string, string>> = {
  getOrganization: 'ok ok ok 401 404',
  listEnvironments: 'ok ok ok 401 404',
  getEnvironment: 'ok ok ok 401 404',
  getOrganizationV1: 'ok ok ok 401 404',
  listEnvironmentsV1: 'ok ok ok 401 404',
  listApis: 'ok ok ok 401 404',
  searchApis: 'ok ok ok 401 404',
  createApi: 'ok 403 403 401 404',
  getApi: 'ok 403 403 401 404',
  updateApi: 'ok 403 403 401 404',
  deleteApi: 'ok 403 403 401 404',
  startApi: 'ok 403 403 401 404',
  stopApi: 'ok 403 403 401 404',
  createApiDeployment: 'ok 403 403 401 404',
  getCurrentApiDeployment: 'ok 403 403 401 404',
  listApiPlans: 'ok 403 403 401 404',
  createApiPlan: 'ok 403 403 401 404',
  getApiPlan: 'ok 403 403 401 404',
  updateApiPlan: 'ok 403 403 401 404',
  deleteApiPlan: 'ok 403 403 401 404',
  publishApiPlan: 'ok 403 403 401 404',
  deprecateApiPlan: 'ok 403 403 401 404',
  closeApiPlan: 'ok 403 403 401 404',
  getApiSubscriptions: 'ok 403 403 401 404',
  createApiSubscription: 'ok 403 403 401 404',
  getApiSubscription: 'ok 403 403 401 404',
  acceptApiSubscription: 'ok 403 403 401 404',
  rejectApiSubscription: 'ok 403 403 401 404',
  closeApiSubscription: 'ok 403 403 401 404',
  getApiSubscriptionApiKeys: 'ok 403 403 401 404',
  renewApiSubscriptionApiKeys: 'ok 403 403 401 404',
  revokeApiSubscriptionApiKey: 'ok 403 403 401 404',
  listApplications: 'ok ok ok 401 404',
  listApplicationsPaged: 'ok ok ok 401 404',
  createApplication: 'ok ok ok 401 404',
  getApplication: 'ok ok 403 401 404',
  updateApplication: 'ok ok 403 401 404',
  deleteApplication: 'ok ok 403 401 404',
  listApplicationSubscriptions: 'ok ok 403 401 404',
  createApplicationSubscription: 'ok 403 403 401 404',
  getApplicationSubscription: 'ok ok 403 401 404',
  closeApplicationSubscription: 'ok ok 403 401 404',
  listApplicationApiKeys: 'ok ok 403 401 404',
  renewApplicationApiKey: 'ok ok 403 401 404',
  revokeApplicationApiKey: 'ok ok 403 401 404',
  getApiAnalyticsRequestCount: 'ok 403 403 401 404',
  getResponseStatusCodes: 'ok 403 403 401 404',
  listFleets: 'ok 403 403 401 404',
  createFleet: 'ok 403 403 401 404',
  getFleet: 'ok 403 403 401 404',
  updateFleet: 'ok 403 403 401 404',
  deleteFleet: 'ok 403 403 401 404',
  listEnrolmentTokens: 'ok 403 403 401 404',
  createEnrolmentToken: 'ok 403 403 401 404',
  revokeEnrolmentToken: 'ok 403 403 401 404',
  listGateways: 'ok 403 403 401 404',
  listGatewayEvents: 'ok 403 403 401 404',
  revokeGateway: 'ok 403 403 401 404',
  listTokens: 'ok ok ok 401 404',
  createToken: 'ok ok ok 401 404',
  deleteToken: 'ok ok ok 401 404',
  listUsers: 'ok 403 403 401 404',
  createUser: 'ok 403 403 401 404',
};

const bodies: Readonly<Record<string, object>> = {
  createApi: apiBody('/another'),
  updateApi: apiBody('/private'),
  createApiPlan: planBody('API_KEY'),
  updateApiPlan: planBody('API_KEY'),
  createApplication: { name: 'one more', description: '' },
  updateApplication: { name: 'shop', description: 'renamed' },
  createFleet: { name: 'another', environments: ['DEFAULT'] },
  updateFleet: { name: 'laptop', environments: ['DEFAULT'] },
  createEnrolmentToken: { bridge: 'http://127.0.0.1:1' },
  createToken: { name: 'mine' },
  createUser: { username: 'new', password: 'long enough now', role: 'USER' },
};

/** Makes a user and a personal token; a token works under every path, whatever organization it names. */
async function enter(
  office: Office,
  wish: { readonly organization: string; readonly username: string; readonly role: 'ADMIN' | 'USER' },
): Promise<string> {
  const secret = `${wish.username} secret`;
  await office.desk.access.createUser(office.storage.db, {
    ...wish,
    password: secret,
    displayName: wish.username,
  });
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
  const { organization } = office.at;
  const owner = await enter(office, { organization, username: 'owner', role: 'USER' });
  const credentials: Readonly<Record<Person, string | null>> = {
    admin: await enter(office, { organization, username: 'second', role: 'ADMIN' }),
    owner,
    user: await enter(office, { organization, username: 'user', role: 'USER' }),
    anonymous: null,
    stranger: await otherOrganization(office),
  };
  const { id: apiId, planId } = await office.deployedApi('/private');
  const application = await office.call('POST', `${v1}/applications`, {
    body: { name: 'shop', description: '' },
    as: owner,
  });
  const applicationId = String(application.body['id']);
  const subscription = await office.call('POST', `${environment}/apis/${apiId}/subscriptions`, {
    body: { planId, applicationId },
  });
  const key = subscription.body['apiKey'] as { readonly id: string };
  const ids: Readonly<Record<string, string>> = {
    orgId: organization,
    envId: office.at.environment,
    apiId,
    planId,
    applicationId,
    subscriptionId: String(subscription.body['id']),
    apiKeyId: key.id,
    keyId: key.id,
    fleetId: office.boot.fleet,
    tokenId: 'none',
    gatewayId: 'none',
  };
  return { credentials, ids };
}

test('the table names every operation of the management API, and no other', () => {
  assert.deepEqual(Object.keys(table).toSorted(), routes.map((route) => route.operationId).toSorted());
});

for (const database of testDatabases) {
  test(
    `who may do what: every operation for everybody (${database.name})`,
    { skip: database.skip, timeout: 120_000 },
    async (t) => {
      const office = await openOffice(t, database);
      const { credentials, ids } = await prepare(office);
      const wrong: string[] = [];
      // The refused first: what is allowed changes what the next one would find.
      for (const person of ['stranger', 'anonymous', 'user', 'owner', 'admin'] as const)
        for (const route of routes)
          for (const base of basePaths[route.scope]) {
            const expected = table[route.operationId]?.split(' ')[people.indexOf(person)];
            const path = (base + route.path).replaceAll(
              /\{(\w+)\}/g,
              (_all, name: string) => ids[name] ?? '',
            );
            const query =
              route.operationId === 'createApplicationSubscription' ? `?plan=${ids['planId']}` : '';
            const body =
              bodies[route.operationId] ??
              (route.operationId === 'createApiSubscription'
                ? { planId: ids['planId'], applicationId: ids['applicationId'] }
                : undefined);
            const answer = await office.call(route.method.toUpperCase(), path + query, {
              ...(body === undefined ? {} : { body }),
              as: credentials[person],
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
      const list = await office.call('GET', `${environment}/apis?visibilities=PRIVATE`, { as: reader });
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
