import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Condition } from '../../../control-plane/analytics/questions/conditions.ts';
import type { Figure, FiguresWish, Measure } from '../../../control-plane/analytics/questions/figure-sql.ts';
import {
  type FigureGroup,
  figures,
  type FoundFigures,
} from '../../../control-plane/analytics/questions/figures.ts';
import type { Asked } from '../../../control-plane/analytics/questions/log-questions.ts';
import { binError } from '../../../control-plane/analytics/rollups/cubes.ts';
import { rollupOf } from '../../../control-plane/analytics/rollups/rollups.store.ts';
import { eventually } from '../eventually.ts';
import { land, recordLine } from '../control-plane/landing.ts';
import type { TestAnalytics, TestLake } from '../control-plane/test-lake.ts';

/** The environment of those tests. */
export const ours = { organization: 'o', environment: 'e' };
/** Another one. */
export const theirs = { organization: 'o', environment: 'f' };
/** An hour. */
export const hourMs = 3_600_000;
/** A full hour. */
export const startMs = Math.floor(1_700_000_000_000 / hourMs) * hourMs;
/** Whenever. */
export const always = { ...ours, fromMs: 0, toMs: 4_000_000_000_000 };
/** How long a test waits for a state. */
export const within = { timeoutMs: 30_000, everyMs: 50 };
/** Settings by which files of a test get figures. */
export const rolling = { rollupRecordsMin: 100, mergeEveryMs: 1 };

/** The same dice for everybody who says the same number. */
export function dice(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
}

/** A request of some hours, of few APIs and applications; some say nothing of what others say. */
export function lineOf(roll: () => number, over: Record<string, unknown>, dayMs = startMs): string {
  const among = <T>(values: readonly T[]): T | undefined => values[Math.floor(roll() * values.length)];
  const isSlow = roll() < 0.05;
  return recordLine({
    api_id: among(['a', 'b']),
    application_id: among(['one', 'two', undefined]),
    plan_id: 'p',
    request_id: String(Math.floor(roll() * 1e9)),
    entrypoint_id: among(['http-proxy', undefined]),
    http_method: among(['GET', 'PROPFIND']),
    timestamp: dayMs + Math.floor(roll() * 3 * hourMs),
    status: among([200, 200, 200, 404, 503, 0]),
    error_key: among(['API_KEY_INVALID', undefined]),
    request_bytes: among([0, 7, 700]),
    response_bytes: among([1_000, 1_001]),
    gateway_response_time_us: isSlow ? 1_000_000 : 10_000 + Math.floor(roll() * 600),
    gateway_latency_us: 300,
    endpoint_response_time_us: among([undefined, 9_000, 9_001]),
    custom_metrics: among([undefined, '{"tenant":"x"}', '{"tenant":"y","items":"3"}', 'no JSON']),
    ...over,
  });
}

/** Records of one landing object. */
export const recordsPerObject = 4_000;

/** Lands an object of random requests. */
export async function landSome(
  lake: TestLake,
  seed: number,
  {
    dayMs = startMs,
    ...over
  }: Record<string, unknown> & { readonly dayMs?: number; readonly env_id?: string } = {},
): Promise<void> {
  const roll = dice(seed);
  const lines = Array.from({ length: recordsPerObject }, () => lineOf(roll, over, dayMs));
  const environment = over.env_id ?? ours.environment;
  await land(lake.blobs, lines, { ...ours, environment, spool: randomBytes(16).toString('hex') });
}

/** Ingests what has landed, and writes the figures of so many files. */
export async function rolledUp(lake: TestLake, files: number, settings = {}): Promise<TestAnalytics> {
  const analytics = await lake.start({ ...rolling, objectsPerFileMax: 1, ...settings });
  await eventually(async () => (await rollups(lake)).length === files, within);
  return analytics;
}

/** What the manifest says of figures of live files. */
export async function rollups(lake: TestLake) {
  const rows = await lake.storage.db
    .selectFrom('lake_file')
    .select('rollup')
    .where('state', '=', 'live')
    .execute();
  return rows.flatMap(({ rollup }) => rollupOf(rollup) ?? []);
}

/** Figures of times, percentiles among them. */
export const times: readonly Figure[] = (
  ['COUNT', 'AVG', 'MIN', 'MAX', 'P50', 'P90', 'P95', 'P99'] as const
).map((measure) => ({ of: 'HTTP_GATEWAY_RESPONSE_TIME', measure }));
/** Figures of other kinds. */
export const counts: readonly Figure[] = [
  { of: 'requests', measure: 'COUNT' },
  { of: 'errors', measure: 'COUNT' },
  { of: 'errors', measure: 'PERCENTAGE' },
  { of: 'failures', measure: 'PERCENTAGE' },
  { of: 'APPLICATION', measure: 'COUNT' },
  { of: 'HTTP_ENDPOINT_RESPONSE_TIME', measure: 'AVG' },
  { of: 'HTTP_ENDPOINT_RESPONSE_TIME', measure: 'COUNT' },
  { of: 'HTTP_REQUEST_CONTENT_LENGTH', measure: 'SUM' },
  { of: 'HTTP_RESPONSE_CONTENT_LENGTH', measure: 'MIN' },
  { of: 'HTTP_RESPONSE_CONTENT_LENGTH', measure: 'MAX' },
  { of: 'HTTP_REQUEST_CONTENT_LENGTH', measure: 'PERCENTAGE' },
];
/** Requests of one API. */
export const ofA: Condition = { by: 'API', operator: 'EQ', values: ['a'] };
/** Those that failed. */
export const failed: Condition = { by: 'HTTP_STATUS', operator: 'GTE', values: ['400'] };
const grouped = (by: 'API' | 'APPLICATION' | 'HTTP_STATUS_CODE_GROUP' | 'HTTP_METHOD' | 'ENTRYPOINT') => ({
  by,
});
const steps = (intervalMs: number) => ({ startMs, intervalMs });

/** Kinds of widgets, each in steps and in none, of all and of some requests. */
export const wishes: readonly FiguresWish[] = [
  ...[
    [],
    [ofA],
    [failed],
    [ofA, failed],
    [{ by: 'ERROR_KEY', operator: 'CONTAINS', values: ['key'] } as const],
  ].flatMap((conditions) => [
    { conditions, figures: counts },
    { conditions, figures: counts, groupings: [grouped('API')] },
    { conditions, figures: counts, groupings: [grouped('API'), grouped('HTTP_STATUS_CODE_GROUP')] },
    { conditions, figures: counts, groupings: [grouped('APPLICATION')], steps: steps(hourMs) },
    { conditions, figures: counts, groupings: [grouped('HTTP_METHOD'), grouped('ENTRYPOINT')] },
  ]),
  {
    conditions: [],
    figures: counts.filter(({ of }) => of !== 'APPLICATION'),
    groupings: [
      {
        by: 'HTTP_STATUS',
        ranges: [
          { from: 100, to: 399 },
          { from: 400, to: 599 },
        ],
      },
    ],
    steps: steps(hourMs / 4),
  },
  { conditions: [], figures: times },
  { conditions: [ofA], figures: times },
  { conditions: [], figures: times, groupings: [grouped('API')] },
  { conditions: [], figures: times, steps: steps(hourMs / 4) },
  // Of every group that there is, of one of those, and of what is in two of them.
  ...(
    ['APPLICATION', 'PLAN', 'SUBSCRIPTION', 'GATEWAY', 'ENTRYPOINT', 'HTTP_METHOD', 'HTTP_STATUS'] as const
  ).map((by) => ({ conditions: [], figures: times, groupings: [{ by }] })),
  ...(['HTTP_STATUS_CODE_GROUP', 'SECURITY_TYPE', 'ERROR_KEY', 'API_TYPE'] as const).map((by) => ({
    conditions: [failed],
    figures: times,
    groupings: [{ by }],
  })),
  { conditions: [ofA], figures: times, groupings: [{ by: 'PLAN' }, { by: 'API' }] },
  { conditions: [ofA, failed], figures: times, groupings: [{ by: 'HTTP_METHOD' }] },
  { conditions: [], figures: times, groupings: [grouped('APPLICATION')], steps: steps(hourMs) },
  { conditions: [], figures: times, groupings: [grouped('API')], steps: steps(hourMs) },
  {
    conditions: [],
    figures: [
      { of: 'HTTP_ENDPOINT_RESPONSE_TIME', measure: 'P95' },
      { of: 'requests', measure: 'COUNT' },
    ],
  },
];

/** Spans whose ends fall between steps, on them, and within one. */
export const spans = [
  always,
  // Neither end is where a step of a cube ends.
  { ...ours, fromMs: startMs + 12_345, toMs: startMs + 2 * hourMs + 54_321 },
  { ...ours, fromMs: startMs + hourMs, toMs: startMs + 2 * hourMs },
  { ...ours, fromMs: startMs + 100, toMs: startMs + 200_000 },
  // Within one step of a cube, of which the file has more on both sides.
  { ...ours, fromMs: startMs + hourMs + 600_000, toMs: startMs + 2 * hourMs - 600_000 },
];

/** The same, read record by record: without all that spares a question records. */
export function recordByRecord<Answer>({ question, params }: Asked<Answer>): Asked<Answer> {
  const {
    rolled: _rolled,
    newestFirst: _newestFirst,
    sieves: _sieves,
    isNarrow: _isNarrow,
    places: _places,
    ...plain
  } = question;
  return { question: plain, params };
}

/** Figures of each group by its step and keys. */
function flat(found: FoundFigures): ReadonlyMap<string, FigureGroup['figures']> {
  const all = new Map<string, FigureGroup['figures']>();
  const add = (path: readonly unknown[], group: FigureGroup): void => {
    all.set(JSON.stringify(path), group.figures);
    for (const inner of group.groups) add([...path, inner.key ?? null], inner);
  };
  for (const [step, group] of found.steps) add([step], group);
  return all;
}

const isNear = (a: number, b: number, part: number): boolean => Math.abs(a - b) <= part * Math.abs(b) + 1e-9;
const errorOf = (measure: Measure): number =>
  measure.startsWith('P') && measure !== 'PERCENTAGE'
    ? binError
    : measure === 'AVG' || measure === 'SUM'
      ? 1e-9
      : 0;

/** Figures answer what the records do. */
export async function assertSame(
  analytics: TestAnalytics,
  span: typeof always,
  wish: FiguresWish,
): Promise<void> {
  const asked = figures(wish);
  const exact = recordByRecord(asked);
  const found = flat(await analytics.ask(asked.question, span, asked.params));
  const expected = flat(await analytics.ask(exact.question, span, exact.params));
  const what = JSON.stringify({ span, ...wish });
  assert.deepEqual([...found.keys()].toSorted(), [...expected.keys()].toSorted(), what);
  for (const [path, own] of expected)
    own.forEach((value, n) => {
      const figure = wish.figures[n];
      const other = found.get(path)?.[n];
      const isSame =
        value === undefined || other === undefined
          ? value === other
          : isNear(other, value, errorOf(figure?.measure ?? 'COUNT'));
      assert.ok(isSame, `${other} is not ${value}: ${JSON.stringify(figure)} of ${path} of ${what}`);
    });
}
