import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';

interface Told {
  readonly said: string;
  readonly type: string | undefined;
  readonly body: string;
}

/** A gateway that reports, and who hears it. */
async function scene(
  t: TestContext,
  configuration: object,
  before: readonly (readonly [string, object])[] = [],
) {
  const told: Told[] = [];
  const held: ServerResponse[] = [];
  const listener = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      told.push({
        said: `${incoming.method} ${incoming.url}`,
        type: incoming.headers['content-type'],
        body: Buffer.concat(parts).toString(),
      });
      if (incoming.url === '/hold') held.push(response);
      else response.writeHead(incoming.url === '/fails' ? 503 : 204).end();
    });
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  t.after(() => (listener.closeAllConnections(), new Promise((resolve) => listener.close(resolve))));
  const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const upstream = await startUpstream(t);
  const reports = JSON.parse(JSON.stringify(configuration).replaceAll('TOLD', url)) as object;
  const gateway = await startLocalGateway(t, {
    apis: {
      a: apiDefinition('a', upstream.url, {
        flows: [flow('/', { response: [...before, ['metrics-reporter', reports]] })],
      }),
    },
  });
  const warnings = (): readonly string[] =>
    gateway.logged
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ key }) => key === 'METRICS_REPORTER_FAILED')
      .map(({ reason, at }) => `${String(at)}: ${String(reason)}`);
  return { gateway, told, held, warnings };
}

test('once a request is answered its report is sent, made of request, answer and context', async (t) => {
  const { gateway, told } = await scene(t, {
    method: 'PUT',
    url: "TOLD/{#request.headers['X-Tenant'][0]}",
    headers: [{ name: 'Content-Type', value: 'application/{#response.status}' }],
    body: '${request.method} ${request.path} ${response.status} ${response.content?length}',
  });
  const { status } = await gateway.call('/a/items?status=201', {
    method: 'POST',
    body: 'x',
    headers: { 'X-Tenant': 'acme' },
  });
  assert.equal(status, 201);
  await eventually(() => told.length === 1);
  assert.equal(told[0]?.said, 'PUT /acme');
  assert.equal(told[0]?.type, 'application/201');
  assert.match(told[0]?.body ?? '', /^POST \/a\/items 201 \d/);
});

test('a report that is not taken, or cannot be made, is a warning and nothing to the caller', async (t) => {
  for (const [configuration, words, bodies] of [
    [{ url: 'TOLD/fails', body: 'b' }, /answered with 503/, ['b']],
    [{ url: 'http://127.0.0.1:1/', body: 'b' }, /./, []],
    [{ url: "{#request.headers['Nope'][0]}", body: 'b' }, /url: /, []],
    [{ url: "{#request.headers['Nope']}", body: 'b' }, /url: it comes to nothing/, []],
    [{ url: 'TOLD/x', body: "${request.headers['Nope'][0]}" }, /body: /, ['']],
  ] as const) {
    const { gateway, told, warnings } = await scene(t, configuration);
    assert.equal((await gateway.call('/a')).status, 200);
    await eventually(() => warnings().length === 1);
    assert.match(warnings()[0] ?? '', new RegExp(`^flows\\[0\\]\\.response\\[0\\]: .*${words.source}`));
    await eventually(() => told.length === bodies.length);
    assert.deepEqual(
      told.map(({ body }) => body),
      bodies,
    );
  }
});

test('an answer that did not come as far is not reported', async (t) => {
  const { gateway, told } = await scene(t, { url: 'TOLD/x', body: '${response.status}' }, [
    ['policy-interrupt', { errorKey: 'NO', message: 'no' }],
  ]);
  assert.equal((await gateway.call('/a')).status, 500);
  const answered = await scene(t, { url: 'TOLD/x', body: '${response.status}' });
  assert.equal((await answered.gateway.call('/a')).status, 200);
  await eventually(() => answered.told.length === 1);
  assert.deepEqual(told, []);
});

test('100 reports are on their way at a time; one more is left out, and a place is free again when one has arrived', async (t) => {
  const { gateway, told, held, warnings } = await scene(t, { url: 'TOLD/hold', body: 'b' });
  for (let call = 0; call < 100; call += 1) assert.equal((await gateway.call('/a')).status, 200);
  await eventually(() => told.length === 100);
  assert.equal((await gateway.call('/a')).status, 200);
  await eventually(() => warnings().some((each) => each.includes('100 reports are on their way')));
  for (const response of held.splice(0)) response.end();
  await eventually(async () => {
    await gateway.call('/a');
    return told.length > 100;
  });
  for (const response of held.splice(0)) response.end();
});

test('an option that would ask for another way, or another trust, is refused by its place', () => {
  const fault = (config: object): string | undefined =>
    catalog['metrics-reporter'].config
      .safeParse({ url: 'http://a.example/', body: 'b', ...config })
      .error?.issues[0]?.path.join('.');
  assert.equal(fault({}), undefined);
  assert.equal(fault({ useSystemProxy: true, http: { readTimeout: 1_000, keepAlive: true } }), undefined);
  assert.equal(fault({ ssl: { trustAll: true } }), 'ssl.trustAll');
  assert.equal(fault({ proxy: { enabled: true, host: 'p', port: 1 } }), 'proxy.enabled');
  assert.equal(fault({ method: 'GET' }), 'method');
  assert.equal(fault({ url: '' }), 'url');
});

test('a listener that does not answer is given up after connectTimeout and readTimeout', async (t) => {
  const { gateway, told, warnings } = await scene(t, {
    url: 'TOLD/hold',
    body: 'b',
    http: { connectTimeout: 100, readTimeout: 200 },
  });
  assert.equal((await gateway.call('/a')).status, 200);
  await eventually(() => warnings().length === 1);
  assert.equal(told.length, 1);
});
