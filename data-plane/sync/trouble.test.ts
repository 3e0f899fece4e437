import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../proto/process/clock.ts';
import { createLog } from '../../proto/process/log.ts';
import { borderCodes } from '../../proto/trust/border.ts';
import type { EnrolledIdentity } from '../../proto/trust/identity.ts';
import { createSigningKeyPair } from '../../proto/trust/keys.ts';
import { claimSeat } from '../../test/kit/bridge/bridge-client.ts';
import { createMemoryRepository } from '../../test/kit/bridge/memory-repository.ts';
import { startStranger, type StrangersAnswer } from '../../test/kit/bridge/stranger.ts';
import { startTestBridge } from '../../test/kit/bridge/test-bridge.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { identityOf, startSyncGateway } from '../../test/kit/gateway/sync-gateway.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { startGatewayNode } from '../admin/node.ts';

/** A bridge behind somebody who may answer in its place, and a gateway that serves one API and writes down its log. */
async function world(
  t: TestContext,
  change: (identity: EnrolledIdentity) => EnrolledIdentity = (same) => same,
) {
  const bridge = await startTestBridge(t, { limits: { pollEveryMs: 50 } });
  const stranger = await startStranger(t, bridge.url);
  bridge.repository.publish('dev', [{ kind: 'api', id: 'a', payload: Buffer.from('a') }]);
  const enrolled = bridge.repository.addGateway();
  const lines: { msg: string; code?: string; remedy?: string }[] = [];
  const gateway = startSyncGateway({
    dir: tempDir(t),
    url: stranger.url,
    identity: change(identityOf(bridge.repository, enrolled, stranger.url)),
    timings: { pollWaitSeconds: 1, streamFailuresMax: 1, redialMsFirst: 5, redialMsCap: 20 },
    log: (line) => void lines.push(JSON.parse(line) as { msg: string }),
  });
  t.after(() => gateway.close());
  const port = await startGatewayNode({
    config: { admin: { host: '127.0.0.1', port: 0 } },
    version: '0.0.0-test',
    state: () => ({
      isOpen: true,
      certificates: undefined,
      source: {
        kind: 'bridge',
        isComplete: true,
        environments: [],
        problems: [],
        sync: gateway.sync.state(),
      },
      deployed: [],
      endpoints: [],
      discovered: [],
      spool: undefined,
      servers: [],
      workers: undefined,
    }),
    metrics: { text: gateway.metrics, contentType: 'text/plain' },
    replaceWorkers: undefined,
    log: createLog({ name: 'test', level: 'silent' }),
    clock: systemClock,
    lifecycle: gateway.lifecycle,
  });
  const get = async (path: string) => fetch(`http://127.0.0.1:${port}/${path}`);
  return {
    bridge,
    stranger,
    gateway,
    enrolled,
    get,
    dials: () => lines.filter(({ msg }) => msg === 'dialling the bridge again').length,
    said: () => lines.filter(({ remedy }) => remedy !== undefined),
  };
}

type World = Awaited<ReturnType<typeof world>>;

/** A gateway with an open stream at a bridge that looks at its seats often. */
async function seated(t: TestContext) {
  const bridge = await startTestBridge(t, { limits: { pollEveryMs: 50, seatLeaseMs: 600 } });
  bridge.repository.publish('dev', [{ kind: 'api', id: 'a', payload: Buffer.from('a') }]);
  const enrolled = bridge.repository.addGateway();
  const lines: { msg: string; level: string; code?: string }[] = [];
  const gateway = startSyncGateway({
    dir: tempDir(t),
    url: bridge.url,
    identity: identityOf(bridge.repository, enrolled, bridge.url),
    log: (line) => void lines.push(JSON.parse(line) as { msg: string; level: string }),
  });
  t.after(() => gateway.close());
  await eventually(() => gateway.served.has('dev/api/a'));
  return { bridge, enrolled, gateway, lines };
}

/** The trouble is in health, readiness and metrics with its code, and in the log once with what to do; the gateway is up and ready. */
async function assertTrouble({ gateway, get, said }: World, code: string): Promise<void> {
  await eventually(() => gateway.sync.state().trouble?.code === code, { timeoutMs: 15_000 });
  const health = await get('health');
  const { status, degraded, sync } = (await health.json()) as {
    status: string;
    degraded: string[];
    sync: { trouble: { code: string; remedy: string; since: string } };
  };
  assert.deepEqual([health.status, status, degraded, sync.trouble.code], [200, 'UP', ['bridge'], code]);
  assert.ok(sync.trouble.remedy.length > 20);
  const ready = await get('health/ready');
  const {
    ready: isReady,
    degraded: alike,
    trouble,
  } = (await ready.json()) as {
    ready: boolean;
    degraded: string[];
    trouble: { code: string };
  };
  assert.deepEqual([ready.status, isReady, alike, trouble.code], [200, true, ['bridge'], code]);
  const shown = `isthmus_sync_trouble{code="${code}"} 1\n`;
  await eventually(async () => (await (await get('metrics')).text()).includes(shown));
  const before = said().filter((line) => line.code === code).length;
  assert.equal(before, 1);
}

async function assertWell({ gateway, get }: World): Promise<void> {
  await eventually(() => gateway.sync.state().isConnected && gateway.sync.state().trouble === undefined, {
    timeoutMs: 15_000,
  });
  const { degraded } = (await (await get('health')).json()) as { degraded: string[] };
  assert.deepEqual(degraded, []);
  await eventually(async () => !/^isthmus_sync_trouble\{/m.test(await (await get('metrics')).text()));
}

/** The bridge's own refusal, as JSON with its code. */
const refuses =
  (code: string, status: number): StrangersAnswer =>
  (_incoming, outgoing) =>
    void outgoing
      .writeHead(status, { 'content-type': 'application/json', 'x-isthmus-code': code })
      .end(JSON.stringify({ code, reason: 'no', bridgeTimeMs: 1 }));

test('a gateway that the bridge does not know, or not any more, says so in health, readiness, metrics and once in the log', async (t) => {
  const other = createMemoryRepository({ environments: ['dev'] });
  const at = await world(t, (identity) => ({ ...identity, gateway: other.addGateway().identity.id + 'x' }));
  at.bridge.alsoAt(at.stranger.url);
  await assertTrouble(at, 'bridge.unknown_gateway');
  const dials = at.dials();
  await eventually(() => at.dials() > dials + 3, { timeoutMs: 15_000 });
  assert.equal(at.said().length, 1, 'it is said once, however often it is tried');
});

test('a revoked gateway says so and serves on', async (t) => {
  const at = await world(t);
  at.bridge.alsoAt(at.stranger.url);
  await assertWell(at);
  at.bridge.repository.revoke(at.enrolled.identity.id);
  await assertTrouble(at, 'bridge.revoked');
  assert.deepEqual([...at.gateway.served.values()], ['a']);
});

test('a bridge that is called otherwise says so, and all is well once it has the name', async (t) => {
  const at = await world(t);
  await assertTrouble(at, 'trust.wrong_audience');
  at.bridge.alsoAt(at.stranger.url);
  await assertWell(at);
});

test('a key that is not the one of the enrolment says so', async (t) => {
  const at = await world(t, (identity) => ({ ...identity, signing: createSigningKeyPair() }));
  at.bridge.alsoAt(at.stranger.url);
  await assertTrouble(at, 'trust.bad_signature');
});

test('what the root of another organization signed is refused, and that is said until a head verifies', async (t) => {
  const at = await world(t, (identity) => ({ ...identity, rootKey: createSigningKeyPair().publicKey }));
  at.bridge.alsoAt(at.stranger.url);
  await assertTrouble(at, 'sync.refused');
});

test('a page in the place of the bridge says so, and a load balancer without a bridge behind it is no trouble', async (t) => {
  const at = await world(t);
  at.bridge.alsoAt(at.stranger.url);
  at.stranger.answers(
    (_incoming, outgoing) =>
      void outgoing.writeHead(200, { 'content-type': 'text/html' }).end('<html>Please log in</html>'),
  );
  await assertTrouble(at, 'sync.foreign_answer');
  at.stranger.answers(undefined);
  await assertWell(at);
  at.stranger.answers(
    (_incoming, outgoing) =>
      void outgoing.writeHead(503, { 'content-type': 'text/html' }).end('<html>no server</html>'),
  );
  await eventually(() => at.gateway.sync.state().lastError?.startsWith('sync.foreign_answer: 503'), {
    timeoutMs: 15_000,
  });
  assert.equal(at.gateway.sync.state().trouble, undefined);
});

test('a restore that empties the seats is no trouble of the gateways that sit, and a copy that claims first is told at once', async (t) => {
  const { bridge, enrolled, gateway, lines } = await seated(t);
  const seat = () => bridge.repository.seats.get(`${enrolled.identity.id}\0gateway`);
  bridge.repository.emptySeats();
  await eventually(() => seat() !== undefined && gateway.sync.state().isConnected, { timeoutMs: 15_000 });
  const anew = lines.filter(({ msg }) => msg === 'the connection to the bridge begins anew');
  assert.deepEqual(
    anew.map(({ level, code }) => [level, code]),
    [['info', 'bridge.seat_required']],
  );
  assert.deepEqual(
    lines.filter(({ level }) => level === 'warn' || level === 'error'),
    [],
  );
  bridge.repository.emptySeats();
  await claimSeat(enrolled, bridge.url, { instance: 'copy' });
  await eventually(() => gateway.sync.state().trouble?.code === 'bridge.identity_in_use', {
    timeoutMs: 15_000,
  });
  assert.equal(lines.filter(({ level }) => level === 'error').length, 1);
  await eventually(() => bridge.repository.events.some(({ kind }) => kind === 'identity.cloned'));
});

test('every refusal of a bridge that lasts is told by its code, a new one as unknown, and one that passes not at all', async (t) => {
  const at = await world(t);
  at.bridge.alsoAt(at.stranger.url);
  for (const code of borderCodes.filter((each) => /^(bridge|trust|request)\./.test(each))) {
    at.stranger.answers(refuses(code, 403));
    await assertTrouble(at, code);
  }
  at.stranger.answers(refuses('bridge.invented_later', 403));
  await eventually(() => at.gateway.sync.state().trouble?.code === 'bridge.refused', { timeoutMs: 15_000 });
  at.stranger.answers(undefined);
  await assertWell(at);
  at.stranger.answers(refuses('storage.unavailable', 503));
  await eventually(() => at.gateway.sync.state().lastError?.includes('storage.unavailable'), {
    timeoutMs: 15_000,
  });
  assert.equal(at.gateway.sync.state().trouble, undefined);
});
