import assert from 'node:assert/strict';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';

import { createGuard } from '../../../proto/process/outbound/guard.ts';
import { systemClock } from '../../../proto/process/clock.ts';
import { createLog } from '../../../proto/process/log.ts';
import { encodeApi } from '../../../proto/wire/payloads.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition, call, flow } from '../../../test/kit/gateway/gateway.ts';
import { createUpstreams } from '../../endpoints/upstreams.ts';
import { createEngine } from '../../serving.ts';
import { noCallouts } from '../../callouts.ts';
import { createMemoryCounters } from '../../limits/memory.ts';
import type { Policy } from '../../policies/policy.ts';
import { createLife } from './life.ts';
import type { SetRecord } from '../deploy/change.ts';
import { createDeployments } from '../deploy/deployments.ts';
import { startServingParts } from '../../../test/kit/gateway/serving-parts.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import { kitGround } from '../../../test/kit/gateway/policies.ts';
import { quietSecurityHost } from '../../../test/kit/gateway/security.ts';

const guard = createGuard('local', { allow: [], setting: 'upstream' });

const swaps = 1_000;

/** Policies that open a timer and a socket where they start, and count what became of them. */
function createOpener(port: number) {
  const state = { built: 0, started: 0, released: 0, doubles: 0, open: new Set<Socket>() };
  const build = (): Policy => {
    state.built += 1;
    let held: { readonly timer: NodeJS.Timeout; readonly socket: Socket } | undefined;
    return {
      start() {
        if (held !== undefined) state.doubles += 1;
        state.started += 1;
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => undefined);
        state.open.add(socket);
        held = { timer: setInterval(() => undefined, 60_000), socket };
      },
      release() {
        if (held === undefined) state.doubles += 1;
        state.released += 1;
        clearInterval(held?.timer);
        held?.socket.destroy();
        if (held !== undefined) state.open.delete(held.socket);
        held = undefined;
      },
    };
  };
  return { state, build };
}

async function startDeployments(
  t: TestContext,
  wish: { readonly isJudge?: boolean; readonly build?: (port: number) => Policy } = {},
) {
  const server: Server = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const { state, build } = createOpener(address.port);
  const upstreams = createUpstreams(
    createEngine(),
    { upstream: { dnsTtlMs: 0, connectionAgeMsMax: 0 } },
    guard,
  );
  const logged: string[] = [];
  const deployments = createDeployments({
    guard,
    upstreams: wish.isJudge === true ? undefined : upstreams,
    host: {
      clock: systemClock,
      counters: createMemoryCounters({ windowsMax: 1, clock: systemClock }),
      outbound: noCallouts,
      ground: kitGround,
    },
    records: undefined,
    log: createLog({
      name: 'gateway',
      level: 'error',
      destination: { write: (line) => void logged.push(line) },
    }),
    security: quietSecurityHost(),
    keysSeenMax: 1,
    streamMsMax: 0,
    onThrown: (error) => assert.fail(String(error)),
    build: () => wish.build?.(address.port) ?? build(),
  });
  t.after(async () => {
    deployments.close();
    for (const socket of state.open) socket.destroy();
    server.close();
    await upstreams.close(0);
  });
  let seq = 0;
  const set = (id: string, changes: object = {}): SetRecord => {
    seq += 1;
    const definition = apiDefinition(id, `http://127.0.0.1:9/${seq}`, {
      flows: [flow('/', { request: [['mock', {}]] })],
      ...changes,
    });
    const payload = encodeApi({
      id,
      name: id,
      revision: String(seq),
      definition: JSON.stringify(definition),
    });
    return { kind: 'api', id, seq, revision: String(seq), payload };
  };
  const apply = (...records: readonly SetRecord[]) =>
    deployments.apply({ organization: 'O', environment: 'E', seq, isFull: false, set: records, removed: [] });
  return { deployments, upstreams, state, set, apply, logged };
}

/** Timers and sockets of this process. */
const resources = (): number =>
  process.getActiveResourcesInfo().filter((kind) => /^(Timeout|TCPSocketWrap|TCPWRAP|ConnectWrap)/.test(kind))
    .length;

test(`${swaps} swaps start and release every step once, and leave no timer, socket or pool`, async (t) => {
  const { deployments, upstreams, state, set, apply } = await startDeployments(t);
  const before = resources();
  for (let swap = 0; swap < swaps; swap += 1) {
    const nacks = apply(set('steady'), ...(swap % 10 === 0 ? [set('broken', { flows: 'none' })] : []));
    assert.equal(nacks.length, swap % 10 === 0 ? 1 : 0);
    assert.deepEqual([state.started, state.released, upstreams.size], [swap + 1, swap, 1]);
  }
  // As it was: nothing is compiled again. Its place is taken: what is compiled never starts.
  const same = set('steady');
  apply(same);
  const started = state.started;
  apply({ ...same, seq: same.seq + 1 });
  assert.equal(state.started, started);
  const [clash] = apply(set('other', apiDefinition('steady', 'http://127.0.0.1:9')));
  assert.equal(clash?.code, 'path.taken');
  assert.equal(state.started, started);
  deployments.close();
  deployments.close();
  assert.deepEqual([state.started, state.doubles], [state.released, 0]);
  await eventually(() => resources() <= before);
});

test('the judge compiles the same and starts nothing', async (t) => {
  const { deployments, upstreams, state, set, apply } = await startDeployments(t, { isJudge: true });
  const before = resources();
  for (let swap = 0; swap < 20; swap += 1) assert.deepEqual(apply(set('steady')), []);
  deployments.close();
  assert.deepEqual([state.built, state.started, state.released, upstreams.size], [20, 0, 0, 0]);
  assert.equal(resources(), before);
});

test('a revision whose step does not start is refused: what had started is released, the one before serves', async (t) => {
  let count = 0;
  const life: string[] = [];
  const { deployments, upstreams, set, apply, logged } = await startDeployments(t, {
    build() {
      count += 1;
      const own = count;
      return {
        start() {
          if (own === 4) throw new Error('a bug');
          life.push(`start ${own}`);
        },
        release: () => void life.push(`release ${own}`),
      };
    },
  });
  const two = {
    flows: [
      flow('/', {
        request: [
          ['mock', {}],
          ['mock', {}],
        ],
      }),
    ],
  };
  assert.deepEqual(apply(set('steady', two)), []);
  const [nack] = apply(set('steady', two));
  assert.equal(nack?.code, 'platform.bug');
  assert.equal(logged.length, 1);
  assert.deepEqual(life.splice(0), ['start 1', 'start 2', 'start 3', 'release 3']);
  assert.deepEqual([deployments.state()[0]?.apis[0]?.state, upstreams.size], ['outdated', 1]);
  deployments.close();
  assert.deepEqual(life, ['release 2', 'release 1']);
});

test('a life begins once and ends once, however often it is told to, and does not end before it began; where nobody is served no step begins', async () => {
  const told: string[] = [];
  const part = (name: string) => ({
    start: () => void told.push(`start ${name}`),
    release: () => void told.push(`release ${name}`),
  });
  const upstreams = createUpstreams(
    createEngine(),
    { upstream: { dnsTtlMs: 0, connectionAgeMsMax: 0 } },
    guard,
  );
  const life = createLife<{ readonly upstreams: typeof upstreams }>(part('pools'), [part('a'), part('b')]);
  life.release();
  assert.deepEqual(told, []);
  for (let time = 0; time < 2; time += 1) life.start({ upstreams });
  assert.deepEqual(told.splice(0), ['start pools', 'start a', 'start b']);
  for (let time = 0; time < 2; time += 1) life.release();
  life.start({ upstreams });
  assert.deepEqual(told.splice(0), ['release b', 'release a', 'release pools']);
  // The primary of several workers watches endpoints and serves nobody.
  const watching = createLife(part('pools'), [part('a')]);
  watching.start({ upstreams: undefined });
  watching.release();
  assert.deepEqual(told, ['start pools', 'release pools']);
  await upstreams.close(0);
});

test('a request that outlives its API is sent where it goes, to its endpoint or where a step routes it, and leaves no pool', async (t) => {
  const waiting: (() => void)[] = [];
  const hold = (route: string | undefined): Policy => ({
    request: {
      needs: 'head',
      async run({ attributes }) {
        await new Promise<void>((resolve) => waiting.push(resolve));
        if (route !== undefined) attributes.set('request.endpoint', route);
        return undefined;
      },
    },
  });
  const { url: route } = await startUpstream(t);
  const parts = await startServingParts(t, {
    plain: hold(undefined),
    routed: hold(route),
    known: hold(route),
  });
  const ask = async (name: string): Promise<number> => {
    const asked = call(parts.port, `/${name}`);
    if (name === 'plain') {
      const peer = await parts.backend.next();
      await peer.until('\r\n\r\n');
      peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    }
    return (await asked).status;
  };
  // One that was routed there before has a pool already.
  const before = ask('known');
  await eventually(() => waiting.length === 1);
  waiting.splice(0)[0]?.();
  assert.equal(await before, 200);
  const asked = ['plain', 'routed', 'known'].map(ask);
  await eventually(() => waiting.length === 3);
  parts.removeAll();
  assert.equal(parts.upstreams.size, 0);
  for (const goOn of waiting) goOn();
  assert.deepEqual(await Promise.all(asked), [200, 200, 200]);
  assert.equal(parts.upstreams.size, 0);
});
