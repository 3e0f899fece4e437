import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { sql } from 'kysely';
import { apiBody, environment, type Office, openOffice } from '../../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import { migrations } from '../../storage/migrations/index.ts';
import { openStorage } from '../../storage/storage.ts';

/** A control plane of its own in a thread. */
const taker = new URL('../../../test/kit/control-plane/path-taker.ts', import.meta.url);
const log = { info: () => undefined, warn: () => undefined };
const at = { organization: 'o', environment: 'e' };

const listener = (path: string, servers?: readonly string[]): object => ({
  type: 'HTTP',
  paths: [{ path }],
  entrypoints: [{ type: 'http-proxy' }],
  ...(servers !== undefined && { servers }),
});
const named = (name: string, path: string, servers?: readonly string[]): object =>
  apiBody(path, { name, listeners: [listener(path, servers)] });
const create = (office: Office, body: unknown) => office.call('POST', `${environment}/apis`, { body });

/** Status, message and first detail of a refusal. */
function said({ status, body }: Awaited<ReturnType<Office['call']>>): readonly unknown[] {
  const [detail] = (body['details'] ?? []) as readonly { location: string; message: string }[];
  return [status, body.technicalCode, body['message'], detail?.location, detail?.message];
}

const takenCode = 'api.listener.paths.path.exists';

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `two APIs have one path on servers that they do not share, and on none that they do (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const inside = await create(office, named('in', '/a', ['inside', 'third']));
      assert.equal(inside.status, 201, JSON.stringify(inside.body));
      const outside = await create(office, named('out', '/a', ['outside']));
      assert.equal(outside.status, 201, JSON.stringify(outside.body));
      const refused = ([name, id]: readonly unknown[], server: string, place = 0): readonly unknown[] => [
        400,
        takenCode,
        `The API "${String(name)}" (${String(id)}) has /a/ on server ${server}.`,
        `listeners[${place}].paths[0]`,
        `/a/ on server ${server} is taken`,
      ];
      const overlapping = await create(office, named('both', '/a', ['fourth', 'third']));
      assert.deepEqual(said(overlapping), refused(['in', inside.body['id']], 'third'));
      const all = await create(
        office,
        apiBody('/a', { listeners: [listener('/b'), listener('/a', ['outside'])] }),
      );
      assert.deepEqual(said(all), refused(['out', outside.body['id']], 'outside', 1));
      // On all of them it meets both; which of the two is told of does not matter.
      const everywhere = said(await create(office, named('all', '/a')));
      assert.deepEqual(everywhere.slice(0, 2), [400, takenCode]);
      assert.match(String(everywhere[2]), /has \/a\/ on server (inside|third|outside)\.$/);
      assert.equal((await create(office, named('all', '/free'))).status, 201);
      const late = await create(office, named('late', '/free', ['inside']));
      assert.deepEqual(said(late).slice(0, 2), [400, takenCode]);
      assert.equal(
        (await create(office, named('case', '/a', ['Inside']))).status,
        201,
        'ids have their case, as in gateways',
      );
    },
  );

  test(
    `an API that changes its servers leaves those that it had, and takes none of another's (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const one = await create(office, named('one', '/a', ['inside']));
      const two = await create(office, named('two', '/a', ['outside']));
      const path = `${environment}/apis/${String(one.body['id'])}`;
      const put = async (servers?: readonly string[]) =>
        office.call('PUT', path, {
          body: {
            ...(await office.call('GET', path)).body,
            listeners: [listener('/a', servers)],
          },
        });
      for (const servers of [undefined, [], ['outside'], ['inside', 'outside']]) {
        const answer = await put(servers);
        assert.deepEqual([answer.status, answer.body.technicalCode], [400, takenCode], String(servers));
      }
      assert.equal((await put(['third'])).status, 200);
      assert.equal((await create(office, named('three', '/a', ['inside']))).status, 201);
      assert.deepEqual((await put(['inside'])).status, 400);
      assert.equal(
        (await office.call('DELETE', `${environment}/apis/${String(two.body['id'])}`)).status,
        204,
      );
      assert.equal((await put(['third', 'outside'])).status, 200);
      assert.equal((await put(['third', 'outside'])).status, 200, 'its own places are no obstacle');
    },
  );

  test(
    `listeners of one definition may share a path on different servers, not on one (${database.name})`,
    options,
    async (t) => {
      const office = await openOffice(t, database);
      const of = (...listeners: readonly object[]) => create(office, apiBody('/x', { listeners }));
      const apart = await of(listener('/x', ['inside']), listener('/x', ['outside']));
      assert.equal(apart.status, 201, JSON.stringify(apart.body));
      const twice = await of(listener('/y', ['inside']), listener('/y/', ['outside', 'inside']));
      assert.deepEqual(said(twice).slice(3), [
        'listeners[1].paths[0]',
        '/y/ on server inside is there twice',
      ]);
      const onAll = await of(listener('/y', ['inside']), listener('/y'));
      assert.deepEqual(said(onAll).slice(3), ['listeners[1].paths[0]', '/y/ is there twice']);
    },
  );

  test(
    `of many who take one path at once nobody has it on all servers beside another (${database.name})`,
    { ...options, timeout: 60_000 },
    async (t) => {
      const dataDir = tempDir(t);
      const url = await database.createWithSchema(dataDir);
      const storage = await openStorage({ url, dataDir, log });
      t.after(() => storage.close());
      await addTenant(storage.db);
      const rounds = 30;
      const gate = new SharedArrayBuffer(4 * rounds);
      const wishes = ['', '', 'inside', 'outside'];
      const writers = wishes.map((server, index) => {
        const workerData = { url, dataDir, at, server, index, rounds, writers: wishes.length, gate };
        return new Worker(taker, { workerData });
      });
      // One that fails keeps the others waiting.
      t.after(() => Promise.all(writers.map((writer) => writer.terminate())));
      await Promise.all(writers.map(ended));
      const rows = await storage.db.selectFrom('api_path').select(['path', 'server']).execute();
      const won = new Map<string, string[]>();
      for (const { path, server } of rows) won.set(path, [...(won.get(path) ?? []), server].toSorted());
      assert.equal(won.size, rounds, 'somebody gets each');
      for (const [path, servers] of won)
        assert.ok(!servers.includes('') || servers.length === 1, `${path}: ${JSON.stringify(servers)}`);
    },
  );

  test(
    `rows of the former version are narrowed to their servers, and a control plane of it is refused what is taken (${database.name})`,
    options,
    async (t) => {
      const place = { url: await database.create(), dataDir: tempDir(t), log };
      const former = await openStorage({ ...place, migrations: formerOnes });
      await addTenant(former.db);
      const paths = { everywhere: [undefined], some: [['inside', 'third']], mixed: [['inside'], []] };
      for (const [id, listeners] of Object.entries(paths)) {
        const definition = {
          type: 'PROXY',
          listeners: listeners.map((servers, l) => listener(`/${id}/${l}`, servers)),
        };
        await addApi(former.db, id, JSON.stringify(definition));
        for (const l of listeners.keys()) assert.equal(await takeAsFormer(former.db, id, `/${id}/${l}/`), 1);
      }
      await former.close();
      const storage = await openStorage(place);
      t.after(() => storage.close());
      const rows = await storage.db.selectFrom('api_path').select(['path', 'server']).execute();
      assert.deepEqual(rows.map(({ path, server }) => `${path} ${server}`).toSorted(), [
        '/everywhere/0/ ',
        '/mixed/0/ inside',
        '/mixed/1/ ',
        '/some/0/ inside',
        '/some/0/ third',
      ]);
      await addApi(storage.db, 'other', '{"type":"PROXY"}');
      for (const [path, count] of [
        ['/everywhere/0/', 0],
        ['/some/0/', 0],
        ['/free/', 1],
      ] as const)
        assert.equal(await takeAsFormer(storage.db, 'other', path), count, path);
    },
  );
}

type Db = Awaited<ReturnType<typeof openStorage>>['db'];

const formerOnes = migrations.slice(
  0,
  migrations.findIndex(({ name }) => name === 'server-paths'),
);

async function addTenant(db: Db): Promise<void> {
  const times = { created_at_ms: 1, updated_at_ms: 1 };
  await db
    .insertInto('organization')
    .values({ id: 'o', name: 'o', description: '', hrid: 'o', ...times })
    .execute();
  await db
    .insertInto('environment')
    .values({
      id: 'e',
      organization: 'o',
      name: 'e',
      description: '',
      hrid: 'e',
      epoch: 1,
      seq: 0,
      pruned_seq: 0,
      ...times,
    })
    .execute();
}

/** As control planes of the former version do, which know no server. */
async function takeAsFormer(db: Db, api: string, path: string): Promise<number> {
  const { numAffectedRows } =
    await sql`insert into api_path (environment, organization, host, path, api_id, created_at_ms)
    values ('e', 'o', '', ${path}, ${api}, 1) on conflict do nothing`.execute(db);
  return Number(numAffectedRows ?? 0);
}

async function addApi(db: Db, id: string, definition: string): Promise<void> {
  await db
    .insertInto('api')
    .values({
      ...at,
      id,
      name: id,
      name_key: id,
      api_version: '1',
      description: '',
      definition,
      tags: '[]',
      visibility: 'PRIVATE',
      lifecycle_state: 'CREATED',
      state: 'STOPPED',
      created_at_ms: 1,
      updated_at_ms: 1,
      is_out_of_sync: 1,
      deployed_number: 0,
      deployed_at_ms: null,
      deployed_tags: '[]',
    })
    .execute();
}

function ended(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`a writer ended with ${code}`)),
    );
  });
}
