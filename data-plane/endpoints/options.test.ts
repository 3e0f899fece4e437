import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { Fault } from '../../proto/faults/fault.ts';
import { sharedConfigurationSchema } from '../../proto/model/api-endpoints.ts';
import { createAuthority } from '../../test/kit/servers/certificates.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { calledUrlOf } from './called-url.ts';
import { upstreamOptions, type TranslatedOptions } from './options.ts';
import type { Variables } from './system-proxy.ts';

const at = 'endpointGroups[0].sharedConfiguration';

function translate(
  target: string,
  configuration: object = {},
  environment: Variables = {},
): TranslatedOptions {
  return upstreamOptions(calledUrlOf(target), sharedConfigurationSchema.parse(configuration), {
    at,
    environment,
  });
}

const optionsOf = (...given: Parameters<typeof translate>) => translate(...given).options;

/** The one detail of a refusal. */
function refusalOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof Fault && error.code === 'request.invalid', String(error));
    const [detail] = error.details;
    return detail === undefined ? error.detail : `${detail.path} ${detail.message}`;
  }
  return assert.fail('taken');
}

function material(t: TestContext) {
  const dir = tempDir(t);
  const authority = createAuthority(dir);
  const { certFile, keyFile } = authority.issue('client');
  const pfxFile = join(dir, 'client.p12');
  exportStore(pfxFile, ['-in', certFile, '-inkey', keyFile]);
  const trustFile = join(dir, 'trust.p12');
  exportStore(trustFile, ['-nokeys', '-in', authority.caFile]);
  const read = (file: string): string => readFileSync(file, 'utf8');
  const files = { caFile: authority.caFile, certFile, keyFile, pfxFile, trustFile };
  const [pfx = '', trust = ''] = [pfxFile, trustFile].map((file) => readFileSync(file).toString('base64'));
  const [ca = '', cert = '', key = ''] = [authority.caFile, certFile, keyFile].map(read);
  return { dir, authority, files, ca, cert, key, pfx, trust };
}

function exportStore(file: string, parts: readonly string[]): void {
  execFileSync('openssl', ['pkcs12', '-export', ...parts, '-out', file, '-passout', 'pass:geheim'], {
    stdio: 'pipe',
  });
}

test('nothing configured: the defaults of the reference', () => {
  assert.deepEqual(translate('http://backend.acme.com/base?x'), {
    options: {
      scheme: 'http',
      host: 'backend.acme.com',
      port: 80,
      connectMsMax: 3_000,
      readMsMax: 10_000,
      bodyMsMax: 60_000,
      idleMsMax: 30_000,
      keepAlive: true,
      connectionsMax: 20,
      queueMax: -1,
      headerBytesMax: 65_536,
      headersMax: 200,
      proxy: undefined,
      tls: undefined,
    },
    warnings: [],
  });
});

test('host, port and server name come from the target', () => {
  for (const [target, host, port, servername] of [
    ['https://a.acme.com', 'a.acme.com', 443, 'a.acme.com'],
    ['https://a.acme.com:8443', 'a.acme.com', 8_443, 'a.acme.com'],
    ['https://10.0.0.1', '10.0.0.1', 443, undefined],
    ['https://[::1]:1', '::1', 1, undefined],
  ] as const) {
    const options = optionsOf(target);
    assert.deepEqual([options.host, options.port, options.tls?.servername], [host, port, servername]);
  }
});

test('every http setting reaches the engine; 0 is no limit, so the other timeout holds', () => {
  const http = {
    connectTimeout: 1,
    readTimeout: 2_000,
    idleTimeout: 1_000,
    keepAliveTimeout: 4,
    keepAlive: false,
    maxConcurrentConnections: 5,
    maxWaitQueueSize: 6,
  };
  assert.partialDeepStrictEqual(optionsOf('http://a', { http }), {
    connectMsMax: 1,
    readMsMax: 1_000,
    bodyMsMax: 1_000,
    idleMsMax: 4,
    keepAlive: false,
    connectionsMax: 5,
    queueMax: 6,
  });
  assert.equal(optionsOf('http://a', { http: { readTimeout: 0 } }).readMsMax, 60_000);
  assert.equal(optionsOf('http://a', { http: { idleTimeout: 0 } }).readMsMax, 10_000);
  assert.equal(optionsOf('http://a', { http: { readTimeout: 0, idleTimeout: 0 } }).readMsMax, 0);
});

test('a header of the connection is not sent, and that is said; Host is sent', () => {
  const names = ['connection', 'Transfer-Encoding', 'Content-Length', 'Host', 'X-Own'];
  const { warnings } = translate('http://a', { headers: names.map((name) => ({ name, value: 'x' })) });
  assert.deepEqual(
    warnings.map((warning) => warning.split(' ')[1]),
    ['connection', 'Transfer-Encoding', 'Content-Length'],
  );
});

test('hostnameVerifier and trustAll: what is not verified is said aloud', () => {
  const tlsOf = (ssl: object) => optionsOf('https://a', { ssl }).tls;
  assert.partialDeepStrictEqual(tlsOf({}), { rejectUnauthorized: true, verifyHost: true });
  assert.partialDeepStrictEqual(tlsOf({ hostnameVerifier: false }), {
    rejectUnauthorized: true,
    verifyHost: false,
  });
  const open = translate('https://a.acme.com', { ssl: { trustAll: true } });
  assert.partialDeepStrictEqual(open.options.tls, { rejectUnauthorized: false, verifyHost: false });
  assert.deepEqual(open.warnings, [
    `${at}.ssl.trustAll is on: whoever answers for a.acme.com is taken for it; nothing is verified.`,
  ]);
  assert.deepEqual(translate('http://a', { ssl: { trustAll: true } }).warnings, []);
});

test('stores in PEM and PKCS12, as text and as files of the gateway', (t) => {
  const { files, ca, cert, key, pfx, trust } = material(t);
  const tlsOf = (ssl: object) => optionsOf('https://a', { ssl }).tls;
  const none = { ca: undefined, cert: undefined, key: undefined, pfx: undefined, passphrase: undefined };
  assert.partialDeepStrictEqual(tlsOf({ trustStore: { type: 'NONE', content: 'x' } }), none);
  for (const trustStore of [
    { type: 'PEM', content: ca },
    { type: 'PEM', path: files.caFile },
  ])
    assert.partialDeepStrictEqual(tlsOf({ trustStore }), { ...none, ca });
  for (const trustStore of [
    { type: 'PKCS12', content: trust, password: 'geheim' },
    { type: 'PKCS12', path: files.trustFile, password: 'geheim' },
  ])
    assert.partialDeepStrictEqual(tlsOf({ trustStore }), { ...none, ca: new X509Certificate(ca).toString() });
  for (const keyStore of [
    { type: 'PEM', certContent: cert, keyContent: key },
    { type: 'PEM', certPath: files.certFile, keyContent: key },
    { type: 'PEM', certPath: files.certFile, keyPath: files.keyFile, certContent: '' },
  ])
    assert.partialDeepStrictEqual(tlsOf({ keyStore }), { ...none, cert, key });
  for (const keyStore of [
    { type: 'PKCS12', content: pfx, password: 'geheim' },
    { type: 'PKCS12', content: pfx.replaceAll(/.{64}/g, '$&\n'), password: 'geheim', keyPassword: 'geheim' },
    { type: 'PKCS12', path: files.pfxFile, password: 'geheim' },
  ])
    assert.partialDeepStrictEqual(tlsOf({ keyStore }), { ...none, pfx, passphrase: 'geheim' });
});

test('a store that cannot be used on this gateway is refused with its path', (t) => {
  const { dir, authority, files, cert, key, pfx, trust } = material(t);
  const busyFile = join(dir, 'busy.p12');
  exportStore(busyFile, ['-nokeys', '-in', files.caFile, '-iter', '300000']);
  const busy = readFileSync(busyFile).toString('base64');
  const other = readFileSync(authority.issue('other').keyFile, 'utf8');
  const keyAloneFile = join(dir, 'key.p12');
  exportStore(keyAloneFile, ['-nocerts', '-inkey', files.keyFile]);
  const keyAlone = readFileSync(keyAloneFile).toString('base64');
  const large = join(dir, 'large');
  writeFileSync(large, Buffer.alloc(1_048_577));
  const place = `${at}.ssl`.replaceAll(/[[\]]/g, String.raw`\$&`);
  for (const [ssl, message] of [
    [{ trustStore: { type: 'PEM', content: 'x' } }, `${place}.trustStore cannot be used \\(no PEM`],
    [{ trustStore: { type: 'PEM', content: key } }, `${place}.trustStore cannot be used \\(no PEM`],
    [{ trustStore: { type: 'PEM', path: '/no/such' } }, `${place}.trustStore.path cannot be read.*ENOENT`],
    [{ trustStore: { type: 'PEM', path: dir } }, `${place}.trustStore.path .*no file`],
    [{ trustStore: { type: 'PEM', path: '/dev/zero' } }, `${place}.trustStore.path .*no file`],
    [{ trustStore: { type: 'PEM', path: large } }, `${place}.trustStore.path .*1048576`],
    [{ keyStore: { type: 'PEM', certContent: cert, keyContent: other } }, `${place}.keyStore .*mismatch`],
    [
      { keyStore: { type: 'PEM', certPath: files.certFile, keyPath: '/no' } },
      `${place}.keyStore.keyPath .*ENOENT`,
    ],
    [{ keyStore: { type: 'PKCS12', content: pfx, password: 'x' } }, `${place}.keyStore .*mac verify`],
    [{ keyStore: { type: 'PKCS12', content: 'AAAA' } }, `${place}.keyStore cannot be used`],
    [{ keyStore: { type: 'PKCS12', content: busy } }, `${place}.keyStore .*more than 500000 rounds`],
    [{ trustStore: { type: 'PKCS12', content: busy } }, `${place}.trustStore .*more than 500000 rounds`],
    [{ trustStore: { type: 'PKCS12', content: trust, password: 'x' } }, `${place}.trustStore cannot be used`],
    [{ trustStore: { type: 'PKCS12', content: 'AAAA' } }, `${place}.trustStore cannot be used`],
    [{ trustStore: { type: 'PKCS12', path: '/no' } }, `${place}.trustStore.path .*ENOENT`],
    [{ trustStore: { type: 'PKCS12', content: 'store!' } }, `${place}.trustStore .*no base64`],
    [{ keyStore: { type: 'PKCS12', content: '~~~~' } }, `${place}.keyStore .*no base64`],
    [
      { keyStore: { type: 'PKCS12', content: trust, password: 'geheim' } },
      `${place}.keyStore cannot be used`,
    ],
    [
      { trustStore: { type: 'PKCS12', content: keyAlone, password: 'geheim' } },
      `${place}.trustStore .*no certificate`,
    ],
  ] as const) {
    assert.match(
      refusalOf(() => translate('https://a', { ssl })),
      new RegExp(`^${message}`),
    );
  }
});

test('a store in a definition is judged as well where its endpoint is called without TLS, since a redirect may lead to one with', (t) => {
  const { ca, pfx } = material(t);
  const refused = (ssl: object) => refusalOf(() => translate('http://a', { ssl }));
  assert.match(refused({ trustStore: { type: 'PEM', content: 'x' } }), /\.ssl\.trustStore cannot be used/);
  assert.match(
    refused({ keyStore: { type: 'PKCS12', content: pfx, password: 'x' } }),
    /\.ssl\.keyStore .*mac verify/,
  );
  const { warnings } = translate('http://a', {
    ssl: {
      trustStore: { type: 'PEM', content: ca },
      keyStore: { type: 'PKCS12', path: '/not/here/yet', password: 'geheim' },
    },
  });
  assert.deepEqual(warnings, []);
});

test('a proxy of the definition; its password only together with a user', () => {
  const proxyOf = (more: object) =>
    optionsOf('https://a', { proxy: { enabled: true, host: 'proxy', port: 3_128, ...more } }).proxy;
  const plain = { host: 'proxy', port: 3_128, username: undefined, password: undefined };
  assert.deepEqual(proxyOf({}), plain);
  assert.deepEqual(proxyOf({ username: '', password: 'left' }), plain);
  assert.deepEqual(proxyOf({ username: 'u', password: 'p' }), { ...plain, username: 'u', password: 'p' });
  assert.deepEqual(proxyOf({ host: '[::1]' }), { ...plain, host: '::1' });
  assert.equal(proxyOf({ enabled: false }), undefined);
});

test('the proxy of the system: by scheme, with its password, but not for NO_PROXY', () => {
  const environment = {
    HTTPS_PROXY: 'http://us%40er:p%3Aw@secure.acme.com:3128',
    http_proxy: 'plain.acme.com:8080',
    HTTP_PROXY: 'http://upper.acme.com',
    NO_PROXY: ' internal.acme.com, 10.0.0.0/8 ,.svc:8443',
  };
  const proxy = { enabled: true, useSystemProxy: true, host: 'ignored', port: 1 };
  const proxyOf = (target: string) => translate(target, { proxy }, environment);
  assert.deepEqual(proxyOf('https://a').options.proxy, {
    host: 'secure.acme.com',
    port: 3_128,
    username: 'us@er',
    password: 'p:w',
  });
  assert.partialDeepStrictEqual(proxyOf('http://a').options.proxy, { host: 'plain.acme.com', port: 8_080 });
  for (const target of ['https://a.internal.acme.com', 'http://10.1.2.3', 'https://a.svc:8443'])
    assert.deepEqual([proxyOf(target).options.proxy, proxyOf(target).warnings], [undefined, []], target);
  assert.equal(proxyOf('https://a.svc').options.proxy?.host, 'secure.acme.com');
});

test('no proxy in the environment is a warning, one that cannot be used a refusal', () => {
  const proxy = { enabled: true, useSystemProxy: true };
  const none = translate('https://a', { proxy }, { HTTP_PROXY: 'http://p' });
  assert.equal(none.options.proxy, undefined);
  assert.deepEqual(none.warnings, [
    `${at}.proxy: the environment names no proxy for a; it is called directly.`,
  ]);
  for (const HTTPS_PROXY of [
    'https://u:geheim@p:1',
    'socks5://p',
    'http://',
    'http://p:99999',
    'http://u%zz@p:1',
  ]) {
    const refusal = refusalOf(() => translate('https://a', { proxy }, { HTTPS_PROXY }));
    assert.match(refusal, /HTTPS_PROXY must be http:/);
    assert.doesNotMatch(refusal, /geheim/);
  }
});
