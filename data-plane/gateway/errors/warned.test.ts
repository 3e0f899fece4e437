import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createFakeClock } from '../../../test/kit/fake-clock.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import { createLog } from '../../../proto/process/log.ts';
import { createMetrics } from '../../../proto/process/metrics.ts';
import { createWarningTeller } from './warned.ts';

const failing = '{#request.params["p"][0]}';

test('expressions that fail are counted by API and kind of step, and each step has one line', async (t) => {
  const { url } = await startUpstream(t);
  const header = ['transform-headers', { addHeaders: [{ name: 'X-P', value: failing }] }] as const;
  const gated = flow('/', { request: [header] }) as { selectors: object[] };
  const gateway = await startLocalGateway(t, {
    apis: {
      head: apiDefinition('head', url, { flows: [flow('/', { request: [header] })] }),
      gate: apiDefinition('gate', url, {
        flows: [{ ...gated, selectors: [...gated.selectors, { type: 'condition', condition: failing }] }],
      }),
    },
  });
  for (let call = 0; call < 3; call += 1)
    assert.equal((await gateway.call('/head')).status, 500, 'as the policy says');
  assert.equal((await gateway.call('/gate')).status, 200, 'a condition that fails does not hold');
  assert.equal((await gateway.call('/head?p=fine')).status, 200);
  const metrics = await (await fetch(`${gateway.nodeApi}/metrics`)).text();
  const key = 'key="EXPRESSION_EVALUATION_ERROR"';
  assert.deepEqual(metrics.match(/^isthmus_gateway_warnings_total\{.*$/gm)?.toSorted(), [
    `isthmus_gateway_warnings_total{api="gate",step="flow",${key}} 1`,
    `isthmus_gateway_warnings_total{api="head",step="transform-headers",${key}} 3`,
  ]);
  const lines = gateway.logged
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line['key'] === 'EXPRESSION_EVALUATION_ERROR');
  assert.deepEqual(
    lines.map(({ api, step, at }) => [api, step, at]),
    [
      ['head', 'transform-headers', 'flows[0].request[0]'],
      ['gate', 'flow', 'flows[0].selectors'],
    ],
  );
  assert.match(String(lines[0]?.['reason']), /^X-P: /);
});

test('a step is told once a minute, with how many there were, and past the bound APIs are counted as one', async () => {
  const clock = createFakeClock();
  const metrics = createMetrics();
  const lines: Record<string, unknown>[] = [];
  const log = createLog({
    name: 'test',
    level: 'info',
    destination: { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const tell = createWarningTeller({ log, clock, metrics, apisMax: 2 });
  const warn = (api: string, at = 'flows[0].request[0]') =>
    tell({ api, step: 'mock', at, key: 'RATE_LIMIT_NOT_APPLIED', message: 'why' });
  for (let call = 0; call < 5; call += 1) warn('a');
  warn('a', 'flows[1].request[0]');
  assert.equal(lines.length, 2, 'one for each step');
  await clock.advance(59_999);
  warn('a');
  assert.equal(lines.length, 2);
  await clock.advance(1);
  warn('a');
  assert.deepEqual([lines.length, lines[2]?.['sinceLastLine']], [3, 5]);
  for (const api of ['b', 'c', 'd']) warn(api);
  const text = await metrics.text();
  const counted = [...text.matchAll(/^isthmus_gateway_warnings_total\{api="(\w+)",.*\} (\d+)$/gm)];
  assert.deepEqual(
    counted.map(([, api, count]) => `${api} ${count}`),
    ['a 8', 'b 1', 'other 2'],
  );
});
