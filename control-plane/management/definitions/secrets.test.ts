import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mask } from '../../../proto/trust/sealed-text.ts';
import { decodeRecord } from '../../../proto/wire/record.ts';
import { decodeApi, encodeApi } from '../../../proto/wire/payloads.ts';
import { createLog } from '../../../proto/process/log.ts';
import {
  type Answer,
  apiBody,
  enrolIn,
  environment,
  fleetsPath,
  type Office,
  openOffice,
  planBody,
} from '../../../test/kit/control-plane/office.ts';
import { planted, tablesWithSecrets } from '../../../test/kit/control-plane/planted-secrets.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { sealStored } from './seal-stored.ts';

/* What authors see of secrets, and what becomes of what they send back. */

const resource = (name: string, clientSecret: string) => ({
  name,
  type: 'oauth2',
  enabled: false,
  configuration: { clientSecret },
});
const secretsIn = (name = 'a', text = `${planted}-1`) => ({
  resources: [resource(name, text), resource('b', `${planted}-2`)],
  properties: [
    { key: 'token', value: `${planted}-3`, encrypted: true },
    { key: 'plain', value: 'plain' },
  ],
});
const hmac = `${planted}-of-a-plan-32-bytes-and-more-of-them`;
const jwt = { signature: 'HMAC_HS256', publicKeyResolver: 'GIVEN_KEY', resolverParameter: hmac };

async function createApi(office: Office, path = '/a', extra: object = secretsIn()): Promise<Answer['body']> {
  const made = await office.call('POST', `${environment}/apis`, { body: apiBody(path, extra) });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body;
}

/** What lies in the row. */
async function keptOf({ storage }: Office, id: unknown): Promise<string> {
  const row = await storage.db
    .selectFrom('api')
    .select('definition')
    .where('id', '=', String(id))
    .executeTakeFirstOrThrow();
  return row.definition;
}

const locationsOf = ({ body }: Answer): readonly string[] =>
  (body['details'] as { location: string }[]).map(({ location }) => location);

for (const database of testDatabases) {
  const on = (name: string) => `${name} (${database.name})`;
  const options = { skip: database.skip };

  test(
    on('what was got and is put back changes nothing; a mask keeps what is kept in its place'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const api = await createApi(office);
      const path = `${environment}/apis/${String(api['id'])}`;
      assert.ok(!JSON.stringify(api).includes(planted));
      const kept = await keptOf(office, api['id']);
      const { body } = await office.call('GET', path);
      assert.deepEqual(body['properties'], [
        { key: 'token', value: mask, encrypted: true },
        { key: 'plain', value: 'plain' },
      ]);
      assert.equal((await office.call('PUT', path, { body })).status, 200);
      assert.equal(await keptOf(office, api['id']), kept);

      // In another order, with one of them written anew.
      const resources = [resource('b', mask), resource('a', `${planted}-new`)];
      assert.equal((await office.call('PUT', path, { body: { ...body, resources } })).status, 200);
      const after = JSON.parse(await keptOf(office, api['id'])) as ReturnType<typeof secretsIn>;
      const before = JSON.parse(kept) as ReturnType<typeof secretsIn>;
      assert.equal(
        after.resources[0]?.configuration.clientSecret,
        before.resources[1]?.configuration.clientSecret,
      );
      assert.notEqual(
        after.resources[1]?.configuration.clientSecret,
        before.resources[0]?.configuration.clientSecret,
      );
      assert.deepEqual(await tablesWithSecrets(office.storage), []);
    },
  );

  test(
    on('a mask where nothing is kept, and a text that looks sealed, are refused by their places'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const fresh = await office.call('POST', `${environment}/apis`, {
        body: apiBody('/b', {
          resources: [resource('a', mask)],
          properties: [{ key: 'k', value: mask, encrypted: true }],
        }),
      });
      assert.equal(fresh.status, 400);
      assert.deepEqual(locationsOf(fresh), [
        'resources[0].configuration.clientSecret',
        'properties[0].value',
      ]);

      const api = await createApi(office);
      const other = await createApi(office, '/other');
      const path = `${environment}/apis/${String(api['id'])}`;
      const put = (extra: object) => office.call('PUT', path, { body: apiBody('/a', extra) });
      assert.deepEqual(locationsOf(await put({ resources: [resource('renamed', mask)] })), [
        'resources[0].configuration.clientSecret',
      ]);
      const own = JSON.parse(await keptOf(office, api['id'])) as ReturnType<typeof secretsIn>;
      const foreign = JSON.parse(await keptOf(office, other['id'])) as ReturnType<typeof secretsIn>;
      const sealed = own.resources[0]?.configuration.clientSecret ?? '';
      for (const [extra, location] of [
        [{ resources: [resource('a', 'sealed:v1:x')] }, 'resources[0].configuration.clientSecret'],
        [
          { resources: [resource('a', foreign.resources[0]?.configuration.clientSecret ?? '')] },
          'resources[0].configuration.clientSecret',
        ],
        [{ properties: [{ key: 'a', value: sealed, encrypted: true }] }, 'properties[0].value'],
        [{ properties: [{ key: 'a', value: sealed }] }, 'properties[0].value'],
        [{ properties: [{ key: 'token', value: mask }] }, 'properties[0].value'],
        [{ properties: [{ key: 'p', value: mask }] }, 'properties[0].value'],
        [{ properties: [{ key: 'p', value: `${mask}.Ab3dE6gH9jKm` }] }, 'properties[0].value'],
        [{ resources: [resource('a', `x ${mask}`)] }, 'resources[0].configuration.clientSecret'],
        [{ description: sealed }, 'description'],
      ] as const) {
        const answer = await put(extra);
        assert.equal(answer.status, 400, JSON.stringify(extra));
        assert.deepEqual(locationsOf(answer), [location]);
        assert.ok(!JSON.stringify(answer.body).includes(planted));
      }
      assert.equal(
        (await put({ resources: [resource('a', sealed)] })).status,
        200,
        'the very one that is kept',
      );
    },
  );

  test(on('a secret of a plan is masked, kept and deployed like those of its API'), options, async (t) => {
    const office = await openOffice(t, database);
    const api = await createApi(office);
    const path = `${environment}/apis/${String(api['id'])}`;
    const body = planBody('JWT', { security: { type: 'JWT', configuration: jwt } });
    const plan = await office.call('POST', `${path}/plans`, { body });
    const planPath = `${path}/plans/${String(plan.body['id'])}`;
    assert.equal(
      (plan.body['security'] as { configuration: typeof jwt }).configuration.resolverParameter,
      mask,
    );
    const got = await office.call('GET', planPath);
    assert.equal((await office.call('PUT', planPath, { body: got.body })).status, 200);
    // Its other key is public: what is kept cannot become it.
    const rsa = {
      ...got.body,
      security: { type: 'JWT', configuration: { ...jwt, signature: 'RSA_RS256', resolverParameter: mask } },
    };
    assert.deepEqual(locationsOf(await office.call('PUT', planPath, { body: rsa })), [
      'security.configuration.resolverParameter',
    ]);
    await office.call('POST', `${planPath}/_publish`);
    const started = await office.call('POST', `${path}/_start`);
    assert.equal(started.status, 204, JSON.stringify(started.body));
    const [record] = await office.published('api');
    assert.match(String(record?.payload['definition']), /"resolverParameter":"sealed:v1:/);
    assert.deepEqual(await tablesWithSecrets(office.storage), []);
  });

  test(on('what cannot be deployed is told without its secret'), options, async (t) => {
    const office = await openOffice(t, database);
    const api = await createApi(office, '/a', {
      properties: [{ key: 'token', value: planted, encrypted: true }],
      resources: [{ ...resource('x', 's'), enabled: true, configuration: { clientSecret: `{#${planted}(` } }],
    });
    const path = `${environment}/apis/${String(api['id'])}`;
    const plan = await office.call('POST', `${path}/plans`, {
      body: planBody('KEY_LESS', { status: 'PUBLISHED' }),
    });
    assert.equal(plan.status, 201);
    const answer = await office.call('POST', `${path}/_start`);
    assert.equal(answer.status, 400);
    assert.ok(!JSON.stringify(answer.body).includes(planted), JSON.stringify(answer.body));
  });

  test(
    on('an export imports into its own API unchanged, and nowhere else while it shows masks'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const api = await createApi(office);
      const path = `${environment}/apis/${String(api['id'])}`;
      const body = planBody('JWT', { security: { type: 'JWT', configuration: jwt } });
      await office.call('POST', `${path}/plans`, { body });
      const exported = (await office.call('GET', `${path}/_export/definition`)).body;
      assert.ok(!JSON.stringify(exported).includes('sealed:'));
      const kept = await keptOf(office, api['id']);

      const secretsOf = (text: string) => text.match(/sealed:v1:[\w-]+:[\w-]+/g)?.toSorted();
      assert.equal((await office.call('PUT', `${path}/_import/definition`, { body: exported })).status, 200);
      assert.deepEqual(secretsOf(await keptOf(office, api['id'])), secretsOf(kept));
      const dry = await office.call('PUT', `${path}/_import/definition?dryRun=true`, { body: exported });
      assert.deepEqual(dry.body['differences'], []);

      const elsewhere = await office.call('POST', `${environment}/apis/_import/definition`, {
        body: exported,
      });
      assert.equal(elsewhere.status, 400);
      assert.deepEqual(locationsOf(elsewhere).toSorted(), [
        'api.properties[0].value',
        'api.resources[0].configuration.clientSecret',
        'api.resources[1].configuration.clientSecret',
        'plans[0].security.configuration.resolverParameter',
      ]);

      const changed = structuredClone(exported) as { api: ReturnType<typeof secretsIn> };
      Object.assign(changed.api.resources[0]?.configuration ?? {}, { clientSecret: `${planted}-other` });
      const wet = await office.call('PUT', `${path}/_import/definition?dryRun=true`, { body: changed });
      assert.deepEqual(wet.body['differences'], [
        { path: 'resources[0].configuration.clientSecret', before: mask, after: mask },
      ]);
      assert.deepEqual(await tablesWithSecrets(office.storage), []);
    },
  );

  test(
    on('secrets of shared policy groups and of flows of an organization are sealed, masked and kept too'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const steps = [{ name: 'off', policy: 'jwt', enabled: false, configuration: jwt }];
      const groups = `${environment}/shared-policy-groups`;
      const made = await office.call('POST', groups, {
        body: { name: 'group', apiType: 'PROXY', phase: 'REQUEST', steps },
      });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      const group = `${groups}/${String(made.body['id'])}`;
      const organization = '/management/organizations/DEFAULT';
      const flows = [
        { name: 'all', enabled: true, selectors: [{ type: 'http', path: '/' }], request: steps },
      ];
      const before = await office.call('GET', organization);
      const put = await office.call('PUT', organization, { body: { ...before.body, flows } });
      assert.ok(put.status < 300, JSON.stringify(put.body));

      for (const path of [group, organization]) {
        const got = await office.call('GET', path);
        assert.ok(
          JSON.stringify(got.body).includes(`"resolverParameter":"${mask}"`),
          JSON.stringify(got.body),
        );
        const back = await office.call('PUT', path, { body: got.body });
        assert.ok(back.status < 300, JSON.stringify(back.body));
      }
      assert.ok((await office.call('POST', `${group}/_deploy`)).status < 300);
      await office.storage.transaction((trx) =>
        office.desk.publisher.ensureEnvironment(trx, office.at.organization, { id: 'later', name: 'Later' }),
      );
      assert.deepEqual(await tablesWithSecrets(office.storage), []);
      for (const environmentId of [office.at.environment, 'later']) {
        const at = { ...office.at, environment: environmentId };
        const { headers } = await office.repository.headersAfter(at, 0, 100);
        const records = await office.repository.payloads(at, headers);
        const sealed = records.filter(({ bytes }) => Buffer.from(bytes).includes('sealed:v1:'));
        assert.deepEqual(
          sealed.map(({ header }) => header.kind).toSorted(),
          environmentId === 'later' ? ['organization-flows'] : ['organization-flows', 'shared-policy-group'],
        );
      }
    },
  );

  test(
    on('what an earlier version left open is sealed at the start, and published again'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const api = await createApi(office);
      const id = String(api['id']);
      const path = `${environment}/apis/${id}`;
      await office.call('POST', `${path}/plans`, { body: planBody('KEY_LESS', { status: 'PUBLISHED' }) });
      assert.equal((await office.call('POST', `${path}/_start`)).status, 204);
      const [{ revision, tags } = { revision: '', tags: [] }] = await office.published('api');

      // As a database was before there were sealed texts.
      const { db } = office.storage;
      const open = (text: string) => text.replaceAll(/sealed:v1:[\w-]+:[\w-]+/g, `${planted}-old`);
      const { definition } = await db
        .selectFrom('api')
        .select('definition')
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      await db
        .updateTable('api')
        .set({ definition: open(definition) })
        .where('id', '=', id)
        .execute();
      const row = await db
        .selectFrom('api_deployment')
        .selectAll()
        .where('api_id', '=', id)
        .executeTakeFirstOrThrow();
      await db
        .updateTable('api_deployment')
        .set({ definition: open(row.definition) })
        .where('api_id', '=', id)
        .execute();
      const imported = { api: JSON.parse(open(definition)) as object, plans: [] };
      await db
        .insertInto('api_import')
        .values({
          ...office.at,
          api_id: id,
          definition: JSON.stringify(imported),
          plan_ids: '{}',
          imported_at_ms: 1,
        })
        .execute();
      const payload = encodeApi({ id, name: 'a', revision, definition: open(row.definition) });
      for (const text of ['1', revision])
        await office.storage.transaction((trx) =>
          office.desk.publisher.publish(trx, office.at, {
            changes: [{ kind: 'api', id, revision: text, tags, payload }],
            actor: '',
          }),
        );
      assert.deepEqual(await tablesWithSecrets(office.storage), [
        'published_record',
        'api',
        'api_import',
        'api_deployment',
      ]);

      const log = createLog({ name: 'test', level: 'silent' });
      await sealStored(office.desk, office.boot.admin, log);
      assert.deepEqual(await tablesWithSecrets(office.storage), []);
      const after = await db.selectFrom('api_import').select('definition').executeTakeFirstOrThrow();
      assert.deepEqual(Object.keys(JSON.parse(after.definition) as object).toSorted(), ['api', 'plans']);
      const [again] = await office.published('api');
      assert.equal(again?.revision, revision);
      assert.match(String(again.payload['definition']), /sealed:v1:/);
      const { headers } = await office.repository.headersAfter(office.at, 0, 100);
      const [found] = await office.repository.payloads(
        office.at,
        headers.filter(({ kind }) => kind === 'api'),
      );
      assert.ok(found !== undefined && decodeApi(decodeRecord(found.bytes).payload).id === id);

      const seq = headers.at(-1)?.seq;
      await sealStored(office.desk, office.boot.admin, log);
      assert.equal(
        (await office.repository.headersAfter(office.at, 0, 100)).headers.at(-1)?.seq,
        seq,
        'once',
      );
    },
  );

  test(
    on('every gateway of the environment has its keys, a new one too; one that is revoked has them no more'),
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const { fleet } = office.boot;
      const first = await enrolIn(office, fleet);
      await createApi(office);
      const keyed = async () => (await office.published('environment-key')).map(({ id }) => id).toSorted();
      assert.deepEqual(await keyed(), [first], 'with the first secret');
      const second = await enrolIn(office, fleet);
      await office.desk.publisher.tidy();
      assert.deepEqual(await keyed(), [first, second].toSorted());
      const { headers } = await office.repository.headersAfter(office.at, 0, 100);
      await office.desk.publisher.tidy();
      assert.deepEqual(
        (await office.repository.headersAfter(office.at, 0, 100)).headers,
        headers,
        'nothing is sent twice',
      );
      const revoked = await office.call('POST', `${fleetsPath}/${fleet}/gateways/${first}/_revoke`);
      assert.ok(revoked.status < 300, JSON.stringify(revoked.body));
      await office.desk.publisher.tidy();
      assert.deepEqual(await keyed(), [second]);
    },
  );
}
