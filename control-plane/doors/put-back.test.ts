import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import {
  apiBody,
  environment,
  fleetsPath,
  type Office,
  openOffice,
  planBody,
  v1,
} from '../../test/kit/control-plane/office.ts';
import { createAuthority, issuePair } from '../../test/kit/servers/certificates.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { type TestDatabase, testDatabases } from '../../test/kit/servers/databases.ts';
import { routes } from '../management/index.ts';

/** Makes one of a kind, with every field that may be written; gives back its path. */
type Make = (office: Office, t: TestContext) => Promise<string>;

const makers: ReadonlyMap<string, Make> = new Map([
  [
    '',
    async (office) => {
      const path = '/management/organizations/DEFAULT';
      const flows = [{ name: 'all', pre: [{ policy: 'latency', configuration: { time: 1 } }] }];
      const texts = { name: 'One', description: 'x' };
      const body = { ...texts, flowMode: 'BEST_MATCH', matchRequired: true, flows };
      assert.equal((await office.call('PUT', path, { body })).status, 204);
      return path;
    },
  ],
  [
    '/apis/{apiId}',
    async (office) => {
      const { id } = await office.deployedApi('/put-back');
      return `${environment}/apis/${id}`;
    },
  ],
  [
    '/apis/{apiId}/plans/{planId}',
    async (office) => {
      const apis = `${environment}/apis`;
      const api = await made(office, apis, apiBody('/with-plan'));
      const plan = {
        ...planBody('API_KEY'),
        crossId: 'one',
        characteristics: ['fast'],
        selectionRule: "{#request.headers['x'] != null}",
        flows: [{ name: 'all', request: [], response: [] }],
      };
      return `${apis}/${api}/plans/${await made(office, `${apis}/${api}/plans`, plan)}`;
    },
  ],
  [
    '/applications/{applicationId}',
    async (office) => {
      const application = {
        name: 'shop',
        description: 'buys',
        domain: 'shop.example',
        settings: { app: { type: 'web', client_id: 'shop-1' } },
      };
      return `${v1}/applications/${await made(office, `${v1}/applications`, application)}`;
    },
  ],
  [
    '/applications/{applicationId}/certificates/{certificateId}',
    async (office, t) => {
      const application = { name: 'certified', description: '' };
      const path = `${v1}/applications/${await made(office, `${v1}/applications`, application)}/certificates`;
      const { cert } = issuePair(createAuthority(tempDir(t)), 'one');
      const times = { startsAt: '2026-01-01T00:00:00Z', endsAt: '2999-01-01T00:00:00Z' };
      return `${path}/${await made(office, path, { name: 'one', certificate: cert, ...times })}`;
    },
  ],
  [
    '/shared-policy-groups/{sharedPolicyGroupId}',
    async (office) => {
      const groups = `${environment}/shared-policy-groups`;
      const steps = [{ policy: 'latency', configuration: { time: 1 } }];
      const texts = { name: 'limits', description: 'x', prerequisiteMessage: 'y' };
      const group = { ...texts, crossId: 'limits', apiType: 'PROXY', phase: 'REQUEST', steps };
      return `${groups}/${await made(office, groups, group)}`;
    },
  ],
  [
    '/configuration/dictionaries/{dictionaryId}',
    async (office) => {
      const dictionaries = `${v1}/configuration/dictionaries`;
      const headers = [{ name: 'X-Key', value: 'secret' }];
      const asked = { url: 'https://rates.example/', method: 'POST', headers, body: 'all' };
      const configuration = { ...asked, specification: '[]', useSystemProxy: true };
      const provider = { type: 'HTTP', configuration };
      const trigger = { rate: 5, unit: 'MINUTES' };
      const dictionary = { name: 'rates', key: 'r', description: 'x', type: 'DYNAMIC', provider, trigger };
      return `${dictionaries}/${await made(office, dictionaries, dictionary)}`;
    },
  ],
  [
    '/configuration/rolescopes/{scope}/roles/{roleName}',
    async (office) => {
      const roles = '/management/organizations/DEFAULT/configuration/rolescopes/API/roles';
      const role = { name: 'KEEPER', description: 'x', default: true, permissions: { PLAN: ['C', 'R'] } };
      const answer = await office.call('POST', roles, { body: role });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      return `${roles}/KEEPER`;
    },
  ],
  [
    '/fleets/{fleetId}',
    async (office) => {
      const fleet = {
        name: 'dmz',
        description: 'x',
        tags: ['external'],
        tenant: 'north',
        environments: ['DEFAULT'],
      };
      return `${fleetsPath}/${await made(office, fleetsPath, fleet)}`;
    },
  ],
]);

async function made(office: Office, path: string, body: object): Promise<string> {
  const answer = await office.call('POST', path, { body });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return String(answer.body['id']);
}

/** Replaces one; gives what it is then, which some kinds have to be asked for. */
async function put(office: Office, path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await office.call('PUT', path, { body });
  assert.ok([200, 204].includes(answer.status), `${path}: ${JSON.stringify(answer.body)}`);
  return answer.status === 204 ? (await office.call('GET', path)).body : answer.body;
}

/** All that answers say of when something was changed, and what the change is about, left out. */
function lasting({
  updatedAt: _1,
  updated_at: _2,
  deploymentState: _3,
  ...rest
}: Record<string, unknown>): object {
  return rest;
}

/** What a PUT of some kind cannot do without. */
const required = new Set([
  'name',
  'apiVersion',
  'definitionVersion',
  'type',
  'listeners',
  'endpointGroups',
  'environments',
  'description',
  'provider',
  'trigger',
]);

const open = (t: TestContext) => openOffice(t, testDatabases[0] as TestDatabase);

test('whatever can be read and replaced takes back exactly what it gave, and is as before', async (t) => {
  const read = new Set(routes.flatMap(({ method, path, scope }) => (method === 'get' ? [scope + path] : [])));
  const both = routes.filter(({ method, path, scope }) => method === 'put' && read.has(scope + path));
  assert.deepEqual(both.map(({ path }) => path).toSorted(), [...makers.keys()].toSorted(), 'a maker each');
  const office = await open(t);
  for (const [name, make] of makers) {
    const path = await make(office, t);
    const before = await office.call('GET', path);
    assert.equal(before.status, 200, name);
    await put(office, path, before.body);
    const after = await office.call('GET', path);
    assert.deepEqual(lasting(after.body), lasting(before.body), name);
    assert.equal(after.body['deploymentState'], before.body['deploymentState'], `${name} changed nothing`);
  }
});

test('a field with null is an absent field, at any depth', async (t) => {
  const office = await open(t);
  for (const [name, make] of makers) {
    const path = await make(office, t);
    const before = await office.call('GET', path);
    const names = Object.keys(before.body).filter((key) => !required.has(key));
    assert.ok(names.length > 2, name);
    const without = await put(office, path, omit(before.body, names));
    await put(office, path, before.body);
    const nulls = Object.fromEntries(names.map((key) => [key, null]));
    assert.deepEqual(lasting(await put(office, path, { ...before.body, ...nulls })), lasting(without), name);
  }
  const refused = await office.call('POST', fleetsPath, {
    body: { name: null, tags: [null, 7], environments: [null] },
  });
  assert.equal(refused.status, 400);
  assert.deepEqual(refused.body['details'], [
    { location: 'name', message: 'is required' },
    { location: 'tags[0]', message: 'must be a text, not a number' },
    { location: 'environments', message: 'must have at least 1 entry' },
  ]);
});

function omit(body: Readonly<Record<string, unknown>>, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)));
}
