import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { makers, put } from '../../test/kit/control-plane/makers.ts';
import { environment, fleetsPath, openOffice } from '../../test/kit/control-plane/office.ts';
import { type TestDatabase, testDatabases } from '../../test/kit/servers/databases.ts';
import { routes } from '../management/index.ts';
import { makeSamples } from '../management/samples/making.ts';

/** All that answers say of when something was changed, and what the change is about, left out. */
function lasting({
  updatedAt: _1,
  updated_at: _2,
  lastModified: _3,
  lastModificationDate: _4,
  deploymentState: _5,
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
  'content',
  'configuration',
  'secondFactor',
  'scope',
  'hook',
  'title',
  'page',
  'query',
]);

/** What has next to nothing that can be left out. */
const small = new Set(['/configuration/signIn']);

/** What is a list when it is read, and takes one of it, named in the body, or a list. */
const lists = new Set([
  '/configuration/metadata',
  '/configuration/categories',
  '/configuration/entrypoints',
  '/configuration/tenants',
  '/identities',
  '/configuration/notificationsettings',
  '/apis/{apiId}/notificationsettings',
  '/applications/{applicationId}/notificationsettings',
]);

const open = (t: TestContext) => openOffice(t, testDatabases[0] as TestDatabase);

test('whatever can be read and replaced takes back exactly what it gave, and with its ETag and the audit is as before', async (t) => {
  const read = new Set(routes.flatMap(({ method, path, scope }) => (method === 'get' ? [scope + path] : [])));
  const both = routes.filter(
    ({ method, path, scope }) =>
      method === 'put' && read.has(scope + path) && !lists.has(path) && !/(picture|background)$/.test(path),
  );
  // The environment itself has the path of its base alone, as the organization has.
  const named = both.map(({ path, scope }) => (path === '' ? scope : path));
  assert.deepEqual(named.toSorted(), [...makers.keys()].toSorted(), 'a maker each');
  const office = await open(t);
  const told = () =>
    office.storage.db.selectFrom('audit').select(['event', 'patch']).orderBy('seq').execute();
  for (const [name, make] of makers) {
    const path = await make(office, t);
    const before = await office.call('GET', path);
    assert.equal(before.status, 200, name);
    const audit = await told();
    await put(office, path, turned(before.body) as object);
    const after = await office.call('GET', path);
    assert.deepEqual(after.body, before.body, name);
    assert.equal(after.headers.get('etag'), before.headers.get('etag'), `${name} has the ETag it had`);
    assert.deepEqual((await told()).slice(audit.length), [], `${name} tells the audit nothing`);
  }
});

test('an API that was made with its flows and deployed needs no deployment when it is sent back', async (t) => {
  const office = await open(t);
  const { at, admin } = office.boot;
  const target = 'http://127.0.0.1:8080/';
  assert.ok(await makeSamples(office.desk, admin, { at, target, isWhole: true }));
  const { body } = await office.call('GET', `${environment}/apis`);
  const apis = body['data'] as readonly { readonly id: string }[];
  assert.equal(apis.length, 3);
  for (const { id } of apis) {
    const path = `${environment}/apis/${id}`;
    const before = await office.call('GET', path);
    assert.equal(before.body['deploymentState'], 'DEPLOYED');
    await put(office, path, turned(before.body) as object);
    assert.deepEqual((await office.call('GET', path)).body, before.body);
  }
});

test('a text that looks like JSON is a text: with other spaces it is another one', async (t) => {
  const office = await open(t);
  const written = [];
  for (const [name, make] of makers) {
    const path = await make(office, t);
    const { body } = await office.call('GET', path);
    for (const [field, value] of Object.entries(body)) {
      if (typeof value !== 'string') continue;
      const write = async (text: string) => {
        await office.call('PUT', path, { body: { ...body, [field]: text } });
        const read = await office.call('GET', path);
        return { text: read.body?.[field], etag: read.headers.get('etag') };
      };
      const close = await write('{"a":1}');
      // What is no text of people's own is refused, or means something else.
      if (close.text !== '{"a":1}') continue;
      const wide = await write('{ "a": 1 }');
      assert.equal(wide.text, '{ "a": 1 }', `${field} of ${name}`);
      if (wide.etag !== null) assert.notEqual(wide.etag, close.etag, `${field} of ${name}`);
      written.push(`${field} of ${name}`);
    }
  }
  assert.ok(written.length > 20, written.join('\n'));
});

/** The same with the names of each object in the opposite order, as another client may send them. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, one]) => [name, turned(one)]),
  );
}

test('a field with null is an absent field, at any depth', async (t) => {
  const office = await open(t);
  for (const [name, make] of makers) {
    const path = await make(office, t);
    const before = await office.call('GET', path);
    const names = Object.keys(before.body).filter((key) => !required.has(key));
    assert.ok(names.length > 2 || small.has(name), name);
    const without = await put(office, path, omit(before.body, names));
    await put(office, path, before.body);
    const nulls = Object.fromEntries(names.map((key) => [key, null]));
    assert.deepEqual(lasting(await put(office, path, { ...before.body, ...nulls })), lasting(without), name);
  }
  const rows = await office.storage.db.selectFrom('audit').select(['event', 'patch']).execute();
  const told = new Set(rows.flatMap(({ event, patch }) => (patch === null ? [] : [event])));
  const made = new Set(rows.map(({ event }) => event).filter((event) => event.endsWith('_CREATED')));
  assert.ok(made.size > 10);
  assert.deepEqual([...made.difference(told)], [], 'the audit says what was made');
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
