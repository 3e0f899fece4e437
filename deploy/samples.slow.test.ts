import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../test/kit/eventually.ts';
import { openStorage } from '../control-plane/storage/storage.ts';
import { createLog } from '../proto/process/log.ts';
import { runIsthmus } from '../test/kit/processes/processes.ts';
import { adminPassword, type Platform, startPlatform } from '../test/kit/processes/up.ts';

const v2 = '/v2/environments/DEFAULT';
const v1 = '/organizations/DEFAULT/environments/DEFAULT';

test('a first start with samples has something to look at, says so in one line, and samples remove takes it away', async (t) => {
  const up = await startPlatform(t, { args: ['--samples'] });
  const said = up.process.stdout().match(/^.*isthmus samples remove.*$/gm) ?? [];
  assert.equal(said.length, 1);
  assert.match(said[0] ?? '', /3 APIs, 2 applications and some calls/);
  const names = ['Demo /demo/echo', 'Demo /demo/orders', 'Demo /demo/stock'];
  assert.deepEqual(
    (await apis(up)).map(({ name }) => name),
    names,
  );
  assert.deepEqual(await applications(up), ['Demo kiosk', 'Demo shop']);

  // Every kind of answer is there to look at, and each of the calls says that it is a sample's.
  const calls = await eventually(
    async () => {
      const found = await logsOf(up);
      return (
        [200, 401, 403, 404, 429, 503].every((status) => found.some((call) => call.status === status)) &&
        found
      );
    },
    { timeoutMs: 60_000, everyMs: 500 },
  );
  const exported = await fetch(`${up.management}/management${v2}/logs/_export?format=ndjson`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`admin:${adminPassword}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(lately()),
  });
  const agents = (await exported.text()).trimEnd().split('\n');
  // Calls come in meanwhile.
  assert.ok(agents.length >= calls.length);
  for (const line of agents) assert.match(line, /isthmus-samples\//);

  await t.test('a dry run names all of it and changes nothing', async () => {
    const dry = JSON.parse(await samples(up, t, 'remove', '--dry-run', '--json')) as {
      removed: { name: string }[];
    };
    assert.deepEqual(
      dry.removed.map(({ name }) => name),
      [...names, 'Demo kiosk', 'Demo shop'],
    );
    assert.equal((await apis(up)).length, 3);
  });

  await t.test('an API of somebody stays, with its application, whoever removes samples', async () => {
    const own = await up.client.call<{ readonly id: string }>('POST', `${v2}/apis`, {
      body: {
        definitionVersion: 'V4',
        type: 'PROXY',
        name: 'Own',
        apiVersion: '1',
        listeners: [{ type: 'HTTP', paths: [{ path: '/own' }], entrypoints: [{ type: 'http-proxy' }] }],
        endpointGroups: [
          {
            name: 'default',
            type: 'http-proxy',
            endpoints: [{ name: 'one', type: 'http-proxy', configuration: { target: 'http://127.0.0.1:1' } }],
          },
        ],
      },
    });
    const done = JSON.parse(await samples(up, t, 'remove', '--json')) as {
      removed: object[];
      kept: object[];
    };
    assert.deepEqual([done.removed.length, done.kept.length], [5, 0]);
    assert.deepEqual(
      (await apis(up)).map(({ id }) => id),
      [own.id],
    );
    assert.deepEqual(await applications(up), []);
    await eventually(async () => (await fetch(`${up.gateway}/demo/echo`)).status === 404);
  });

  await t.test('what was recorded of them goes as well, and nothing else', async () => {
    const own = (await apis(up))[0]?.id ?? '';
    await up.client.createApi({ path: '/mine', target: 'http://127.0.0.1:1', security: 'KEY_LESS' });
    await eventually(async () => (await fetch(`${up.gateway}/mine`)).status === 502);
    const storage = await openStorage({
      dataDir: up.dir,
      log: createLog({ name: 'test', level: 'silent' }),
      mode: 'existing',
    });
    t.after(() => storage.close());
    const deletions = async () =>
      storage.db
        .selectFrom('lake_deletion')
        .select(['subject', 'value', 'swept_at_ms', 'records_deleted'])
        .execute();
    await eventually(async () => (await deletions()).every(({ swept_at_ms: swept }) => swept !== null), {
      timeoutMs: 60_000,
      everyMs: 500,
    });
    const done = await deletions();
    assert.deepEqual([done.length, new Set(done.map(({ subject }) => subject))], [3, new Set(['API'])]);
    assert.ok(done.every(({ value }) => value !== own));
    const gone = done.reduce((sum, { records_deleted: count }) => sum + Number(count), 0);
    // Those that came after somebody looked are more.
    assert.ok(gone >= calls.length, `${gone} of ${calls.length}`);
    await eventually(async () => (await logsOf(up)).some(({ status }) => status === 502), {
      timeoutMs: 60_000,
      everyMs: 500,
    });
  });

  await t.test('they can be made again, and called', async () => {
    const made = JSON.parse(await samples(up, t, 'add', '--json')) as {
      keys: { orders: string };
      calls: number;
    };
    assert.ok(made.calls > 40);
    const headers = { 'x-gravitee-api-key': made.keys.orders };
    assert.equal((await fetch(`${up.gateway}/demo/orders`, { headers })).status, 200);
    assert.equal((await apis(up)).length, 5);
    await assert.rejects(samples(up, t, 'add'), /There are samples already/);
    await samples(up, t, 'remove');
    await assert.rejects(samples(up, t, 'remove', '--environment', 'nowhere'), /no environment "nowhere"/);
  });
});

const samples = (
  up: Platform,
  t: Parameters<typeof runIsthmus>[0],
  ...args: readonly string[]
): Promise<string> => runIsthmus(t, ['samples', ...args, '--data-dir', up.dir]);

async function apis({
  client,
}: Platform): Promise<readonly { readonly id: string; readonly name: string }[]> {
  const { data } = await client.call<{ data: { id: string; name: string }[] }>('GET', `${v2}/apis`);
  return data.toSorted((a, b) => a.name.localeCompare(b.name));
}

async function applications({ client }: Platform): Promise<readonly string[]> {
  const rows = await client.call<{ name: string }[]>('GET', `${v1}/applications`);
  return rows.map(({ name }) => name).toSorted();
}

/** The last hour, and a moment more. */
const lately = () => ({
  timeRange: {
    from: new Date(Date.now() - 3_600_000).toISOString(),
    to: new Date(Date.now() + 60_000).toISOString(),
  },
});

interface Logged {
  readonly apiId: string;
  readonly requestId: string;
  readonly status: number;
}

async function logsOf({ client }: Platform): Promise<readonly Logged[]> {
  const page = await client.call<{ data: Logged[] }>('POST', `${v2}/logs/search?page=1&perPage=100`, {
    body: {
      timeRange: {
        from: new Date(Date.now() - 3_600_000).toISOString(),
        to: new Date(Date.now() + 60_000).toISOString(),
      },
    },
  });
  return page.data;
}
