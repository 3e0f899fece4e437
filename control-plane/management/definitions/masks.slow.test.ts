import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../proto/process/log.ts';
import { mask } from '../../../proto/trust/sealed-text.ts';
import {
  apiBody,
  environment,
  type Office,
  openOffice,
  planBody,
  v1,
} from '../../../test/kit/control-plane/office.ts';
import { planted } from '../../../test/kit/control-plane/planted-secrets.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import type { SecretsOwner } from '../../publish/definition-secrets.ts';
import { change } from '../desk.ts';
import { sealStored } from './seal-stored.ts';

/* Whose secret a mask is, through every door that takes definitions: what reaches the record, or the place that is refused. */

type Json = Readonly<Record<string, unknown>>;
type Items = readonly Json[];

const header = (value: string): Json => ({ name: 'Authorization', value });
const configured = (of: string, value: string): Json => ({
  addHeaders: [{ name: 'X-Of', value: of }, header(value)],
});
const step = (of: string, value: string, more: Json = {}): Json => ({
  policy: 'transform-headers',
  enabled: true,
  configuration: configured(of, value),
  ...more,
});
const flow = (of: string, value: string, more: Json = {}): Json => ({
  enabled: true,
  selectors: [{ type: 'HTTP', path: `/${of}`, pathOperator: 'STARTS_WITH' }],
  request: [step('any', value)],
  ...more,
});

/** Makes an item of a list: what it is, and its secret. */
type Make = (of: string, value: string, more?: Json) => Json;

/** A list of a definition, through a door. */
interface List {
  put(items: Items): Promise<{ readonly status: number; readonly body: Json }>;
  /** With masks, as people see it. */
  get(): Promise<Items>;
  /** What gateways get, opened, in its order. */
  secrets(): Promise<readonly string[]>;
}

const listIn = (value: unknown, ...path: readonly (string | number)[]): Items =>
  path.reduce<unknown>((at, key) => (at as Json)[key], value) as Items;

async function opened(office: Office, definition: unknown, owner: SecretsOwner): Promise<readonly string[]> {
  const { secrets } = await change(office.desk, { actor: office.boot.admin, at: office.at }, (now) =>
    now.secrets.open(JSON.parse(String(definition)) as object, owner),
  );
  return secrets;
}

async function apiList(
  office: Office,
  how: 'put' | 'import',
  ...at: readonly (string | number)[]
): Promise<List> {
  const { id } = await office.deployedApi('/a', 'KEY_LESS');
  const path = `${environment}/apis/${id}`;
  const flowsWith = (items: Items): Items =>
    at.length === 0 ? items : [{ ...flow('a', 'x'), request: items }];
  return {
    async put(items) {
      if (how === 'put') {
        const { body } = await office.call('GET', path);
        return office.call('PUT', path, { body: { ...body, flows: flowsWith(items) } });
      }
      const { body } = await office.call('GET', `${path}/_export/definition`);
      const api = { ...(body['api'] as Json), flows: flowsWith(items) };
      return office.call('PUT', `${path}/_import/definition`, { body: { ...body, api } });
    },
    get: async () => listIn((await office.call('GET', path)).body, 'flows', ...at),
    async secrets() {
      assert.equal((await office.call('POST', `${path}/deployments`)).status, 202);
      const [record] = await office.published('api');
      return opened(office, record?.payload['definition'], { kind: 'api', id });
    },
  };
}

async function planList(office: Office): Promise<List> {
  const { id, planId } = await office.deployedApi('/a', 'KEY_LESS');
  const api = `${environment}/apis/${id}`;
  const path = `${api}/plans/${planId}`;
  return {
    async put(flows) {
      const { body } = await office.call('GET', path);
      return office.call('PUT', path, { body: { ...body, flows } });
    },
    get: async () => listIn((await office.call('GET', path)).body, 'flows'),
    async secrets() {
      assert.equal((await office.call('POST', `${api}/deployments`)).status, 202);
      const [record] = await office.published('api');
      return opened(office, record?.payload['definition'], { kind: 'api', id });
    },
  };
}

async function groupList(office: Office): Promise<List> {
  const groups = `${environment}/shared-policy-groups`;
  const made = await office.call('POST', groups, {
    body: { name: 'group', crossId: 'group', apiType: 'PROXY', phase: 'REQUEST', steps: [] },
  });
  const path = `${groups}/${String(made.body['id'])}`;
  return {
    async put(steps) {
      const { body } = await office.call('GET', path);
      return office.call('PUT', path, { body: { ...body, steps } });
    },
    get: async () => listIn((await office.call('GET', path)).body, 'steps'),
    async secrets() {
      assert.equal((await office.call('POST', `${path}/_deploy`)).status, 202);
      const [record] = await office.published('shared-policy-group');
      return opened(office, record?.payload['definition'], { kind: 'shared-policy-group', id: 'group' });
    },
  };
}

async function organizationList(office: Office): Promise<List> {
  const path = '/management/organizations/DEFAULT';
  return {
    async put(flows) {
      const { body } = await office.call('GET', path);
      return office.call('PUT', path, { body: { ...body, flows } });
    },
    get: async () => listIn((await office.call('GET', path)).body, 'flows'),
    async secrets() {
      const [record] = await office.published('organization-flows');
      return opened(office, record?.payload['definition'], {
        kind: 'organization-flows',
        id: office.at.organization,
      });
    },
  };
}

async function dictionaryList(office: Office): Promise<List> {
  const provider = {
    type: 'HTTP',
    configuration: { url: 'https://x.example', specification: '[]', headers: [] },
  };
  const body = { name: 'rates', type: 'DYNAMIC', provider, trigger: { rate: 2, unit: 'SECONDS' } };
  const made = await office.call('POST', `${v1}/configuration/dictionaries`, { body });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const id = String(made.body['id']);
  const path = `${v1}/configuration/dictionaries/${id}`;
  return {
    put: (headers) =>
      office.call('PUT', path, {
        body: { ...body, provider: { ...provider, configuration: { ...provider.configuration, headers } } },
      }),
    get: async () => listIn((await office.call('GET', path)).body, 'provider', 'configuration', 'headers'),
    async secrets() {
      const row = await office.storage.db
        .selectFrom('dictionary')
        .select('provider')
        .executeTakeFirstOrThrow();
      return opened(office, JSON.stringify({ provider: JSON.parse(String(row.provider)) as unknown }), {
        kind: 'dictionary',
        id,
      });
    },
  };
}

const one = `${planted}-1`;
const two = `${planted}-2`;
const named = { name: 'auth' };

/** What is kept, what comes back of what is shown, and the secrets of the record, or the item whose mask is refused. */
const changes = (make: Make) =>
  [
    ['the first is deleted', [make('a', one), make('b', two)], ([, b]: Items) => [b], [two]],
    ['they change places', [make('a', one), make('b', two)], ([a, b]: Items) => [b, a], [two, one]],
    [
      'one is put in front',
      [make('a', one), make('b', two)],
      ([a, b]: Items) => [make('c', 'new'), a, b],
      ['new', one, two],
    ],
    [
      'one of a name is deleted',
      [make('a', one, named), make('b', two, named)],
      ([, b]: Items) => [b],
      [two],
    ],
    [
      'they change places, of one name',
      [make('a', one, named), make('b', two, named)],
      ([a, b]: Items) => [b, a],
      [two, one],
    ],
    [
      'one is edited',
      [make('a', one), make('b', two)],
      ([a, b]: Items) => [{ ...a, enabled: false }, b],
      [one, two],
    ],
    ['equal ones stay', [make('a', one), make('a', two)], (both: Items) => both, [one, two]],
    [
      'each gets a name',
      [make('a', one), make('a', two)],
      ([a, b]: Items) => [
        { ...a, name: 'a' },
        { ...b, name: 'b' },
      ],
      [one, two],
    ],
    ['one of equal ones is deleted', [make('a', one), make('a', two)], ([, b]: Items) => [b], [0]],
    [
      'one is deleted, another edited',
      [make('a', one), make('b', two)],
      ([, b]: Items) => [{ ...b, enabled: false }],
      [0],
    ],
    [
      'they change places, one edited',
      [make('a', one), make('b', two)],
      ([a, b]: Items) => [b, { ...a, enabled: false }],
      [1],
    ],
  ] as const;

const headers = [
  ['the second is deleted', [header(one), header(two)], ([a]: Items) => [a], [0]],
  ['both stay', [header(one), header(two)], (both: Items) => both, [one, two]],
  ['one is put in front', [header(one), header(two)], ([a, b]: Items) => [header('new'), a, b], [1, 2]],
  [
    'another is put in front',
    [header(one)],
    ([a]: Items) => [{ name: 'X-Token', value: 'new' }, a],
    ['new', one],
  ],
] as const;

const doors = [
  ['flows of an API', (office: Office) => apiList(office, 'put'), changes(flow)],
  ['steps of an API', (office: Office) => apiList(office, 'put', 0, 'request'), changes(step)],
  ['flows of an import', (office: Office) => apiList(office, 'import'), changes(flow)],
  ['flows of a plan', planList, changes(flow)],
  ['steps of a shared policy group', groupList, changes(step)],
  ['flows of an organization', organizationList, changes(flow)],
  ['headers of a dictionary', dictionaryList, headers],
] as const;

for (const database of testDatabases)
  for (const [where, open, table] of doors)
    test(
      `a mask brings its own secret to the record or is refused: ${where} (${database.name})`,
      { skip: database.skip },
      async (t) => {
        const list = await open(await openOffice(t, database));
        for (const [what, before, changed, expected] of table) {
          const made = await list.put(before);
          assert.ok(made.status < 300, `${what}: ${JSON.stringify(made.body)}`);
          const shown = await list.get();
          assert.ok(!JSON.stringify(shown).includes(planted), what);
          const kept = await list.secrets();
          const answer = await list.put(changed(shown) as Items);
          if (typeof expected[0] === 'string') {
            assert.ok(answer.status < 300, `${what}: ${JSON.stringify(answer.body)}`);
            assert.deepEqual(await list.secrets(), expected, what);
            continue;
          }
          assert.equal(answer.status, 400, `${what}: ${JSON.stringify(answer.body)}`);
          const details = answer.body['details'] as { location: string; message: string }[];
          assert.equal(details.length, expected.length, what);
          for (const [at, { location, message }] of details.entries()) {
            assert.ok(location.includes(`[${expected[at]}]`), `${what}: ${location}`);
            assert.match(message, /^is \*{8}, .*cannot be told: .*; write the secret, or /);
          }
          assert.deepEqual(await list.secrets(), kept, `${what}: nothing changed`);
        }
      },
    );

for (const database of testDatabases)
  test(
    `a mask beside other text, or where no secret is kept, is refused by its place (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const properties = [{ key: 'sealed', value: one, encrypted: true }];
      const made = await office.call('POST', `${environment}/apis`, {
        body: apiBody('/a', { flows: [flow('a', one)], properties }),
      });
      const path = `${environment}/apis/${String(made.body['id'])}`;
      const { body } = await office.call('GET', path);
      const value = 'flows[0].request[0].configuration.addHeaders[1].value';
      for (const [extra, location] of [
        [{ flows: [flow('a', `Basic ${mask}`)] }, value],
        [{ flows: [flow('a', `${mask}*`)] }, value],
        [{ flows: [flow('a', `${mask}.Ab3dE6gH9jKm`)] }, value],
        [{ properties: [{ key: 'plain', value: mask }] }, 'properties[0].value'],
        [{ properties: [{ key: 'sealed', value: mask }] }, 'properties[0].value'],
        [{ properties: [{ key: 'other', value: mask, encrypted: true }] }, 'properties[0].value'],
        [{ description: mask }, 'description'],
      ] as const) {
        const answers = [
          await office.call('PUT', path, { body: { ...body, ...extra } }),
          await office.call('POST', `${environment}/apis`, { body: apiBody('/b', extra) }),
        ];
        for (const answer of answers) {
          assert.equal(answer.status, 400, JSON.stringify(extra));
          const details = answer.body['details'] as { location: string }[];
          assert.deepEqual(
            details.map((each) => each.location),
            [location],
          );
        }
      }
      const plan = await office.call('POST', `${path}/plans`, {
        body: planBody('KEY_LESS', { flows: [flow('a', `Basic ${mask}`)] }),
      });
      assert.equal(plan.status, 400);
      const same = await office.call('PUT', path, { body: { ...body, flows: [flow('a', 'Basic ***')] } });
      assert.equal(same.status, 200, 'fewer letters are no mask');
    },
  );

for (const database of testDatabases)
  test(
    `what an earlier version kept that looks like a mask hinders no sealing of the secrets beside it (${database.name})`,
    { skip: database.skip },
    async (t) => {
      const office = await openOffice(t, database);
      const properties = [
        { key: 'stars', value: 'plain' },
        { key: 'token', value: one, encrypted: true },
      ];
      const flows = [flow('a', 'Basic of-a-mask')];
      const made = await office.call('POST', `${environment}/apis`, {
        body: apiBody('/a', { properties, flows }),
      });
      const path = `${environment}/apis/${String(made.body['id'])}`;
      const { db } = office.storage;
      const definition = async () =>
        (await db.selectFrom('api').select('definition').executeTakeFirstOrThrow()).definition;
      const sealedText = /sealed:v1:[\w-]+:[\w-]+/g;
      const texts = [`Basic ${mask}`, one];
      const open = (await definition())
        .replace('"plain"', `"${mask}"`)
        .replaceAll(sealedText, () => texts.pop() ?? '');
      await db.updateTable('api').set({ definition: open }).execute();
      await sealStored(office.desk, office.boot.admin, createLog({ name: 'test', level: 'silent' }));
      assert.deepEqual((await definition()).match(sealedText)?.length, 2);
      assert.ok((await definition()).includes(`"key":"stars","value":"${mask}"`));
      const { body } = await office.call('GET', path);
      assert.equal((await office.call('PUT', path, { body })).status, 200, 'and it can be put back');
    },
  );
