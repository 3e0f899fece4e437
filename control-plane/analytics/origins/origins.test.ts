import assert from 'node:assert/strict';
import { describe, type TestContext } from 'node:test';
import { shortTest as test, testOnce } from '../../../test/kit/long-run.ts';
import { DuckDBInstance } from '@duckdb/node-api';
import { join } from 'node:path';
import { eventually } from '../../../test/kit/eventually.ts';
import { land, recordLine } from '../../../test/kit/control-plane/landing.ts';
import { createTestLake, type TestLake } from '../../../test/kit/control-plane/test-lake.ts';
import { testDatabases, type TestDatabase } from '../../../test/kit/servers/databases.ts';
import { clockToleranceMs } from './origins.ts';

const at = { organization: 'o', environment: 'e' };
const hourMs = 3_600_000;
const enrolledAtMs = 1_700_000_000_000;
const atMs = enrolledAtMs + 10 * hourMs;
const spool = 'ab'.repeat(16);

interface Scene extends TestLake {
  enrol(
    gateway: string,
    wish?: { readonly fleet?: string; readonly previous?: string; readonly atMs?: number },
  ): Promise<void>;
  publish(api: string, ...tags: readonly string[]): Promise<void>;
  fleet(id: string, ...tags: readonly string[]): Promise<void>;
}

async function scene(t: TestContext, database: TestDatabase): Promise<Scene> {
  const lake = await createTestLake(t, database);
  const { db } = lake.storage;
  const tenant = { name: 'x', description: '', hrid: 'x', created_at_ms: 0, updated_at_ms: 0 };
  await db
    .insertInto('organization')
    .values({ id: 'o', ...tenant })
    .execute();
  await db
    .insertInto('environment')
    .values({ id: 'e', organization: 'o', epoch: 1, seq: 0, pruned_seq: 0, ...tenant })
    .execute();
  const remember = async (
    row: { environment: string; kind: 'api' | 'fleet'; id: string },
    tags: readonly string[],
  ) => {
    await db
      .insertInto('tag_history')
      .values({ organization: 'o', ...row, tags: JSON.stringify(tags) })
      .execute();
    await db
      .updateTable('environment')
      .set((eb) => ({ seq: eb('seq', '+', 1) }))
      .execute();
  };
  return {
    ...lake,
    async enrol(gateway, { fleet = 'f', previous, atMs: enrolled = enrolledAtMs } = {}) {
      await db
        .insertInto('gateway')
        .values({
          id: gateway,
          organization: 'o',
          fleet,
          token: 't',
          signing_key: new Uint8Array(32),
          sealing_key: new Uint8Array(32),
          hostname: 'h',
          version: '1',
          is_revoked: 0,
          enrolled_at_ms: enrolled,
          revoked_at_ms: null,
          previous: previous ?? null,
        })
        .execute();
    },
    publish: (api, ...tags) => remember({ environment: 'e', kind: 'api', id: api }, tags),
    fleet: (id, ...tags) => remember({ environment: '', kind: 'fleet', id }, tags),
  };
}

/** What lies in the files of the lake, past our own questions, in the order of offsets. */
async function rowsOf(lake: TestLake): Promise<readonly (readonly (string | null)[])[]> {
  const files = (await lake.keys('lake/')).map((key) => `'${join(lake.dir, 'bucket', key)}'`);
  if (files.length === 0) return [];
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const answer = await connection.runAndReadAll(
      `SELECT gateway_id || ' ' || spool_offset AS row, type, refused_because, org_id || '/' || env_id AS tenant
       FROM read_parquet([${files.join(', ')}], union_by_name = true) ORDER BY gateway_id, spool_offset`,
    );
    return answer.getRowObjects().map((row) => {
      assert.equal(row['tenant'], 'o/e', 'nothing lies there under the name of another tenant');
      return [row['row'], row['type'], row['refused_because']] as (string | null)[];
    });
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const untilLanded = async (lake: TestLake): Promise<boolean> =>
  eventually(async () => (await lake.keys('landing/')).length === 0, { timeoutMs: 20_000 });
const good = (over: Record<string, unknown> = {}): string => recordLine({ timestamp: atMs, ...over });
const counted = 'v4-metrics';

for (const database of testDatabases)
  describe(`origins of records on ${database.name}`, { skip: database.skip }, () => {
    test('a record that says what its gateway may not, or is of no type and no time, is set aside alone with each wrong field, counted, and the others of its object count', async (t) => {
      const lake = await scene(t, database);
      await lake.enrol('g');
      await lake.fleet('f');
      await lake.publish('a');
      const nowMs = Date.now();
      const lines = [
        good(),
        good({ gateway_id: 'victim' }),
        good({ gateway_id: undefined }),
        good({ api_id: 'foreign' }),
        good({ api_id: undefined }),
        good({ api_id: '__proto__' }),
        good({ org_id: 'victim' }),
        good({ env_id: 'victim', gateway_id: "x'; DROP TABLE batch; --" }),
        good({ timestamp: enrolledAtMs - clockToleranceMs - 1 }),
        good({ timestamp: nowMs + 2 * clockToleranceMs }),
        good({ timestamp: enrolledAtMs - clockToleranceMs }),
        good({ timestamp: nowMs + clockToleranceMs / 2 }),
        good({ api_id: '1' }),
        good({ type: 'gap', api_id: undefined, dropped: 3, reason: 'diskFull' }),
        good({ type: 'gap', gateway_id: 'victim', spool: 'cd'.repeat(16), first: 0, last: 9, dropped: 10 }),
        good({ type: 'weird' }),
        good({ type: 'weird', gateway_id: 'victim' }),
        '{}',
        good(),
        good({ type: undefined }),
        good({ type: undefined, api_id: 'foreign', gateway_id: 'victim' }),
        good({ type: 'v4-log' }),
        good({ type: { kind: 'v4-metrics' } }),
        good({ timestamp: undefined }),
        good({ timestamp: 'soon' }),
        good({ timestamp: 7, api_id: 'foreign' }),
        good({ type: '__proto__', timestamp: -1 }),
        '{"type":"v4-me',
        good(),
      ];
      await land(lake.blobs, lines, { spool });
      const analytics = await lake.start();
      await untilLanded(lake);
      const because = (await rowsOf(lake)).map(([row, ...rest]) => [
        Number(row?.split(' ')[1]),
        row?.split(' ')[0],
        ...rest,
      ]);
      assert.deepEqual(because, [
        [0, 'g', counted, null],
        [1, 'g', 'refused', 'gateway_id victim'],
        [2, 'g', 'refused', 'gateway_id missing'],
        [3, 'g', 'refused', 'api_id foreign'],
        [4, 'g', 'refused', 'api_id missing'],
        [5, 'g', 'refused', 'api_id __proto__'],
        [6, 'g', 'refused', 'org_id victim env_id e'],
        [7, 'g', 'refused', "org_id o env_id victim; gateway_id x'; DROP TABLE batch; --"],
        [8, 'g', 'refused', `timestamp ${enrolledAtMs - clockToleranceMs - 1}`],
        [9, 'g', 'refused', `timestamp ${nowMs + 2 * clockToleranceMs}`],
        [10, 'g', counted, null],
        [11, 'g', counted, null],
        [12, 'g', counted, null],
        [13, 'g', 'gap', null],
        [14, 'g', 'refused', 'gateway_id victim'],
        [15, 'g', 'malformed', 'type weird'],
        [16, 'g', 'refused', 'type weird; gateway_id victim'],
        [18, 'g', counted, null],
        [19, 'g', 'malformed', 'type missing'],
        [20, 'g', 'refused', 'type missing; gateway_id victim'],
        [21, 'g', 'malformed', 'type v4-log'],
        [22, 'g', 'malformed', 'type {"kind":"v4-metrics"}'],
        [23, 'g', 'malformed', 'timestamp missing or no number'],
        [24, 'g', 'malformed', 'timestamp missing or no number'],
        [25, 'g', 'malformed', 'api_id foreign; timestamp 7'],
        [26, 'g', 'malformed', 'type __proto__; timestamp -1'],
        [28, 'g', counted, null],
      ]);
      const span = { ...at, fromMs: 0, toMs: nowMs + 10 * hourMs };
      assert.equal((await analytics.requestsCount({ ...span, api: 'a' })).total, 5);
      for (const api of ['foreign', '__proto__'])
        assert.equal((await analytics.requestsCount({ ...span, api })).total, 0);
      assert.deepEqual(await lake.events(), [
        'records.refused 12 of its records say what its gateway may not (tenant 2, gateway_id 6, api_id 3, timestamp 2)',
      ]);
      const metrics = await analytics.metrics.text();
      for (const [field, count] of Object.entries({ tenant: 2, gateway_id: 6, api_id: 3, timestamp: 2 }))
        assert.match(metrics, new RegExp(`refused_records_total\\{field="${field}"\\} ${count}\\n`));
      for (const [field, count] of Object.entries({ line: 2, type: 5, timestamp: 3 }))
        assert.match(metrics, new RegExp(`malformed_records_total\\{field="${field}"\\} ${count}\\n`));
      assert.deepEqual(await analytics.holes(at), []);
    });

    testOnce(database)(
      'an API counts for a gateway whose fleet was ever entitled to it, and for no other',
      async (t) => {
        const lake = await scene(t, database);
        await lake.enrol('g');
        await lake.enrol('h', { fleet: 'other' });
        await lake.fleet('f', 'internal');
        await lake.fleet('other', 'external', '!internal');
        await lake.publish('a', 'internal');
        await lake.publish('b', 'external');
        await lake.publish('moved', 'internal');
        const apis = ['a', 'b', 'moved', 'late'];
        const analytics = await lake.start();
        const landOf = (first: number) =>
          Promise.all(
            [{ gateway: 'g' }, { gateway: 'h', fleet: 'other' }].map((of) =>
              land(
                lake.blobs,
                apis.map((api_id) => good({ api_id, gateway_id: of.gateway })),
                { spool, first, ...of },
              ),
            ),
          );
        await landOf(0);
        await untilLanded(lake);
        const verdicts = async (gateway: string): Promise<readonly unknown[]> =>
          (await rowsOf(lake))
            .filter(([row]) => row?.startsWith(`${gateway} `))
            .map(([, type]) => type === counted);
        assert.deepEqual(await verdicts('g'), [true, false, true, false]);
        assert.deepEqual(await verdicts('h'), [false, true, false, false]);
        // From here on both have served it; what one of them recorded before may still be on its way.
        await lake.publish('moved', 'external');
        await lake.publish('late', 'internal');
        await lake.fleet('other', 'internal');
        await landOf(4);
        await untilLanded(lake);
        assert.deepEqual((await verdicts('g')).slice(4), [true, false, true, true]);
        assert.deepEqual((await verdicts('h')).slice(4), [true, true, true, true]);
        assert.deepEqual(await analytics.holes(at), []);
      },
    );

    testOnce(database)(
      "another gateway's spool cannot be covered: what its own gateway brings counts whole",
      async (t) => {
        const lake = await scene(t, database);
        await lake.enrol('g');
        await lake.enrol('thief');
        await lake.fleet('f');
        await lake.publish('a');
        const analytics = await lake.start();
        const mine = Array.from({ length: 20 }, (_, n) => good({ request_id: `r${n}` }));
        const theirs = mine.map(() => '{}');
        // Before, beside and behind the range that is to come, and around it.
        await land(lake.blobs, theirs, { gateway: 'thief', spool, first: 0 });
        await land(lake.blobs, [...theirs, ...theirs], { gateway: 'thief', spool, first: 20 });
        await untilLanded(lake);
        await land(lake.blobs, mine, { spool, first: 10 });
        await land(
          lake.blobs,
          mine.map(() => good({ gateway_id: 'thief' })),
          { gateway: 'thief', spool, first: 60 },
        );
        await land(lake.blobs, mine, { spool, first: 60 });
        await untilLanded(lake);
        const rows = await rowsOf(lake);
        for (const gateway of ['g', 'thief'])
          assert.equal(
            rows.filter(([row, type]) => row?.startsWith(`${gateway} `) && type === counted).length,
            gateway === 'g' ? 40 : 20,
          );
        assert.deepEqual(
          (await analytics.holes(at))
            .filter(({ gateway }) => gateway === 'g')
            .map(({ gateway, holes }) => [gateway, holes]),
          [
            [
              'g',
              [
                { first: 0, last: 9 },
                { first: 30, last: 59 },
              ],
            ],
          ],
        );
        assert.deepEqual(await lake.events(), []);
      },
    );

    testOnce(database)(
      'a gateway that enrolled again brings what it was before, and what arrived twice counts once',
      async (t) => {
        const lake = await scene(t, database);
        await lake.enrol('g');
        await lake.enrol('again', { fleet: 'f2', previous: 'g', atMs: atMs + 5 * hourMs });
        await lake.enrol('third', { fleet: 'f2', previous: 'again', atMs: atMs + 9 * hourMs });
        await lake.enrol('stranger', { fleet: 'f2', atMs: atMs - hourMs });
        await lake.fleet('f');
        await lake.fleet('f2', 'nothing');
        await lake.publish('a');
        const analytics = await lake.start();
        const lines = Array.from({ length: 10 }, (_, n) => good({ request_id: `r${n}` }));
        await land(lake.blobs, lines, { spool });
        await untilLanded(lake);
        // The answer was lost, and it enrolled again: the same lines go once more under its new name, and more behind them.
        await land(lake.blobs, lines, { spool, gateway: 'again', fleet: 'f2' });
        await land(lake.blobs, [...lines.slice(5), ...lines], {
          spool,
          gateway: 'third',
          fleet: 'f2',
          first: 5,
        });
        await untilLanded(lake);
        const span = { ...at, api: 'a', fromMs: 0, toMs: 4_000_000_000_000 };
        assert.equal((await analytics.requestsCount(span)).total, 20);
        assert.deepEqual(await analytics.holes(at), []);
        // Without a proof of who it was these are somebody else's records.
        await land(lake.blobs, lines, { spool, gateway: 'stranger', fleet: 'f2', first: 20 });
        await untilLanded(lake);
        assert.equal((await analytics.requestsCount(span)).total, 20);
        assert.deepEqual(await lake.events(), [
          'records.quarantined its range arrived before with other content',
          'records.refused 10 of its records say what its gateway may not (gateway_id 10, api_id 10)',
        ]);
      },
    );

    testOnce(database)(
      'a gateway that a restored database forgot brings what it was once it enrolled again',
      async (t) => {
        const lake = await scene(t, database);
        await lake.enrol('again', { previous: 'forgotten', atMs: atMs + hourMs });
        await lake.fleet('f');
        await lake.publish('a');
        const analytics = await lake.start();
        const lines = [
          good({ gateway_id: 'forgotten' }),
          good({ gateway_id: 'forgotten', api_id: 'foreign' }),
        ];
        await land(lake.blobs, lines, { spool, gateway: 'forgotten' });
        await untilLanded(lake);
        await land(lake.blobs, [...lines, ...lines], { spool, gateway: 'again' });
        await untilLanded(lake);
        const rows = await rowsOf(lake);
        assert.deepEqual(
          rows.map(([row, type]) => [row, type]),
          [
            ['forgotten 0', counted],
            ['forgotten 1', counted],
            ['forgotten 2', counted],
            ['forgotten 3', 'refused'],
          ],
        );
        assert.deepEqual(await analytics.holes(at), []);
      },
    );

    testOnce(database)(
      'a key that names a gateway under another fleet or organization goes to quarantine',
      async (t) => {
        const lake = await scene(t, database);
        await lake.enrol('g', { fleet: 'another' });
        await land(lake.blobs, [good()], { spool });
        await lake.start();
        await untilLanded(lake);
        assert.deepEqual(await lake.events(), [
          'records.quarantined its gateway is not of the fleet that its key names',
        ]);
      },
    );
  });
