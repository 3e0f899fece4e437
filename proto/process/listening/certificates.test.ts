import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';

import { createAuthority } from '../../../test/kit/servers/certificates.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import { systemClock } from '../clock.ts';
import { createLifecycle } from '../lifecycle.ts';
import { createLog } from '../log.ts';
import { followCertificates, openCertificates } from './certificates.ts';
import { GatewayListenTls, ListenTls } from './tls-settings.ts';
import { createHandshakes, type TlsOptions } from './tls.ts';

function quiet(): { readonly log: ReturnType<typeof createLog>; readonly lines: string[] } {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return { log: createLog({ name: 'test', level: 'info', destination }), lines };
}

const open = (settings: object) =>
  openCertificates(ListenTls.parse(settings), { log: quiet().log, clock: systemClock });

const subjectsOf = (tls: TlsOptions | undefined): readonly string[] =>
  (tls?.certificates ?? []).map(({ cert }) => new X509Certificate(cert).subject);

/** Files of an authority, a key store among them. */
function issue(t: TestContext) {
  const dir = tempDir(t);
  const authority = createAuthority(dir);
  const store = (name: string, ...options: readonly string[]): string => {
    const file = join(dir, `${name}.p12`);
    const { certFile, keyFile } = authority.issue(name, { keyType: name.startsWith('rsa') ? 'rsa' : 'ec' });
    execFileSync(
      'openssl',
      [
        'pkcs12',
        '-export',
        '-in',
        certFile,
        '-inkey',
        keyFile,
        '-certfile',
        authority.caFile,
        '-out',
        file,
        ...options,
      ],
      { stdio: 'pipe' },
    );
    return file;
  };
  return { dir, authority, store };
}

test('a key store of PKCS12 gives certificate, chain and key, of RSA and of ECDSA, and serves beside PEM', async (t) => {
  const { dir, authority, store } = issue(t);
  const passwordFile = join(dir, 'password');
  writeFileSync(passwordFile, 'secret\n');
  const more = authority.issue('more', { names: ['DNS:more.acme.com'] });
  const files = {
    ec: store('ec', '-passout', 'pass:secret'),
    rsa: store('rsa', '-passout', 'pass:secret'),
    rsaOld: store(
      'rsa-old',
      '-passout',
      'pass:secret',
      '-keypbe',
      'PBE-SHA1-3DES',
      '-certpbe',
      'PBE-SHA1-3DES',
      '-macalg',
      'sha1',
    ),
    open: store('open', '-passout', 'pass:'),
  };
  for (const [keyStoreFile, password, subject] of [
    [files.ec, { keyStorePassword: 'secret' }, 'CN=ec'],
    [files.rsa, { keyStorePasswordFile: passwordFile }, 'CN=rsa'],
    [files.rsaOld, { keyStorePassword: 'secret' }, 'CN=rsa-old'],
    [files.open, {}, 'CN=open'],
  ] as const) {
    const tls = (await open({ keyStoreFile, ...password, certificates: [more] })).current();
    assert.deepEqual(subjectsOf(tls), [subject, 'CN=more']);
    assert.equal(tls?.certificates[0]?.cert.split('BEGIN CERTIFICATE').length, 3, 'with its chain');
    // What of it is an authority is none of clients.
    assert.equal(tls?.ca, undefined);
    assert.deepEqual(createHandshakes(tls ?? assert.fail()).fallback.ca, []);
  }
  await assert.rejects(open({ keyStoreFile: files.ec, keyStorePassword: 'other' }), (error: Error) => {
    assert.match(String(Reflect.get(error, 'detail')), /ec\.p12 cannot be read as PKCS12 with this password/);
    return !JSON.stringify(error).includes('other');
  });
  await assert.rejects(open({ keyStoreFile: more.certFile }), /PKCS12/);
  await assert.rejects(open({ keyStoreFile: join(dir, 'none.p12') }), /none\.p12/);
});

test('a certificate that was made is for this machine, and is not made again', async () => {
  const certificates = await open({ selfSigned: true });
  const [made] = certificates.current()?.certificates ?? [];
  const certificate = new X509Certificate(made?.cert ?? '');
  assert.ok(certificate.verify(certificate.publicKey));
  assert.ok(certificate.checkHost('localhost'));
  assert.ok(certificate.checkIP('127.0.0.1'));
  assert.equal(certificate.ca, false);
  createHandshakes(certificates.current() ?? assert.fail());
  assert.equal(await certificates.reload(() => undefined), true);
  assert.equal(certificates.current()?.certificates[0], made);
});

test('files that change are read again without a signal, when they stand still; broken ones change nothing and are named', async (t) => {
  const { dir, authority } = issue(t);
  const [certFile, keyFile] = [join(dir, 'server.pem'), join(dir, 'server.key')];
  const [one, two] = [authority.issue('one'), authority.issue('two')];
  const use = (pair: typeof one): void => {
    copyFileSync(pair.certFile, certFile);
    copyFileSync(pair.keyFile, keyFile);
  };
  use(one);
  const { log, lines } = quiet();
  const settings = ListenTls.parse({ certFile, keyFile, lookEveryMs: 100 });
  const certificates = await openCertificates(settings, { log, clock: systemClock });
  const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 1_000 });
  t.after(() => lifecycle.close());
  const taken: (readonly string[])[] = [];
  followCertificates(certificates, {
    name: 'certificates',
    clock: systemClock,
    lifecycle,
    take: (tls) => void taken.push(subjectsOf(tls)),
  });
  use(two);
  await eventually(() => taken.length === 1);
  assert.deepEqual(taken, [['CN=two']]);
  writeFileSync(certFile, 'nothing');
  await eventually(() => certificates.problem() !== undefined);
  assert.match(certificates.problem() ?? '', /server\.pem is no certificate in PEM/);
  assert.ok(lines.some((line) => line.includes('"level":"error"') && line.includes(certFile)));
  assert.deepEqual(subjectsOf(certificates.current()), ['CN=two']);
  use(one);
  await eventually(() => certificates.problem() === undefined);
  assert.deepEqual(taken.at(-1), ['CN=one']);
  // What a signal has read is not read once more.
  use(two);
  await lifecycle.reload();
  assert.deepEqual(taken.at(-1), ['CN=two']);
});

test('settings of TLS name one certificate, and nothing that would be left out', () => {
  const pair = { certFile: 'a', keyFile: 'b' };
  const rows: readonly (readonly [tls: object, faults: readonly string[]])[] = [
    [pair, []],
    [{ keyStoreFile: 'a' }, []],
    [{ selfSigned: true }, []],
    [{ selfSigned: true, certificates: [pair] }, []],
    [{}, ['certFile', 'keyFile']],
    [{ certFile: 'a' }, ['keyFile']],
    [{ certificates: [pair] }, ['certFile', 'keyFile']],
    [{ ...pair, selfSigned: true }, ['selfSigned']],
    [{ ...pair, keyStoreFile: 'a' }, ['keyStoreFile']],
    [{ ...pair, keyStorePassword: 'a' }, ['keyStorePassword']],
    [{ keyStoreFile: 'a', keyStorePassword: 'a', keyStorePasswordFile: 'b' }, ['keyStorePasswordFile']],
    [{ ...pair, clientCertificateHeader: 'X' }, ['']],
  ];
  const faultsOf = (schema: typeof ListenTls | typeof GatewayListenTls, tls: object): readonly string[] =>
    (schema.safeParse(tls).error?.issues ?? []).map(({ path }) => path.join('.'));
  for (const [tls, faults] of rows) assert.deepEqual(faultsOf(ListenTls, tls), faults, JSON.stringify(tls));
  assert.deepEqual(faultsOf(GatewayListenTls, { clientCertificateHeader: 'X-Cert' }), []);
  assert.deepEqual(faultsOf(GatewayListenTls, { clientCertificateHeader: 'a b' }), [
    'clientCertificateHeader',
  ]);
  assert.deepEqual(faultsOf(GatewayListenTls, { clientCertificateHeader: 'X', keyFile: 'b' }), ['certFile']);
  assert.deepEqual(faultsOf(GatewayListenTls, {}), ['certFile', 'keyFile']);
});

test('a certificate that is made is logged with its fingerprint and its end, once, and never with its key', async () => {
  const { log, lines } = quiet();
  const certificates = await openCertificates(ListenTls.parse({ selfSigned: true }), {
    log,
    clock: systemClock,
  });
  const [made] = certificates.current()?.certificates ?? [];
  assert.ok(made);
  const { fingerprint256, validToDate } = new X509Certificate(made.cert);
  await certificates.reload(() => undefined);
  const said = lines.filter((line) => line.includes('fingerprintSha256'));
  assert.equal(said.length, 1);
  const line = JSON.parse(said[0] ?? '') as Record<string, unknown>;
  assert.equal(line['fingerprintSha256'], fingerprint256);
  assert.equal(line['validTo'], validToDate.toISOString());
  assert.ok(lines.every((each) => !each.includes('PRIVATE KEY')));
});
