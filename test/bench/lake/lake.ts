/**
 * `npm run bench:lake`: how long a console waits for its pictures and for a search of the log, over a lake of five million requests of a week (`--records`
 * says how many) that were landed, ingested and merged like any others.
 *
 * Times are ms of a question on this machine; beside them what a question about nothing costs, and what the same one costs when every record is read
 * for it, in the same minute. `--gate` exits 1 when one passes what is promised. `--lake <folder>` keeps the lake there, and asks the one that it finds.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Analytics } from '../../../control-plane/analytics/analytics.ts';
import { customMetricNames } from '../../../control-plane/analytics/questions/custom-metrics.ts';
import { figures } from '../../../control-plane/analytics/questions/figures.ts';
import {
  type Asked,
  errorKeys,
  foundCalls,
  newestCalls,
} from '../../../control-plane/analytics/questions/log-questions.ts';
import { requestsCount } from '../../../control-plane/analytics/questions/questions.ts';
import { rollupOf } from '../../../control-plane/analytics/rollups/rollups.store.ts';
import { analyticsSettings } from '../../../control-plane/analytics/settings.ts';
import { startAnalytics } from '../../../control-plane/analytics/start.ts';
import { createFileBlobs } from '../../../control-plane/storage/blobs/files.ts';
import { openStorage } from '../../../control-plane/storage/storage.ts';
import { systemClock } from '../../../proto/process/clock.ts';
import { createLifecycle } from '../../../proto/process/lifecycle.ts';
import { createLog } from '../../../proto/process/log.ts';
import { createMetrics } from '../../../proto/process/metrics.ts';
import { eventually } from '../../kit/eventually.ts';
import { land, recordLine } from '../../kit/control-plane/landing.ts';
import { recordByRecord } from '../../kit/lake/rolled-lake.ts';
import { percentile } from '../../kit/percentile.ts';

const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '5000000' },
    gate: { type: 'boolean', default: false },
    lake: { type: 'string' },
  },
});
const records = Number(options.records);
const perObject = 20_000;
const widgetMsMax = 150;
const searchMsMax = 200;
const hourMs = 3_600_000;
const spanMs = 7 * 24 * hourMs;
const dir = options.lake ?? mkdtempSync(join(tmpdir(), 'isthmus-lake-'));
mkdirSync(dir, { recursive: true });
const filledPath = join(dir, 'filled-to');
const isFilled = existsSync(filledPath);
const toMs = isFilled ? Number(readFileSync(filledPath, 'utf8')) : Date.now();
const fromMs = toMs - spanMs;
const at = { organization: 'o', environment: 'e' };
const print = (line: string): boolean => process.stdout.write(`${line}\n`);

/** A request of a busy environment: 60 APIs of unequal weight, 200 applications, one in fifty refused or failed. */
function lineOf(n: number): string {
  const dice = createHash('md5').update(String(n)).digest();
  const api = Math.min(59, Math.floor(dice.readUInt16LE(0) / 1_100));
  const application = dice.readUInt16LE(2) % 200;
  const isBad = dice.readUInt8(4) < 5;
  const status = isBad ? ([401, 404, 429, 500, 503][dice.readUInt8(5) % 5] ?? 500) : 200;
  const responseUs = 800 + dice.readUInt16LE(6) * (dice.readUInt8(8) < 8 ? 20 : 1);
  const path = `/api-${api}/items/${dice.readUInt32LE(9) % 100_000}?page=${dice.readUInt8(13)}`;
  return recordLine({
    api_id: `api-${api}`,
    api_name: `API ${api}`,
    api_revision: 7,
    plan_id: `plan-${api}-${application % 3}`,
    application_id: `application-${application}`,
    subscription_id: `subscription-${application}-${api}`,
    security_type: 'API_KEY',
    entrypoint_id: 'http-proxy',
    gateway_id: 'g',
    timestamp: Math.floor(fromMs + (n / records) * spanMs),
    request_id: dice.toString('hex'),
    transaction_id: dice.toString('hex'),
    key_hash8: dice.toString('hex', 0, 4),
    http_method: ['GET', 'GET', 'GET', 'POST', 'PUT', 'DELETE'][dice.readUInt8(14) % 6],
    host: 'api.example.com',
    uri: path,
    path_info: path.slice(6),
    status,
    request_bytes: dice.readUInt8(15) * 10,
    response_bytes: dice.readUInt16LE(6),
    gateway_response_time_us: responseUs,
    gateway_latency_us: 300 + dice.readUInt8(5),
    endpoint: 'http://backend.internal:8080/v1',
    endpoint_response_time_us: responseUs - 300,
    endpoint_connect_us: 0,
    endpoint_ttfb_us: responseUs - 400,
    remote_address: `10.${dice.readUInt8(0)}.${dice.readUInt8(1)}.${dice.readUInt8(2)}`,
    local_address: '10.0.0.1',
    user_agent: 'curl/8.5.0',
    error_key: isBad
      ? ['API_KEY_INVALID', 'RATE_LIMIT_TOO_MANY_REQUESTS', 'GATEWAY_CLIENT_CONNECTION_ERROR'][status % 3]
      : undefined,
    outcome: 'complete',
  });
}

const week = { ...at, fromMs, toMs: toMs + 1 };
const day = { ...week, fromMs: toMs - 24 * hourMs };
const times = ['AVG', 'P50', 'P95', 'P99'] as const;
const ofApi = { by: 'API', operator: 'EQ', values: ['api-7'] } as const;
const failed = { by: 'HTTP_STATUS', operator: 'GTE', values: ['500'] } as const;
/** As the console asks: steps of whole minutes or hours, the first of which begins before the span does. */
const steps = ({ fromMs: sinceMs }: typeof week, intervalMs: number) => ({
  startMs: Math.floor(sinceMs / intervalMs) * intervalMs,
  intervalMs,
});

/** What a dashboard and the log page ask. */
const asked: readonly {
  readonly name: string;
  readonly span: typeof week;
  readonly msMax: number;
  readonly wish: Asked<unknown>;
}[] = [
  {
    name: 'count, week',
    span: week,
    msMax: widgetMsMax,
    wish: figures({ conditions: [], figures: [{ of: 'requests', measure: 'COUNT' }] }),
  },
  {
    name: 'requests by status group over time, week',
    span: week,
    msMax: widgetMsMax,
    wish: figures({
      conditions: [],
      figures: [{ of: 'requests', measure: 'COUNT' }],
      groupings: [{ by: 'HTTP_STATUS_CODE_GROUP' }],
      steps: steps(week, 3 * hourMs),
    }),
  },
  {
    name: 'times over time, week',
    span: week,
    msMax: widgetMsMax,
    wish: figures({
      conditions: [],
      figures: times.map((measure) => ({ of: 'HTTP_GATEWAY_RESPONSE_TIME', measure })),
      steps: steps(week, 3 * hourMs),
    }),
  },
  {
    name: 'top APIs, week',
    span: week,
    msMax: widgetMsMax,
    wish: figures({
      conditions: [],
      figures: [{ of: 'requests', measure: 'COUNT' }],
      groupings: [{ by: 'API' }],
    }),
  },
  {
    name: 'top applications of one API, week',
    span: week,
    msMax: widgetMsMax,
    wish: figures({
      conditions: [ofApi],
      figures: [{ of: 'requests', measure: 'COUNT' }],
      groupings: [{ by: 'APPLICATION' }],
    }),
  },
  {
    name: 'times over time, a day',
    span: day,
    msMax: widgetMsMax,
    wish: figures({
      conditions: [],
      figures: times.map((measure) => ({ of: 'HTTP_GATEWAY_RESPONSE_TIME', measure })),
      steps: steps(day, hourMs / 2),
    }),
  },
  {
    name: 'log, newest 25, week',
    span: week,
    msMax: searchMsMax,
    wish: newestCalls([], 25),
  },
  {
    name: 'log of one API, 5xx, week',
    span: week,
    msMax: searchMsMax,
    wish: newestCalls([ofApi, failed], 25),
  },
  {
    name: 'how many of one API, 5xx, week',
    span: week,
    msMax: searchMsMax,
    wish: figures({ conditions: [ofApi, failed], figures: [{ of: 'requests', measure: 'COUNT' }] }),
  },
  {
    name: 'log, how many with a text in the URI, and where, week',
    span: week,
    msMax: searchMsMax,
    wish: foundCalls([{ by: 'URI', operator: 'CONTAINS', values: ['items/4711'] }], 25),
  },
  {
    name: 'times by application, week',
    span: week,
    msMax: widgetMsMax,
    wish: figures({
      conditions: [],
      figures: times.map((measure) => ({ of: 'HTTP_GATEWAY_RESPONSE_TIME', measure })),
      groupings: [{ by: 'APPLICATION' }],
    }),
  },
  {
    name: 'log, how many with a request id, and where, week',
    span: week,
    msMax: searchMsMax,
    wish: foundCalls(
      [{ by: 'REQUEST_ID', operator: 'EQ', values: [createHash('md5').update('77').digest('hex')] }],
      25,
    ),
  },
  {
    name: 'names of metrics of their own, week',
    span: week,
    msMax: searchMsMax,
    wish: customMetricNames([]),
  },
  { name: 'error keys, week', span: week, msMax: searchMsMax, wish: errorKeys([]) },
];

const log = createLog({ name: 'bench', level: 'warn' });
const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 10_000 });
try {
  const analytics = await filled();
  const nothing = { ...week, environment: 'nobody' };
  const floor = await timed(() => analytics.ask(requestsCount, nothing, { api: 'a' }));
  print(`a question about nothing: p50 ${floor.p50.toFixed(0)} ms, p95 ${floor.p95.toFixed(0)} ms`);
  for (const { name, span, msMax, wish } of asked) {
    const { p50, p95 } = await timed(() => analytics.ask(wish.question, span, wish.params));
    const isMet = p95 <= msMax;
    const plain = recordByRecord<unknown>(wish);
    const read = await timed(() => analytics.ask(plain.question, span, plain.params), 3);
    print(
      `${isMet ? 'met   ' : 'MISSED'}  ${name}: p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms (at most ${msMax}); every record read ${read.p50.toFixed(0)} ms`,
    );
    if (options.gate && !isMet) process.exitCode = 1;
  }
} finally {
  await lifecycle.close();
  if (options.lake === undefined) rmSync(dir, { recursive: true, force: true });
}

async function filled(): Promise<Analytics> {
  const blobs = createFileBlobs(join(dir, 'bucket'));
  const storage = await openStorage({ url: undefined, dataDir: dir, log });
  lifecycle.onClose('storage', () => storage.close());
  const settings = analyticsSettings.parse({
    ingestEveryMs: 100,
    graceMs: 0,
    mergeEveryMs: 1,
    objectsPerFileMax: 4,
    // The machine may be busy with other things.
    ingestMsMax: 600_000,
  });
  const analytics = await startAnalytics({
    storage,
    blobs,
    dir: join(dir, 'analytics'),
    settings,
    log,
    clock: systemClock,
    lifecycle,
    metrics: createMetrics(),
  });
  const startedMs = performance.now();
  for (let first = isFilled ? records : 0; first < records; first += perObject) {
    const count = Math.min(perObject, records - first);
    await land(
      blobs,
      Array.from({ length: count }, (_, n) => lineOf(first + n)),
      { first },
    );
  }
  const landedMs = performance.now();
  print(`${records} records landed after ${((landedMs - startedMs) / 1_000).toFixed(0)} s`);
  const count = async (): Promise<number> =>
    Number(
      (
        await storage.db
          .selectFrom('lake_file')
          .select((eb) => eb.fn.sum('record_count').as('n'))
          .where('state', '=', 'live')
          .executeTakeFirst()
      )?.n ?? 0,
    );
  await eventually(async () => (await count()) === records, { timeoutMs: 3_600_000, everyMs: 500 });
  print(`ingested after ${((performance.now() - startedMs) / 1_000).toFixed(0)} s`);
  let before = 0;
  // Merged and rolled up as far as it goes: the number of files stays for some seconds, and each has figures of its own.
  await eventually(
    async () => {
      const rows = await storage.db.selectFrom('lake_file').select('rollup').execute();
      const isStill = rows.length === before;
      before = rows.length;
      return isStill && rows.every(({ rollup }) => rollupOf(rollup) !== undefined);
    },
    { timeoutMs: 3_600_000, everyMs: 30_000 },
  );
  print(`merged and rolled up after ${((performance.now() - startedMs) / 1_000).toFixed(0)} s`);
  writeFileSync(filledPath, String(toMs));
  const files = await storage.db.selectFrom('lake_file').select(['byte_count', 'record_count']).execute();
  const bytes = files.reduce((sum, { byte_count }) => sum + byte_count, 0);
  print(
    `${files.length} files, ${(bytes / 1024 / 1024).toFixed(0)} MiB, ${(bytes / records).toFixed(0)} bytes a record`,
  );
  return analytics;
}

async function timed(
  ask: () => Promise<unknown>,
  rounds = 20,
): Promise<{ readonly p50: number; readonly p95: number }> {
  await ask();
  const taken: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const startedMs = performance.now();
    await ask();
    taken.push(performance.now() - startedMs);
  }
  return { p50: percentile(taken, 0.5), p95: percentile(taken, 0.95) };
}
