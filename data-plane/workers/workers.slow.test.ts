import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually } from '../../test/kit/eventually.ts';
import { apiDefinition, flow } from '../../test/kit/gateway/gateway.ts';
import { startLoad } from '../../test/kit/servers/load.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';
import { closeOf, openWebSocket, startWebSocketBackend } from '../../test/kit/engine/websockets.ts';
import { startWorkerGateway, type WorkerGateway } from '../../test/kit/gateway/worker-gateway.ts';

/** Request ids of one process begin with the same random characters. */
const processOf = (requestId: unknown): string => String(requestId).slice(0, 24);

/** Calls on new connections until both workers have answered; what they said, by worker. */
async function askBoth(
  gateway: WorkerGateway,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<ReadonlyMap<string, { readonly status: number; readonly text: string }>> {
  const answers = new Map<string, { readonly status: number; readonly text: string }>();
  await eventually(async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => gateway.call(path, { headers })));
    for (const { status, text, headers: got } of all)
      answers.set(processOf(got['x-gravitee-request-id']), { status, text });
    return answers.size === 2;
  });
  return answers;
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const keyPlans = { keyed: { id: 'keyed', name: 'Keyed', security: { type: 'API_KEY' } } };

/** Subscriptions of the API with keys, and of the one with sockets. */
const subscriptions = (keys: readonly string[], socketKeys: readonly string[]) => ({
  subscriptions: [
    { id: 's', api: 'keyed', plan: 'keyed', application: 'app', apiKeys: keys },
    { id: 't', api: 'sockets', plan: 'keyed', application: 'app', apiKeys: socketKeys },
  ],
});

test('two workers as one gateway', async (t) => {
  const { url } = await startUpstream(t);
  const backend = await startWebSocketBackend(t);
  const rules = [{ pattern: '/.*', url: "{#request.headers['to'][0]}" }];
  const flows = [flow('/', { request: [['dynamic-routing', { rules }]] })];
  const gateway = await startWorkerGateway(t, {
    apis: {
      routed: apiDefinition('routed', url, { flows }),
      a: apiDefinition('a', `${url}/one`),
      keyed: apiDefinition('keyed', url, { plans: keyPlans }),
      sockets: apiDefinition('sockets', `http://127.0.0.1:${backend.port}`, { plans: keyPlans }),
      isthmus: subscriptions(['the-key'], ['key-of-t']),
    },
    set: ['upstream.chosenByRequests=["127.0.0.1"]'],
  });
  const seqs = async (): Promise<readonly number[]> =>
    (await gateway.health()).workers.processes.map((each) => each.seqs['DEFAULT'] ?? 0);
  /** Writes a file and waits until both serve it. */
  const write = async (name: string, definition: object): Promise<void> => {
    const before = Math.max(...(await seqs()));
    gateway.write(name, definition);
    await eventually(async () => (await seqs()).every((seq) => seq > before));
  };

  await t.test('no worker leads a caller to the node API of its primary', async () => {
    for (const [to, status] of [
      [url, 200],
      [`${gateway.nodeApi}/metrics`, 503],
    ] as const)
      for (const answer of (await askBoth(gateway, '/routed/', { to })).values())
        assert.equal(answer.status, status, to);
  });

  await t.test('both answer on one port, under one name in Via, and a change reaches both', async () => {
    const { workers, degraded, status } = await gateway.health();
    assert.deepEqual([status, degraded, workers.wanted, workers.serving], ['UP', [], 2, 2]);
    const answers = [...(await askBoth(gateway, '/a')).values()];
    for (const { status: code } of answers) assert.equal(code, 200);
    const names = answers.map(({ text }) => (JSON.parse(text) as { headers: { via: string } }).headers.via);
    assert.deepEqual([names.length, new Set(names).size], [2, 1]);

    await write('a', apiDefinition('a', `${url}/two`));
    for (const { text } of (await askBoth(gateway, '/a')).values()) assert.match(text, /"url":"\/two"/);

    // A broken one is refused for the gateway; both keep what they served.
    gateway.write('a', { ...apiDefinition('a', `${url}/three`), flows: [{ nonsense: true }] });
    await eventually(async () => {
      const answer = await fetch(`${gateway.nodeApi}/apis/a`);
      return ((await answer.json()) as { readonly state: string }).state === 'outdated';
    });
    for (const { text } of (await askBoth(gateway, '/a')).values()) assert.match(text, /"url":"\/two"/);
    // A worker that starts now stands where the others stand.
    await gateway.replace();
    for (const { text } of (await askBoth(gateway, '/a')).values()) assert.match(text, /"url":"\/two"/);
  });

  await t.test('a revoked key is refused by both', async () => {
    const headers = { 'X-Gravitee-Api-Key': 'the-key' };
    for (const { status } of (await askBoth(gateway, '/keyed', headers)).values()) assert.equal(status, 200);
    await write('isthmus', subscriptions([], ['key-of-t']));
    for (const { status } of (await askBoth(gateway, '/keyed', headers)).values()) assert.equal(status, 401);
  });

  await t.test('a socket ends with its key in whichever worker it lives', async (inner) => {
    const headers = { 'x-gravitee-api-key': 'key-of-t' };
    const sockets = await Promise.all(
      Array.from({ length: 16 }, () =>
        openWebSocket(inner, `ws://127.0.0.1:${gateway.port}/sockets`, { headers }),
      ),
    );
    const closed = Promise.all(sockets.map(closeOf));
    gateway.write('isthmus', subscriptions([], []));
    for (const { code } of await closed) assert.equal(code, 1_008);
  });

  await t.test('a taken port is one clear line', async (inner) => {
    await assert.rejects(
      startWorkerGateway(inner, { apis: {}, set: [`listen.port=${gateway.port}`] }),
      /^Error: .*isthmus: Port \d+ on [\d.]+ is in use.*\[process\.port_taken\][^\n]*\n$/s,
    );
  });
});

test('a worker killed under load fails only what it had in flight; another comes, every answer has its record', async (t) => {
  const { url } = await startUpstream(t);
  const gateway = await startWorkerGateway(t, { apis: { a: apiDefinition('a', url) } });
  const concurrency = 16;
  const load = startLoad({ urls: [`${gateway.url}/a`], concurrency });
  await eventually(() => load.answeredSoFar() > 200);
  const before = await gateway.serving();
  const [victim = 0] = before;
  process.kill(victim, 'SIGKILL');
  await eventually(async () => (await gateway.health()).degraded.includes('workers'), { everyMs: 1 });
  assert.equal((await fetch(`${gateway.nodeApi}/health/ready`)).status, 200);
  await eventually(async () => (await gateway.serving()).length === 2, { timeoutMs: 20_000 });
  const after = await gateway.serving();
  assert.equal(after.filter((pid) => before.includes(pid)).length, 1);
  const seen = load.answeredSoFar();
  await eventually(() => load.answeredSoFar() > seen + 200);
  const { answered, failed, unexpected } = await load.stop();
  assert.ok(failed.length <= concurrency, failed.join('\n'));
  assert.deepEqual(unexpected, []);
  assert.equal((await gateway.health()).workers.lost, 1);
  // The counts of the dead worker are at most a second old; a sum that fell would look like a restart.
  const counted = await gateway.metric('isthmus_gateway_requests_total{class="2xx"}');
  assert.ok(counted > answered.size / 2 && counted <= answered.size + concurrency, `${counted}`);

  gateway.process.kill('SIGTERM');
  assert.equal(await gateway.process.ended, 0, gateway.process.output());
  const recorded = await gateway.recorded();
  const unique = new Set(recorded);
  assert.equal(unique.size, recorded.length, 'no record is there twice');
  assert.deepEqual(
    [...answered.keys()].filter((id) => !unique.has(id)),
    [],
  );
  assert.ok(recorded.length - answered.size <= failed.length, 'only what was in flight has a record more');
});

test('SIGTERM drains all and leaves no process; a second replace while one runs is refused', async (t) => {
  const { url } = await startUpstream(t);
  const gateway = await startWorkerGateway(t, { apis: { a: apiDefinition('a', url) } });
  const pids = await gateway.serving();
  const post = (headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${gateway.nodeApi}/workers/_replace`, { method: 'POST', headers });
  assert.equal((await post({ origin: 'http://evil.example' })).status, 403);
  assert.equal((await post()).status, 202);
  assert.equal((await post()).status, 409);
  const during = (await gateway.health()).workers.processes.map(({ pid }) => pid);
  gateway.process.kill('SIGTERM');
  assert.equal(await gateway.process.ended, 0, gateway.process.output());
  assert.deepEqual([...pids, ...during].filter(isAlive), []);
});

test('when the primary is killed the workers answer what runs and end', async (t) => {
  const { url } = await startUpstream(t);
  const gateway = await startWorkerGateway(t, { apis: { a: apiDefinition('a', url) } });
  const pids = await gateway.serving();
  assert.equal(pids.length, 2);
  gateway.process.kill('SIGKILL');
  await gateway.process.ended;
  await eventually(() => !pids.some(isAlive), { timeoutMs: 15_000 });
});
