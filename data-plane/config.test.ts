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

test('bounds of health checks and of taking endpoints out hold on both sides, and are named', () => {
  const parse = (path: string, value: number) => {
    const config: Record<string, unknown> = {};
    const names = path.split('.');
    names.reduce<Record<string, unknown>>((at, name, index) => {
      const next = index === names.length - 1 ? value : {};
      at[name] = next;
      return next as Record<string, unknown>;
    }, config);
    const parsed = gatewayConfigSchema.safeParse(config);
    return parsed.error?.issues.map((issue) => issue.path.join('.')) ?? [];
  };
  for (const [path, least, most] of [
    ['healthCheck.jitterMsMax', 0, 5_000],
    ['healthCheck.inFlightMax', 1, 10_000],
    ['healthCheck.inFlightPerApiMax', 1, 10_000],
    ['healthCheck.checkMsMax', 1, 600_000],
    ['metrics.endpointsMax', 0, 100_000],
    ['upstream.outlierDetection.consecutive5xx', 0, 1_000_000],
    ['upstream.outlierDetection.maxEjectionMs', 1, 86_400_000],
  ] as const) {
    for (const value of [least, most]) assert.deepEqual(parse(path, value), [], `${path} ${value}`);
    for (const value of [least - 1, most + 1])
      assert.deepEqual(parse(path, value), [path], `${path} ${value}`);
  }
});
