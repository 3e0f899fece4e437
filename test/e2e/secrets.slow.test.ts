import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rollData } from '../../control-plane/management/data-keys/roll-data.ts';
import { mask } from '../../proto/trust/sealed-text.ts';
import {
  filesWithSecrets,
  planted,
  tablesWithSecrets,
  withEverySecret,
} from '../kit/control-plane/planted-secrets.ts';
import { eventually } from '../kit/eventually.ts';
import { secretToken } from '../kit/gateway/issuer.ts';
import { startWhole, type Whole } from '../kit/processes/whole.ts';
import { testDatabases } from '../kit/servers/databases.ts';
import { startUpstream } from '../kit/servers/upstream.ts';
import { tempDir } from '../kit/temp-dir.ts';

/*
 * A secret of a definition, from the hands of its author to the gateway that uses it: sealed in every place between, and shown to nobody.
 */

const environment = '/v2/environments/DEFAULT';
const sharedKey = `${planted}-of-a-plan-32-bytes-and-more-of-them`;
const sentKey = `${planted}-of-a-header`;
const token = secretToken(sharedKey, { sub: 'somebody', client_id: 'shop' }, { alg: 'HS256' });

/** An API of which every field that can is a secret; its plan takes tokens of a shared key, its backend gets a property. */
async function createSecretApi({ client }: Whole, target: string) {
  const { definition, secrets } = withEverySecret();
  const { steps, resources, properties, sharedConfiguration, sharedConfigurationOverride } = definition;
  // A group of its own for each way of finding endpoints: no request goes to it.
  const found = (definition['discoveries'] as readonly object[]).map((discovery, index) => ({
    name: `found ${index}`,
    type: 'http-proxy',
    endpoints: [],
    services: { discovery },
  }));
  const body = {
    definitionVersion: 'V4',
    type: 'PROXY',
    name: 'secrets',
    apiVersion: '1.0',
    listeners: [{ type: 'HTTP', paths: [{ path: '/secrets' }], entrypoints: [{ type: 'http-proxy' }] }],
    endpointGroups: [
      {
        name: 'default',
        type: 'http-proxy',
        sharedConfiguration,
        endpoints: [
          {
            name: 'one',
            type: 'http-proxy',
            configuration: { target },
            inheritConfiguration: true,
            sharedConfigurationOverride,
          },
        ],
      },
      ...found,
    ],
    flows: [
      {
        name: 'sends',
        selectors: [{ type: 'HTTP', path: '/', pathOperator: 'STARTS_WITH' }],
        request: [
          {
            name: 'token',
            policy: 'transform-headers',
            configuration: {
              addHeaders: [
                { name: 'x-token', value: "{#properties['token']}" },
                { name: 'x-api-key', value: sentKey },
              ],
            },
          },
          ...(steps as readonly object[]),
        ],
        response: [],
      },
    ],
    resources,
    properties,
  };
  const api = await client.call<{ id: string }>('POST', `${environment}/apis`, { body });
  const plan = await client.call<{ id: string }>('POST', `${environment}/apis/${api.id}/plans`, {
    body: {
      definitionVersion: 'V4',
      name: 'tokens',
      validation: 'AUTO',
      security: {
        type: 'JWT',
        configuration: {
          signature: 'HMAC_HS256',
          publicKeyResolver: 'GIVEN_KEY',
          resolverParameter: sharedKey,
        },
      },
    },
  });
  await client.call('POST', `${environment}/apis/${api.id}/plans/${plan.id}/_publish`);
  await client.call('POST', `${environment}/apis/${api.id}/_start`);
  const application = await client.call<{ id: string }>(
    'POST',
    '/organizations/DEFAULT/environments/DEFAULT/applications',
    { body: { name: 'shop', description: 'd', settings: { app: { type: 'web', client_id: 'shop' } } } },
  );
  await client.call('POST', `${environment}/apis/${api.id}/subscriptions`, {
    body: { planId: plan.id, applicationId: application.id },
  });
  return { id: api.id, planId: plan.id, body, secrets };
}

/** What the backend was sent, once it answers. */
async function sentToBackend(port: number): Promise<string | undefined> {
  const answer = await fetch(`http://127.0.0.1:${port}/secrets`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const text = await answer.text();
  if (answer.status !== 200) return undefined;
  const { headers } = JSON.parse(text) as { headers: Record<string, string> };
  return `${headers['x-token']} ${headers['x-api-key']}`;
}

/** Every answer of the management API in which something of the API stands. */
async function everyAnswer(
  { client }: Whole,
  { id, planId }: { id: string; planId: string },
): Promise<string> {
  const exported = await client.call('GET', `${environment}/apis/${id}/_export/definition`);
  const answers = [
    exported,
    await client.call('GET', `${environment}/apis`),
    await client.call('POST', `${environment}/apis/_search`, { body: {} }),
    await client.call('GET', `${environment}/apis/${id}`),
    await client.call('GET', `${environment}/apis/${id}/plans`),
    await client.call('GET', `${environment}/apis/${id}/plans/${planId}`),
    await client.call('GET', `${environment}/apis/${id}/deployments/current`),
    await client.call('PUT', `${environment}/apis/${id}/_import/definition?dryRun=true`, { body: exported }),
  ];
  return JSON.stringify(answers);
}

for (const database of testDatabases)
  test(
    `secrets of every kind lie open nowhere but in the gateway that uses them (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const whole = await startWhole(t, { databaseUrl: await database.create() });
      const { url: target } = await startUpstream(t);
      const api = await createSecretApi(whole, target);
      // It enrols when all is deployed: its key comes after the API that waits for it.
      const dir = tempDir(t);
      const gateway = await whole.startGateway({ dir });
      const sent = await eventually(() => sentToBackend(gateway.port), { timeoutMs: 20_000 });
      assert.equal(
        sent,
        `${api.secrets.at(-2)} ${sentKey}`,
        'the backend gets the encrypted property and the header themselves',
      );

      const { id, planId } = api;
      await eventually(async () => {
        const current = await whole.client.call<{ gateways: { deployment: string; nack?: unknown }[] }>(
          'GET',
          `${environment}/apis/${id}/deployments/current`,
        );
        return current.gateways[0]?.deployment === 'applied' && current.gateways[0].nack === undefined;
      });
      const answers = await everyAnswer(whole, { id, planId });
      assert.ok(!answers.includes(planted), 'no answer of the management API');
      assert.ok(answers.includes(mask));
      assert.ok(!answers.includes('sealed:'));
      assert.deepEqual(await tablesWithSecrets(whole.controlPlane.storage), []);
      assert.deepEqual(filesWithSecrets(whole.dir), []);
      assert.deepEqual(filesWithSecrets(dir), []);
      assert.deepEqual(
        whole.logged.filter((line) => line.includes(planted)),
        [],
      );
      const { repository, boot } = whole.controlPlane;
      const { headers } = await repository.headersAfter(boot.at, 0, 1_000);
      for (const { bytes } of await repository.payloads(boot.at, headers))
        assert.ok(!Buffer.from(bytes).includes(planted), 'what a bridge and its snapshots are made of');

      // Offline, from its own store, and in other processes.
      await gateway.close();
      const mend = await whole.cutBorder();
      const again = await whole.startGateway({ dir, isEnrolled: true, config: { workers: 2 } });
      assert.equal(await eventually(() => sentToBackend(again.port)), sent);
      assert.deepEqual(filesWithSecrets(dir), []);

      // Away while the key is replaced it serves with the one that it has, and comes back to the new one.
      const [rolled] = await rollData(whole.controlPlane.desk, boot.admin, { of: [boot.at] });
      assert.deepEqual([rolled?.forgotten.length, rolled?.left], [1, 0]);
      assert.equal(await sentToBackend(again.port), sent);
      await mend();
      const head = await repository.head(boot.at);
      await eventually(
        async () => {
          const { db } = whole.controlPlane.storage;
          const { seq } = await db.selectFrom('gateway_applied').select('seq').executeTakeFirstOrThrow();
          return seq >= (head?.seq ?? Infinity);
        },
        { timeoutMs: 20_000 },
      );
      assert.equal(await sentToBackend(again.port), sent);
      const nacks = await whole.controlPlane.storage.db.selectFrom('gateway_nack').selectAll().execute();
      assert.deepEqual(nacks, []);
    },
  );
