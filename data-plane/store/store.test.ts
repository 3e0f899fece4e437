import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../proto/process/clock.ts';
import { createLog } from '../../proto/process/log.ts';
import { openSqlite } from '../../proto/process/sqlite.ts';
import { skipWithout } from '../../test/kit/require.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { openStore, type Store, type StoredEnvironment, type StoredRecord } from './store.ts';
import type { ProofOfPredecessor } from './stored.ts';

const log = createLog({ name: 'test', level: 'silent' });
const open = (path: string): Store => openStore({ path, log, clock: systemClock });

function state(seq: number, extra: Partial<StoredEnvironment> = {}): StoredEnvironment {
  return {
    organization: 'org',
    environment: 'env',
    epoch: 1,
    seq,
    head: Buffer.from([1, 2, 3]),
    certificates: [Buffer.from([4])],
    tags: ['internal'],
    refused: [{ kind: 'api', id: 'bad', seq: 3, code: 'policy.unknown', reason: 'no such policy' }],
    appliedAtMs: 1_000,
    ...extra,
  };
}

function record(
  id: string,
  seq: number,
  bytes: Uint8Array | undefined = Buffer.from(`${id}@${seq}`),
): StoredRecord {
  const sha256 = createHash('sha256')
    .update(bytes ?? id)
    .digest();
  return { header: { kind: 'api', id, seq, sha256, tags: ['internal'], isDeleted: false }, bytes };
}

const full = (seq: number, records: readonly StoredRecord[]) => ({
  state: state(seq),
  isFull: true,
  records,
  gone: [],
});
const digest = Buffer.alloc(32, 7);
const proofOf: ProofOfPredecessor = ({ id, sha256 }, previous) =>
  Buffer.from(`${id} ${Buffer.from(sha256).toString('hex', 0, 2)} ${Buffer.from(previous).toString()}`);
const ids = (store: Store) =>
  store.load().environments.flatMap((each) => each.records.map(({ header }) => `${header.id}@${header.seq}`));

/** A file with two records at seq 2, closed. */
async function written(t: TestContext): Promise<{ readonly dir: string; readonly path: string }> {
  const dir = tempDir(t, 'store');
  const path = join(dir, 'store.sqlite');
  await write(path);
  return { dir, path };
}

async function write(path: string): Promise<void> {
  const store = open(path);
  await store.save(full(2, [record('a', 1), record('b', 2)]));
  await store.close();
}

/** A folder to mount on; hooks run in the order they were given, so one hook unmounts and removes. */
function mountPoint(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'store-mount-'));
  t.after(() => {
    if (process.getuid?.() === 0) execFileSync('umount', [dir]);
    else chmodSync(dir, 0o700);
    rmSync(dir, { recursive: true });
  });
  return dir;
}

test('what was saved is there after a restart, header, bytes and state', async (t) => {
  const { path } = await written(t);
  const store = open(path);
  t.after(() => store.close());
  const [environment] = store.load().environments;
  assert.ok(environment !== undefined);
  const { records, judged, ...rest } = environment;
  assert.deepEqual(rest, state(2));
  assert.equal(judged.size, 0);
  assert.deepEqual(records, [record('a', 1), record('b', 2)]);
  assert.deepEqual(store.load().seen, []);
  assert.deepEqual(store.health(), { mode: 'durable', problem: undefined, unsavedRecords: 0 });
  assert.equal(statSync(path).mode & 0o077, 0, 'strangers on this machine cannot read it');
});

test('what was found out of APIs is there after a restart, until it is replaced, taken away, or its environment goes', async (t) => {
  const { path } = await written(t);
  const found = (id: string, text: string) => ({ id, text, proof: Buffer.from([1]) });
  const first = open(path);
  const many = Array.from({ length: 2_500 }, (_, index) => found(`api-${index}`, 'old'));
  first.saveJudged('env', many, []);
  first.saveJudged('env', [found('api-1', 'new')], ['api-2']);
  await first.close();
  const store = open(path);
  t.after(() => store.close());
  const judged = store.load().environments[0]?.judged;
  assert.equal(judged?.size, 2_499);
  assert.deepEqual(
    [judged.get('api-1')?.text, judged.get('api-2'), judged.get('api-2499')?.text],
    ['new', undefined, 'old'],
  );
  store.forget('env');
  await store.save({ state: state(4), isFull: true, records: [], gone: [] });
  assert.equal(store.load().environments[0]?.judged.size, 0);
});

test('a change is merged, a full change replaces', async (t) => {
  const { path } = await written(t);
  const store = open(path);
  t.after(() => store.close());
  await store.save({
    state: state(4),
    isFull: false,
    records: [record('b', 4), record('c', 3, undefined)],
    gone: [{ kind: 'api', id: 'a' }],
  });
  assert.deepEqual(ids(store).toSorted(), ['b@4', 'c@3']);
  await store.save(full(9, [record('z', 9)]));
  assert.deepEqual(ids(store), ['z@9']);
});

test('a seen head never goes back within an epoch and survives a forgotten environment', async (t) => {
  const { path } = await written(t);
  const store = open(path);
  t.after(() => store.close());
  store.saveSeen({ environment: 'env', epoch: 1, seq: 7, digest });
  store.saveSeen({ environment: 'env', epoch: 1, seq: 5, digest });
  assert.deepEqual(store.load().seen, [{ environment: 'env', epoch: 1, seq: 7, digest }]);
  store.saveSeen({ environment: 'env', epoch: 2, seq: 1, digest });
  store.forget('env');
  assert.deepEqual(store.load(), {
    environments: [],
    seen: [{ environment: 'env', epoch: 2, seq: 1, digest }],
  });
});

test('changes saved at once are written in order', async (t) => {
  const { path } = await written(t);
  const store = open(path);
  await Promise.all(
    [3, 4, 5, 6].map((seq) =>
      store.save({ state: state(seq), isFull: false, records: [record('a', seq)], gone: [] }),
    ),
  );
  await store.close();
  const again = open(path);
  t.after(() => again.close());
  assert.deepEqual(ids(again).toSorted(), ['a@6', 'b@2']);
  assert.equal(again.load().environments[0]?.seq, 6);
});

test('what a refused record was before is kept until its next good revision, also across a restart', async (t) => {
  const { path } = await written(t);
  const nack = { kind: 'api', id: 'a', seq: 3, code: 'definition.invalid', reason: 'no' } as const;
  let store = open(path);
  const previous = (): unknown[] =>
    store.load().environments.flatMap(({ records }) => records.map((each) => each.previous?.toString()));
  await store.save({ state: state(3), isFull: false, records: [record('a', 3), record('b', 3)], gone: [] });
  await store.settle('env', [nack], proofOf);
  await store.save({ state: state(4), isFull: false, records: [record('a', 4)], gone: [] });
  await store.settle('env', [{ ...nack, seq: 4 }], proofOf);
  await store.close();
  store = open(path);
  t.after(() => store.close());
  assert.deepEqual(previous(), ['a@1', undefined], 'the last good one, not the one refused before');
  assert.deepEqual(store.load().environments[0]?.refused, [{ ...nack, seq: 4 }]);
  const [refused] = store.load().environments[0]?.records ?? [];
  const proof = proofOf(record('a', 4).header, Buffer.from('a@1'));
  assert.equal(refused?.previousProof?.toString(), proof.toString(), 'for the revision that is refused now');
  await store.save({ state: state(5), isFull: false, records: [record('a', 5)], gone: [] });
  await store.settle('env', [], proofOf);
  assert.deepEqual(previous(), [undefined, undefined]);
});

test('what a record was before, and does not prove, is forgotten', async (t) => {
  const { path } = await written(t);
  const nack = { kind: 'api', id: 'a', seq: 3, code: 'definition.invalid', reason: 'no' } as const;
  const store = open(path);
  t.after(() => store.close());
  await store.save({ state: state(3), isFull: false, records: [record('a', 3)], gone: [] });
  await store.settle('env', [nack], proofOf);
  const previous = (): unknown[] =>
    store.load().environments.flatMap(({ records }) => records.map((each) => each.previous?.toString()));
  assert.deepEqual(previous(), ['a@1', undefined]);
  store.forgetPrevious('env', [nack]);
  assert.deepEqual(previous(), [undefined, undefined]);
});

interface BadFile {
  readonly name: string;
  readonly spoil: (path: string) => void;
  readonly code: string;
  readonly aside: RegExp;
}
const badFiles: readonly BadFile[] = [
  {
    name: 'not a database',
    spoil: (path) => writeFileSync(path, 'hello '.repeat(2_000)),
    code: 'store.corrupt',
    aside: /\.corrupt-/,
  },
  {
    name: 'truncated to half a page',
    spoil: (path) => truncateSync(path, 2_000),
    code: 'store.corrupt',
    aside: /\.corrupt-/,
  },
  {
    name: 'truncated by pages',
    spoil: (path) => truncateSync(path, 8_192),
    code: 'store.corrupt',
    aside: /\.corrupt-/,
  },
  { name: 'overwritten in the middle', spoil: spoilMiddle, code: 'store.corrupt', aside: /\.corrupt-/ },
  {
    name: 'written by a newer schema',
    spoil: (path) => setVersion(path, 99),
    code: 'store.newer_schema',
    aside: /\.newer-/,
  },
];

for (const { name, spoil, code, aside } of badFiles) {
  test(`a file ${name} is moved aside, said, and a fresh one works`, async (t) => {
    const { dir, path } = await written(t);
    spoil(path);
    const store = open(path);
    assert.deepEqual(store.load().environments, []);
    const { mode, problem } = store.health();
    assert.equal(mode, 'durable');
    assert.equal(problem?.code, code);
    assert.match(problem?.movedTo ?? '', aside);
    assert.ok(
      readdirSync(dir).some((file) => aside.test(file)),
      'the old file is kept for diagnosis',
    );
    await store.save(full(5, [record('new', 5)]));
    assert.equal(store.health().problem?.code, code, 'it stays said until the process ends');
    await store.close();
    const again = open(path);
    t.after(() => again.close());
    assert.deepEqual(ids(again), ['new@5']);
    assert.equal(again.health().problem, undefined);
  });
}

test('what does not verify is set aside by the reader, and of many such files the newest three are kept', async (t) => {
  const { dir, path } = await written(t);
  for (let round = 1; round <= 5; round += 1) {
    const store = openStore({ path, log, clock: { ...systemClock, now: () => Date.UTC(2026, 0, round) } });
    store.setAside('digest mismatch');
    assert.equal(store.health().problem?.code, 'store.corrupt');
    await store.save(full(5, [record('new', 5)]));
    await store.close();
  }
  assert.equal(readdirSync(dir).filter((file) => file.endsWith('Z') && file.includes('.corrupt-')).length, 3);
});

test('a read-only folder is read and lived without', async (t) => {
  const dir = mountPoint(t);
  const path = join(dir, 'store.sqlite');
  await write(path);
  if (process.getuid?.() === 0) {
    // Root writes through file modes, so the whole mount is made read-only.
    execFileSync('mount', ['--bind', dir, dir]);
    execFileSync('mount', ['-o', 'remount,bind,ro', dir]);
  } else {
    chmodSync(dir, 0o500);
  }
  const store = open(path);
  t.after(() => store.close());
  assert.deepEqual(ids(store), ['a@1', 'b@2']);
  assert.equal(store.health().mode, 'memory');
  assert.equal(store.health().problem?.code, 'store.read_only');
  await store.save(full(5, [record('new', 5)]));
  store.saveSeen({ environment: 'env', epoch: 1, seq: 5, digest });
  assert.equal(store.health().unsavedRecords, 0, 'nothing is hoarded for a disk that will not take it');
});

test('a folder that cannot be made is lived without', (t) => {
  const dir = tempDir(t, 'store');
  writeFileSync(join(dir, 'file'), '');
  const store = open(join(dir, 'file', 'store.sqlite'));
  t.after(() => store.close());
  assert.deepEqual(store.load(), { environments: [], seen: [] });
  assert.equal(store.health().mode, 'memory');
  assert.equal(store.health().problem?.code, 'store.read_only');
});

const canMount =
  process.getuid?.() === 0 &&
  existsSync('/proc/filesystems') &&
  readFileSync('/proc/filesystems', 'utf8').includes('tmpfs');
test(
  'a full disk refuses a change, health says so, and room brings everything back',
  { skip: skipWithout('loop-mount', canMount) },
  async (t) => {
    const dir = mountPoint(t);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir]);
    const path = join(dir, 'store.sqlite');
    const store = open(path);
    await store.save(full(2, [record('a', 1), record('b', 2)]));
    await store.save({
      state: state(3),
      isFull: false,
      records: [record('big', 3, randomBytes(2_000_000))],
      gone: [],
    });
    assert.equal(store.health().mode, 'memory');
    assert.equal(store.health().problem?.code, 'store.disk_full');
    await store.save({ state: state(4), isFull: false, records: [record('b', 4)], gone: [] });
    assert.equal(store.health().unsavedRecords, 2);
    assert.deepEqual(ids(store), ['a@1', 'b@2'], 'the file still holds the last state that a head proves');

    execFileSync('mount', ['-o', 'remount,size=16m', dir]);
    await store.retry();
    assert.deepEqual(store.health(), { mode: 'durable', problem: undefined, unsavedRecords: 0 });
    await store.close();
    const again = open(path);
    assert.deepEqual(ids(again).toSorted(), ['a@1', 'b@4', 'big@3']);
    await again.close();
  },
);

function spoilMiddle(path: string): void {
  const bytes = readFileSync(path);
  bytes.fill(0xff, 4_096, bytes.length);
  writeFileSync(path, bytes);
}

function setVersion(path: string, version: number): void {
  const database = openSqlite(path, { durable: 'normal' });
  database.pragma(`user_version = ${version}`);
  database.close();
}
