import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../../test/kit/eventually.ts';
import { land, recordLine } from '../../../test/kit/control-plane/landing.ts';
import { createTestLake } from '../../../test/kit/control-plane/test-lake.ts';
import { sqlite } from '../../../test/kit/servers/databases.ts';
import type { FiguresWish } from '../questions/figure-sql.ts';
import { figures } from '../questions/figures.ts';

const hourMs = 3_600_000;
const startMs = Math.floor(1_700_000_000_000 / hourMs) * hourMs;
const hours = 20;
const perObject = 20_000;
const rounds = 21;
/** How many objects the two environments have. */
const sizes = new Map([
  ['few', 2],
  ['many', 32],
]);

/** What a dashboard asks. */
const widgets: readonly FiguresWish[] = [
  { conditions: [], figures: [{ of: 'requests', measure: 'COUNT' }] },
  {
    conditions: [],
    figures: [{ of: 'requests', measure: 'COUNT' }],
    groupings: [{ by: 'HTTP_STATUS_CODE_GROUP' }],
    steps: { startMs, intervalMs: hourMs },
  },
  { conditions: [], figures: [{ of: 'errors', measure: 'PERCENTAGE' }], groupings: [{ by: 'API' }] },
  {
    conditions: [],
    figures: (['AVG', 'P50', 'P95', 'P99'] as const).map((measure) => ({
      of: 'HTTP_GATEWAY_RESPONSE_TIME',
      measure,
    })),
    steps: { startMs, intervalMs: hourMs },
  },
];

test('a widget of sixteen times as many records costs at most twice as much', async (t) => {
  const lake = await createTestLake(t, sqlite);
  for (const [environment, objects] of sizes)
    for (let n = 0; n < objects; n += 1) {
      const lines = Array.from({ length: perObject }, (_, line) => {
        const nth = n * perObject + line;
        return recordLine({
          env_id: environment,
          api_id: `api-${nth % 5}`,
          application_id: `application-${nth % 3}`,
          timestamp: startMs + Math.floor((nth / (objects * perObject)) * hours * hourMs),
          status: nth % 50 === 0 ? 503 : 200,
          request_bytes: 100,
          response_bytes: 1_000 + (nth % 7),
          gateway_response_time_us: 10_000 + (nth % 31) * 100,
          gateway_latency_us: 300,
          endpoint_response_time_us: 9_000,
        });
      });
      await land(lake.blobs, lines, { environment, first: n * perObject });
    }
  const analytics = await lake.start({ mergeEveryMs: 1 });
  await eventually(
    async () => {
      const files = await lake.storage.db.selectFrom('lake_file').select(['environment', 'rollup']).execute();
      return files.length === sizes.size && files.every(({ rollup }) => rollup !== null);
    },
    { timeoutMs: 240_000, everyMs: 200 },
  );
  for (const wish of widgets) {
    const { question, params } = figures(wish);
    const taken = new Map([...sizes.keys()].map((environment): [string, number[]] => [environment, []]));
    // In turns, so that what else the machine does falls on both.
    for (let round = 0; round < rounds; round += 1)
      for (const [environment, ms] of taken) {
        const span = { organization: 'o', environment, fromMs: 0, toMs: 4_000_000_000_000 };
        const askedMs = performance.now();
        await analytics.ask(question, span, params);
        ms.push(performance.now() - askedMs);
      }
    const [few = Number.NaN, many = Number.NaN] = [...taken.values()].map(
      (ms) => ms.toSorted((a, b) => a - b)[Math.floor(rounds / 2)],
    );
    t.diagnostic(`${few.toFixed(1)} ms, ${many.toFixed(1)} ms: ${JSON.stringify(wish)}`);
    assert.ok(many <= 2 * few, `${many} ms instead of ${few} ms: ${JSON.stringify(wish)}`);
  }
});
