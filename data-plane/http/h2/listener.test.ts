import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';

import { accessRecords } from '../../../test/kit/gateway/access-records.ts';
import { askHttp2, openHttp2 } from '../../../test/kit/engine/http2.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { createAuthority } from '../../../test/kit/servers/certificates.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import { tempDir } from '../../../test/kit/temp-dir.ts';
import { gatewayConfigSchema } from '../../config.ts';

test('clients choose HTTP/2 over TLS where listen.tls.alpn says so, and are served as ever', async (t) => {
  const upstream = await startUpstream(t);
  const pair = createAuthority(join(tempDir(t, 'isthmus-alpn'), 'ca')).issue('server');
  const start = async (alpn: readonly string[] | undefined) =>
    startLocalGateway(t, {
      apis: { a: apiDefinition('a', `http://127.0.0.1:${upstream.port}`) },
      config: { listen: { tls: { ...pair, ...(alpn !== undefined && { alpn }) } } },
    });
  const agreed = async (
    port: number,
    offered: readonly string[] | undefined,
  ): Promise<string | false | null> => {
    const socket = connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ...(offered && { ALPNProtocols: [...offered] }),
    });
    t.after(() => socket.destroy());
    socket.on('error', () => undefined);
    return new Promise((resolve) => {
      socket.once('secureConnect', () => {
        resolve(socket.alpnProtocol);
        socket.destroy();
      });
      socket.once('close', () => resolve(null));
    });
  };
  const both = ['h2', 'http/1.1'];
  const [off, on, alone] = [await start(undefined), await start(both), await start(['h2'])];
  assert.deepEqual(
    [
      await agreed(off.port, both),
      await agreed(on.port, both),
      await agreed(on.port, ['http/1.1']),
      await agreed(on.port, undefined),
    ],
    ['http/1.1', 'h2', 'http/1.1', false],
  );
  assert.deepEqual([await agreed(alone.port, both), await agreed(alone.port, ['http/1.1'])], ['h2', null]);
  const client = openHttp2(t, on.port, { isTls: true });
  const answer = await askHttp2(client, { ':path': '/a/x?q=1', 'x-forwarded-for': '1.2.3.4' });
  assert.equal(answer.status, 200);
  const seen = JSON.parse(answer.text) as { url: string; headers: Record<string, string> };
  assert.equal(seen.url, '/x?q=1');
  assert.equal(seen.headers['x-forwarded-proto'], 'https');
  assert.equal(seen.headers['x-forwarded-for'], '127.0.0.1');
  assert.match(String(seen.headers['via']), /^2 /);
  let metrics = '';
  await eventually(async () => {
    metrics = await (await fetch(`${on.nodeApi}/metrics`)).text();
    return /^isthmus_gateway_http2_connections 1$/m.test(metrics);
  });
  assert.match(metrics, /^isthmus_gateway_http2_streams 0$/m);
});

test('requests of HTTP/2 are recorded, refused ones too', async (t) => {
  const upstream = await startUpstream(t);
  const gateway = await startLocalGateway(t, {
    apis: { a: apiDefinition('a', `http://127.0.0.1:${upstream.port}`) },
    config: { listen: { http2: { clearText: true } }, report: { enabled: true } },
  });
  const client = openHttp2(t, gateway.port);
  for (const [path, status] of [
    ['/a/x', 200],
    ['/nobody', 404],
    ['/a/%zz', 400],
  ] as const)
    assert.equal((await askHttp2(client, { ':path': path })).status, status);
  await gateway.close();
  const records = await accessRecords(join(gateway.folder, '../data'));
  assert.deepEqual(
    records.map((record) => [record['uri'], record['status'], record['error_message']]),
    [
      ['/a/x', 200, undefined],
      ['/nobody', 404, undefined],
      ['/a/%zz', 400, 'percent-encoding'],
    ],
  );
});

test('HTTP/2 in clear text is off unless it is set, and refused where the listener has TLS', async (t) => {
  const gateway = await startLocalGateway(t, { apis: {} });
  const client = openHttp2(t, gateway.port);
  const [error] = (await once(client, 'error')) as [Error];
  assert.match(error.message, /Protocol error|ECONNRESET|closed/i);
  const tls = { certFile: 'a', keyFile: 'b' };
  const read = gatewayConfigSchema.safeParse({ listen: { tls, http2: { clearText: true } } });
  assert.equal(read.error?.issues[0]?.path.join('.'), 'listen.http2.clearText');
});
