import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { borderCodes } from '../proto/trust/border.ts';
import { createSigningKeyPair } from '../proto/trust/keys.ts';
import { createMemoryRepository } from '../test/kit/bridge/memory-repository.ts';
import type { MemoryGateway, MemoryRepository } from '../test/kit/bridge/memory-repository.ts';
import { startStranger, type StrangersAnswer } from '../test/kit/bridge/stranger.ts';
import { startTestBridge } from '../test/kit/bridge/test-bridge.ts';
import { eventually } from '../test/kit/eventually.ts';
import { bridgeTenant, createSpool, enrolled, ship, type TestShipper } from '../test/kit/shipper/shipper.ts';
import { tempDir } from '../test/kit/temp-dir.ts';

const say =
  (status: number, headers: Record<string, string>, body: string): StrangersAnswer =>
  (_incoming, outgoing) =>
    void outgoing.writeHead(status, headers).end(body);
const html = { 'content-type': 'text/html' };
const refuses = (code: string, status: number): StrangersAnswer =>
  say(
    status,
    { 'content-type': 'application/json', 'x-isthmus-code': code },
    JSON.stringify({ code, reason: 'no', bridgeTimeMs: 1 }),
  );

/** A bridge behind somebody who may answer in its place, and a shipper with a record to ship. */
async function world(
  t: TestContext,
  enrol: (repository: MemoryRepository) => MemoryGateway = (repository) => repository.addGateway(),
) {
  const bridge = await startTestBridge(t);
  const stranger = await startStranger(t, bridge.url);
  const dataDir = tempDir(t);
  const gateway = enrol(bridge.repository);
  enrolled(dataDir, gateway, stranger.url);
  const spool = createSpool(dataDir, bridgeTenant);
  spool.write('{"n":0}');
  return { bridge, stranger, spool, gateway, start: () => ship(t, { dataDir, stuckMsMax: 3_600_000 }) };
}

async function assertTrouble(shipper: TestShipper, code: string): Promise<void> {
  await eventually(async () => (await shipper.health()).trouble?.code === code);
  const { status, degraded, trouble } = await shipper.health();
  assert.deepEqual([status, degraded], ['UP', ['bridge']]);
  assert.ok((trouble?.remedy.length ?? 0) > 20);
  assert.equal((await shipper.ready()).ready, true);
  const shown = `isthmus_shipper_trouble{code="${code}"} 1\n`;
  assert.ok((await shipper.metrics()).includes(shown), shown);
}

async function assertWell(shipper: TestShipper): Promise<void> {
  await eventually(async () => (await shipper.health()).backlog.spools === 0);
  const { degraded, trouble } = await shipper.health();
  assert.deepEqual([degraded, trouble], [[], undefined]);
  assert.doesNotMatch(await shipper.metrics(), /^isthmus_shipper_trouble\{/m);
}

test('a shipper whose gateway the bridge does not know says so, and keeps its records', async (t) => {
  const other = createMemoryRepository({ environments: ['dev'] });
  const at = await world(t, () => other.addGateway());
  at.bridge.alsoAt(at.stranger.url);
  await assertTrouble(await at.start(), 'bridge.unknown_gateway');
  assert.equal(at.spool.shipped(), 0);
});

test('a shipper whose gateway was revoked says so', async (t) => {
  const at = await world(t);
  at.bridge.alsoAt(at.stranger.url);
  at.bridge.repository.revoke(at.gateway.identity.id);
  await assertTrouble(await at.start(), 'bridge.revoked');
});

test('a shipper with another key than its enrolment says so', async (t) => {
  const at = await world(t, (repository) => ({
    ...repository.addGateway(),
    signing: createSigningKeyPair(),
  }));
  at.bridge.alsoAt(at.stranger.url);
  await assertTrouble(await at.start(), 'trust.bad_signature');
});

test('a bridge that is called otherwise says so, and the records arrive once it has the name', async (t) => {
  const at = await world(t);
  const shipper = await at.start();
  await assertTrouble(shipper, 'trust.wrong_audience');
  at.bridge.alsoAt(at.stranger.url);
  await assertWell(shipper);
});

test('every refusal of a bridge that lasts is told by its code, whoever answers otherwise by being foreign, and one that is away not at all', async (t) => {
  const at = await world(t);
  at.bridge.alsoAt(at.stranger.url);
  at.stranger.answers(say(200, html, '<html>Please log in</html>'));
  const shipper = await at.start();
  await assertTrouble(shipper, 'sync.foreign_answer');
  for (const code of borderCodes.filter((each) => /^(bridge|trust|request)\./.test(each))) {
    at.stranger.answers(refuses(code, 403));
    await assertTrouble(shipper, code);
  }
  at.stranger.answers(undefined);
  await assertWell(shipper);
  at.stranger.answers(say(503, html, 'no server'));
  at.spool.write('{"n":1}');
  await eventually(async () => (await shipper.health()).stuck.length > 0);
  await eventually(async () => ((await shipper.health()).stuck[0]?.tries ?? 0) > 3);
  assert.equal((await shipper.health()).trouble, undefined);
});
