import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { systemClock } from '../../proto/process/clock.ts';
import { createLog } from '../../proto/process/log.ts';
import { createMetrics } from '../../proto/process/metrics.ts';
import { encodeApi } from '../../proto/wire/payloads.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition, call } from '../../test/kit/gateway/gateway.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { createAuthority, issuePair, tlsSettings } from '../../test/kit/servers/certificates.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';
import { gatewayConfigSchema } from '../config.ts';
import { createMemoryCounters } from '../limits/memory.ts';
import type { ConfigChange } from '../gateway/deploy/change.ts';
import { Crew } from './crew.ts';
import { createFigures } from './figures.ts';
import { firstPort } from '../servers/settings.ts';
import { openListeners } from './listener.ts';
import type { WorkerStart } from './messages.ts';
import { createServedSet } from './served-set.ts';
import type { WorkerBounds } from './worker-process.ts';

/** Real processes under a primary of which only the crew is here; each takes a second to start, so that one does where it can. */
async function stage(
  t: TestContext,
  { wanted = 2, ...bounds }: Partial<WorkerBounds> & { readonly wanted?: number } = {},
) {
  const { url } = await startUpstream(t);
  const config = gatewayConfigSchema.parse({
    dataDir: join(tempDir(t), 'data'),
    listen: { host: '127.0.0.1', port: 0 },
    report: { enabled: false },
    closeMsMax: 2_000,
  });
  const logged: string[] = [];
  const log = createLog({
    name: 'gateway',
    level: 'info',
    destination: { write: (line: string) => void logged.push(line) },
  });
  const start: { -readonly [Key in keyof WorkerStart]: WorkerStart[Key] } = {
    config,
    gateway: 'g',
    version: '0.0.0-test',
    hopSecret: 's',
    workers: 2,
    logLevel: 'silent',
    tls: new Map(),
    doors: [],
  };
  const listeners = await openListeners(config);
  const served = createServedSet();
  const figures = createFigures({ label: 'api', valuesMax: 10, rest: 'other', under: ['plan'] });
  const crew = new Crew({
    wanted,
    start: () => start,
    listeners,
    served,
    known: () => ({ found: [], health: [] }),
    figures,
    bounds: {
      startMsMax: 30_000,
      applyMsMax: 30_000,
      answerMsMax: 10_000,
      changesMax: 100,
      drainMsMax: 10_000,
      ...bounds,
    },
    counters: createMemoryCounters({ windowsMax: 10, clock: systemClock }),
    clock: systemClock,
    log,
  });
  t.after(async () => {
    crew.kill();
    await crew.close();
    listeners.close();
  });
  const change = (seq: number, path = `/v${seq}`): ConfigChange => {
    const definition = JSON.stringify(apiDefinition('a', `${url}${path}`));
    const payload = encodeApi({ id: 'a', name: 'a', revision: String(seq), definition });
    const set = [{ kind: 'api' as const, id: 'a', seq, revision: String(seq), payload }];
    return { organization: 'o', environment: 'e', seq, isFull: seq === 1, set, removed: [] };
  };
  const apply = (seq: number): Promise<unknown> => {
    const next = change(seq);
    served.take(next, []);
    crew.apply(next, []);
    return crew.confirm('e');
  };
  const pids = (): readonly number[] => crew.state().processes.map(({ pid }) => pid);
  const port = firstPort(listeners.ports);
  return { crew, start, port, served, figures, logged, change, apply, pids };
}

test('the primary accepts nothing: a connection waits until a worker is there', async (t) => {
  const { crew, port, apply } = await stage(t);
  await apply(1);
  await crew.open();
  for (const { pid } of crew.state().processes) process.kill(pid, 'SIGKILL');
  await eventually(() => crew.state().serving === 0);
  const answer = await call(port, '/a');
  assert.equal(answer.status, 200);
  assert.match(answer.text, /"url":"\/v1"/);
  assert.equal(crew.state().lost, 2);
});

test('a worker compiles what the primary has judged for its first request, and tells of one that does not compile', async (t) => {
  const { crew, port, served, change } = await stage(t, { wanted: 1 });
  const refused: string[] = [];
  crew.onRefusedLate((environment, { id, seq, code }) =>
    refused.push(`${environment}/${id} ${seq}: ${code}`),
  );
  const { set, ...first } = change(1);
  const definition = JSON.stringify(apiDefinition('b', 'http://127.0.0.1:1', { flows: 'none' }));
  const broken = encodeApi({ id: 'b', name: 'b', revision: '1', definition });
  const judgedAt = (path: string) => ({
    name: path,
    places: [{ server: 'http', host: undefined, path }],
    isForSome: false,
    groups: [],
    circumstances: '',
  });
  const records = set.map((record) => ({ ...record, judged: judgedAt('/a') }));
  const other = { kind: 'api' as const, id: 'b', seq: 1, revision: '1', payload: broken };
  served.take({ ...first, set: [...records, { ...other, judged: judgedAt('/b') }] }, []);
  await crew.open();
  assert.equal((await call(port, '/a')).status, 200);
  const answer = await call(port, '/b');
  assert.deepEqual([answer.status, answer.text], [503, 'The API could not be deployed on this gateway.']);
  await eventually(() => refused.length > 0);
  assert.equal(refused[0], 'e/b 1: definition.invalid');
});

test('a change is confirmed when every worker serves it, and not before', async (t) => {
  const { crew, apply, pids } = await stage(t);
  await apply(1);
  await crew.open();
  const [stopped = 0] = pids();
  process.kill(stopped, 'SIGSTOP');
  let isConfirmed = false;
  const confirmed = apply(2).then(() => (isConfirmed = true));
  const seqOf = (pid: number) => crew.state().processes.find((each) => each.pid === pid)?.seqs['e'];
  await eventually(() => pids().some((pid) => pid !== stopped && seqOf(pid) === 2));
  assert.equal(isConfirmed, false);
  assert.equal(seqOf(stopped), 1);
  process.kill(stopped, 'SIGCONT');
  await confirmed;
  assert.equal(seqOf(stopped), 2);
});

test('a worker that hangs is killed after applyMsMax, holds up no acknowledgement for longer, and is replaced', async (t) => {
  const { crew, apply, pids, logged } = await stage(t, { applyMsMax: 500 });
  await apply(1);
  await crew.open();
  const [stopped = 0] = pids();
  process.kill(stopped, 'SIGSTOP');
  await apply(2);
  assert.equal(pids().includes(stopped), false);
  assert.ok(logged.some((line) => line.includes('did not answer (applied 2) within 500 ms')));
  await eventually(() => crew.state().serving === 2, { timeoutMs: 20_000 });
  for (const { seqs } of crew.state().processes) assert.deepEqual(seqs, { e: 2 });
});

test('a replacement that does not start leaves the old ones; a place that cannot be filled is tried again', async (t) => {
  const { crew, start, apply, pids, logged } = await stage(t, { wanted: 1 });
  await apply(1);
  await crew.open();
  const before = pids();
  const broken = { certificates: [{ cert: 'no', key: 'no' }], ca: undefined } as const;
  start.tls = new Map([['http', { ...broken, clientAuth: 'none', minVersion: 'TLSv1.2' }]]);
  await crew.replace();
  assert.deepEqual(pids(), before);
  assert.ok(logged.some((line) => line.includes('a new worker did not start; the old ones stay')));
  process.kill(before[0] ?? 0, 'SIGKILL');
  await eventually(() => logged.some((line) => line.includes('a worker did not start; it is tried again')), {
    timeoutMs: 20_000,
  });
  start.tls = new Map();
  await eventually(() => crew.state().serving === 1, { timeoutMs: 20_000 });
});

test('a replace lets what runs end and cuts it at the deadline', async (t) => {
  const { crew, port, apply, pids } = await stage(t, { wanted: 1 });
  await apply(1);
  await crew.open();
  // A request that never becomes whole holds its worker until closeMsMax.
  const client = connect(port, '127.0.0.1');
  await once(client, 'connect');
  client.on('error', () => undefined);
  client.write('POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345');
  await eventually(async () => {
    await crew.refresh();
    return crew.state().processes.some(({ connections }) => connections === 1);
  });
  const before = pids();
  await crew.replace();
  assert.equal(pids().length, 1);
  assert.ok(pids().every((pid) => !before.includes(pid)));
  client.destroy();
});

test('sums of metrics keep the counts of workers that have ended', async (t) => {
  const { crew, port, figures, apply } = await stage(t, { wanted: 1 });
  await apply(1);
  await crew.open();
  const counted = async (): Promise<number> => {
    await crew.refresh();
    const text = await createMetrics().text(await figures.metrics(crew.stats()));
    return Number(/isthmus_gateway_requests_total\{class="2xx"\} (\d+)/.exec(text)?.[1]);
  };
  for (let n = 0; n < 10; n += 1) await call(port, '/a');
  assert.equal(await counted(), 10);
  assert.equal(figures.counters(crew.stats())['requests'], 10);
  await crew.replace();
  assert.equal(await counted(), 10);
  assert.equal(figures.counters(crew.stats())['requests'], 10);
  for (let n = 0; n < 5; n += 1) await call(port, '/a');
  assert.equal(await counted(), 15);
});

test('certificates that are read again while a worker starts wait for it and do not end it', async (t) => {
  // A start takes longer than an answer may.
  const { crew, apply, logged } = await stage(t, { wanted: 1, answerMsMax: 20 });
  await apply(1);
  const fresh = tlsSettings([issuePair(createAuthority(tempDir(t)), 'fresh')]);
  const opened = crew.open();
  await crew.reloadTls('http', fresh);
  await opened;
  assert.equal(crew.state().serving, 1);
  assert.equal(crew.state().lost, 0);
  assert.ok(logged.every((line) => !line.includes('is killed')));
});
