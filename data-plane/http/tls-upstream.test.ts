import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, request, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';

import { createAuthority } from '../../test/kit/servers/certificates.ts';
import { startEngineProxy } from '../../test/kit/engine/engine-proxy.ts';
import { apiDefinition, call, startLocalGateway } from '../../test/kit/gateway/gateway.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import type { UpstreamTls } from './exchange.ts';

const pem = (file: string): string => readFileSync(file, 'utf8');

/** A backend that speaks TLS and says whose certificate it was shown and how many connections it saw. */
async function startTlsBackend(t: TestContext, options: ServerOptions) {
  let connections = 0;
  const server = createServer(options, (incoming, outgoing) => {
    const shown = (incoming.socket as TLSSocket).getPeerX509Certificate()?.subject ?? 'nobody';
    incoming.resume().on('end', () => outgoing.end(shown));
  });
  server.on('secureConnection', () => (connections += 1));
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => (server.closeAllConnections(), server.close()));
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

function scene(t: TestContext) {
  const authority = createAuthority(tempDir(t));
  const issue = (name: string, names?: readonly string[]) => {
    const { certFile, keyFile } = authority.issue(name, names === undefined ? {} : { names });
    return { cert: pem(certFile), key: pem(keyFile) };
  };
  const ca = pem(authority.caFile);
  const trusting: UpstreamTls = {
    rejectUnauthorized: true,
    verifyHost: true,
    servername: 'localhost',
    ca,
    cert: undefined,
    key: undefined,
    pfx: undefined,
    passphrase: undefined,
  };
  /** Status and body of requests through an engine to that backend, one after the other. */
  const ask = async (port: number, tls: Partial<UpstreamTls>, times = 1): Promise<readonly string[]> => {
    const proxy = await startEngineProxy(t, {
      upstream: { port, scheme: 'https', tls: { ...trusting, ...tls } },
    });
    const answers: string[] = [];
    for (let at = 0; at < times; at += 1) {
      const { status, text } = await call(proxy.port, '/');
      answers.push(`${status} ${text}`);
    }
    return answers;
  };
  return { authority, ca, issue, ask };
}

test('an upstream of an own authority is believed, and its connection is used again', async (t) => {
  const { issue, ask } = scene(t);
  const { port, connections } = await startTlsBackend(t, issue('backend'));
  assert.deepEqual(await ask(port, {}, 3), Array(3).fill('200 nobody'));
  assert.equal(connections(), 1);
});

test('an upstream that cannot be believed is tlsFailed', async (t) => {
  const { issue, ask, ca } = scene(t);
  const strangers = createAuthority(tempDir(t));
  const { port: good } = await startTlsBackend(t, issue('backend'));
  assert.deepEqual(await ask(good, { ca: undefined }), ['502 tlsFailed']);
  assert.deepEqual(await ask(good, { ca: pem(strangers.caFile) }), ['502 tlsFailed']);
  assert.deepEqual(await ask(good, { ca: `${pem(strangers.caFile)}${ca}` }), ['200 nobody']);
  assert.deepEqual(await ask(good, { ca: undefined, rejectUnauthorized: false, verifyHost: false }), [
    '200 nobody',
  ]);
});

test('an upstream whose certificate is for another host is tlsFailed, unless the host is not looked at', async (t) => {
  const { issue, ask } = scene(t);
  const { port } = await startTlsBackend(t, issue('backend', ['DNS:orders.acme.com']));
  assert.deepEqual(await ask(port, {}), ['502 tlsFailed']);
  assert.deepEqual(await ask(port, { servername: 'orders.acme.com' }), ['200 nobody']);
  assert.deepEqual(await ask(port, { verifyHost: false }), ['200 nobody']);
});

test('an upstream that wants a client certificate sees ours, and who shows none is tlsFailed', async (t) => {
  const { issue, ask, ca } = scene(t);
  const mine = issue('orders-gateway');
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const wants = { requestCert: true, rejectUnauthorized: true, ca, maxVersion };
    const { port } = await startTlsBackend(t, { ...issue('backend'), ...wants });
    assert.deepEqual(await ask(port, mine), ['200 CN=orders-gateway'], maxVersion);
    assert.deepEqual(await ask(port, {}), ['502 tlsFailed'], maxVersion);
  }
});

test('an upstream that speaks no TLS is tlsFailed', async (t) => {
  const { ask } = scene(t);
  const plain = await startEngineProxy(t, { upstream: { port: 1 } });
  assert.deepEqual(await ask(plain.port, {}), ['502 tlsFailed']);
});

test('a definition names authority and certificate for its endpoints; TLS on both sides', async (t) => {
  const { issue, ca, authority } = scene(t);
  const wants = { requestCert: true, rejectUnauthorized: true, ca };
  const { port } = await startTlsBackend(t, { ...issue('backend'), ...wants });
  const { cert, key } = issue('orders-gateway');
  const group = (ssl: object) => ({
    endpointGroups: [
      {
        name: 'default',
        type: 'http-proxy',
        sharedConfiguration: { ssl },
        endpoints: [
          { name: 'one', type: 'http-proxy', configuration: { target: `https://localhost:${port}` } },
        ],
      },
    ],
  });
  const trustStore = { type: 'PEM', content: ca };
  const keyStore = { type: 'PEM', certContent: cert, keyContent: key };
  const { certFile, keyFile } = authority.issue('listener');
  const gateway = await startLocalGateway(t, {
    apis: {
      good: apiDefinition('good', '', group({ trustStore, keyStore })),
      unknown: apiDefinition('unknown', '', group({ keyStore })),
      nameless: apiDefinition('nameless', '', group({ trustStore })),
    },
    config: { listen: { tls: { certFile, keyFile } } },
  });
  const ask = (path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: gateway.port, path, ca, agent: false } as const;
      const sent = request(options, (answer) => {
        let text = `${answer.statusCode} `;
        answer.setEncoding('utf8').on('data', (part: string) => (text += part));
        answer.on('end', () => resolve(text));
      });
      sent.on('error', reject).end();
    });
  assert.equal(await ask('/good'), '200 CN=orders-gateway');
  assert.match(await ask('/unknown'), /^502 /);
  assert.match(await ask('/nameless'), /^502 /);
});
