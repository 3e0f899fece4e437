import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { makers, put } from '../../test/kit/control-plane/makers.ts';
import { environment, fleetsPath, type Office, openOffice, v1 } from '../../test/kit/control-plane/office.ts';
import { makeWords } from '../../test/kit/control-plane/words.ts';
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

test('a list that can be read and replaced, or each that stands in it, is taken back as it was given', async (t) => {
  const mail = { smtp: { host: 'mail.example.com' } };
  const office = await openOffice(t, testDatabases[0] as TestDatabase, { mail });
  const paths = await listed(office, t);
  assert.deepEqual([...paths.keys()].toSorted(), [...lists].toSorted(), 'each of them');
  const told = () =>
    office.storage.db.selectFrom('audit').select(['event', 'patch']).orderBy('seq').execute();
  for (const [name, { path, takesAll }] of paths) {
    const before = await office.call('GET', path);
    const items = before.body as unknown as readonly { readonly id?: string }[];
    assert.ok(before.status === 200 && items.length > 0, `${name} ${before.text}`);
    const audit = (await told()).length;
    const isSetting = name.endsWith('/notificationsettings');
    for (const item of takesAll ? [items] : items) {
      // The caller's own is written where the list stands, each of the others at its own path.
      const at = isSetting && 'id' in item ? `${path}/${String(item.id)}` : path;
      const answer = await office.call('PUT', at, { body: turned(item) });
      assert.ok(answer.status < 300, `${name} ${answer.text}`);
    }
    const after = await office.call('GET', path);
    assert.deepEqual(after.body, before.body, name);
    assert.equal(after.headers.get('etag'), before.headers.get('etag'), name);
    assert.deepEqual((await told()).slice(audit), [], `${name} tells the audit nothing`);
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
      const rows = () => office.storage.db.selectFrom('audit').selectAll().orderBy('seq').execute();
      const before = (await rows()).length;
      const wide = await write('{ "a": 1 }');
      const told = (await rows()).slice(before).filter(({ patch }) => patch === null);
      assert.deepEqual(
        told.map(({ event }) => event),
        [],
        `the audit says what became of ${field} of ${name}`,
      );
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

/** Makes something for each of {@link lists}; says where, and whether a PUT takes all of it. */
async function listed(office: Office, t: TestContext) {
  const organization = '/management/organizations/DEFAULT';
  const configuration = `${v1}/configuration`;
  const make = async (path: string, body: object): Promise<void> => {
    const answer = await office.call('POST', path, { body });
    assert.ok(answer.status < 300, `${path} ${answer.text}`);
  };
  await makeWords(office, { tags: ['internal'], tenants: ['north', 'south'], categories: ['Pets', 'Toys'] });
  const entrypoint = { target: 'HTTP', value: 'https://api.example', tags: ['internal'] };
  await make(`${organization}/configuration/entrypoints`, entrypoint);
  await make(`${configuration}/metadata`, { name: 'Team', format: 'STRING', value: 'a' });
  const provider = makers.get('/configuration/identities/{identityProviderId}') ?? assert.fail('no maker');
  const id = (await provider(office, t)).split('/').at(-1);
  const { id: api } = await office.deployedApi('/listed');
  const application = await office.call('POST', `${v1}/applications`, {
    body: { name: 'a', description: '' },
  });
  const owners = [v1, `${v1}/apis/${api}`, `${v1}/applications/${String(application.body['id'])}`] as const;
  for (const owner of owners) {
    const path = owner === v1 ? `${configuration}/notificationsettings` : `${owner}/notificationsettings`;
    const wish = {
      name: 'mails',
      config_type: 'GENERIC',
      notifier: 'default-email',
      config: 'a@example.com',
    };
    await make(path, { ...wish, hooks: [] });
  }
  await put(office, `${organization}/identities`, [{ identityProvider: id }]);
  const [ofEnvironment, ofApi, ofApplication] = owners;
  const one = (path: string) => ({ path, takesAll: false });
  const all = (path: string) => ({ path, takesAll: true });
  return new Map([
    ['/configuration/metadata', one(`${configuration}/metadata`)],
    ['/configuration/categories', all(`${configuration}/categories`)],
    ['/configuration/entrypoints', one(`${organization}/configuration/entrypoints`)],
    ['/configuration/tenants', all(`${organization}/configuration/tenants`)],
    ['/identities', all(`${organization}/identities`)],
    ['/configuration/notificationsettings', one(`${ofEnvironment}/configuration/notificationsettings`)],
    ['/apis/{apiId}/notificationsettings', one(`${ofApi}/notificationsettings`)],
    ['/applications/{applicationId}/notificationsettings', one(`${ofApplication}/notificationsettings`)],
  ]);
}
