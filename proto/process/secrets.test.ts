import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { tempDir } from '../../test/kit/temp-dir.ts';
import { Fault } from '../faults/fault.ts';
import { forgetKeys, keyIdOf, openKeyring, rotateKeyFile } from './secrets.ts';

const text = (value: string): Uint8Array => Buffer.from(value);
const isFault = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;

test('what is sealed opens again, after a restart too, and does not show', (t) => {
  const dir = join(tempDir(t), 'secrets');
  const sealed = openKeyring({ dir }).seal(text('hunter2'), 'organization/a');
  assert.equal(Buffer.from(openKeyring({ dir }).open(sealed, 'organization/a')).toString(), 'hunter2');
  assert.equal(Buffer.from(sealed).includes('hunter2'), false);
});

test('the key file is for its owner only and survives as it is', (t) => {
  const dir = join(tempDir(t), 'secrets');
  openKeyring({ dir });
  assert.equal(statSync(join(dir, 'kek')).mode & 0o777, 0o600);
  const before = readFileSync(join(dir, 'kek'), 'utf8');
  openKeyring({ dir });
  assert.equal(readFileSync(join(dir, 'kek'), 'utf8'), before);
});

test('a sealed value opens only in its own context, whole and unchanged', () => {
  const keyring = openKeyring({ keys: [{ id: 'a', key: randomBytes(32) }] });
  const sealed = Buffer.from(keyring.seal(text('hunter2'), 'row 1'));
  assert.throws(() => keyring.open(sealed, 'row 2'), isFault('secrets.tampered'));
  for (let index = 0; index < sealed.length; index += 1) {
    const changed = Buffer.from(sealed);
    changed[index] = (changed[index] ?? 0) ^ 1;
    assert.throws(
      () => keyring.open(changed, 'row 1'),
      (error) => error instanceof Fault,
      `byte ${index}`,
    );
    assert.throws(
      () => keyring.open(sealed.subarray(0, index), 'row 1'),
      (error) => error instanceof Fault,
    );
  }
});

test('after a rotation new values use the new key, old ones still open and are known as stale', (t) => {
  const dir = join(tempDir(t), 'secrets');
  const old = openKeyring({ dir });
  const sealed = old.seal(text('hunter2'), 'c');
  const id = rotateKeyFile(dir);
  const rotated = openKeyring({ dir });
  assert.deepEqual(rotated.keyIds, [id, ...old.keyIds]);
  assert.equal(Buffer.from(rotated.open(sealed, 'c')).toString(), 'hunter2');
  assert.equal(rotated.isStale(sealed), true);
  const fresh = rotated.seal(text('hunter2'), 'c');
  assert.equal(rotated.isStale(fresh), false);
  const given = openKeyring({ keys: [{ id: old.keyIds[0] ?? '', key: randomBytes(32) }] });
  assert.throws(() => given.open(fresh, 'c'), isFault('secrets.no_key'));
});

test('a ring that is open follows its file: it opens with a key that came, seals with the first, and what it opened it opens on', (t) => {
  const dir = join(tempDir(t), 'secrets');
  const running = openKeyring({ dir });
  const before = running.seal(text('hunter2'), 'c');
  const id = rotateKeyFile(dir);
  const fresh = openKeyring({ dir }).seal(text('hunter2'), 'c');
  assert.equal(Buffer.from(running.open(fresh, 'c')).toString(), 'hunter2');
  assert.equal(keyIdOf(running.seal(text('x'), 'c')), id);
  assert.deepEqual(
    forgetKeys(dir, (each) => each === keyIdOf(before)),
    [],
  );
  assert.deepEqual(
    forgetKeys(dir, () => false),
    [keyIdOf(before)],
  );
  assert.deepEqual(openKeyring({ dir }).keyIds, [id]);
  assert.equal(Buffer.from(running.open(before, 'c')).toString(), 'hunter2');
  // Without its file it seals nothing that a start would not open.
  rmSync(join(dir, 'kek'));
  assert.throws(() => running.seal(text('x'), 'c'), isFault('config.unreadable'));
  assert.equal(Buffer.from(running.open(before, 'c')).toString(), 'hunter2');
});

test('a damaged key file is refused without quoting it and never replaced', (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, 'kek'), '{"keys":[{"id":"a","key":"TOPSECRET"}]}');
  assert.throws(
    () => openKeyring({ dir }),
    (error) =>
      isFault('config.unreadable')(error) &&
      !JSON.stringify(error, Object.getOwnPropertyNames(error)).includes('TOPSECRET'),
  );
  assert.match(readFileSync(join(dir, 'kek'), 'utf8'), /TOPSECRET/);
});

test('a key file and its folder that lie open to others are for their owner alone once they are used', (t) => {
  const dir = join(tempDir(t), 'secrets');
  const sealed = openKeyring({ dir }).seal(Buffer.from('x'), 'c');
  chmodSync(dir, 0o755);
  chmodSync(join(dir, 'kek'), 0o644);
  assert.equal(openKeyring({ dir, mustExist: true }).open(sealed, 'c').toString(), 'x');
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  assert.equal(statSync(join(dir, 'kek')).mode & 0o777, 0o600);
});
