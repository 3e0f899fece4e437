import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { mapSecrets } from '../../../proto/model/secrets/places.ts';
import { createSealingKeyPair } from '../../../proto/trust/keys.ts';
import { type DataKey, looksSealed, openText } from '../../../proto/trust/sealed-text.ts';
import { environmentKeyContext, openSealed } from '../../../proto/trust/sealing.ts';
import { definitionIn } from '../../../proto/wire/definitions.ts';
import { decodeEnvironmentKey } from '../../../proto/wire/payloads.ts';
import { decodeRecord } from '../../../proto/wire/record.ts';
import {
  apiBody,
  environment,
  fleetsPath,
  type Office,
  openOffice,
  password,
  planBody,
  v1,
} from '../../../test/kit/control-plane/office.ts';
import { planted, tablesWithSecrets } from '../../../test/kit/control-plane/planted-secrets.ts';
import { type TestDatabase, testDatabases } from '../../../test/kit/servers/databases.ts';
import { bridgeGrants } from '../../storage/grants.ts';
import { rollData, type RolledData } from './roll-data.ts';

/* A new key for the secrets of definitions, beside authors who write and gateways who come and go. */

interface Scene extends Office {
  readonly api: string;
  readonly gateway: { readonly id: string; readonly sealing: ReturnType<typeof createSealingKeyPair> };
  roll(wish?: Partial<Parameters<typeof rollData>[2]>): Promise<readonly RolledData[]>;
}

const everywhere = (office: Office) => [{ ...office.at, environment: '' }, office.at];
const jwt = {
  signature: 'HMAC_HS256',
  publicKeyResolver: 'GIVEN_KEY',
  resolverParameter: `${planted}-of-a-plan-32-bytes-and-more-of-them`,
};
const fetching = {
  url: 'http://provider.example/words',
  specification: '[{"operation":"shift","spec":{"*":{"@(0)":"[&1].value","$0":"[&1].key"}}}]',
  headers: [{ name: 'X-Key', value: `${planted}-header` }],
};
const organization = '/management/organizations/DEFAULT';

/** Every place that holds sealed texts has one. */
async function openScene(t: TestContext, database: TestDatabase): Promise<Scene> {
  const office = await openOffice(t, database);
  const done = async (...[method, path, body]: [string, string, unknown?]) => {
    const answer = await office.call(method, path, body === undefined ? {} : { body });
    assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const fleet = office.boot.fleet;
  const made = await done('POST', `${fleetsPath}/${fleet}/enrolment-tokens`, {
    bridge: 'http://127.0.0.1:18092',
    usesMax: 1,
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
  });
  const sealing = createSealingKeyPair();
  const enrolled = await office.repository.enrol({
    token: String(made['token']),
    signingKey: randomBytes(32),
    sealingKey: sealing.publicKey,
    hostname: 'edge',
    version: '0.1.0',
  });
  const secret = {
    properties: [{ key: 'token', value: `${planted}-property`, encrypted: true }],
    resources: [
      { name: 'a', type: 'oauth2', enabled: false, configuration: { clientSecret: `${planted}-resource` } },
    ],
  };
  const { id } = await done('POST', `${environment}/apis`, apiBody('/a', secret));
  const path = `${environment}/apis/${String(id)}`;
  await done('POST', `${path}/plans`, {
    ...planBody('JWT', { security: { type: 'JWT', configuration: jwt } }),
    status: 'PUBLISHED',
  });
  await done('POST', `${path}/_start`);
  const exported = await done('GET', `${path}/_export/definition`);
  await done('PUT', `${path}/_import/definition`, exported);
  await done('POST', `${path}/deployments`);
  await done('PUT', `${path}/draft`, {
    content: JSON.stringify({ ...apiBody('/a', secret), name: 'drafted' }),
  });
  await done('POST', `${path}/pages`, {
    name: 'Readme',
    type: 'MARKDOWN',
    content: 'x',
    source: {
      type: 'http-fetcher',
      configuration: { url: `http://provider.example/readme?private_token=${planted}-page` },
    },
  });
  const steps = [{ name: 'off', policy: 'jwt', enabled: false, configuration: jwt }];
  const group = await done('POST', `${environment}/shared-policy-groups`, {
    name: 'group',
    apiType: 'PROXY',
    phase: 'REQUEST',
    steps,
  });
  await done('POST', `${environment}/shared-policy-groups/${String(group['id'])}/_deploy`);
  await done('POST', `${v1}/configuration/dictionaries`, {
    name: 'words',
    type: 'DYNAMIC',
    provider: { type: 'HTTP', configuration: fetching },
    trigger: { rate: 10, unit: 'SECONDS' },
  });
  await done('PUT', organization, {
    ...(await done('GET', organization)),
    flows: [{ name: 'all', enabled: true, selectors: [{ type: 'http', path: '/' }], request: steps }],
  });
  await done('POST', `${organization}/user/secondFactor/_enrol`, { currentPassword: password });
  assert.deepEqual(await tablesWithSecrets(office.storage), []);
  return {
    ...office,
    api: path,
    gateway: { id: enrolled.id, sealing },
    roll: (wish) => rollData(office.desk, office.boot.admin, { of: everywhere(office), ...wish }),
  };
}

const keysOf = async ({ desk, storage }: Office, at: Office['at']): Promise<readonly string[]> =>
  (await desk.publisher.dataKeys.open(storage.db, at)).map(({ id }) => id);

/** Ids of the keys that sealed something, by the table in which it lies. */
async function sealersOf({ storage: { db } }: Office): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (const table of Object.keys(bridgeGrants) as (keyof typeof bridgeGrants)[]) {
    const rows = (await db.selectFrom(table).selectAll().execute()) as readonly object[];
    const texts = rows.flatMap((row) =>
      Object.values(row).map((value: unknown) =>
        value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value),
      ),
    );
    const ids = texts.flatMap((text) => [...text.matchAll(/sealed:v1:([\w-]+):/g)].map(([, id = '']) => id));
    if (ids.length > 0) found.set(table, [...new Set(ids)].toSorted());
  }
  return found;
}

/** As the gateway: what it is sent opens with the keys that it is sent, whenever it comes. */
async function gatewayOpens({ repository, at, gateway }: Scene): Promise<readonly string[]> {
  const { headers } = await repository.headersAfter(at, 0, 10_000);
  const sent = (
    await repository.payloads(
      at,
      headers.filter(({ isDeleted }) => !isDeleted),
    )
  ).map(({ bytes }) => decodeRecord(bytes));
  const own = sent.find(({ kind, id }) => kind === 'environment-key' && id === gateway.id);
  assert.ok(own);
  const keys = decodeEnvironmentKey(own.payload).keys.map(({ id, sealed }): DataKey => {
    const context = environmentKeyContext({ ...at, gateway: gateway.id, key: id });
    return { id, key: openSealed(gateway.sealing, sealed, context) };
  });
  const byId = new Map(keys.map((key) => [key.id, key]));
  let opened = 0;
  for (const record of sent) {
    const held = definitionIn(record);
    if (held === undefined) continue;
    mapSecrets(JSON.parse(held.definition) as unknown, (value, { field }) => {
      if (!looksSealed(value)) return value;
      assert.match(openText(byId, value, { ...at, kind: record.kind, id: record.id, field }), /^PLANTED/);
      opened += 1;
      return value;
    });
  }
  assert.ok(opened >= 5, `${opened} secrets`);
  return keys.map(({ id }) => id);
}

/** As authors: everything opens, and is what it was. */
async function authorsOpen(scene: Scene): Promise<void> {
  const { call, api } = scene;
  const verified = await call('POST', `${api}/deployments/_verify`);
  assert.deepEqual([verified.status, verified.body], [200, { ok: true }]);
  const draft = await call('GET', `${api}/draft`);
  assert.deepEqual([draft.status, draft.body['isOutdated']], [200, false]);
  assert.equal((await call('GET', api)).body['deploymentState'], 'DEPLOYED');
  await allKnown(scene);
}

/** Every key that sealed something is there. */
async function allKnown(scene: Scene): Promise<void> {
  const { at } = scene;
  const known = [...(await keysOf(scene, at)), ...(await keysOf(scene, { ...at, environment: '' }))];
  for (const [table, ids] of await sealersOf(scene))
    for (const id of ids) assert.ok(known.includes(id), `${table} needs ${id}`);
}

/** What belongs to no environment is sealed with the organization's own key. */
const ofOrganization: ReadonlySet<string> = new Set(['organization', 'second_factor']);

class Killed extends Error {}

for (const database of testDatabases) {
  const on = (promise: string): string => `${promise} (${database.name})`;
  const options = { skip: database.skip };

  test(
    on(
      'everything is sealed with the new key, the old one is gone at home and at gateways, nothing else changed',
    ),
    options,
    async (t) => {
      const scene = await openScene(t, database);
      const { at, api, call, storage, desk } = scene;
      const before = new Map([
        ['', await keysOf(scene, { ...at, environment: '' })],
        [at.environment, await keysOf(scene, at)],
      ]);
      const sealed = [...(await sealersOf(scene)).keys()].toSorted();
      assert.deepEqual(sealed, [
        'api',
        'api_deployment',
        'api_draft',
        'api_import',
        'api_page',
        'dictionary',
        'organization',
        'plan',
        'published_record',
        'second_factor',
        'shared_policy_group',
      ]);
      const shown = await call('GET', api);
      const foreseen = await scene.roll({ isDryRun: true });
      assert.deepEqual(await keysOf(scene, at), before.get(at.environment));

      const rolled = await scene.roll();
      assert.deepEqual(
        rolled.map(({ environment: id, isNew, forgotten, left }) => [id, isNew, forgotten, left]),
        [
          ['', true, before.get(''), 0],
          [at.environment, true, before.get(at.environment), 0],
        ],
      );
      const now = rolled.map(({ key }) => key);
      assert.deepEqual(await keysOf(scene, at), [now[1]]);
      for (const [table, ids] of await sealersOf(scene))
        assert.deepEqual(ids, ofOrganization.has(table) ? [now[0]] : [now[1]], table);
      assert.ok(foreseen.every(({ resealed }, index) => resealed === rolled[index]?.resealed));
      await authorsOpen(scene);
      assert.deepEqual(await gatewayOpens(scene), [now[1]]);
      const after = await call('GET', api);
      assert.deepEqual([after.body, after.headers.get('etag')], [shown.body, shown.headers.get('etag')]);
      assert.deepEqual(await tablesWithSecrets(storage), []);
      const audit = await storage.db
        .selectFrom('audit')
        .select(['reference_type', 'environment'])
        .where('event', '=', 'DATA_KEY_REPLACED')
        .execute();
      assert.deepEqual(audit.map((each) => each.reference_type).toSorted(), ['ENVIRONMENT', 'ORGANIZATION']);
      const { headers } = await scene.repository.headersAfter(at, 0, 1_000);
      await desk.publisher.tidy();
      assert.deepEqual(
        (await scene.repository.headersAfter(at, 0, 1_000)).headers,
        headers,
        'nothing is owed',
      );
      assert.equal((await call('POST', `${api}/deployments`)).status, 202, 'the draft is taken');
      assert.equal((await call('GET', api)).body['name'], 'drafted');
    },
  );

  test(on('killed after any step everything opens, and said again it is finished'), options, async (t) => {
    const scene = await openScene(t, database);
    const { at } = scene;
    for (let killAt = 1; ; killAt += 1) {
      const [old = ''] = await keysOf(scene, at);
      let steps = 0;
      let last = '';
      const kill = (_: unknown, { kind }: { readonly kind: string }): void => {
        steps += 1;
        last = kind;
        if (steps === killAt) throw new Killed();
      };
      const of = [at];
      const isOver = await scene.roll({ of, onStep: kill }).then(
        () => true,
        (error: unknown) => {
          assert.ok(error instanceof Killed, String(error));
          return false;
        },
      );
      if (isOver) break;
      await authorsOpen(scene);
      await gatewayOpens(scene);
      const keys = await keysOf(scene, at);
      if (last === 'forgotten') {
        // Done but for the word to gateways, which whoever keeps the chores says.
        assert.equal(keys.length, 1);
        await scene.desk.publisher.tidy();
      } else {
        assert.deepEqual([keys.length, keys[1]], [2, old], `killed at step ${killAt}`);
        const [rolled] = await scene.roll({ of });
        assert.deepEqual([rolled?.isNew, rolled?.key, rolled?.forgotten], [false, keys[0], [old]]);
      }
      assert.deepEqual(await gatewayOpens(scene), await keysOf(scene, at));
      assert.ok(!(await keysOf(scene, at)).includes(old));
      await authorsOpen(scene);
      assert.ok(killAt < 20);
    }
  });

  test(
    on('who writes meanwhile loses nothing: the old key stays until what was written with it is sealed anew'),
    options,
    async (t) => {
      const scene = await openScene(t, database);
      const { at, storage, api } = scene;
      const id = api.split('/').at(-1) ?? '';
      const [old = ''] = await keysOf(scene, at);
      // A change that holds the old key, and writes with it when all else is done.
      const text = (
        await storage.db.selectFrom('api').select('definition').where('id', '=', id).executeTakeFirstOrThrow()
      ).definition;
      let writes = 0;
      let lateWrite: Promise<unknown> = Promise.resolve();
      const [rolled] = await scene.roll({
        of: [at],
        onStep: (_, { kind }) => {
          if (kind !== 'resealed' || writes > 0) return;
          writes += 1;
          lateWrite = storage.db.updateTable('api').set({ definition: text }).where('id', '=', id).execute();
        },
      });
      await lateWrite;
      assert.deepEqual(rolled?.forgotten, [old]);
      await allKnown(scene);
      await gatewayOpens(scene);
    },
  );

  test(
    on('what does not open keeps its key, is counted, and goes with the next word of its author'),
    options,
    async (t) => {
      const scene = await openScene(t, database);
      const { at, storage, call, api } = scene;
      const id = api.split('/').at(-1) ?? '';
      const row = await storage.db
        .selectFrom('api')
        .select('definition')
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      const damaged = row.definition.replace(
        /(sealed:v1:[\w-]+:)(.)/,
        (_, head: string, first: string) => `${head}${first === 'A' ? 'B' : 'A'}`,
      );
      await storage.db.updateTable('api').set({ definition: damaged }).where('id', '=', id).execute();
      const [old = ''] = await keysOf(scene, at);
      const [rolled] = await scene.roll({ of: [at] });
      assert.deepEqual([rolled?.forgotten, rolled?.left], [[], 1]);
      assert.ok((await keysOf(scene, at)).includes(old));
      const { body } = await call('GET', api);
      const whole = { ...body, resources: [], properties: [] };
      assert.equal((await call('DELETE', `${api}/draft`)).status, 204);
      assert.equal((await call('PUT', api, { body: whole })).status, 200);
      const [again] = await scene.roll({ of: [at] });
      assert.deepEqual([again?.isNew, again?.forgotten, again?.left], [false, [old], 0]);
    },
  );
}
