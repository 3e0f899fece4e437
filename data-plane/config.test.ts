import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gatewayConfigSchema } from './config.ts';

test("a header that is the connection's, the framing's or the host is refused as the place of API keys, with its path", () => {
  const names = [
    'Host',
    'Connection',
    'keep-alive',
    'Proxy-Connection',
    'TE',
    'Trailer',
    'transfer-encoding',
    'UPGRADE',
    'Content-Length',
    'Expect',
    'HTTP2-Settings',
    'Proxy-Authorization',
    'Proxy-Authenticate',
  ];
  for (const header of names) {
    const parsed = gatewayConfigSchema.safeParse({ apiKey: { header } });
    assert.deepEqual(
      parsed.error?.issues.map(({ path }) => path.join('.')),
      ['apiKey.header'],
      header,
    );
  }
  for (const header of ['', 'X-Api-Key', 'Authorization', 'Connection-Id', 'Date'])
    assert.ok(gatewayConfigSchema.safeParse({ apiKey: { header } }).success, header);
});
