import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { Fault } from '../faults/fault.ts';
import { identityFile, loadIdentity, saveIdentity, type EnrolledIdentity, type Sealer } from './identity.ts';

/** A stand-in for the key ring, which lives in proto/process: binds the context, opens nothing sealed by another. */
function createSealer(key: string): Sealer {
  const pad = (context: string): Buffer => createHash('sha256').update(`${key}/${context}`).digest();
  return {
    seal(plain, context) {
      const mask = pad(context);
      return Buffer.concat([plain.map((byte, n) => byte ^ (mask[n] ?? 0)), mask.subarray(0, 8)]);
    },
    open(sealed, context) {
      const mask = pad(context);
      if (!mask.subarray(0, 8).equals(sealed.subarray(-8))) throw new Fault('secrets.tampered');
      return sealed.subarray(0, -8).map((byte, n) => byte ^ (mask[n] ?? 0));
    },
  };
}

const bytes = (): Uint8Array => new Uint8Array(randomBytes(32));
const identity: EnrolledIdentity = {
  gateway: 'g-1',
  organization: 'DEFAULT',
  fleet: 'f-1',
  bridge: 'https://bridge.example.com',
  rootKey: bytes(),
  signing: { publicKey: bytes(), privateKey: bytes() },
  sealing: { publicKey: bytes(), privateKey: bytes() },
  enrolledAtMs: 1_800_000_000_000,
};
const plain = (value: EnrolledIdentity): string =>
  JSON.stringify(value, (_, item) => (item instanceof Uint8Array ? Buffer.from(item).toString('hex') : item));

test('an identity comes back as it was saved, for its own key ring alone', (t) => {
  const dir = tempDir(t);
  const keyring = createSealer('one');
  assert.equal(loadIdentity(dir, keyring), undefined);
  saveIdentity(dir, identity, keyring);
  const loaded = loadIdentity(dir, createSealer('one'));
  assert.ok(loaded);
  assert.equal(plain(loaded), plain(identity));
  assert.equal(statSync(join(dir, identityFile)).mode & 0o777, 0o600);
  const text = readFileSync(join(dir, identityFile), 'utf8');
  assert.ok(!text.includes(Buffer.from(identity.signing.privateKey).toString('base64')));
  assert.throws(() => loadIdentity(dir, createSealer('other')), {
    code: 'secrets.tampered',
  });
});

test('a damaged identity file is refused aloud', (t) => {
  const dir = tempDir(t);
  writeFileSync(join(dir, identityFile), '{"version":1');
  assert.throws(() => loadIdentity(dir, createSealer('one')), {
    code: 'config.unreadable',
  });
});
