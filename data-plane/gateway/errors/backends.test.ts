import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { test } from 'node:test';
import { createRedactor } from '../../../proto/model/redaction.ts';
import { createLog } from '../../../proto/process/log.ts';
import { createMetrics } from '../../../proto/process/metrics.ts';
import { createFakeClock } from '../../../test/kit/fake-clock.ts';
import { apiDefinition, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { freePort } from '../../../test/kit/processes/processes.ts';
import type { UpstreamResult } from '../../http/exchange.ts';
import { Backends } from './backends.ts';

const backend = { api: 'a', endpoint: 'one', url: 'http://backend.example/' };
const refused = { kind: 'failure', failure: 'connectRefused', message: 'refused' } as UpstreamResult;
const answer = { kind: 'response' } as UpstreamResult;

function stage(apisMax = 10) {
  const clock = createFakeClock();
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  };
  const log = createLog({ name: 'test', level: 'info', destination });
  const metrics = createMetrics();
  const redactor = createRedactor([]);
  const teller = new Backends({ log, clock, metrics, apisMax, redactor });
  const said = (): readonly string[] =>
    lines
      .splice(0)
      .map(
        ({ level, msg, failures, downMs }) =>
          `${String(level)} ${String(msg)} ${String(failures)} ${String(downMs)}`,
      );
  const urls = (): string => lines.map(({ url }) => String(url)).join();
  return { clock, teller, metrics, said, urls };
}

test('a backend that is down is told of once a minute with how long and how often, and its return once', async () => {
  const { clock, teller, said } = stage();
  assert.equal(teller.isAnyDown, false);
  for (let call = 0; call < 50; call += 1) teller.heard(backend, refused);
  assert.equal(teller.isAnyDown, true);
  assert.deepEqual(said(), ['warn a backend does not answer 1 0']);
  await clock.advance(59_999);
  teller.heard(backend, refused);
  assert.deepEqual(said(), []);
  await clock.advance(1);
  teller.heard(backend, refused);
  assert.deepEqual(said(), ['warn a backend does not answer 52 60000']);
  await clock.advance(500);
  teller.heard(backend, answer);
  teller.heard(backend, answer);
  assert.deepEqual(said(), ['info the backend answers again 52 60500']);
  assert.equal(teller.isAnyDown, false);
});

test('no key of an address stands in the log', () => {
  const { teller, urls } = stage();
  teller.heard({ ...backend, url: 'http://backend.example/?api-key=geheim' }, refused);
  assert.match(urls(), /backend\.example/);
  assert.doesNotMatch(urls(), /geheim/);
});

test('one that comes and goes fills no log: two lines a minute at most', async () => {
  const { clock, teller, said } = stage();
  for (let second = 0; second < 120; second += 1) {
    teller.heard(backend, refused);
    teller.heard(backend, answer);
    await clock.advance(1_000);
  }
  assert.equal(said().length, 4);
});

test('failures are counted by API and reason, within bounds; what callers and the gateway do is none of them', async () => {
  const { teller, metrics } = stage(1);
  teller.heard(backend, refused);
  teller.heard({ ...backend, api: 'b' }, refused);
  for (const failure of ['aborted', 'requestBodyFailed', 'queueFull', 'queueTimeout'])
    teller.heard(backend, { kind: 'failure', failure } as UpstreamResult);
  const text = await metrics.text();
  assert.deepEqual(text.match(/^isthmus_gateway_upstream_.*$/gm)?.toSorted(), [
    'isthmus_gateway_upstream_down 2',
    'isthmus_gateway_upstream_failures_total{api="a",reason="connectRefused"} 1',
    'isthmus_gateway_upstream_failures_total{api="other",reason="connectRefused"} 1',
  ]);
});

test('a gateway says in its log that a backend is down, and that it is back', async (t) => {
  const port = await freePort();
  const gateway = await startLocalGateway(t, { apis: { a: apiDefinition('a', `http://127.0.0.1:${port}`) } });
  const lines = (words: string): number => gateway.logged.filter((line) => line.includes(words)).length;
  for (let call = 0; call < 3; call += 1) assert.equal((await gateway.call('/a')).status, 502);
  assert.equal(lines('a backend does not answer'), 1);
  const server: Server = createServer((_request, response) => void response.end('ok'));
  t.after(() => void server.close());
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  assert.equal((await gateway.call('/a')).status, 200);
  assert.equal(lines('the backend answers again'), 1);
});
