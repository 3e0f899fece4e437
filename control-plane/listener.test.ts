import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { Agent, request as requestHttps } from 'node:https';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { Fault } from '../proto/faults/fault.ts';
import { systemClock } from '../proto/process/clock.ts';
import { createLifecycle } from '../proto/process/lifecycle.ts';
import { createLog } from '../proto/process/log.ts';
import { createMetrics } from '../proto/process/metrics.ts';
import { basic, environment, password } from '../test/kit/control-plane/office.ts';
import { eventually } from '../test/kit/eventually.ts';
import { createAuthority } from '../test/kit/servers/certificates.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { controlPlaneConfigSchema } from './config.ts';
import { startControlPlane } from './start.ts';

/** A control plane with these settings, and what it logs. */
async function start(t: TestContext, { listen = {}, ...more }: Record<string, unknown> = {}) {
  const lines: string[] = [];
  const log = createLog({
    name: 'test',
    level: 'info',
    destination: { write: (line) => void lines.push(line) },
  });
  const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 10_000 });
  t.after(() => lifecycle.close());
  const config = controlPlaneConfigSchema.parse({
    dataDir: tempDir(t),
    listen: { host: '127.0.0.1', port: 0, ...(listen as object) },
    admin: { port: 0 },
    ...more,
  });
  const controlPlane = await startControlPlane({
    config,
    log,
    clock: systemClock,
    lifecycle,
    metrics: createMetrics(),
    adminPassword: password,
    version: '0.0.0-test',
  });
  const errors = (): readonly string[] => lines.filter((line) => /"level":"?(50|60|error|fatal)/.test(line));
  return { ...controlPlane, lifecycle, lines, errors };
}

/** A client that writes as it likes. */
function rawClient(t: TestContext, port: number) {
  const socket: Socket = connect(port, '127.0.0.1');
  const seen = { text: '', isClosed: false };
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => (seen.text += text));
  socket.on('error', () => undefined);
  socket.on('close', () => (seen.isClosed = true));
  t.after(() => socket.destroy());
  return { socket, seen };
}

const user = '/management/organizations/DEFAULT/user';
const head = (extra: readonly string[], target = `GET ${user}`): string =>
  [`${target} HTTP/1.1`, 'Host: x', `Authorization: ${basic('admin', password)}`, ...extra, '', ''].join(
    '\r\n',
  );

test('TLS: certificates by name, TLS 1.2 upwards, and new ones after a reload; what cannot be used leaves those before', async (t) => {
  const dir = tempDir(t);
  const authority = createAuthority(dir);
  const [one, two] = [authority.issue('one'), authority.issue('two')];
  const other = authority.issue('other', { names: ['DNS:other.example'] });
  const ended = authority.issue('ended', { isExpired: true });
  const files = { certFile: join(dir, 'server.pem'), keyFile: join(dir, 'server.key') };
  const use = (pair: typeof one): void => {
    copyFileSync(pair.certFile, files.certFile);
    copyFileSync(pair.keyFile, files.keyFile);
  };
  use(one);
  const { port, url, bind, lifecycle, errors } = await start(t, {
    listen: { tls: { ...files, certificates: [other] } },
  });
  assert.deepEqual([url, bind], [`https://127.0.0.1:${port}`, `https://127.0.0.1:${port}`]);
  const shown = (servername?: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connectTls(
        {
          host: '127.0.0.1',
          port,
          rejectUnauthorized: false,
          ...(servername === undefined ? {} : { servername }),
        },
        () => {
          resolve(String(socket.getPeerCertificate().subject['CN']));
          socket.destroy();
        },
      );
      socket.on('error', reject);
    });
  assert.deepEqual([await shown(), await shown('other.example')], ['one', 'other']);
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  t.after(() => agent.destroy());
  const me = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: basic('admin', password) };
      const call = requestHttps({ port, host: '127.0.0.1', path: user, agent, headers }, (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? 0));
      });
      call.on('error', reject).end();
    });
  assert.equal(await me(), 200);
  use(two);
  await lifecycle.reload();
  assert.deepEqual([await shown(), await shown('other.example'), await me()], ['two', 'other', 200]);
  copyFileSync(one.keyFile, files.keyFile);
  await lifecycle.reload();
  assert.equal(await shown(), 'two');
  assert.match(errors().join(), /server\.key does not belong to the certificate/);
  use(ended);
  await lifecycle.reload();
  assert.equal(await shown(), 'ended');
});

test('a certificate that does not fit its key is refused by its file before anything is made', async (t) => {
  const authority = createAuthority(tempDir(t));
  const tls = { certFile: authority.issue('one').certFile, keyFile: authority.issue('two').keyFile };
  await assert.rejects(
    start(t, { listen: { tls } }),
    (error) =>
      error instanceof Fault && error.code === 'config.invalid' && error.detail.includes(tls.keyFile),
  );
});

test('header lines and bytes are bounded: 431, whole and one less than the bound is answered', async (t) => {
  const { port } = await start(t, { listen: { headersMax: 20, headerBytesMax: 8_192 } });
  const lines = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `X-${at}: 1`);
  for (const [extra, status] of [
    [lines(18), 200],
    [lines(19), 431],
    [lines(300), 431],
    [[`X-Long: ${'x'.repeat(9_000)}`], 431],
  ] as const) {
    const { socket, seen } = rawClient(t, port);
    socket.write(head(extra));
    await eventually(() => seen.text.includes('\r\n\r\n'));
    assert.match(seen.text, new RegExp(`^HTTP/1\\.1 ${status} `), `${extra.length} lines`);
  }
});

test("a body that comes too slowly is 408, one that breaks off is nobody's bug, and neither is in the log", async (t) => {
  const { port, errors, url } = await start(t, { listen: { bodyMsMax: 200 } });
  const post = head(['Content-Type: application/json', 'Content-Length: 100'], `POST ${environment}/apis`);
  const slow = rawClient(t, port);
  slow.socket.write(`${post}{"na`);
  await eventually(() => slow.seen.isClosed);
  assert.match(slow.seen.text, /^HTTP\/1\.1 408 .*\r\nconnection: close\r\n.*request\.timeout/is);
  const broken = rawClient(t, port);
  broken.socket.write(`${post}{"na`);
  await eventually(() => broken.socket.bytesWritten > 0);
  broken.socket.end();
  await eventually(() => broken.seen.isClosed);
  const reset = rawClient(t, port);
  reset.socket.write(`${post}{"na`, () => reset.socket.resetAndDestroy());
  await eventually(() => reset.seen.isClosed);
  const after = await fetch(`${url}${user}`, { headers: { authorization: basic('admin', password) } });
  assert.equal(after.status, 200);
  await after.text();
  assert.deepEqual(errors(), []);
});

test('connections are bounded per source and in all, trusted proxies are theirs to bound, and it is said once', async (t) => {
  const open = async (listen: object) => {
    const { port, nodePort, lines } = await start(t, { listen });
    const clients = Array.from({ length: 5 }, () => rawClient(t, port));
    await eventually(() => clients.every(({ socket }) => !socket.connecting || socket.destroyed));
    const refused = async () =>
      (await (await fetch(`http://127.0.0.1:${nodePort}/metrics`)).text()).match(
        /^isthmus_management_connections_refused_total\{.*$/gm,
      );
    return { clients, lines, refused };
  };
  const perSource = await open({ connectionsPerSourceMax: 3 });
  await eventually(() => perSource.clients.filter(({ seen }) => seen.isClosed).length === 2);
  assert.equal(perSource.lines.filter((line) => line.includes('connections are refused')).length, 1);
  const metric = 'isthmus_management_connections_refused_total';
  assert.deepEqual(await perSource.refused(), [`${metric}{bound="source"} 2`]);
  const inAll = await open({ connectionsMax: 4 });
  await eventually(() => inAll.clients.filter(({ seen }) => seen.isClosed).length === 1);
  assert.deepEqual(await inAll.refused(), [`${metric}{bound="all"} 1`]);
  const proxied = await open({ connectionsPerSourceMax: 3, trustedProxies: ['127.0.0.1'] });
  for (const { socket, seen } of proxied.clients) {
    socket.write(head([]));
    await eventually(() => seen.text.includes('200 OK'));
  }
});

test('SIGTERM: readiness goes first, requests are taken on, and a connection that was idle is answered and told', async (t) => {
  const { port, nodePort, lifecycle } = await start(t, { lameDuckMs: 400 });
  const kept = rawClient(t, port);
  kept.socket.write(head([]));
  await eventually(() => kept.seen.text.includes('200 OK'));
  const closed = lifecycle.close('SIGTERM');
  const ready = await fetch(`http://127.0.0.1:${nodePort}/health/ready`);
  assert.deepEqual(
    [ready.status, ((await ready.json()) as { parts: object }).parts],
    [503, { database: 'UP', keys: 'UP', open: 'DOWN' }],
  );
  assert.equal((await fetch(`http://127.0.0.1:${port}${user}`)).status, 401);
  await eventually(async () => {
    const isTaken = await fetch(`http://127.0.0.1:${port}${user}`, { headers: { connection: 'close' } }).then(
      () => true,
      () => false,
    );
    return !isTaken;
  });
  kept.seen.text = '';
  kept.socket.write(head([]));
  await eventually(() => kept.seen.isClosed);
  assert.match(kept.seen.text, /^HTTP\/1\.1 200 OK\r\n.*connection: close\r\n/is);
  await closed;
});
