import assert from 'node:assert/strict';
import test from 'node:test';
import { createTotpSecret, matchingStep, otpauthUri, toBase32, totpCode, totpStepAt } from './totp.ts';

// The secret of both documents' vectors.
const secret = toBase32(Buffer.from('12345678901234567890'));

test('codes are those of RFC 4226, appendix D', () => {
  const wanted = '755224 287082 359152 969429 338314 254676 287922 162583 399871 520489'.split(' ');
  assert.deepEqual(
    wanted.map((_, counter) => totpCode(secret, counter)),
    wanted,
  );
});

test('codes are those of RFC 6238, appendix B, of whose eight digits apps show the last six', () => {
  for (const [seconds, code] of [
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_111_111_111, '14050471'],
    [1_234_567_890, '89005924'],
    [2_000_000_000, '69279037'],
    [20_000_000_000, '65353130'],
  ] as const)
    assert.equal(totpCode(secret, totpStepAt(seconds * 1_000)), code.slice(2), String(seconds));
});

test('base32 is that of RFC 4648, and a secret has 160 bits', () => {
  assert.equal(toBase32(Buffer.from('foobar')), 'MZXW6YTBOI');
  const made = createTotpSecret();
  assert.match(made, /^[A-Z2-7]{32}$/);
  assert.notEqual(made, createTotpSecret());
});

test('a code counts one step before and after its own, once, and none before a spent one does', () => {
  const nowMs = 1_800_000_000_000;
  const now = totpStepAt(nowMs);
  const step = (of: number, lastStep = -1) => matchingStep(secret, totpCode(secret, of), { nowMs, lastStep });
  assert.deepEqual(
    [-2, -1, 0, 1, 2].map((from) => step(now + from)),
    [undefined, now - 1, now, now + 1, undefined],
  );
  assert.equal(step(now, now), undefined);
  assert.equal(step(now - 1, now), undefined);
  assert.equal(step(now + 1, now), now + 1);
  for (const wrong of ['', '12345', '1234567', 'abcdef', '\u0661\u0662\u0663\u0664\u0665\u0666'])
    assert.equal(matchingStep(secret, wrong, { nowMs, lastStep: -1 }), undefined, wrong);
});

test('an app is told the issuer and the account, whatever stands in their names', () => {
  const uri = new URL(otpauthUri(secret, { issuer: 'Acme & Co: a', account: 'ann@acme.com?x=1#y' }));
  assert.equal(uri.protocol, 'otpauth:');
  assert.equal(decodeURIComponent(uri.pathname), '/Acme & Co: a:ann@acme.com?x=1#y');
  assert.deepEqual(Object.fromEntries(uri.searchParams), {
    secret,
    issuer: 'Acme & Co: a',
    algorithm: 'SHA1',
    digits: '6',
    period: '30',
  });
  assert.equal(uri.hash, '');
});
