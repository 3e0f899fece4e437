import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { signCertificate, signHead } from '../../proto/trust/heads.ts';
import { createSigningKeyPair } from '../../proto/trust/keys.ts';
import { signSuccession } from '../../proto/trust/roots.ts';
import { encodeCertificate, encodeHead, encodeSuccession } from '../../proto/wire/head.ts';
import { startHostileBridge } from '../../test/kit/bridge/hostile-bridge.ts';
import { startTestBridge } from '../../test/kit/bridge/test-bridge.ts';
import { eventually } from '../../test/kit/eventually.ts';
import { identityOf, startSyncGateway, type SyncGateway } from '../../test/kit/gateway/sync-gateway.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';

/** A bridge behind somebody who may alter its frames, with an API in each environment, and a gateway enrolled before any new root. */
async function world(t: TestContext, environments: readonly string[] = ['dev']) {
  // A gateway that closes amid a dial keeps its seat for as long as the lease.
  const limits = { pollEveryMs: 50, pingEveryMs: 1_000, seatLeaseMs: 500 };
  const bridge = await startTestBridge(t, { limits }, environments);
  const border = await startHostileBridge(bridge.url);
  bridge.alsoAt(border.url);
  t.after(() => border.close());
  const { repository } = bridge;
  const publish = (environment: string, id: string): void =>
    void repository.publish(environment, [{ kind: 'api', id, payload: Buffer.from(id) }]);
  for (const name of environments) publish(name, 'a');
  const enrolled = identityOf(repository, repository.addGateway(), border.url);
  const oldRoot = repository.root;
  const dir = tempDir(t);
  let rootKey = enrolled.rootKey;
  const saved: Uint8Array[] = [];
  const start = (): SyncGateway => {
    const gateway = startSyncGateway({
      dir,
      url: border.url,
      identity: { ...enrolled, rootKey },
      saveRoot: (key) => void (saved.push(key), (rootKey = key)),
      timings: { rootSavedAfterMs: 1 },
    });
    t.after(() => gateway.close());
    return gateway;
  };
  return { repository, border, publish, start, oldRoot, saved };
}

const isServing = (gateway: SyncGateway, id: string, environment = 'dev') =>
  eventually(() => gateway.served.has(`${environment}/api/${id}`), { timeoutMs: 10_000 });
const refusals = (gateway: SyncGateway): number =>
  gateway.sync.state().environments[0]?.refused.unknown_key ?? 0;

test('a gateway follows a root that the one before has named, twice, without a hand, and restarts offline under it', async (t) => {
  const { repository, border, publish, start, saved } = await world(t);
  const gateway = start();
  await isServing(gateway, 'a');
  repository.rollRoot();
  publish('dev', 'b');
  await isServing(gateway, 'b');
  repository.rollRoot();
  publish('dev', 'c');
  await isServing(gateway, 'c');
  assert.equal(refusals(gateway), 0);
  await eventually(() => saved.some((key) => Buffer.compare(key, repository.root.publicKey) === 0));
  await gateway.close();
  border.setDown(true);
  const again = start();
  assert.deepEqual([...again.served.values()].toSorted(), ['a', 'b', 'c']);
});

test('a gateway that was away during several new roots follows all of them', async (t) => {
  const { repository, publish, start } = await world(t);
  const first = start();
  await isServing(first, 'a');
  await first.close();
  for (let n = 0; n < 4; n += 1) repository.rollRoot();
  publish('dev', 'b');
  await isServing(start(), 'b');
});

test('what the old root certifies is refused by who has left it, also after a restart, and also when it names another one', async (t) => {
  const { repository, border, publish, start, oldRoot } = await world(t);
  const gateway = start();
  await isServing(gateway, 'a');
  repository.rollRoot();
  publish('dev', 'b');
  await isServing(gateway, 'b');

  // Somebody has the old root, a key of his own that it certifies for a later epoch, and the bridge.
  const thief = createSigningKeyPair();
  const other = createSigningKeyPair();
  const at = { organization: repository.organization, environment: 'dev' };
  const certificateBy = (root: Uint8Array): Uint8Array =>
    encodeCertificate(
      signCertificate(
        {
          ...at,
          keyId: 'thief',
          publicKey: thief.publicKey,
          epoch: 9,
          notBeforeMs: 0,
          notAfterMs: Date.UTC(2100, 0),
        },
        root,
      ),
    );
  const fork = encodeSuccession(
    signSuccession(
      { organization: at.organization, fromKey: oldRoot.publicKey, toKey: other.publicKey, issuedAtMs: 1 },
      oldRoot.privateKey,
    ),
  );
  const head = encodeHead(
    signHead(
      {
        ...at,
        epoch: 9,
        seq: 99,
        count: 0,
        digest: new Uint8Array(32),
        issuedAtMs: 2,
        expiresAtMs: 3,
        keyId: 'thief',
      },
      thief.privateKey,
    ),
  );
  border.tamper((frame) => {
    if (frame.kind === 'certificates')
      return [
        {
          ...frame,
          certificates: [fork, certificateBy(oldRoot.privateKey), certificateBy(other.privateKey)],
        },
      ];
    return frame.kind === 'head' ? [{ ...frame, head }] : [frame];
  });
  border.cut();
  await eventually(() => refusals(gateway) > 2, { timeoutMs: 10_000 });
  await gateway.close();
  const again = start();
  assert.deepEqual([...again.served.values()].toSorted(), ['a', 'b']);
  await eventually(() => refusals(again) > 1, { timeoutMs: 10_000 });
  assert.equal(again.sync.state().environments[0]?.seq, 2);
  border.tamper(undefined);
  publish('dev', 'c');
  await isServing(again, 'c');
});

test('a succession that the root has not signed leads nowhere', async (t) => {
  const { repository, border, publish, start } = await world(t);
  const gateway = start();
  await isServing(gateway, 'a');
  const thief = createSigningKeyPair();
  const step = {
    organization: repository.organization,
    fromKey: repository.root.publicKey,
    toKey: thief.publicKey,
    issuedAtMs: 1,
  };
  const forged = encodeSuccession(signSuccession(step, thief.privateKey));
  border.tamper((frame) =>
    frame.kind === 'certificates' ? [{ ...frame, certificates: [forged, ...frame.certificates] }] : [frame],
  );
  border.cut();
  publish('dev', 'b');
  await isServing(gateway, 'b');
  assert.equal(refusals(gateway), 0);
});

test('as long as one environment waits for the new root, a restart serves both', async (t) => {
  const { repository, border, start, publish, saved } = await world(t, ['dev', 'test']);
  const gateway = start();
  await isServing(gateway, 'a');
  await isServing(gateway, 'a', 'test');
  border.tamper((frame) => ('environment' in frame && frame.environment === 'test' ? [] : [frame]));
  repository.rollRoot();
  publish('dev', 'b');
  await isServing(gateway, 'b');
  await gateway.close();
  assert.deepEqual(saved, []);
  border.setDown(true);
  const again = start();
  assert.deepEqual([...again.served.keys()].toSorted(), ['dev/api/a', 'dev/api/b', 'test/api/a']);
  border.tamper(undefined);
  border.setDown(false);
  await eventually(() => saved.length === 1, { timeoutMs: 10_000 });
});
