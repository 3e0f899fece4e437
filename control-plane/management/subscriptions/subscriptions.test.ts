import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sqlite, testDatabases } from '../../../test/kit/servers/databases.ts';
import { environment, openOffice, planBody, v1 } from '../../../test/kit/control-plane/office.ts';

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `a manual plan waits for its publisher; dates travel to gateways (${database.name})`,
    options,
    async (t) => {
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
    },
  );
}

test('a plan of tokens takes no application without a client id, which then stays while its subscription is open', async (t) => {
  const office = await openOffice(t, sqlite);
  const { id } = await office.deployedApi('/pets');
  const { body: api } = await office.call('GET', `${environment}/apis/${id}`);
  const server = {
    name: 'server',
    type: 'oauth2',
    configuration: {
      introspectionEndpoint: 'https://id.example.com/introspect',
      clientId: 'gateway',
      clientSecret: 'secret',
    },
  };
  const withServer = await office.call('PUT', `${environment}/apis/${id}`, {
    body: { ...api, resources: [server] },
  });
  assert.equal(withServer.status, 200, JSON.stringify(withServer.body));
  const applicationOf = async (body: object) =>
    String(
      (await office.call('POST', `${v1}/applications`, { body: { description: '', ...body } })).body['id'],
    );
  const unnamed = await applicationOf({ name: 'unnamed' });
  const configurations = {
    JWT: { signature: 'HMAC_HS256', publicKeyResolver: 'GIVEN_KEY', resolverParameter: 'k'.repeat(32) },
    OAUTH2: { oauthResource: 'server' },
  };
  for (const [security, configuration] of Object.entries(configurations)) {
    const plan = await office.call('POST', `${environment}/apis/${id}/plans`, {
      body: planBody(security, { status: 'PUBLISHED', security: { type: security, configuration } }),
    });
    assert.equal(plan.status, 201, JSON.stringify(plan.body));
    const planId = String(plan.body['id']);
    const subscribe = (applicationId: string) =>
      office.call('POST', `${environment}/apis/${id}/subscriptions`, {
        body: { planId, applicationId, metadata: { tier: 'gold' } },
      });
    const refused = await subscribe(unnamed);
    assert.deepEqual([refused.status, refused.body.technicalCode], [400, 'plan.notSubscribable']);
    assert.match(JSON.stringify(refused.body), /no client id.*settings\.app\.client_id/);
    const path = `${v1}/applications/${unnamed}/subscriptions?plan=${planId}`;
    assert.equal((await office.call('POST', path)).body.technicalCode, 'plan.notSubscribable');
    const named = await applicationOf({
      name: security,
      settings: { app: { client_id: `client-${security}` } },
    });
    const made = await subscribe(named);
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const update = (settings: object) =>
      office.call('PUT', `${v1}/applications/${named}`, {
        body: { name: security, description: '', settings },
      });
    assert.match(
      JSON.stringify((await update({})).body),
      /settings\.app\.client_id.*close it first|close it first.*settings\.app\.client_id/,
    );
    assert.equal((await update({ app: { client_id: 'another' } })).status, 200);
    const subscription = `${environment}/apis/${id}/subscriptions/${String(made.body['id'])}`;
    assert.equal((await office.call('POST', `${subscription}/_close`)).status, 200);
    assert.equal((await update({})).status, 200);
  }
});

test('what was noted of a subscription travels to gateways', async (t) => {
  const office = await openOffice(t, sqlite);
  const { id, planId } = await office.deployedApi('/pets');
  const application = await office.call('POST', `${v1}/applications`, {
    body: { name: 'shop', description: '' },
  });
  const applicationId = String(application.body['id']);
  const body = { planId, applicationId, metadata: { tier: 'gold' } };
  await office.call('POST', `${environment}/apis/${id}/subscriptions`, { body });
  const [subscription] = await office.published('subscription');
  assert.deepEqual(subscription?.payload['metadata'], new Map([['tier', 'gold']]));
});
