import assert from 'node:assert/strict';
import { constants, createPublicKey, sign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { kitGround, startPolicy } from '../../../test/kit/gateway/policies.ts';
import { createAuthority } from '../../../test/kit/servers/certificates.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';

const nowMs = Date.UTC(2026, 0, 1);

test('a body passes that is signed by a key of the gateway, whose certificate it shows, and no other', async (t) => {
  const authority = createAuthority(tempDir(t));
  const pair = (name: string) => {
    const { certFile, keyFile } = authority.issue(name, { keyType: 'rsa' });
    return { certificate: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  };
  const ours = pair('ours');
  const theirs = pair('theirs');
  const jwsKeys = new Map([['default', createPublicKey(ours.certificate)]]);
  const x5cOf = ({ certificate }: typeof ours): readonly string[] => [
    new X509Certificate(certificate).raw.toString('base64'),
  ];
  const encoded = (value: unknown): string =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  const made = (more: object = {}, payload: unknown = { order: 7 }, signer = ours.key): string => {
    const header = { alg: 'RS256', x5c: x5cOf(ours), ...more };
    const text = `${encoded(header)}.${encoded(payload)}`;
    const padding = header.alg.startsWith('PS')
      ? constants.RSA_PKCS1_PSS_PADDING
      : constants.RSA_PKCS1_PADDING;
    const digest = `sha${header.alg.slice(2)}`;
    const saltLength = constants.RSA_PSS_SALTLEN_DIGEST;
    return `${text}.${sign(digest, Buffer.from(text), { key: signer, padding, saltLength }).toString('base64url')}`;
  };
  const passes = async (body: string, config: object = {}, atMs = nowMs): Promise<boolean> => {
    const call = startPolicy('jws', config, { host: { ground: { ...kitGround, jwsKeys } } }).call({ body });
    Object.assign(call, { startedAtMs: atMs });
    const verdict = await call.pass();
    if (verdict === undefined) {
      assert.equal(await call.sent('request'), body);
      return true;
    }
    assert.ok('kind' in verdict && verdict.kind === 'reject');
    assert.deepEqual([verdict.status, verdict.key], [401, 'JWS_INVALID']);
    return false;
  };
  for (const alg of ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'])
    assert.ok(await passes(made({ alg })), alg);
  assert.ok(await passes(made({ kid: 'default', typ: 'JOSE+JSON', cty: 'json' }, 'any text')));

  const good = made();
  const [head = '', payload = '', signature = ''] = good.split('.');
  for (const [what, body] of Object.entries({
    nothing: '',
    'no JWS': '{"order":7}',
    'another payload': `${head}.${encoded({ order: 8 })}.${signature}`,
    'no signature': `${head}.${payload}.`,
    'no algorithm': `${encoded({ alg: 'none', x5c: x5cOf(ours) })}.${payload}.${signature}`,
    'a secret of the public key': `${encoded({ alg: 'HS256', x5c: x5cOf(ours) })}.${payload}.${signature}`,
    'a key that the gateway has not': made({ kid: 'other' }),
    'a key that is no name': made({ kid: 7 }),
    'no certificate': made({ x5c: undefined }),
    'a certificate of another key': made({ x5c: x5cOf(theirs) }),
    'another signer': made({}, {}, theirs.key),
    'another signer, with his certificate': made({ x5c: x5cOf(theirs) }, {}, theirs.key),
    'another type': made({ typ: 'JWT' }),
    'another content': made({ cty: 'xml' }),
    'something critical': made({ crit: ['exp'] }),
    'a head that nobody reads': made({ x: 'x'.repeat(65_536) }),
  }))
    assert.ok(!(await passes(body)), what);

  const second = nowMs / 1_000;
  assert.ok(await passes(made({}, { exp: second - 59, nbf: second + 60 })));
  for (const times of [{ exp: second - 60 }, { nbf: second + 61 }, { exp: 'never' }])
    assert.ok(!(await passes(made({}, times))), JSON.stringify(times));

  const checkCertificateValidity = { checkCertificateValidity: true };
  const { validFromDate, validToDate } = new X509Certificate(ours.certificate);
  assert.ok(await passes(good, checkCertificateValidity, validToDate.getTime()));
  assert.ok(!(await passes(good, checkCertificateValidity, validToDate.getTime() + 1)));
  assert.ok(!(await passes(good, checkCertificateValidity, validFromDate.getTime() - 1)));
});

test('checkCertificateRevocation is refused by name', () => {
  const parsed = catalog.jws.config.safeParse({ checkCertificateRevocation: true });
  assert.deepEqual(parsed.error?.issues[0]?.path, ['checkCertificateRevocation']);
});
