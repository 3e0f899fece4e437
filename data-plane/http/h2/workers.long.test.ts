import assert from 'node:assert/strict';
import type { ClientHttp2Session } from 'node:http2';
import { test } from 'node:test';

import { askHttp2, openHttp2 } from '../../../test/kit/engine/http2.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition } from '../../../test/kit/gateway/gateway.ts';
import { startWorkerGateway } from '../../../test/kit/gateway/worker-gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';

test('three rolling replaces of workers under load of HTTP/2: GOAWAY moves clients on, and no request that was taken fails', async (t) => {
  const { url } = await startUpstream(t);
  const gateway = await startWorkerGateway(t, {
    apis: { a: apiDefinition('a', url) },
    set: ['listen.http2.clearText=true'],
  });
  let answered = 0;
  let isOver = false;
  const failed: string[] = [];
  const ask = async (): Promise<void> => {
    let client: ClientHttp2Session = openHttp2(t, gateway.port);
    while (!isOver) {
      if (client.closed || client.destroyed) client = openHttp2(t, gateway.port);
      try {
        const { status } = await askHttp2(client, { ':path': '/a/x' });
        if (status !== 200) failed.push(String(status));
        answered += 1;
      } catch (error) {
        // Refused unprocessed, or never sent: every client of HTTP/2 asks again.
        const code = String((error as { readonly code?: string }).code);
        const isUnsent = /REFUSED_STREAM|GOAWAY_SESSION|INVALID_SESSION/.test(`${code} ${String(error)}`);
        if (!isUnsent) failed.push(String(error));
      }
    }
    client.close();
  };
  const clients = Array.from({ length: 8 }, ask);
  for (let round = 0; round < 3; round += 1) {
    const seen = answered;
    await eventually(() => answered > seen + 200, { timeoutMs: 20_000 });
    await gateway.replace();
  }
  const [seen, before] = [answered, await gateway.metrics()];
  assert.match(before, /^isthmus_gateway_http2_connections /m);
  await eventually(() => answered > seen + 100, { timeoutMs: 20_000 });
  isOver = true;
  await Promise.all(clients);
  assert.deepEqual(failed, []);
});
