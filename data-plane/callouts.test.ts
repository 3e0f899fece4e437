import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { createServer as createPlainServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';

import { Fault } from '../proto/faults/fault.ts';
import { OwnDoors } from '../proto/process/outbound/own-doors.ts';
import { startOwnPolicy } from '../test/kit/gateway/policies.ts';
import { startConnectProxy } from '../test/kit/engine/connect-proxy.ts';
import { createAuthority } from '../test/kit/servers/certificates.ts';
import { startUpstream } from '../test/kit/servers/upstream.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { createCallouts, noCallouts } from './callouts.ts';
import { gatewayConfigSchema } from './config.ts';

function open(t: TestContext, settings: object = {}) {
  const reloads: (() => Promise<boolean> | boolean)[] = [];
  const doors = new OwnDoors();
  const onReload = (_name: string, reload: () => Promise<boolean> | boolean) => void reloads.push(reload);
  const callouts = createCallouts(gatewayConfigSchema.parse(settings), { onReload }, { doors });
  t.after(() => callouts.close());
  /** The code of the fault with which a call fails. */
  const fails = async (url: string): Promise<string> => {
    const error: unknown = await callouts.request(url, { timeoutMs: 5_000 }).then(
      (answer) => answer.bytes().catch((reason: unknown) => reason),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof Fault, String(error));
    return error.code;
  };
  return { callouts, fails, reloads, doors };
}

test('a policy calls where an endpoint may lead: private and loopback yes, the metadata of a cloud, what is denied and own doors no', async (t) => {
  const { url } = await startUpstream(t);
  const { callouts, fails } = open(t);
  const answer = await callouts.request(`${url}/who`, { method: 'POST', body: 'x', timeoutMs: 5_000 });
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /"url":"\/who"/);
  for (const refused of ['http://169.254.169.254/latest', 'http://[fe80::1]/', 'http://[fd00:ec2::254]/'])
    assert.equal(await fails(refused), 'outbound.refused_address', refused);
  const { port } = new URL(url);
  const denied = open(t, { upstream: { deny: [`127.0.0.1:${port}`] } });
  assert.equal(await denied.fails(url), 'outbound.refused_address');
  const own = open(t);
  own.doors.add(Number(port));
  assert.equal(await own.fails(url), 'outbound.refused_address');
});

test('an answer longer than what a policy may read whole is a fault, on the byte', async (t) => {
  const { url } = await startUpstream(t);
  const whole = await open(t).callouts.request(url, { timeoutMs: 5_000 });
  const { length } = await whole.bytes();
  const just = open(t, { request: { bufferedBytesMax: length } });
  assert.equal((await (await just.callouts.request(url, { timeoutMs: 5_000 })).bytes()).length, length);
  const less = open(t, { request: { bufferedBytesMax: length - 1 } });
  assert.notEqual(await less.fails(url), 'outbound.refused_address');
});

test('a hook calls through its host, counts and reads properties; whoever only compiles calls nobody', async (t) => {
  await assert.rejects(noCallouts.request('http://127.0.0.1/', { timeoutMs: 1 }), /calls nobody/);
  const { url } = await startUpstream(t);
  const { callouts } = open(t);
  const { call } = startOwnPolicy(
    (host) => ({
      request: {
        needs: 'head',
        async run() {
          const answer = await host.outbound.request(`${url}/${host.properties.get('path')}`, {
            timeoutMs: 5_000,
          });
          const { count } = await host.counters.take(
            'k',
            { kind: 'gcra', burst: 5, refill: 1, refillMs: 1_000 },
            2,
          );
          return {
            kind: 'answer',
            status: 299,
            headers: [['X-Count', String(count)]],
            body: await answer.text(),
          };
        },
      },
    }),
    { host: { outbound: callouts, properties: new Map([['path', 'called']]) } },
  );
  const result = await call().pass();
  assert.ok(result?.kind === 'answer' && /"url":"\/called"/.test(String(result.body)));
  assert.deepEqual(result.headers, [['X-Count', '2']]);
});

test('a policy calls by the way of the process: through its proxy but to this machine, with its authorities, and never with its certificate', async (t) => {
  const proxy = await startConnectProxy();
  t.after(() => proxy.close());
  const server = createPlainServer((_request, answer) => void answer.end('told'));
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { callouts } = open(t, { outbound: { proxy: { url: proxy.url }, noProxy: ['127.0.0.3'] } });
  const statusOf = async (host: string) => {
    const answer = await callouts.request(`http://${host}:${port}/`, { timeoutMs: 5_000 });
    await answer.bytes();
    return answer.status;
  };
  for (const [host, tunnels] of [
    ['127.0.0.1', 0],
    ['localhost', 0],
    ['127.0.0.3', 0],
    ['127.0.0.2', 1],
  ] as const) {
    assert.equal(await statusOf(host), 200, host);
    assert.equal(proxy.connections(), tunnels, host);
  }
});

test('a file of authorities that is not there fails the calls of policies until it is, and names itself', async (t) => {
  const caFile = join(tempDir(t), 'ca.pem');
  const { url } = await startUpstream(t);
  const { callouts, fails, reloads } = open(t, { outbound: { caFile } });
  for (let call = 0; call < 2; call += 1) assert.equal(await fails(url), 'config.unreadable');
  copyFileSync(createAuthority(tempDir(t)).caFile, caFile);
  assert.equal((await callouts.request(url, { timeoutMs: 5_000 })).status, 200);
  assert.equal(reloads.length, 1);
});

test('an authority of the process is one for the calls of its policies, read again at a SIGHUP', async (t) => {
  const [first, second] = [createAuthority(tempDir(t)), createAuthority(tempDir(t))];
  const caFile = join(tempDir(t), 'ca.pem');
  copyFileSync(first.caFile, caFile);
  const seen: unknown[] = [];
  const serve = async (authority: typeof first): Promise<string> => {
    const { certFile, keyFile } = authority.issue('backend');
    const pair = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
    const server = createServer(
      { ...pair, requestCert: true, rejectUnauthorized: false },
      (request, answer) => {
        seen.push((request.socket as TLSSocket).getPeerCertificate());
        answer.end('told');
      },
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  };
  const own = first.issue('gateway');
  const settings = { outbound: { caFile, certFile: own.certFile, keyFile: own.keyFile } };
  const { callouts, fails, reloads } = open(t, settings);
  const [known, unknown] = [await serve(first), await serve(second)];
  assert.equal(await (await callouts.request(known, { timeoutMs: 5_000 })).text(), 'told');
  assert.deepEqual(seen, [{}], 'no certificate was shown');
  assert.equal(await fails(unknown), 'outbound.tls');
  copyFileSync(second.caFile, caFile);
  assert.equal(reloads.length, 1);
  assert.equal(await reloads[0]?.(), true);
  assert.equal(await (await callouts.request(unknown, { timeoutMs: 5_000 })).text(), 'told');
});
