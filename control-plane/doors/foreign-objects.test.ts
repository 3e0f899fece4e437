import assert from 'node:assert/strict';
import { shortTest as test, testOnce } from '../../test/kit/long-run.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';
import { findUser } from '../access/access.store.ts';
import type { HeldRole } from '../access/actor.ts';
import { addMembership } from '../access/memberships.store.ts';
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

const secret = 'a password of twelve';

/** Makes a USER of the organization with some roles more; says the Authorization header. */
async function enter(office: Office, username: string, roles: readonly HeldRole[] = []): Promise<string> {
  const { organization } = office.at;
  const passwordHash = await office.desk.access.hashPassword(secret);
  await office.storage.transaction((trx) =>
    office.desk.access.createUser(trx, {
      organization,
      username,
      role: 'USER',
      passwordHash,
      displayName: username,
    }),
  );
  const user = await findUser(office.storage.db, organization, username);
  assert.ok(user);
  for (const role of roles)
    await addMembership(office.storage.db, { ...role, organization, user: user.id, nowMs: 1 });
  return basic(username, secret);
}

interface Objects {
  readonly apiId: string;
  readonly planId: string;
  readonly applicationId: string;
  readonly subscriptionId: string;
  readonly apiKeyId: string;
}

/** An API with a plan, an application with a subscription to it and a key. */
async function furnish(office: Office, path: string): Promise<Objects> {
  const { id: apiId, planId } = await office.deployedApi(path);
  const application = await office.call('POST', `${v1}/applications`, {
    body: { name: `shop of ${path}`, description: '' },
  });
  const applicationId = String(application.body['id']);
  const subscription = await office.call('POST', `${environment}/apis/${apiId}/subscriptions`, {
    body: { planId, applicationId },
  });
  const { id: apiKeyId } = subscription.body['apiKey'] as { readonly id: string };
  return { apiId, planId, applicationId, subscriptionId: String(subscription.body['id']), apiKeyId };
}

const bodies: Readonly<Record<string, object>> = {
  updateApi: apiBody('/stolen'),
  createApiPlan: planBody('API_KEY'),
  updateApiPlan: planBody('API_KEY'),
  updateApplication: { name: 'stolen', description: '' },
  patchApi: { description: 'stolen' },
  patchApiPlan: { description: 'stolen' },
  updateApiSubscription: {},
  updateApplicationSubscription: {},
  updateApiSubscriptionApiKey: {},
  updateSharedApiKey: {},
  createDocumentationPage: { name: 'stolen', type: 'MARKDOWN' },
  createApiV1Metadata: { name: 'stolen' },
  createApplicationMetadata: { name: 'stolen' },
};
/** Bytes that a picture begins with: what is refused is not what they are. */
const picture = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

function bodyOf(route: Route, ids: Readonly<Record<string, string>>) {
  if (route.upload !== undefined)
    return { text: picture, headers: { 'content-type': route.upload.type.replace('*', 'png') } };
  if (route.operationId === 'createApiSubscription')
    return { body: { planId: ids['planId'], applicationId: ids['applicationId'] } };
  const body = bodies[route.operationId];
  return body === undefined ? {} : { body };
}

/** Calls every route below a base whose path names objects; what it lets through. */
async function letThrough(
  office: Office,
  as: string,
  wish: { readonly envId: string; readonly ids: Readonly<Record<string, string>>; readonly least: number },
): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const route of routes) {
    const names = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
    if (!route.scope.endsWith('environment') || names.length < wish.least) continue;
    if (!names.every((name) => wish.ids[name] !== undefined)) continue;
    for (const base of basePaths[route.scope]) {
      const ids = { ...wish.ids, orgId: office.at.organization, envId: wish.envId };
      const path = (base + route.path).replaceAll(
        /\{(\w+)\}/g,
        (_all, name: string) => ids[name as keyof typeof ids] ?? '',
      );
      const query =
        route.operationId === 'createApplicationSubscription' ? `?plan=${wish.ids['planId']}` : '';
      const answer = await office.call(route.method.toUpperCase(), path + query, {
        ...bodyOf(route, ids),
        as,
      });
      if (![400, 403, 404].includes(answer.status)) wrong.push(`${route.operationId}: ${answer.status}`);
    }
  }
  return wrong;
}

for (const database of testDatabases) {
  test(
    `objects of another environment are found under no path, by nobody (${database.name})`,
    { skip: database.skip, timeout: 120_000 },
    async (t) => {
      const office = await openOffice(t, database);
      const { organization } = office.at;
      const ids = await furnish(office, '/theirs');
      await office.storage.transaction((trx) =>
        office.desk.publisher.ensureEnvironment(trx, organization, {
          id: 'second',
          name: 'S',
          hrid: 'SECOND',
        }),
      );
      const admin: HeldRole = { scope: 'environment', reference: 'second', name: 'ADMIN' };
      const people = {
        'ADMIN of the other environment': await enter(office, 'neighbour', [admin]),
        'ADMIN of the organization': undefined,
        'owner of the API and the application': await enter(office, 'owner', [
          { scope: 'api', reference: ids.apiId, name: 'OWNER' },
          { scope: 'application', reference: ids.applicationId, name: 'OWNER' },
          { scope: 'environment', reference: 'second', name: 'USER' },
        ]),
      };
      const all = { ...ids, keyId: ids.apiKeyId };
      for (const [who, as] of Object.entries(people)) {
        const wish = { envId: 'second', ids: all, least: 1 };
        const wrong = await letThrough(office, as ?? basic('admin', 'correct horse battery'), wish);
        assert.deepEqual(wrong, [], who);
      }
      for (const path of [`${environment}/apis`, `${v1}/applications`]) {
        const list = await office.call('GET', path, { as: people['ADMIN of the other environment'] });
        assert.deepEqual(list.body['data'] ?? list.body, [], path);
      }
    },
  );

  testOnce(database)(
    `who owns one API and one application reaches nothing of another below their own paths (${database.name})`,
    { skip: database.skip, timeout: 120_000 },
    async (t) => {
      const office = await openOffice(t, database);
      const own = await furnish(office, '/own');
      const other = await furnish(office, '/other');
      const owner = await enter(office, 'owner', [
        { scope: 'api', reference: own.apiId, name: 'OWNER' },
        { scope: 'application', reference: own.applicationId, name: 'OWNER' },
      ]);
      const mixed = { ...other, apiId: own.apiId, applicationId: own.applicationId, keyId: other.apiKeyId };
      const below = await letThrough(office, owner, { envId: 'DEFAULT', ids: mixed, least: 2 });
      assert.deepEqual(below, []);
      // The own subscription and the other's key.
      const keys = { ...own, apiKeyId: other.apiKeyId, keyId: other.apiKeyId };
      for (const path of [
        `${environment}/apis/${keys.apiId}/subscriptions/${keys.subscriptionId}/api-keys/${keys.apiKeyId}/_revoke`,
        `${environment}/apis/${own.apiId}/subscriptions/${own.subscriptionId}/api-keys/${other.apiKeyId}/_revoke`,
      ])
        assert.equal((await office.call('POST', path, { as: owner })).status, 404);
      const list = await office.call('GET', `${environment}/apis?ids=${own.apiId},${other.apiId}`, {
        as: owner,
      });
      assert.equal((list.body['data'] as unknown[]).length, 1);
      const found = await office.call('GET', `${environment}/apis?query=${other.apiId}`, { as: owner });
      assert.deepEqual(found.body['data'], []);
      const subscriptions = await office.call(
        'GET',
        `${environment}/apis/${own.apiId}/subscriptions?applicationIds=${other.applicationId}`,
        { as: owner },
      );
      assert.deepEqual(subscriptions.body['data'], []);
    },
  );

  test(
    `a member of a private API subscribes an own application to it by the consumer's way; who is none does not (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const { id: apiId, planId } = await office.deployedApi('/private');
      const subscribe = async (as: string): Promise<number> => {
        const application = await office.call('POST', `${v1}/applications`, {
          body: { name: 'shop', description: '' },
          as,
        });
        const path = `${v1}/applications/${String(application.body['id'])}/subscriptions?plan=${planId}`;
        return (await office.call('POST', path, { as })).status;
      };
      const member = await enter(office, 'member', [{ scope: 'api', reference: apiId, name: 'USER' }]);
      assert.equal(await subscribe(await enter(office, 'stranger')), 403);
      assert.equal(await subscribe(member), 201);
    },
  );
}
