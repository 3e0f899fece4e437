import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { z } from 'zod';
import { recordTables, type RecordTableName } from '../../../proto/model/record-tables.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { land } from '../../../test/kit/control-plane/landing.ts';
import { plantFile } from '../../../test/kit/control-plane/planted-file.ts';
import {
  createTestLake,
  recordLines,
  type TestAnalytics,
  type TestLake,
} from '../../../test/kit/control-plane/test-lake.ts';
import { sqlite } from '../../../test/kit/servers/databases.ts';
import { saidOf } from './conditions.ts';
import type { Question, QuestionParams, Row } from './question.ts';
import { questions } from './questions.ts';

const ours = { organization: 'o', environment: 'e' };
const always = { fromMs: 0, toMs: 4_000_000_000_000 };
// Each look is a question, which costs more than a look at a variable.
const within = { timeoutMs: 20_000, everyMs: 100 };

/** A question that somebody could write; its answer is its rows. */
function written(
  sql: string,
  about: RecordTableName = 'requests',
): Question<Record<string, string | number>, readonly Row[]> {
  return {
    id: 'written',
    about,
    params: z.record(z.string(), z.union([z.string(), z.number()])),
    sql: (from) => sql.replaceAll('{from}', from),
    shape: (rows) => rows,
  };
}

async function openLake(t: TestContext): Promise<TestLake> {
  return createTestLake(t, sqlite);
}

const settled = (lake: TestLake): Promise<boolean> =>
  eventually(async () => (await lake.keys('landing/')).length === 0, within);

/** Who shares the lake, and how many records they have; ours first. */
const tenants = [
  { at: ours, records: 3 },
  { at: { organization: 'o', environment: 'f' }, records: 20 },
  { at: { organization: 'p', environment: 'e' }, records: 100 },
];

/** A check of an endpoint of the API of the records above. */
const check = {
  api_name: 'a',
  endpoint_group: 'g',
  endpoint_name: 'one',
  endpoint: 'http://one/health',
  success: 1,
  available: 1,
  state: 3,
  transition: 0,
  response_time_ms: 5,
  check_method: 'GET',
  check_status: 200,
};

async function landOf(lake: TestLake, { at, records }: (typeof tenants)[number]): Promise<void> {
  const of = { org_id: at.organization, env_id: at.environment };
  const checks = recordLines(1, { type: 'health-check', ...of, ...check, endpoint_name: at.environment });
  const custom_metrics = JSON.stringify({
    tenant: at.environment,
    items: '1',
    [`of ${at.environment}`]: 'x',
  });
  const lines = [...recordLines(records, { ...of, error_key: at.environment, custom_metrics }), ...checks];
  await land(lake.blobs, lines, { ...at, spool: randomBytes(16).toString('hex') });
  const logs = recordLines(1, {
    type: 'v4-log',
    org_id: at.organization,
    env_id: at.environment,
    plan_id: at.environment,
    endpoint_request_body: `asked ${at.environment}`,
  });
  await land(lake.blobs, logs, { ...at, stream: 'logs', spool: randomBytes(16).toString('hex') });
}

const custom = { ...saidOf('custom.items').params, ...saidOf('custom.tenant').params };
const sampled = { c0: '["a"]', c1: '100', c2: '599', c3: '', c4: '1', ...saidOf('custom.items').params };

/** What a question is asked with about the API of the records above. */
const paramsOf = new Map<string, QuestionParams>([
  ['calls', { limit: 10, offset: 0, ...sampled }],
  ['found-calls', { rows: 10, ...sampled }],
  ['newest-calls', { rows: 10, ...sampled }],
  ['calls-behind', { at: 4_000_000_000_000, request: '', ...sampled }],
  ['error-keys', sampled],
  ['figures', { start: 1_700_000_000_000, interval: 10, ...sampled, ...custom }],
  ['custom-metric-names', sampled],
  ['calls-with-body', { text: 'ASKED' }],
  ['health-response-times', { api: 'a', start: 0, interval: 1_000 }],
  ['health-checks', { api: 'a', success: -1, transition: -1, limit: 10, offset: 0 }],
  ['health-states', { api: 'a', limit: 10, offset: 0 }],
  ['api-log', { api: 'a', request: 'r' }],
  ['api-call-steps', { api: 'a', request: 'r' }],
]);

/** A lake of all of them, whose files lie in the cache of this machine. */
async function sharedLake(t: TestContext): Promise<{ lake: TestLake; analytics: TestAnalytics }> {
  const lake = await openLake(t);
  for (const tenant of tenants) await landOf(lake, tenant);
  const analytics = await lake.start();
  await settled(lake);
  const { length } = readdirSync(join(lake.dir, 'analytics', 'cache'));
  assert.equal(length, 2 * tenants.length, 'the files of all tenants lie beside each other');
  return { lake, analytics };
}

test('a lake that tenants share', async (t) => {
  const { lake, analytics } = await sharedLake(t);

  await t.test(
    'every question answers as if its tenant were alone, though the files of all lie in one folder',
    async (t) => {
      assert.equal(new Set(questions.map(({ id }) => id)).size, questions.length, 'ids are unique');
      for (const { at, records } of tenants) {
        const alone = await openLake(t);
        await landOf(alone, { at, records });
        const own = await alone.start();
        await settled(alone);
        for (const question of questions) {
          const params = paramsOf.get(question.id) ?? { api: 'a' };
          const answer = await analytics.ask(question, { ...at, ...always }, params);
          assert.deepEqual(answer, await own.ask(question, { ...at, ...always }, params), question.id);
          const nobody = { ...at, environment: 'none', ...always };
          assert.notDeepEqual(answer, await analytics.ask(question, nobody, params), question.id);
        }
        await own.close();
      }
    },
  );

  await t.test('no question can be written that reads the files of another tenant', async () => {
    const span = { ...ours, ...always };
    const files = join(lake.dir, 'analytics', 'cache', '*.parquet');
    const one = join(
      lake.dir,
      'analytics',
      'cache',
      readdirSync(join(lake.dir, 'analytics', 'cache'))[0] ?? '',
    );
    const evasions = [
      `SELECT count(*) FROM read_parquet('${files}')`,
      `SELECT count(*) FROM parquet_scan('${files}')`,
      `SELECT count(*) FROM '${files}'`,
      `SELECT count(*) FROM "${one}"`,
      `SELECT (SELECT count(*) FROM read_parquet('${files}')) FROM {from}`,
      `SELECT * FROM {from} WHERE org_id IN (SELECT org_id FROM '${files}')`,
      `SELECT * FROM {from} WHERE EXISTS (FROM read_parquet('${files}'))`,
      `SELECT api_id FROM {from} UNION ALL SELECT api_id FROM read_parquet('${files}')`,
      `SELECT * FROM {from} JOIN read_parquet('${files}') USING (api_id)`,
      `SELECT * FROM {from}, LATERAL (SELECT * FROM '${files}')`,
      `WITH other AS (SELECT * FROM read_parquet('${files}')) SELECT * FROM other`,
      `WITH "${one}" AS (SELECT 1) SELECT * FROM "${one}"`,
      `SELECT * FROM (WITH "${one}" AS (SELECT 1) SELECT 1) a, "${one}"`,
      `WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT * FROM read_parquet('${files}')) SELECT * FROM r`,
      `SELECT * FROM query('SELECT * FROM read_parquet(''${files}'')')`,
      `SELECT * FROM query_table(['${one}'])`,
      `SELECT * FROM read_blob('${files}')`,
      `SELECT * FROM read_text('${files}')`,
      `SELECT * FROM glob('${files}')`,
      `SELECT * FROM parquet_metadata('${files}')`,
      `SELECT * FROM sniff_csv('${one}')`,
      `SELECT * FROM read_csv('${one}')`,
      `SELECT * FROM duckdb_external_file_cache()`,
      `SELECT * FROM information_schema.tables`,
      `SELECT * FROM memory.main.records`,
      `SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))`,
      `SELECT 1) UNION ALL (SELECT count(*) FROM read_parquet('${files}')`,
      `SELECT 1; SELECT count(*) FROM read_parquet('${files}')`,
      `SELECT 1 /* ) */; COPY (SELECT 1) TO '${one}'`,
      `FROM (DESCRIBE SELECT * FROM read_parquet('${files}'))`,
      `FROM (SUMMARIZE '${files}')`,
      `FROM (PIVOT '${files}' ON org_id USING count(*))`,
      `ATTACH '${one}' AS other`,
      `CREATE VIEW v AS SELECT * FROM read_parquet('${files}')`,
      `SET enable_external_access = true`,
      `PREPARE p AS SELECT * FROM read_parquet('${files}')`,
      `EXPLAIN ANALYZE SELECT * FROM read_parquet('${files}')`,
      '',
      ';',
    ];
    for (const evasion of evasions)
      await assert.rejects(
        analytics.ask(written(evasion), span, {}),
        { code: 'analytics.failed', message: /a question may read nothing but records: it / },
        evasion,
      );
    // What is left to it: any SELECT over its own records.
    for (const fair of [
      'SELECT count(*)::DOUBLE AS n FROM {from} -- the rest',
      'WITH mine AS (SELECT * FROM {from}) SELECT count(*)::DOUBLE AS n FROM mine a WHERE a.api_id IN (SELECT api_id FROM mine)',
      'SELECT n FROM (SELECT row_number() OVER (ORDER BY timestamp)::DOUBLE AS n FROM {from}) QUALIFY row_number() OVER (ORDER BY n DESC) = 1',
      'SELECT count(r.api_id)::DOUBLE AS n FROM range(1) s(i) LEFT JOIN {from} r ON r.status > s.i ORDER BY n DESC LIMIT 5',
      'SELECT DISTINCT sum(n)::DOUBLE AS n FROM (SELECT 3 AS n UNION ALL SELECT 0) WHERE $api IN (SELECT api_id FROM {from})',
    ])
      assert.deepEqual(
        await analytics.ask(written(fair), span, fair.includes('$api') ? { api: 'a' } : {}),
        [{ n: 3 }],
        fair,
      );
  });

  await t.test('what a question is asked with is a value and never SQL', async () => {
    const count = written('SELECT count(*)::DOUBLE AS n FROM {from} WHERE api_id = $api');
    for (const api of ["a' OR 1=1 --", '$api', "'; DROP TABLE records; --", '__proto__', '\0', ''])
      assert.deepEqual(await analytics.ask(count, { ...ours, ...always }, { api }), [{ n: 0 }]);
    for (const organization of ["o' OR 1=1 --", "o'", '\\'])
      assert.deepEqual(await analytics.ask(count, { ...ours, ...always, organization }, { api: 'a' }), [
        { n: 0 },
      ]);
    await assert.rejects(
      analytics.ask(
        { ...count, params: z.strictObject({ api: z.string() }) as never },
        { ...ours, ...always },
        { api: 1 },
      ),
      { code: 'analytics.failed' },
    );
  });
});

test('rows of another tenant in a file of ours are not answered', async (t) => {
  const lake = await openLake(t);
  const columns = (organization: string, environment: string): string =>
    `'v4-metrics' AS type, '${organization}' AS org_id, '${environment}' AS env_id, 'a' AS api_id, ` +
    `TIMESTAMP '2026-01-01' AS timestamp, '${'e'.repeat(32)}' AS spool, 0::BIGINT AS spool_offset, 200::BIGINT AS status`;
  await plantFile(lake, { columns: columns('p', 'e'), spool: '1'.repeat(32) });
  await plantFile(lake, { columns: columns('o', 'f'), spool: '2'.repeat(32) });
  await plantFile(lake, { columns: columns('o', 'e'), spool: '3'.repeat(32) });
  const analytics = await lake.start();
  await eventually(async () => {
    const live = await lake.storage.db.selectFrom('lake_file').select('state').execute();
    return live.length === 3 && live.every(({ state }) => state === 'live');
  }, within);
  assert.equal((await analytics.requestsCount({ ...ours, ...always, api: 'a' })).total, 1);
});

test('files of an older and of a newer version are asked together with those of this one', async (t) => {
  const lake = await openLake(t);
  const base =
    `'v4-metrics' AS type, 'o' AS org_id, 'e' AS env_id, 'a' AS api_id, TIMESTAMP '2027-01-15 08:00:00' AS timestamp, ` +
    `'${'e'.repeat(32)}' AS spool, 0::BIGINT AS spool_offset`;
  // An older one knew neither entrypoints nor endpoints.
  await plantFile(lake, { columns: `${base}, 404::BIGINT AS status`, spool: '1'.repeat(32) });
  // Newer ones have columns that this version does not know, of any type, even of two.
  const newer = `${base}, 200::BIGINT AS status, 'sse' AS entrypoint_id`;
  await plantFile(lake, { columns: `${newer}, 7 AS shine`, spool: '2'.repeat(32) });
  await plantFile(lake, {
    columns: `${newer}, {'a': [1, 2]} AS shine, 'x' AS gloss`,
    spool: '3'.repeat(32),
  });
  const analytics = await lake.start();
  const span = { ...ours, ...always };
  const total = async (): Promise<number> => (await analytics.requestsCount({ ...span, api: 'a' })).total;
  await eventually(async () => (await total()) === 3, within);
  await land(lake.blobs, recordLines(4, { entrypoint_id: 'sse' }));
  await settled(lake);
  assert.deepEqual(await analytics.requestsCount({ ...span, api: 'a' }), {
    total: 7,
    countsByEntrypoint: { 'http-proxy': 1, sse: 6 },
  });
  const { ranges } = await analytics.responseStatusRanges({ ...span, api: 'a' });
  assert.equal(ranges['200.0-300.0'], 6);
  assert.equal(ranges['400.0-500.0'], 1);
  const unknown = 'SELECT shine FROM {from}';
  await assert.rejects(analytics.ask(written(unknown), span, {}), { code: 'analytics.failed' });
});

test('a column of this version that no file has yet is null, and an environment without files has no rows', async (t) => {
  const lake = await openLake(t);
  const columns =
    `'v4-metrics' AS type, 'o' AS org_id, 'e' AS env_id, TIMESTAMP '2027-01-15' AS timestamp, ` +
    `'${'e'.repeat(32)}' AS spool, 0::BIGINT AS spool_offset`;
  await plantFile(lake, { columns });
  const analytics = await lake.start();
  for (const [name, { column }] of Object.entries(recordTables.requests.fields)) {
    const question = written(`SELECT count(${name})::DOUBLE AS n, count(*)::DOUBLE AS all FROM {from}`);
    const [row] = await eventually(async () => {
      const rows = await analytics.ask(question, { ...ours, ...always }, {});
      return Number(rows[0]?.['all']) === 1 && rows;
    }, within);
    assert.equal(row?.['n'], columns.includes(`AS ${name}`) ? 1 : 0, `${name}: ${column}`);
    const nowhere = await analytics.ask(question, { organization: 'o', environment: 'none', ...always }, {});
    assert.deepEqual(nowhere, [{ n: 0, all: 0 }]);
  }
});

test('the type of a record chooses its table, and a question sees the columns of its own', async (t) => {
  const lake = await openLake(t);
  const times = { org_id: 'o', env_id: 'e', gateway_id: 'g', timestamp: 1_700_000_000_000 };
  await land(lake.blobs, [
    ...recordLines(2, { dropped: 5 }),
    JSON.stringify({ type: 'gap', ...times, reason: 'diskFull', dropped: 7, status: 200 }),
  ]);
  const columns =
    `'v4-log' AS type, 'o' AS org_id, 'e' AS env_id, TIMESTAMP '2027-01-15' AS timestamp, '${'e'.repeat(32)}' AS spool, ` +
    `0::BIGINT AS spool_offset, 'r' AS request_id, 201::BIGINT AS entrypoint_response_status`;
  await plantFile(lake, { columns, folder: 'stream=logs/' });
  const analytics = await lake.start();
  await settled(lake);
  const ask = async (sql: string, about: RecordTableName): Promise<readonly Row[]> =>
    analytics.ask(written(sql, about), { ...ours, ...always }, {});
  assert.deepEqual(await ask('SELECT count(*)::DOUBLE AS n FROM {from}', 'requests'), [{ n: 2 }]);
  assert.deepEqual(await ask('SELECT reason, dropped::DOUBLE AS n FROM {from}', 'gaps'), [
    { reason: 'diskFull', n: 7 },
  ]);
  assert.deepEqual(
    await ask(
      'SELECT request_id, entrypoint_response_status::DOUBLE AS n, endpoint_request_body AS body FROM {from}',
      'logs',
    ),
    [{ request_id: 'r', n: 201, body: null }],
  );
  for (const [about, foreign] of [
    ['requests', 'dropped'],
    ['requests', 'endpoint_request_body'],
    ['gaps', 'status'],
    ['logs', 'host'],
  ] as const)
    await assert.rejects(ask(`SELECT ${foreign} FROM {from}`, about), { code: 'analytics.failed' });
});
