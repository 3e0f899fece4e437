import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

import { createMetrics } from '../../../proto/process/metrics.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startWorkerGateway } from '../../../test/kit/gateway/worker-gateway.ts';
import { skipWithout } from '../../../test/kit/require.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import { noMarks } from '../../http/exchange.ts';
import { Durations } from './durations.ts';

const marks = {
  ...noMarks(),
  upstreamStartUs: 100,
  upstreamConnectUs: 100,
  upstreamHeadUs: 2_100,
  upstreamEndUs: 2_200,
};
const unasked = noMarks();
const outcome = { kind: 'complete', status: 200, requestBytes: 0, responseBytes: 0, totalUs: 4_000 } as const;
const requests = 'isthmus_gateway_request_duration_seconds';

test('a request is counted under its API, plan and class of status, in seconds', async () => {
  const metrics = createMetrics();
  const durations = new Durations(metrics, { plansMax: 10 });
  const api = durations.of('a', 'E');
  api.observe('p', outcome, marks);
  api.observe('p', { ...outcome, status: 503, totalUs: 70_000_000 }, { ...marks, upstreamHeadUs: 0 });
  api.observe(undefined, { ...outcome, status: 401 }, unasked);
  api.observe('p', { ...outcome, status: 0, kind: 'clientAborted' }, { ...marks, upstreamConnectUs: 1_100 });
  const lines = (await metrics.text()).split('\n');
  for (const line of [
    `${requests}_bucket{le="0.0025",api="a",plan="p",class="2xx"} 0`,
    `${requests}_bucket{le="0.005",api="a",plan="p",class="2xx"} 1`,
    `${requests}_bucket{le="+Inf",api="a",plan="p",class="2xx"} 1`,
    `${requests}_sum{api="a",plan="p",class="2xx"} 0.004`,
    `${requests}_bucket{le="60",api="a",plan="p",class="5xx"} 0`,
    `${requests}_count{api="a",plan="p",class="5xx"} 1`,
    `${requests}_count{api="a",plan="none",class="4xx"} 1`,
    `${requests}_count{api="a",plan="p",class="aborted"} 1`,
    // Three were sent to the backend and two of them answered; one had to wait for a connection.
    'isthmus_gateway_upstream_first_byte_duration_seconds_count{api="a"} 2',
    'isthmus_gateway_upstream_connect_duration_seconds_count{api="a"} 1',
    'isthmus_gateway_upstream_connect_duration_seconds_sum{api="a"} 0.001',
  ])
    assert.ok(lines.includes(line), `${line} in\n${lines.join('\n')}`);
});

test('a value on a bound falls below it, as Prometheus reads bounds', async () => {
  const metrics = createMetrics();
  new Durations(metrics, { plansMax: 1 }).of('a', 'E').observe('p', { ...outcome, totalUs: 5_000 }, marks);
  assert.match(await metrics.text(), /le="0\.005",api="a",plan="p",class="2xx"\} 1/);
  assert.match(await metrics.text(), /le="0\.0025",api="a",plan="p",class="2xx"\} 0/);
});

test('past the bound of pairs the rest is counted as other, and no pair that has series loses them', async () => {
  const metrics = createMetrics();
  const durations = new Durations(metrics, { plansMax: 3 });
  for (let n = 0; n < 20; n += 1) durations.of(`api-${n % 10}`, 'E').observe('p', outcome, marks);
  for (let n = 0; n < 5; n += 1) durations.of('api-0', 'E').observe(`plan-${n}`, outcome, marks);
  assert.deepEqual(await countsOf(metrics), {
    'api-0 p': 2,
    'api-1 p': 2,
    'api-2 p': 2,
    'other other': 19,
  });
  assert.match(await metrics.text(), /first_byte_duration_seconds_count\{api="other"\} 19/);
});

test('an API that is withdrawn keeps its series until another one needs the room, unless it comes back', async () => {
  const metrics = createMetrics();
  const durations = new Durations(metrics, { plansMax: 2 });
  durations.of('gone', 'E').observe('p', outcome, marks);
  durations.of('back', 'E').observe('p', outcome, marks);
  durations.leave('back', 'E');
  durations.leave('gone', 'E');
  durations.of('back', 'E').observe('p', outcome, marks);
  assert.deepEqual(await countsOf(metrics), { 'gone p': 1, 'back p': 2 });
  durations.of('new', 'E').observe('p', outcome, marks);
  durations.of('late', 'E').observe('p', outcome, marks);
  assert.deepEqual(await countsOf(metrics), { 'back p': 2, 'new p': 1, 'other other': 1 });
  assert.doesNotMatch(await metrics.text(), /api="gone"/);
});

test('an API that one of two environments withdraws is still served', async () => {
  const metrics = createMetrics();
  const durations = new Durations(metrics, { plansMax: 1 });
  for (const environment of ['E', 'F']) durations.of('a', environment).observe('p', outcome, marks);
  durations.leave('a', 'E');
  durations.of('b', 'E').observe('p', outcome, marks);
  assert.deepEqual(await countsOf(metrics), { 'a p': 2, 'other other': 1 });
});

test('a gateway measures every request of an API, recorded or not, refused ones and backends that do not answer too', async (t) => {
  const upstream = await startUpstream(t);
  const gateway = await startLocalGateway(t, {
    apis: {
      fine: apiDefinition('fine', upstream.url),
      unrecorded: { ...apiDefinition('unrecorded', upstream.url), analytics: { enabled: false } },
      dead: apiDefinition('dead', 'http://127.0.0.1:1'),
    },
  });
  for (const path of ['/fine', '/fine', '/unrecorded', '/dead']) await gateway.call(path);
  const counts = () => shownCounts(gateway.nodeApi);
  await eventually(async () => Object.keys(await counts()).length === 3);
  assert.deepEqual(await counts(), {
    'fine open 2xx': 2,
    'unrecorded open 2xx': 1,
    'dead open 5xx': 1,
  });
});

test('workers measure each their own requests, and the gateway shows the sum, of those that have ended too', async (t) => {
  const upstream = await startUpstream(t);
  const gateway = await startWorkerGateway(t, { apis: { one: apiDefinition('one', upstream.url) } });
  // Connections of their own, so that both workers take some.
  await Promise.all(Array.from({ length: 40 }, () => gateway.call('/one')));
  await gateway.replace();
  await gateway.call('/one');
  await eventually(async () => (await shownCounts(gateway.nodeApi))['one open 2xx'] === 41);
});

const skip = skipWithout('prometheus', spawnSync('promtool', ['--version']).error === undefined);
test('promtool finds nothing in what a gateway shows', { skip }, async (t) => {
  const upstream = await startUpstream(t);
  const gateway = await startLocalGateway(t, { apis: { one: apiDefinition('one', upstream.url) } });
  await gateway.call('/one');
  const input = await (await fetch(`${gateway.nodeApi}/metrics`)).text();
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
});

async function countsOf(metrics: { text(): Promise<string> }): Promise<Readonly<Record<string, number>>> {
  return counted(await metrics.text(), ({ api, plan }) => `${api} ${plan}`);
}

async function shownCounts(nodeApi: string): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(`${nodeApi}/metrics`)).text();
  return counted(text, ({ api, plan, class: of }) => `${api} ${plan} ${of}`);
}

function counted(
  text: string,
  nameOf: (labels: Readonly<Record<string, string>>) => string,
): Readonly<Record<string, number>> {
  const found = new Map<string, number>();
  for (const [, labels = '', count] of text.matchAll(
    new RegExp(`^${requests}_count\\{(.*)\\} (\\d+)$`, 'gm'),
  )) {
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]);
    const name = nameOf(Object.fromEntries(pairs) as Record<string, string>);
    found.set(name, (found.get(name) ?? 0) + Number(count));
  }
  return Object.fromEntries(found);
}
