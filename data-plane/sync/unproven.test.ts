import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { Frame } from '../../proto/wire/frames.ts';
import type { RecordHeader } from '../../proto/wire/published.ts';
import { api, attackScene, type Scene } from '../../test/kit/attacks/attack-scene.ts';
import { eventually } from '../../test/kit/eventually.ts';
import type { RefusalReason } from './sync.ts';

const refusals = ({ gateway }: Scene, reason: RefusalReason): number =>
  gateway.sync.state().environments[0]?.refused[reason] ?? 0;

/** Header lines that fit the records given, as a bridge invents them. */
function lines(records: readonly Uint8Array[], from = 0): readonly RecordHeader[] {
  return records.map((bytes, index) => ({
    kind: 'api',
    id: `invented-${from + index}`,
    seq: 1,
    sha256: createHash('sha256').update(bytes).digest(),
    tags: [],
    isDeleted: false,
  }));
}

const isAnnounced = (frame: Frame): boolean => frame.kind === 'head' && frame.isAnnounced === true;

/** Everything that the bridge says of the change is followed by this, from its first announced head on. */
function afterAnnounced(frames: readonly Frame[]) {
  return (frame: Frame): readonly Frame[] => (isAnnounced(frame) ? [frame, ...frames] : [frame]);
}

test('header lines before an announced head, or more than it covers, end the connection and leave what is served', async (t) => {
  const at = await attackScene(t);
  const invented: Frame = {
    kind: 'headers',
    environment: 'dev',
    isFull: false,
    headers: lines([randomBytes(9)]),
  };
  at.bridge.inject(invented);
  await eventually(() => refusals(at, 'batch_too_large') === 1);
  await eventually(() => at.gateway.sync.state().isConnected);
  // Two records are served and a third is published: three lines are covered, one comes honestly.
  const many: Frame = { ...invented, headers: lines(Array.from({ length: 3 }, () => randomBytes(9))) };
  at.bridge.tamper(afterAnnounced([many]));
  at.repository.publish('dev', [api('b', 'b')]);
  await eventually(() => refusals(at, 'batch_too_large') > 1);
  assert.deepEqual([...at.gateway.served.values()].toSorted(), ['a1', 'alive']);
  at.bridge.tamper(undefined);
  await eventually(() => at.gateway.served.has('dev/api/b'));
});

test('a record is taken only for a header line that an announced head has proven, though the bridge invents both', async (t) => {
  const at = await attackScene(t);
  const records = Array.from({ length: 20 }, () => randomBytes(4 * 1024 * 1024));
  const payloads = records.map((bytes): Frame => ({
    kind: 'payloads',
    environment: 'dev',
    records: [bytes],
  }));
  const headers: Frame = {
    kind: 'headers',
    environment: 'dev',
    isFull: false,
    headers: lines(records.slice(0, 1)),
  };
  at.bridge.tamper(afterAnnounced([headers, ...payloads]));
  at.repository.publish('dev', [api('b', 'b')]);
  await eventually(() => refusals(at, 'hash_mismatch') > 0, { timeoutMs: 20_000 });
  assert.match(
    at.gateway.sync.state().environments[0]?.lastRefusal ?? '',
    /hash_mismatch: \d+ bytes of records that no header names/,
  );
  assert.deepEqual([...at.gateway.served.values()].toSorted(), ['a1', 'alive']);
  at.bridge.tamper(undefined);
  await eventually(() => at.gateway.served.has('dev/api/b'));
});

test('certificates that the root did not sign are not kept, so a flood of them pushes no proven one out', async (t) => {
  const at = await attackScene(t);
  const flood = Array.from({ length: 100 }, (): Frame => {
    const certificates = Array.from({ length: 64 }, () => Uint8Array.from(randomBytes(200)));
    return { kind: 'certificates', environment: 'dev', certificates };
  });
  at.bridge.inject(...flood);
  // From now on the bridge sends none: the heads are judged by those that were proven before.
  at.bridge.tamper((frame) => (frame.kind === 'certificates' ? [] : [frame]));
  at.repository.publish('dev', [api('b', 'b')]);
  await eventually(() => at.gateway.served.has('dev/api/b'));
  await at.gateway.close();
  at.bridge.setDown(true);
  const again = at.start();
  assert.equal(again.served.get('dev/api/b'), 'b', 'the stored set proves itself again');
});
