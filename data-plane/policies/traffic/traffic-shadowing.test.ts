import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startSaidServer } from '../../../test/kit/gateway/issuer.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';

const id = 'traffic-shadowing';

/** A gateway whose requests have copies, and who gets them. */
async function start(t: Parameters<typeof startSaidServer>[0], target: string, configuration: object = {}) {
  const upstream = await startUpstream(t);
  const copies: { path: string; body: string; shadow: unknown; host: unknown; cookie: unknown }[] = [];
  const shadow = await startSaidServer(t, (path, { body, headers }) => {
    copies.push({ path, body, shadow: headers['x-shadow'], host: headers.host, cookie: headers.cookie });
    return 'let go';
  });
  const api = apiDefinition('a', upstream.url, {
    flows: [
      flow('/', { request: [[id, { target: target.replace('SHADOW', shadow.url), ...configuration }]] }),
    ],
    endpointGroups: ['main', 'spare'].map((name) => ({
      name,
      type: 'http-proxy',
      endpoints: [
        {
          name: name === 'main' ? 'default' : 'shadow',
          type: 'http-proxy',
          configuration: { target: name === 'main' ? upstream.url : `${shadow.url}/copy/` },
        },
      ],
    })),
  });
  const gateway = await startLocalGateway(t, { apis: { a: api } });
  return { gateway, upstream, shadow, copies };
}

test('a copy of each request, body and all, goes to the endpoint; the caller has the answer of the backend', async (t) => {
  for (const target of ["{#endpoints['shadow']}", 'shadow', 'SHADOW/copy']) {
    const { gateway, shadow, copies } = await start(t, target, {
      headers: [{ name: 'X-Shadow', value: '{#request.method}' }],
    });
    const headers = { cookie: 'a=1', 'x-shadow': 'of the caller' };
    const { status, text } = await gateway.call('/a/items?q=1', { method: 'POST', body: 'apples', headers });
    const seen = JSON.parse(text) as { body: string; headers: Record<string, string> };
    assert.deepEqual([status, seen.body, seen.headers['x-shadow']], [200, 'apples', 'of the caller']);
    await eventually(() => copies.length === 1);
    const host = new URL(shadow.url).host;
    assert.deepEqual(copies, [
      { path: '/copy/items?q=1', body: 'apples', shadow: 'POST', host, cookie: 'a=1' },
    ]);
    assert.equal((await gateway.call('/a')).status, 200);
    await eventually(() => copies.length === 2);
    assert.deepEqual([copies[1]?.path, copies[1]?.body], ['/copy', '']);
  }
});

test('a body of 256 KiB is copied, a byte more is not; it passes all the same', async (t) => {
  const { gateway, copies, upstream } = await start(t, 'shadow');
  const send = (bytes: number) => gateway.call('/a', { method: 'POST', body: 'x'.repeat(bytes) });
  assert.equal((await send(256 * 1024 + 1)).status, 200);
  assert.equal((await send(256 * 1024)).status, 200);
  await eventually(() => copies.length === 1);
  assert.equal(copies[0]?.body.length, 256 * 1024);
  assert.equal(upstream.requests.length, 2);
});

test('a copy that nobody takes, or that may not be sent, is nothing to the caller', async (t) => {
  for (const target of [
    'nowhere',
    'http://127.0.0.1:1',
    'http://169.254.169.254',
    'http://[::ffff:169.254.169.254]',
    "{#request.headers['X-None'][0]}",
  ]) {
    const { gateway, copies } = await start(t, target);
    for (let count = 0; count < 3; count += 1) assert.equal((await gateway.call('/a')).status, 200, target);
    assert.equal(copies.length, 0);
  }
  const { gateway, shadow } = await start(t, 'shadow');
  shadow.says = 302;
  assert.equal((await gateway.call('/a')).status, 200);
  await eventually(() => shadow.asked.length === 1);
});

test('no copy goes where an endpoint may not lead, however a caller spells the address, or by a name of it; none follows a redirect', async (t) => {
  const upstream = await startUpstream(t);
  const closed = await startSaidServer(t, 200);
  const open = await startSaidServer(t, 302);
  const [port, other] = [new URL(closed.url).port, new URL(open.url).port];
  const target = "{#request.headers['X-To'][0]}";
  const gateway = await startLocalGateway(t, {
    apis: { a: apiDefinition('a', upstream.url, { flows: [flow('/', { request: [[id, { target }]] })] }) },
    config: {
      upstream: {
        deny: [`127.0.0.1:${port}`, `[::1]:${port}`],
        chosenByRequests: ['0.0.0.0/0', '::/0', 'localhost'],
      },
    },
  });
  const send = async (where: string): Promise<void> => {
    const { status } = await gateway.call('/a', { headers: { 'X-To': where } });
    assert.equal(status, 200, where);
  };
  for (const host of [
    '127.0.0.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '127.1',
    'localhost',
    'localhost.',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
  ]) {
    await send(`http://${host}:${port}/`);
    // What may be called is, so that the other was not merely late.
    await send(`http://127.0.0.1:${other}/`);
  }
  await eventually(() => open.asked.length === 12);
  assert.equal(closed.asked.length, 0);
});

test('what reads the body, and headers of the connection, are refused by their paths', () => {
  const refused = (configuration: object): string =>
    catalog[id].config
      .safeParse({ target: 'shadow', ...configuration })
      .error?.issues.map(({ path }) => path.join('.'))
      .join() ?? '';
  assert.equal(refused({}), '');
  assert.equal(refused({ target: '' }), 'target');
  assert.equal(refused({ target: '{#request.content}' }), 'target');
  assert.equal(refused({ headers: [{ name: 'X-A', value: '{#request.content}' }] }), 'headers');
  assert.equal(refused({ headers: [{ name: 'Connection', value: 'x' }] }), 'headers.0.name');
});
