import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiKeyHash } from '../../proto/trust/keys.ts';
import { testDatabases } from '../../test/kit/databases.ts';
import { apiBody, environment, openOffice, planBody, v1 } from './office.test.ts';

for (const database of testDatabases) {
  const name = (promise: string): string => `${promise} (${database.name})`;
  const options = { skip: database.skip };

  test(name('an API goes from draft to gateways, with its subscription and key'), options, async (t) => {
    const office = await openOffice(t, database);
    const { id, planId } = await office.deployedApi('/pets');
    const application = await office.call('POST', `${v1}/applications`, {
      body: { name: 'shop', description: 'buys pets' },
    });
    assert.equal(application.status, 201, JSON.stringify(application.body));
    const subscription = await office.call('POST', `${environment}/apis/${id}/subscriptions`, {
      body: { planId, applicationId: application.body['id'] },
    });
    assert.equal(subscription.status, 201, JSON.stringify(subscription.body));
    assert.equal(subscription.body['status'], 'ACCEPTED');
    const { key, id: keyId } = subscription.body['apiKey'] as { key: string; id: string };

    const [api] = await office.published('api');
    assert.equal(api?.id, id);
    const definition = JSON.parse(String(api?.payload['definition'])) as { plans: { id: string }[] };
    assert.deepEqual(
      definition.plans.map((plan) => plan.id),
      [planId],
    );
    const [published] = await office.published('subscription');
    assert.equal(published?.payload['applicationName'], 'shop');
    const [publishedKey] = await office.published('api-key');
    assert.deepEqual(
      Buffer.from(publishedKey?.payload['hash'] as Uint8Array),
      Buffer.from(apiKeyHash(office.at.environment, key)),
    );

    const keys = `${environment}/apis/${id}/subscriptions/${String(subscription.body['id'])}/api-keys`;
    const listed = await office.call('GET', keys);
    assert.equal((listed.body['data'] as { key?: string }[])[0]?.key, undefined);
    const revoked = await office.call('POST', `${keys}/${keyId}/_revoke`);
    assert.equal(revoked.status, 200, JSON.stringify(revoked.body));
    assert.deepEqual(await office.published('api-key'), []);
    assert.equal((await office.call('POST', `${keys}/${keyId}/_revoke`)).status, 400);
  });

  test(name('a renewed key ends the others in two hours'), options, async (t) => {
    const office = await openOffice(t, database);
    const { id, planId } = await office.deployedApi('/pets');
    const application = await office.call('POST', `${v1}/applications`, {
      body: { name: 'shop', description: '' },
    });
    const subscription = await office.call('POST', `${environment}/apis/${id}/subscriptions`, {
      body: { planId, applicationId: application.body['id'] },
    });
    const keys = `${environment}/apis/${id}/subscriptions/${String(subscription.body['id'])}/api-keys`;
    const renewed = await office.call('POST', `${keys}/_renew`);
    assert.equal(renewed.status, 200, JSON.stringify(renewed.body));
    const expiries = (await office.published('api-key')).map((record) => record.payload['expireAtMs']);
    assert.deepEqual(new Set(expiries), new Set([undefined, office.clock.now() + 7_200_000]));
    const custom = await office.call('POST', `${keys}/_renew`, { body: { customApiKey: 'my-own-key-1' } });
    assert.equal(custom.body['key'], 'my-own-key-1');
    const again = await office.call('POST', `${keys}/_renew`, { body: { customApiKey: 'my-own-key-1' } });
    assert.deepEqual([again.status, again.body.technicalCode], [400, 'api_key.taken']);
  });

  test(name('a taken host and path is 409, a longer path is not'), options, async (t) => {
    const office = await openOffice(t, database);
    const create = (body: unknown) => office.call('POST', `${environment}/apis`, { body });
    assert.equal((await create(apiBody('/a'))).status, 201);
    assert.equal((await create(apiBody('/a/b'))).status, 201);
    const taken = await create(apiBody('/a/'));
    assert.deepEqual([taken.status, taken.body.technicalCode], [409, 'api.path_taken']);
    const hosted = apiBody('/a', {
      listeners: [
        { type: 'HTTP', paths: [{ host: 'x.example', path: '/a' }], entrypoints: [{ type: 'http-proxy' }] },
      ],
    });
    assert.equal((await create(hosted)).status, 201);
    assert.equal((await create(hosted)).status, 409);
  });

  test(
    name('closing a plan closes its subscriptions, deleting the API leaves nothing'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { id, planId } = await office.deployedApi('/pets');
      const application = await office.call('POST', `${v1}/applications`, {
        body: { name: 'shop', description: '' },
      });
      const created = await office.call('POST', `${environment}/apis/${id}/subscriptions`, {
        body: { planId, applicationId: application.body['id'] },
      });
      assert.equal((await office.call('DELETE', `${environment}/apis/${id}`)).status, 400);
      const closed = await office.call('POST', `${environment}/apis/${id}/plans/${planId}/_close`);
      assert.equal(closed.body['status'], 'CLOSED');
      const path = `${environment}/apis/${id}/subscriptions/${String(created.body['id'])}`;
      assert.equal((await office.call('GET', path)).body['status'], 'CLOSED');
      assert.deepEqual(await office.published('subscription'), []);
      assert.deepEqual(await office.published('api-key'), []);
      assert.equal((await office.call('POST', `${environment}/apis/${id}/_stop`)).status, 204);
      assert.deepEqual(await office.published('api'), []);
      assert.equal((await office.call('DELETE', `${environment}/apis/${id}`)).status, 204);
      assert.equal((await office.call('GET', `${environment}/apis/${id}`)).status, 404);
      assert.equal(
        (await office.call('POST', `${environment}/apis`, { body: apiBody('/pets') })).status,
        201,
      );
    },
  );

  test(name('what gateways cannot run is refused at deploy with its path'), options, async (t) => {
    const office = await openOffice(t, database);
    const { id } = await office.deployedApi('/pets', 'KEY_LESS');
    const body = apiBody('/pets', {
      flows: [{ name: 'f', request: [{ policy: 'no-such-policy', configuration: {} }] }],
    });
    assert.equal((await office.call('PUT', `${environment}/apis/${id}`, { body })).status, 200);
    const refused = await office.call('POST', `${environment}/apis/${id}/deployments`);
    assert.equal(refused.status, 400);
    const [detail] = refused.body['details'] as { location: string }[];
    assert.equal(detail?.location, 'flows[0].request[0].policy');
    const current = await office.call('GET', `${environment}/apis/${id}/deployments/current`);
    assert.equal(current.body['number'], 1);
  });

  test(name('a deployment with new tags takes subscriptions and keys along'), options, async (t) => {
    const office = await openOffice(t, database);
    const { id, planId } = await office.deployedApi('/pets');
    const application = await office.call('POST', `${v1}/applications`, {
      body: { name: 'shop', description: '' },
    });
    await office.call('POST', `${environment}/apis/${id}/subscriptions`, {
      body: { planId, applicationId: application.body['id'] },
    });
    const body = apiBody('/pets', { tags: ['internal'] });
    await office.call('PUT', `${environment}/apis/${id}`, { body });
    const deployed = await office.call('POST', `${environment}/apis/${id}/deployments`, {
      body: { deploymentLabel: 'two' },
    });
    assert.deepEqual([deployed.status, deployed.body['number']], [202, 2]);
    for (const kind of ['api', 'subscription', 'api-key'] as const)
      assert.deepEqual(
        (await office.published(kind)).map((record) => record.tags),
        [['internal']],
      );
  });

  test(name('pages have links and totals'), options, async (t) => {
    const office = await openOffice(t, database);
    for (const path of ['/a', '/b', '/c'])
      await office.call('POST', `${environment}/apis`, { body: apiBody(path) });
    const page = await office.call('GET', `${environment}/apis?page=2&perPage=2&sortBy=-name`);
    assert.deepEqual(page.body['pagination'], {
      page: 2,
      perPage: 2,
      pageCount: 2,
      pageItemsCount: 1,
      totalCount: 3,
    });
    assert.deepEqual(
      (page.body['data'] as { name: string }[]).map((api) => api.name),
      ['api /a'],
    );
    const links = page.body['links'] as Record<string, string>;
    assert.deepEqual(Object.keys(links).toSorted(), ['first', 'last', 'previous', 'self']);
    const found = await office.call('POST', `${environment}/apis/_search`, { body: { query: '/B' } });
    assert.equal((found.body['pagination'] as { totalCount: number }).totalCount, 1);
  });

  test(name('an update with a stale ETag is refused, each version has its own'), options, async (t) => {
    const office = await openOffice(t, database);
    const created = await office.call('POST', `${environment}/apis`, { body: apiBody('/a') });
    const path = `${environment}/apis/${String(created.body['id'])}`;
    const first = created.headers.get('etag') ?? '';
    assert.match(first, /^"\d+"$/);
    const update = (etag: string, body: unknown) =>
      office.call('PUT', path, { body, headers: { 'if-match': etag } });
    const { body: read } = await office.call('GET', path);
    const updated = await update(first, { ...read, name: 'new' });
    assert.equal(updated.status, 200, JSON.stringify(updated.body));
    const stale = await update(first, read);
    assert.deepEqual([stale.status, stale.body.technicalCode], [412, 'request.precondition_failed']);
    assert.equal((await update(`W/${updated.headers.get('etag')}`, read)).status, 412);
    assert.equal((await update('*', read)).status, 200);
  });

  test(name('a manual plan waits for its publisher; dates travel to gateways'), options, async (t) => {
    const office = await openOffice(t, database);
    const { id } = await office.deployedApi('/pets');
    const plan = await office.call('POST', `${environment}/apis/${id}/plans`, {
      body: planBody('API_KEY', { validation: 'MANUAL', status: 'PUBLISHED' }),
    });
    const application = await office.call('POST', `${v1}/applications`, {
      body: { name: 'shop', description: '' },
    });
    const pending = await office.call(
      'POST',
      `${v1}/applications/${String(application.body['id'])}/subscriptions?plan=${String(plan.body['id'])}`,
    );
    assert.equal(pending.body['status'], 'PENDING', JSON.stringify(pending.body));
    const path = `${environment}/apis/${id}/subscriptions/${String(pending.body['id'])}`;
    assert.deepEqual(await office.published('subscription'), []);
    const accepted = await office.call('POST', `${path}/_accept`, {
      body: { endingAt: '2030-01-01T00:00:00Z', customApiKey: 'chosen-key-1' },
    });
    assert.equal(accepted.status, 200, JSON.stringify(accepted.body));
    const [key] = await office.published('api-key');
    assert.equal(key?.payload['expireAtMs'], Date.UTC(2030, 0, 1));
    assert.equal((await office.call('POST', `${path}/_reject`)).status, 400);
    assert.equal((await office.call('POST', `${path}/_close`)).body['status'], 'CLOSED');
  });
}
