import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { createFakeClock } from '../../test/kit/fake-clock.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition, call, flow } from '../../test/kit/gateway.ts';
import { openPeer, startBackend } from '../../test/kit/raw-peer.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { createLog } from '../../proto/process/log.ts';
import { createMetrics } from '../../proto/process/metrics.ts';
import { encodeApi } from '../../proto/wire/payloads.ts';
import { limitDefaults } from '../http/conformance/stage.ts';
import { createEngine } from '../http/engine.ts';
import { createUpstreams } from '../endpoints/upstreams.ts';
import { createMemoryCounters } from '../limits/memory.ts';
import type { Policy, PolicyContext } from '../policies/policy.ts';
import { createTraffic } from '../traffic.ts';
import { Deadlines } from './deadlines.ts';
import { createDeployments } from './deployments.ts';
import { createForwarding } from './forwarded.ts';
import type { PolicyBuilder } from './pipeline.ts';
import { createRequestIds } from './request-ids.ts';
import { createServe } from './serve.ts';
import { createStrays } from './strays.ts';
import { createThrownTeller } from './thrown.ts';

function setUnwritable(context: PolicyContext): undefined {
  context.setAnswerHeader('X-City', 'Łódź');
}

/** Bugs of policies, each at its path: no configuration makes a policy of the catalogue do this. */
const policies: Readonly<Record<string, Policy>> = {
  throws: {
    onRequest() {
      throw new Error('a bug');
    },
  },
  rejects: { onRequest: () => Promise.reject(new Error('a bug')) },
  'bad-answer': {
    onRequest: () => ({ kind: 'answer', status: 200, headers: [['X-City', 'Łódź']], body: '' }),
  },
  'bad-header': { onRequest: setUnwritable },
  'late-bad-header': {
    async onResponse(context: PolicyContext) {
      await Promise.resolve();
      context.setAnswerHeader('X City', 'new\nline');
      return undefined;
    },
  },
  'throws-late': {
    onResponse() {
      throw new Error('a bug');
    },
  },
  never: { onResponse: () => new Promise<undefined>(() => undefined) },
  'never-and-bad-header': {
    onRequest: setUnwritable,
    onResponse: () => new Promise<undefined>(() => undefined),
  },
};

const build: PolicyBuilder = (_step, _host, place) => ({
  policy: policies[place.api] ?? {},
  needsBody: false,
});

/** The gateway's serving parts with broken policies, one API per policy under its name, and a backend that the test plays. */
async function startBroken(t: TestContext, names: readonly string[]) {
  const backend = await startBackend(t);
  const logged: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>),
  };
  const log = createLog({ name: 'gateway', level: 'error', destination });
  const metrics = createMetrics();
  const traffic = createTraffic(metrics);
  const onThrown = createThrownTeller({ log, clock: systemClock, count: traffic.onThrown });
  const engine = createEngine(onThrown);
  const upstreams = createUpstreams(engine, { upstream: { dnsTtlMs: 0, connectionAgeMsMax: 0 } });
  const counters = createMemoryCounters({ windowsMax: 10 });
  const deployments = createDeployments({
    upstreams,
    host: { clock: systemClock, counters },
    records: undefined,
    log,
    keysSeenMax: 10,
    streamMsMax: 0,
    build,
  });
  const set = names.map((name, at) => {
    const step = ['transform-headers', {}] as const;
    const flows = [flow('/', { request: [step], response: [step] })];
    const definition = apiDefinition(name, `http://127.0.0.1:${backend.port}`, { flows });
    const payload = encodeApi({ id: name, name, revision: '1', definition: JSON.stringify(definition) });
    return { kind: 'api', id: name, seq: at + 1, revision: '1', payload } as const;
  });
  const nacks = deployments.apply({
    organization: 'O',
    environment: 'E',
    seq: 99,
    isFull: true,
    set,
    removed: [],
  });
  assert.deepEqual(nacks, []);
  const nextRequestId = createRequestIds();
  const forwarding = createForwarding([]);
  const serve = createServe({
    match: deployments.match,
    hasConfiguration: deployments.hasConfiguration,
    nextRequestId,
    strays: createStrays({ target: undefined, environments: () => [], nextRequestId, clientOf: () => '' }),
    places: { header: '', parameter: '' },
    deadlines: new Deadlines({ clock: systemClock, afterMs: 200, graceMs: 10 }),
    forwarding,
    bodyBytesMax: 1_000,
    streams: deployments.streams,
    onThrown,
    onAnswer: traffic.onAnswer,
    onUnrouted: undefined,
  });
  const server = await engine.listen({
    host: '127.0.0.1',
    port: 0,
    tls: undefined,
    limits: limitDefaults,
    target: { mergeSlashes: false, encodedSlash: 'keep' },
    onExchange: serve,
    onRefusal: undefined,
  });
  t.after(async () => {
    await server.close(0);
    deployments.close();
    await upstreams.close(0);
  });
  return { backend, logged, metrics, port: server.port };
}

const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

test('a policy that throws, or sets what cannot be written, is answered 500, logged once with its stack, and counted', async (t) => {
  const names = ['throws', 'rejects', 'bad-answer', 'bad-header', 'late-bad-header', 'throws-late'];
  const { backend, logged, metrics, port } = await startBroken(t, names);
  for (const [at, name] of names.entries()) {
    const asked = call(port, `/${name}`);
    if (!['throws', 'rejects', 'bad-answer'].includes(name)) (await backend.next()).write(answer);
    const { status, headers, text } = await asked;
    assert.deepEqual([status, text, headers.connection], [500, 'Internal Server Error', 'close'], name);
    assert.equal(logged.length, at + 1, `${name}: ${JSON.stringify(logged)}`);
    const line = logged.at(-1) ?? assert.fail();
    assert.match((line['err'] as { stack: string }).stack, /Error: .*\n +at /, name);
    assert.equal(line['api'], name);
  }
  assert.match(await metrics.text(), /^isthmus_gateway_thrown_total 6$/m);
});

test('a deadline whose answer cannot be written is answered all the same, and the backend is let go', async (t) => {
  const { backend, logged, port } = await startBroken(t, ['never', 'never-and-bad-header']);
  for (const [name, status] of [
    ['never', 504],
    ['never-and-bad-header', 500],
  ] as const) {
    const client = await openPeer(t, { port, from: '127.0.0.1' }, `GET /${name} HTTP/1.1\r\nHost: h\r\n\r\n`);
    const peer = await backend.next();
    // More than is held of a body that nobody takes.
    peer.write(`HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(500_000)}`);
    await client.ended;
    assert.match(client.text, new RegExp(`^HTTP/1\\.1 ${status} `), name);
    await eventually(() => peer.endedAtMs !== undefined);
  }
  assert.equal(logged.length, 1);
});

test('a bug that every request runs into fills no log: ten lines a second, then how many were left out', async () => {
  const clock = createFakeClock();
  const lines: Record<string, unknown>[] = [];
  const destination = {
    write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>),
  };
  let count = 0;
  const tell = createThrownTeller({
    log: createLog({ name: 'gateway', level: 'error', destination }),
    clock,
    count: () => void (count += 1),
  });
  for (let at = 0; at < 25; at += 1) tell(new Error('a bug'));
  assert.deepEqual([lines.length, count], [10, 25]);
  await clock.advance(1_000);
  tell(new Error('a bug'));
  tell(new Error('a bug'));
  assert.deepEqual(
    lines.slice(10).map((line) => line['leftOut']),
    [15, undefined],
  );
});
