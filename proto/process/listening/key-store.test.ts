import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { makeSelfSigned, serialFrom } from './key-store.ts';

test('whatever is drawn for it, a serial number is positive and needs no padding', () => {
  for (const first of [0x00, 0x01, 0x3f, 0x40, 0x7f, 0x80, 0xff]) {
    const serial = serialFrom(Uint8Array.of(first, ...Array.from({ length: 15 }, () => 0)));
    assert.equal(serial.length, 32);
    const byte = Number.parseInt(serial.slice(0, 2), 16);
    assert.ok(byte >= 0x40 && byte <= 0x7f, serial);
  }
});

test('a certificate that we make is read by OpenSSL, and is of this machine', () => {
  const { subjectAltName = '', serialNumber } = new X509Certificate(
    makeSelfSigned(Date.UTC(2026, 0, 1)).cert,
  );
  assert.match(subjectAltName, /DNS:localhost.*IP Address:127\.0\.0\.1/);
  assert.equal(serialNumber.length, 32);
});
