import assert from 'node:assert/strict';
import { test } from 'node:test';
import { people, rightsTable } from '../../test/kit/control-plane/rights-table.ts';
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

type Person = (typeof people)[number] | 'anonymous' | 'stranger';

const bodies: Readonly<Record<string, object>> = {
  addApiMember: {},
  updateApiMember: {},
  transferOwnership: {},
  setApiV1Member: {},
  transferApiV1Ownership: {},
  setApplicationMember: {},
  transferApplicationOwnership: {},
  createRole: {},
  updateRole: {},
  createApi: apiBody('/another'),
  updateApi: apiBody('/private'),
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
  createApplication: { name: 'one more', description: '' },
  updateApplication: { name: 'shop', description: 'renamed' },
  createFleet: { name: 'another', environments: ['DEFAULT'] },
  updateFleet: { name: 'laptop', environments: ['DEFAULT'] },
  createEnrolmentToken: { bridge: 'http://127.0.0.1:1' },
  createToken: { name: 'mine' },
  changePassword: { currentPassword: 'not this one', password: 'long enough now' },
  createUser: { username: 'new', password: 'long enough now', role: 'USER' },
};

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
  for (const person of people) if (person !== 'admin') credentials.set(person, await join(person));
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
    ['sharedPolicyGroupId', 'none'],
    ['certificateId', 'none'],
    ['dictionaryId', 'none'],
    ['pluginId', 'http-proxy'],
    ['memberId', 'none'],
    ['scope', 'API'],
    ['roleName', 'none'],
    ['requestId', 'none'],
    ['tokenId', 'none'],
    ['sessionId', 'none'],
    ['gatewayId', 'none'],
  ]);
  return { credentials, ids };
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

function expectedOf(person: Person, operation: string): string {
  if (person === 'anonymous') return '401';
  if (person === 'stranger') return '404';
  return rightsTable[operation]?.replaceAll(' ', '')[people.indexOf(person)] === '+' ? 'ok' : '403';
}

function queryOf(route: Route, ids: ReadonlyMap<string, string>): string {
  return route.operationId === 'createApplicationSubscription' ? `?plan=${ids.get('planId') ?? ''}` : '';
}

function bodyOf(route: Route, ids: ReadonlyMap<string, string>): { readonly body?: object } {
  if (route.operationId === 'createApiSubscription')
    return { body: { planId: ids.get('planId'), applicationId: ids.get('applicationId') } };
  const body = bodies[route.operationId];
  return body === undefined ? {} : { body };
}

test('the table names every operation of the management API, and no other', () => {
  assert.deepEqual(Object.keys(rightsTable).toSorted(), routes.map((route) => route.operationId).toSorted());
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
      for (const person of ['stranger', 'anonymous', ...people.toReversed()] as const)
        for (const route of routes)
          for (const base of basePaths[route.scope]) {
            const expected = expectedOf(person, route.operationId);
            const path = (base + route.path).replaceAll(
              /\{(\w+)\}/g,
              (_all, name: string) => ids.get(name) ?? '',
            );
            const answer = await office.call(route.method.toUpperCase(), path + queryOf(route, ids), {
              ...bodyOf(route, ids),
              // A stale version: whoever may delete it is let in and deletes nothing, so that the next one finds it.
              ...(route.operationId === 'deleteApi' ? { headers: { 'if-match': '"0"' } } : {}),
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
