import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RefusalReason } from '../../data-plane/sync/sync.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { signCertificate, signHead } from '../../proto/trust/heads.ts';
import { createSigningKeyPair, keyIdOf } from '../../proto/trust/keys.ts';
import type { Frame } from '../../proto/wire/frames.ts';
import { decodeHead, encodeCertificate, encodeHead } from '../../proto/wire/head.ts';
import { decodeRecord, encodeRecord } from '../../proto/wire/record.ts';
import { api, attackScene, key, type Scene } from '../kit/attacks/attack-scene.ts';
import { eventually } from '../kit/eventually.ts';
import { createFakeClock } from '../kit/fake-clock.ts';
import type { HostileBridge, Tamper } from '../kit/bridge/hostile-bridge.ts';
import type { MemoryRepository } from '../kit/bridge/memory-repository.ts';
import { identityOf, startSyncGateway, type SyncGateway } from '../kit/gateway/sync-gateway.ts';
import { tempDir } from '../kit/temp-dir.ts';

/*
 * The attack table: what a stolen bridge or a stolen machine can try. Each attack is refused, counted, reported in the
 * heartbeat, and what was served before is served all the time; when it ends, the gateway converges without a hand.
 */

/** Waits until the attack was refused for this reason, counted in the metric and reported to the repository. */
async function refusedAs({ gateway, repository, id, bridge }: Scene, reason: RefusalReason): Promise<void> {
  const count = (): number => {
    const state = gateway.sync.state();
    return (state.refused[reason] ?? 0) + (state.environments[0]?.refused[reason] ?? 0);
  };
  await eventually(() => count() > 0).catch(() =>
    assert.fail(`never refused as ${reason}: ${JSON.stringify(gateway.sync.state(), undefined, 1)}`),
  );
  assert.match(
    await gateway.metrics(),
    new RegExp(`isthmus_sync_refused_total\\{reason="${reason}"\\} [1-9]`),
  );
  // Reported by an honest bridge as soon as there is one again.
  bridge.tamper(undefined);
  await eventually(() => (repository.reports.get(id)?.counters[`sync_refused_${reason}`] ?? 0) > 0);
}

interface Attack {
  readonly name: string;
  readonly reason: RefusalReason;
  /** What the publisher does meanwhile. */
  readonly publish: (repository: MemoryRepository) => void;
  readonly tamper: (scene: Scene) => Tamper | Promise<Tamper>;
}

const forged = createSigningKeyPair();

const attacks: readonly Attack[] = [
  {
    name: 'a forged payload',
    reason: 'hash_mismatch',
    publish: (repository) => repository.publish('dev', [api('a', 'a2')]),
    tamper: () => (frame) => [
      frame.kind === 'payloads'
        ? {
            ...frame,
            records: frame.records.map((bytes) =>
              encodeRecord({ ...decodeRecord(bytes), payload: Buffer.from('evil') }),
            ),
          }
        : frame,
    ],
  },
  {
    name: 'a forged payload with a header that fits it',
    reason: 'digest_mismatch',
    publish: (repository) => repository.publish('dev', [api('a', 'a2')]),
    tamper: forgeWithHeader,
  },
  {
    name: 'a withheld revocation under a fresh head',
    reason: 'digest_mismatch',
    publish: (repository) => repository.publish('dev', [{ kind: 'api-key', id: 'k' }]),
    tamper: () => (frame) => [
      frame.kind === 'headers' || frame.kind === 'bucketHeaders'
        ? { ...frame, headers: frame.headers.filter(({ id }) => id !== 'k') }
        : frame,
    ],
  },
  {
    name: 'an older head',
    reason: 'rollback',
    publish: (repository) => repository.publish('dev', [api('b', 'b')]),
    tamper: async ({ repository, gateway }) => {
      const older = await repository.head({ organization: 'org-1', environment: 'dev' });
      repository.publish('dev', [key('k2', 'alive')]);
      await eventually(() => gateway.sync.state().environments[0]?.seq === 3);
      return replaceHead(older?.bytes);
    },
  },
  {
    name: 'a head of another environment',
    reason: 'wrong_environment',
    publish: (repository) => repository.publish('dev', [api('b', 'b')]),
    tamper: async ({ repository }) =>
      replaceHead((await repository.head({ organization: 'org-1', environment: 'prod' }))?.bytes),
  },
  {
    name: 'a head signed with another key under the name of the real one',
    reason: 'bad_signature',
    publish: (repository) => repository.publish('dev', [api('b', 'b')]),
    tamper: () => (frame) => [
      frame.kind === 'head'
        ? { ...frame, head: encodeHead(signHead({ ...decodeHead(frame.head) }, forged.privateKey)) }
        : frame,
    ],
  },
  {
    name: 'a head signed with a key that an unknown root certified',
    reason: 'unknown_key',
    publish: (repository) => repository.publish('dev', [api('b', 'b')]),
    tamper: () => underUnknownRoot,
  },
  {
    name: 'headers without payloads',
    reason: 'withheld',
    publish: (repository) => repository.publish('dev', [api('a', 'a2')]),
    tamper: () => (frame) => (frame.kind === 'payloads' ? [] : [frame]),
  },
  {
    name: 'records of an environment that was not granted',
    reason: 'unknown_environment',
    publish: (repository) => repository.publish('dev', [api('b', 'b')]),
    tamper: () => (frame) => [frame.kind === 'headers' ? { ...frame, environment: 'prod' } : frame],
  },
  {
    name: 'a higher epoch that the root did not sign',
    reason: 'epoch_not_signed',
    publish: (repository) => repository.publish('dev', [api('b', 'b')]),
    tamper: () => (frame) => [
      frame.kind === 'head' ? { ...frame, head: encodeHead({ ...decodeHead(frame.head), epoch: 9 }) } : frame,
    ],
  },
  {
    name: 'frames that only a gateway sends',
    reason: 'frame_malformed',
    publish: (repository) => repository.publish('dev', [api('b', 'b')]),
    tamper: () => (frame) => [
      frame.kind === 'head' ? { kind: 'buckets', environment: 'dev', hashes: new Uint8Array(8_192) } : frame,
    ],
  },
];

for (const attack of attacks) {
  test(`${attack.name} is refused as ${attack.reason}, and the old set stays until an honest bridge is back`, async (t) => {
    const at = await attackScene(t);
    at.bridge.tamper(await attack.tamper(at));
    attack.publish(at.repository);
    const { seq } = (await at.repository.head({ organization: 'org-1', environment: 'dev' })) ?? { seq: 0 };
    const whileAttacked = watch(at.gateway);
    await eventually(
      () =>
        at.gateway.sync.state().environments[0]?.lastRefusal ??
        Object.keys(at.gateway.sync.state().refused)[0],
    );
    assert.deepEqual([...new Set(whileAttacked())], ['a1', 'alive'], 'traffic unharmed');
    assert.equal(at.gateway.sync.state().isComplete, true);
    await refusedAs(at, attack.reason);
    await eventually(() => at.gateway.sync.state().environments[0]?.seq === seq);
    assert.ok(![...at.gateway.served.values()].includes('evil'));
  });
}

test('an attack from the first byte on leaves a new gateway empty and not ready, never wrong', async (t) => {
  const at = await attackScene(t);
  at.bridge.tamper(forgeWithHeader());
  const fresh = at.repository.addGateway({ environments: ['dev'] });
  const identity = identityOf(at.repository, fresh, at.bridge.url);
  const gateway = startSyncGateway({ dir: tempDir(t, 'attacks'), url: at.bridge.url, identity });
  t.after(() => gateway.close());
  await eventually(() => (gateway.sync.state().environments[0]?.refused.digest_mismatch ?? 0) > 1);
  assert.equal(gateway.served.size, 0);
  assert.equal(gateway.sync.state().isComplete, false);
  at.bridge.tamper(undefined);
  await eventually(() => gateway.sync.state().isComplete);
});

test('an old head that is repeated does not pass for a new one: after its time it is reported as expired', async (t) => {
  const at = await attackScene(t);
  await at.gateway.close();
  const fake = createFakeClock(Date.now());
  const gateway = at.start({
    clock: { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + fake.monotonicMs() },
  });
  await eventually(() => gateway.sync.state().isConnected);
  at.repository.publish('dev', [key('k', 'newer')]);
  await eventually(() => gateway.sync.state().environments[0]?.seq === 3);
  const head = headsOf(at.bridge, 'dev').at(-1);
  at.bridge.tamper(replaceHead(head));
  await fake.advance(6 * 60_000);
  const repeats = at.bridge.sent.length;
  at.repository.refresh('dev');
  await eventually(() => at.bridge.sent.length > repeats);
  assert.equal(gateway.sync.state().environments[0]?.isHeadExpired, true);
  assert.deepEqual([...gateway.served.values()].toSorted(), ['a1', 'newer'], 'traffic unharmed');
  at.bridge.tamper(undefined);
  at.bridge.cut();
  await eventually(() => gateway.sync.state().environments[0]?.isHeadExpired === false);
});

/** What callers are served from now on, sampled at every turn; returns what was seen when it was always the same. */
function watch(gateway: SyncGateway): () => readonly string[] {
  const first = [...gateway.served.values()].toSorted();
  const timer = setInterval(() => assert.deepEqual([...gateway.served.values()].toSorted(), first), 1);
  return () => {
    clearInterval(timer);
    return [...gateway.served.values()].toSorted();
  };
}

function headsOf(bridge: HostileBridge, environment: string): readonly Uint8Array[] {
  return bridge.sent.flatMap((frame) =>
    frame.kind === 'head' && frame.environment === environment ? [frame.head] : [],
  );
}

function replaceHead(head: Uint8Array | undefined): Tamper {
  assert.ok(head !== undefined);
  return (frame) => [frame.kind === 'head' ? { ...frame, head } : frame];
}

/** Changes payloads and, so that they fit, the headers that name them; the head it cannot sign. */
function forgeWithHeader(): Tamper {
  return (frame): readonly Frame[] => {
    if (frame.kind === 'payloads') return [{ ...frame, records: frame.records.map(evilTwin) }];
    if (frame.kind !== 'headers' && frame.kind !== 'bucketHeaders') return [frame];
    return [
      { ...frame, headers: frame.headers.map((header) => ({ ...header, sha256: new Uint8Array(32) })) },
    ];
  };
}

function evilTwin(bytes: Uint8Array): Uint8Array {
  return encodeRecord({ ...decodeRecord(bytes), payload: Buffer.from('evil') });
}

function underUnknownRoot(frame: Frame): readonly Frame[] {
  if (frame.kind === 'certificates') return [{ ...frame, certificates: [] }];
  if (frame.kind !== 'head') return [frame];
  const head = decodeHead(frame.head);
  const certificate = signCertificate(
    {
      organization: head.organization,
      environment: head.environment,
      keyId: keyIdOf(forged.publicKey),
      publicKey: forged.publicKey,
      epoch: head.epoch,
      notBeforeMs: 0,
      notAfterMs: Date.now() + 86_400_000,
    },
    forged.privateKey,
  );
  const resigned = encodeHead(signHead({ ...head, keyId: keyIdOf(forged.publicKey) }, forged.privateKey));
  return [
    { kind: 'certificates', environment: frame.environment, certificates: [encodeCertificate(certificate)] },
    { ...frame, head: resigned },
  ];
}
