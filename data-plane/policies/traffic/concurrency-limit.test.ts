import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { openPeer, type Peer, startBackend } from '../../../test/kit/engine/raw-peer.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { accessRecords } from '../../../test/kit/gateway/access-records.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { type KitCall, startPolicy } from '../../../test/kit/gateway/policies.ts';
import { swapDefinition } from '../../../test/kit/gateway/swap.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';

const id = 'concurrency-limit';

/** Calls of one step; each says once whether it got in. */
function start(configuration: object) {
  const { policy, call, clock } = startPolicy(id, configuration);
  const enter = (attributes: Record<string, string> = {}, remoteAddress = '192.0.2.7') => {
    const asked = call({ attributes, request: { remoteAddress } });
    const verdict = Promise.resolve(asked.pass());
    return { asked, verdict, said: verdict.then(wordOf) };
  };
  return { enter, clock, release: () => policy.release?.() };
}

const wordOf = (result: Awaited<ReturnType<KitCall['pass']>>): string =>
  result === undefined ? 'in' : 'key' in result ? result.key : 'other';
const reached = 'CONCURRENCY_LIMIT_REACHED';

test('so many are in at once, and a place is given back when a request is over, however it ended', async () => {
  const { enter } = start({ limit: 2 });
  const [first, second] = [enter(), enter()];
  assert.deepEqual([await first.said, await second.said], ['in', 'in']);
  const third = await enter().verdict;
  assert.ok(third !== undefined && 'key' in third && third.kind === 'reject');
  assert.deepEqual(
    [third.key, third.status, third.message],
    [reached, 503, 'Too many requests at once: 2 are on their way'],
  );
  first.asked.end();
  assert.equal(await enter().said, 'in');
  assert.equal(await enter().said, reached);
  second.asked.end({ kind: 'clientAborted' });
  assert.equal(await enter().said, 'in');
  assert.equal(await enter().said, reached, 'what was refused has given back nothing');
});

test('who waits gets in in order; who is one too many is refused at once, and who waits too long after his time', async () => {
  const { enter, clock } = start({ limit: 1, queue: { max: 2, waitMs: 100 } });
  const first = enter();
  await first.said;
  const [second, third] = [enter(), enter()];
  assert.equal(await enter().said, reached);
  first.asked.end();
  assert.equal(await second.said, 'in');
  await clock.advance(99);
  const fourth = enter();
  await clock.advance(1);
  const late = await third.verdict;
  assert.ok(late !== undefined && 'key' in late && late.kind === 'reject');
  assert.deepEqual(
    [late.key, late.status, late.parameters],
    ['CONCURRENCY_LIMIT_QUEUE_TIMEOUT', 503, { limit: 1, wait_ms: 100 }],
  );
  second.asked.end();
  assert.equal(await fourth.said, 'in');
  assert.equal(clock.pending, 0, 'nobody waits any more');
});

test('a request that its client leaves while it waits gives its place in the queue back at once', async () => {
  const { enter, clock } = start({ limit: 1, queue: { max: 100, waitMs: 1_000 } });
  const first = enter();
  await first.said;
  const left = Array.from({ length: 100 }, () => enter());
  assert.equal(await enter().said, reached);
  for (const { asked } of left) asked.end({ kind: 'clientAborted' });
  const next = Array.from({ length: 100 }, () => enter());
  assert.equal(await enter().said, reached, 'as many wait as may, and no more');
  for (const { verdict } of left) assert.notEqual(await verdict, undefined, 'nobody gets in who has left');
  first.asked.end();
  for (const { asked, said } of next) {
    assert.equal(await said, 'in');
    asked.end();
  }
  assert.equal(clock.pending, 0, 'nobody waits any more');
  assert.equal(await enter().said, 'in', 'who left has taken no place with him');
});

test('who leaves in the turn in which he is let in gives the place on', async () => {
  const { enter } = start({ limit: 1, queue: { max: 2 } });
  const first = enter();
  await first.said;
  const [left, next] = [enter(), enter()];
  first.asked.end();
  left.asked.end({ kind: 'clientAborted' });
  assert.equal(await next.said, 'in');
});

test('those that wait when the revision is replaced are let in by it, in order, or refused after their time', async () => {
  const before = start({ limit: 1, queue: { max: 2, waitMs: 100 } });
  const after = start({ limit: 1, queue: { max: 0 } });
  const first = before.enter();
  await first.said;
  const [second, third] = [before.enter(), before.enter()];
  before.release();
  assert.equal(await after.enter().said, 'in', 'the next revision has places of its own');
  first.asked.end();
  assert.equal(await second.said, 'in');
  await before.clock.advance(100);
  assert.equal(await third.said, 'CONCURRENCY_LIMIT_QUEUE_TIMEOUT');
  assert.equal(before.clock.pending, 0);
});

/** A gateway that lets one in and has three wait, in front of a backend that the test plays; one is in. */
async function startGateway(t: TestContext) {
  const dataDir = join(tempDir(t), 'data');
  const backend = await startBackend(t);
  const definition = apiDefinition('a', `http://127.0.0.1:${backend.port}`, {
    flows: [flow('/', { request: [[id, { limit: 1, queue: { max: 3, waitMs: 60_000 } }]] })],
  });
  const gateway = await startLocalGateway(t, {
    apis: { a: definition },
    config: { dataDir, report: { enabled: true } },
  });
  const open = (): Promise<Peer> =>
    openPeer(t, { port: gateway.port, from: '127.0.0.1' }, 'GET /a HTTP/1.1\r\nHost: h\r\n\r\n');
  const isRefused = ({ text }: Peer): boolean => text.startsWith('HTTP/1.1 503 ');
  return {
    gateway,
    definition,
    backend,
    first: { client: await open(), peer: await backend.next() },
    open,
    /** Those that wait when it is full, which shows by the one that is refused. */
    async fill(): Promise<readonly Peer[]> {
      const peers = await Promise.all([open(), open(), open(), open()]);
      await eventually(() => peers.some(isRefused));
      const waiting = peers.filter((peer) => !isRefused(peer));
      assert.equal(waiting.length, 3);
      return waiting;
    },
    outcomes: async (): Promise<readonly unknown[]> =>
      (await accessRecords(dataDir)).map(({ outcome }) => outcome),
  };
}

/** Answers as the backend. */
function answer(peer: Peer): void {
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
}

test('through a gateway: sockets that are closed while they wait make room, by either way to leave', async (t) => {
  const { backend, first, fill, outcomes } = await startGateway(t);
  let left = 0;
  for (const how of ['fin', 'reset'] as const) {
    for (const client of await fill()) client.leave(how);
    left += 3;
    await eventually(
      async () => (await outcomes()).filter((outcome) => outcome === 'clientAborted').length === left,
    );
  }
  const waiting = await fill();
  answer(first.peer);
  for (const _each of waiting) answer(await backend.next());
  for (const client of waiting) await client.until('ok');
  assert.equal(backend.accepted(), 4, 'nothing was sent for those who left');
});

test('through a gateway: those that wait when the API is replaced or undeployed are let in after those before them', async (t) => {
  const { gateway, definition, backend, first, open, fill } = await startGateway(t);
  const waiting = await fill();
  swapDefinition(gateway, { ...definition, apiVersion: '2' }, 1);
  const newcomer = { client: await open(), peer: await backend.next() };
  const behind = await fill();
  gateway.deployments.apply({
    organization: 'DEFAULT',
    environment: 'DEFAULT',
    seq: 9,
    isFull: false,
    set: [],
    removed: [{ kind: 'api', id: 'a' }],
  });
  assert.equal((await gateway.call('/a')).status, 404);
  for (const { peer, clients } of [
    { peer: first.peer, clients: [first.client, ...waiting] },
    { peer: newcomer.peer, clients: [newcomer.client, ...behind] },
  ]) {
    answer(peer);
    for (const _each of clients.slice(1)) answer(await backend.next());
    for (const client of clients) await client.until('ok');
  }
});

test('places are of all, of a plan, or of a subscription or address', async () => {
  const callers = [
    [{ plan: 'p', 'subscription-id': 's1' }],
    [{ plan: 'p', 'subscription-id': 's1' }],
    [{ plan: 'p', 'subscription-id': 's2' }],
    [{ plan: 'q', 'subscription-id': 's2' }],
    [{ plan: 'k' }, '2001:db8::1'],
    [{ plan: 'k' }, '2001:db8::2'],
    [{ plan: 'k' }, '2001:db8:1::1'],
  ] as const;
  for (const [per, expected] of [
    ['API', 'in - - - - - -'],
    ['PLAN', 'in - - in in - -'],
    ['SUBSCRIPTION', 'in - in in in - in'],
  ] as const) {
    const { enter } = start({ limit: 1, per });
    const said = [];
    for (const [attributes, address] of callers)
      said.push((await enter(attributes, address).said) === 'in' ? 'in' : '-');
    assert.equal(said.join(' '), expected, per);
  }
});

test('bounds are refused by their paths', () => {
  const refused = (configuration: object): string =>
    catalog[id].config
      .safeParse(configuration)
      .error?.issues.map(({ path }) => path.join('.'))
      .join() ?? '';
  for (const [limit, max, waitMs] of [
    [1, 0, 1],
    [100_000, 10_000, 60_000],
  ])
    assert.equal(refused({ limit, queue: { max, waitMs } }), '');
  assert.equal(refused({}), 'limit');
  assert.equal(refused({ limit: 0 }), 'limit');
  assert.equal(refused({ limit: 100_001 }), 'limit');
  assert.equal(refused({ limit: 1, queue: { max: 10_001, waitMs: 0 } }), 'queue.max,queue.waitMs');
  assert.equal(refused({ limit: 1, queue: { waitMs: 60_001 } }), 'queue.waitMs');
  assert.equal(refused({ limit: 1, per: 'CLIENT' }), 'per');
});
