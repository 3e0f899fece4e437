import assert from 'node:assert/strict';
import { createHmac, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { startPolicy } from '../../../test/kit/gateway/policies.ts';
import { createAuthority } from '../../../test/kit/servers/certificates.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';

const secret = 'x'.repeat(32);
const nowS = Date.UTC(2026, 0, 1) / 1_000;

function make(config: object, wish: { readonly headers?: Readonly<Record<string, string>> } = {}) {
  const call = startPolicy('policy-generate-jwt', config).call({
    attributes: { application: 'shop' },
    ...wish,
  });
  const verdict = call.pass();
  if (verdict !== undefined && 'key' in verdict) return { refused: `${verdict.status} ${verdict.key}` };
  const token = call.attributes.get('jwt.generated');
  assert.ok(typeof token === 'string');
  const [header = '', claims = '', signature = ''] = token.split('.');
  const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString());
  return { header: read(header), claims: read(claims), signature, signed: `${header}.${claims}` };
}

test('a token of HMAC has the claims that are said, each of the type of its expression', () => {
  const { header, claims, signature, signed } = make(
    {
      signature: 'HMAC_HS512',
      content: secret,
      kid: 'k1',
      id: 'token-{#request.method}',
      issuer: 'https://gateway',
      subject: "{#context.attributes['application']}",
      audiences: ['a', "{#request.headers['X-Audience'][0]}", "{#request.headers['Nope']}"],
      expiresIn: 2,
      expiresInUnit: 'MINUTES',
      customClaims: [
        { name: 'number', value: '{(3 * 7)}' },
        { name: 'list', value: "{#request.headers['X-Audience']}" },
        { name: 'text', value: 'plain' },
        { name: 'nothing', value: "{#request.headers['Nope']}" },
        { name: '__proto__', value: 'harmless' },
      ],
    },
    { headers: { 'X-Audience': 'b' } },
  );
  assert.deepEqual(header, { alg: 'HS512', typ: 'JWT', kid: 'k1' });
  assert.deepEqual(Object.entries(claims as object), [
    ['jti', 'token-GET'],
    ['iss', 'https://gateway'],
    ['aud', ['a', 'b']],
    ['sub', 'shop'],
    ['iat', nowS],
    ['exp', nowS + 120],
    ['number', 21],
    ['list', ['b']],
    ['text', 'plain'],
    ['__proto__', 'harmless'],
  ]);
  assert.equal(
    signature,
    createHmac('sha512', secret)
      .update(signed ?? '')
      .digest('base64url'),
  );
});

test('defaults are those of the reference: a random id, its issuer, 30 s; one audience is a text', () => {
  const config = { signature: 'HMAC_HS256', content: secret, audiences: ['a'] };
  const { claims } = make(config);
  const { jti, ...rest } = claims as Record<string, unknown>;
  assert.match(String(jti), /^[0-9a-f-]{36}$/);
  assert.deepEqual(rest, { iss: 'urn://gravitee-api-gw', aud: 'a', iat: nowS, exp: nowS + 30 });
  assert.ok(!Object.hasOwn(make({ ...config, expiresIn: 0 }).claims as object, 'exp'));
  const encoded = Buffer.from(secret).toString('base64');
  const { signature, signed } = make({ ...config, content: encoded, secretBase64Encoded: true });
  assert.equal(
    signature,
    createHmac('sha256', secret)
      .update(signed ?? '')
      .digest('base64url'),
  );
});

test('a token of RSA is verified by the public key; with X5C it shows its certificates', (t) => {
  const { certFile, keyFile } = createAuthority(tempDir(t)).issue('signer', { keyType: 'rsa' });
  const [certificate, key] = [readFileSync(certFile, 'utf8'), readFileSync(keyFile, 'utf8')];
  const made = make({ content: `${key}${certificate}`, x509CertificateChain: 'X5C', keyResolver: 'PEM' });
  const { x5c, ...header } = made.header as { x5c: readonly string[] };
  assert.deepEqual(header, { alg: 'RS256', typ: 'JWT' });
  assert.deepEqual(x5c, [certificate.replaceAll(/-----[A-Z ]+-----|\s/g, '')]);
  const signature = Buffer.from(made.signature ?? '', 'base64url');
  assert.ok(verify('sha256', Buffer.from(made.signed ?? ''), createPublicKey(certificate), signature));
  assert.throws(() => make({ content: key, x509CertificateChain: 'X5C' }));
});

test('an expression that fails ends the request', () => {
  const config = { signature: 'HMAC_HS256', content: secret };
  const broken = "{#request.headers['Nope'][0]}";
  for (const more of [
    { subject: broken },
    { audiences: [broken] },
    { customClaims: [{ name: 'a', value: broken }] },
  ])
    assert.deepEqual(make({ ...config, ...more }), { refused: '500 GENERATE_JWT_FAILURE' });
});

test('stores and paths, weak keys and secrets are refused with their path, and nothing of them is said', () => {
  const { config } = catalog['policy-generate-jwt'];
  const fault = (written: object) => config.safeParse(written).error?.issues[0]?.path;
  assert.deepEqual(fault({}), ['content']);
  assert.deepEqual(fault({ content: '/etc/shadow' }), ['content']);
  assert.deepEqual(
    fault({ content: '/keys.jks', keyResolver: 'JKS', alias: 'a', storepass: 'b', keypass: 'c' }),
    ['keyResolver'],
  );
  assert.deepEqual(fault({ content: '/keys.p12', keyResolver: 'PKCS12' }), ['keyResolver']);
  assert.deepEqual(fault({ signature: 'HMAC_HS256', content: secret, x509CertificateChain: 'X5C' }), [
    'x509CertificateChain',
  ]);
  const pem = (bits: number): string =>
    generateKeyPairSync('rsa', { modulusLength: bits })
      .privateKey.export({ type: 'pkcs8', format: 'pem' })
      .toString();
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const refused = (written: object): void =>
    assert.throws(
      () => startPolicy('policy-generate-jwt', written),
      (error: { details: readonly { path: string; message: string }[] }) =>
        error.details[0]?.path === 'flows[0].request[0].configuration.content' &&
        !error.details[0].message.includes('xxx'),
    );
  refused({ content: pem(1_024) });
  refused({ content: ec.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() });
  refused({ content: '-----BEGIN PRIVATE KEY-----\nxxx\n-----END PRIVATE KEY-----' });
  refused({ signature: 'HMAC_HS256', content: secret.slice(1) });
});
