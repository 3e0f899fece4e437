import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { createAuthority, issuePair } from '../../test/kit/servers/certificates.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { readClientCertificates } from './client-certificates.ts';

test('certificates are read out of PEM, PKCS7, DER and base64 of them, and nothing else is', (t) => {
  const dir = tempDir(t);
  const authority = createAuthority(dir);
  const [one, two] = [issuePair(authority, 'one'), issuePair(authority, 'two', { keyType: 'rsa' })];
  const bundle = (...names: readonly string[]): string =>
    execFileSync(
      'openssl',
      ['crl2pkcs7', '-nocrl', ...names.flatMap((name) => ['-certfile', join(dir, `${name}.pem`)])],
      { encoding: 'utf8' },
    );
  const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString('base64');
  const der = new X509Certificate(one.cert).raw;
  const both = bundle('one', 'two');
  const bare = both.replaceAll(/-----.*-----/g, '');
  const subjects = (text: string): readonly string[] =>
    readClientCertificates(text).map(({ subject }) => subject);
  for (const text of [one.cert, `# of orders\n${one.cert}`, base64(one.cert), base64(der), bundle('one')])
    assert.deepEqual(subjects(text), ['CN=one']);
  for (const text of [`${one.cert}${two.cert}`, both, bare, bare.replaceAll('\n', ''), base64(both)])
    assert.deepEqual(subjects(text).toSorted(), ['CN=one', 'CN=two']);
  const [known] = readClientCertificates(one.cert);
  assert.equal(
    known?.sha256.toString('hex'),
    new X509Certificate(one.cert).fingerprint256.replaceAll(':', '').toLowerCase(),
  );

  const ca = readFileSync(authority.caFile, 'utf8');
  for (const [text, why] of [
    ['', /holds no certificate/],
    ['nonsense!', /holds no certificate/],
    [base64('nonsense'), /no certificate/],
    [`${one.cert}${ca}`, /the certificate of an authority \(CN=Isthmus test CA\)/],
    [bundle('one', 'ca'), /the certificate of an authority/],
    [`${one.cert}${one.key}`, /holds a private key/],
    [`${one.cert}${one.cert}`, /twice/],
    [one.cert.replace('-----END CERTIFICATE-----', ''), /is no PEM/],
    ['x'.repeat(65_537), /more than 65536 characters/],
    [Array.from({ length: 21 }, () => one.cert).join(''), /more than 20 certificates/],
  ] as const)
    assert.throws(() => readClientCertificates(text), why);
  // Cut anywhere, and with any byte changed, it is refused in words or read; nothing else happens.
  const bytes = Buffer.from(bare, 'base64');
  for (let at = 0; at < bytes.length; at += 7) {
    const changed = Buffer.from(bytes);
    changed[at] = 0xff - (changed[at] ?? 0);
    for (const each of [bytes.subarray(0, at), changed])
      try {
        readClientCertificates(base64(each));
      } catch (error) {
        assert.match(String(error), /^Error: (holds|has|is) /);
      }
  }
});
