import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';

import { environment, openOffice } from '../../kit/control-plane/office.ts';
import { type Answer, startLocalGateway } from '../../kit/gateway/gateway.ts';
import { testDatabases } from '../../kit/servers/databases.ts';
import { strangersDefinition } from './definition.ts';

/** What the backend got. */
interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

async function startBackend(t: TestContext) {
  const asked: Asked[] = [];
  const answers: Readonly<Record<string, readonly [type: string, body: string]>> = {
    '/prices': ['text/xml', '<Envelope><Body><price>1.5</price></Body></Envelope>'],
    '/tiers/7': ['application/json', '{"tier":"gold"}'],
    '/lists/all': ['text/plain', 'see http://inside.example/ropes'],
  };
  const server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming;
      asked.push({ method, url, headers, body: Buffer.concat(parts).toString() });
      const path = url.split('?')[0] ?? '';
      const [type, body] = answers[path] ?? ['text/plain', 'backend'];
      outgoing
        .writeHead(path === '/tiers/8' ? 404 : 200, { 'content-type': type, server: 'inside' })
        .end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** The definition as a gateway gets it: as it stands, and after the management API has imported, deployed and given it back. */
const ways = {
  'a gateway of files': (_t: TestContext, definition: object) => Promise.resolve(definition),
  'the management API': async (t: TestContext, definition: object) => {
    const [database] = testDatabases;
    assert.ok(database !== undefined);
    const office = await openOffice(t, database);
    const made = await office.call('POST', `${environment}/apis/_import/definition`, { body: definition });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    const api = `${environment}/apis/${String(made.body['id'])}`;
    assert.equal((await office.call('POST', `${api}/deployments`)).status, 202);
    assert.equal((await office.call('POST', `${api}/_start`)).status, 204);
    const exported = await office.call('GET', `${api}/_export/definition`);
    assert.equal(exported.status, 200);
    return exported.body;
  },
};

for (const [way, given] of Object.entries(ways))
  test(`a stranger's definition with 25 policies is taken by ${way}, and each of them does its work`, async (t) => {
    const backend = await startBackend(t);
    const definition = strangersDefinition(backend.url);
    const policies = new Set(
      [...JSON.stringify(definition).matchAll(/"policy":"([^"]+)"/g)].map(([, id]) => id),
    );
    assert.equal(policies.size, 25);
    const gateway = await startLocalGateway(t, { apis: { shop: await given(t, definition) } });
    const seen: Seen = {
      last: () => backend.asked.at(-1),
      count: () => backend.asked.length,
      get: (path, headers = {}) => gateway.call(`/shop${path}`, { headers }),
      post: (path, body, headers = {}) =>
        gateway.call(`/shop${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body,
        }),
    };
    await guarded(seen);
    await ordered(seen);
    await transformed(seen);
    await answered(seen);
  });

interface Seen {
  last(): Asked | undefined;
  count(): number;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  post(path: string, body: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
}

/** ip-filtering lets this machine in; resource-filtering, regex-threat-protection and request-content-limit refuse; transform-headers of the answer. */
async function guarded({ get, post, count }: Seen): Promise<void> {
  const open = await get('/anything');
  assert.deepEqual(
    [open.status, open.text, open.headers['x-season'], open.headers['server']],
    [200, 'backend', 'summer', undefined],
  );
  const before = count();
  assert.equal((await get('/admin/keys')).status, 403);
  assert.equal((await get('/anything?q=1%20union%20select%202')).status, 400);
  assert.equal((await post('/anything', 'x'.repeat(2_001))).status, 413);
  assert.equal(count(), before);
}

/** json-threat-protection, json-validation, policy-request-validation, policy-assign-attributes, json-to-json, transform-queryparams, transform-headers. */
async function ordered({ post, last, count }: Seen): Promise<void> {
  const north = { 'X-Shop': 'north', 'X-Debug': '1' };
  const before = count();
  assert.equal((await post('/orders', '{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}', north)).status, 400);
  const none = await post('/orders', '{"pieces":0}', north);
  assert.deepEqual([none.status, none.text], [400, '{"message":"This is no order"}']);
  const wrong = await post('/orders', '{"pieces":2}', { 'X-Shop': 'west' });
  assert.equal(wrong.status, 400);
  assert.match(wrong.text, /west is no shop/);
  assert.equal(count(), before);
  assert.equal((await post('/orders?debug=1&page=2', '{"pieces":2,"note":"n"}', north)).status, 200);
  const asked = last();
  assert.deepEqual(
    [asked?.url, asked?.headers['x-from'], asked?.headers['x-debug'], JSON.parse(asked?.body ?? '')],
    ['/orders?page=2&shop=north', 'Harbour shop', undefined, { quantity: 2, more: { note: 'n' } }],
  );
}

/** rest-to-soap, xml-json, json-xml, policy-http-callout, policy-override-request-method, policy-assign-content, dynamic-routing, url-rewriting, js. */
async function transformed({ get, post, last }: Seen): Promise<void> {
  const priced = await get('/prices?item=a%3Cb');
  assert.deepEqual([priced.status, priced.text], [200, '{"Envelope":{"Body":{"price":1.5}}}']);
  assert.deepEqual([last()?.method, last()?.headers['soapaction']], ['POST', 'price']);
  assert.match(last()?.body ?? '', /<price>a&lt;b<\/price>/);
  await post('/labels', '{"size":["s","m"]}');
  assert.equal(last()?.body, '<label><size>s</size><size>m</size></label>');
  assert.equal((await get('/customers?id=7')).status, 200);
  assert.deepEqual([last()?.method, last()?.body], ['POST', '{"tier":"gold","was":"POST"}']);
  const unknown = await get('/customers?id=8');
  assert.deepEqual([unknown.status, /No such customer/.test(unknown.text)], [404, true]);
  assert.equal((await get('/catalogue')).text, 'see https://shop.example/ropes');
  assert.equal(last()?.url, '/lists/all');
  await get('/scripted?word=rope');
  assert.equal(last()?.headers['x-word'], 'ROPE');
}

/** http-redirect, policy-interrupt, mock, rate-limit and quota answer themselves. */
async function answered({ get, post, count }: Seen): Promise<void> {
  const before = count();
  const moved = await get('/old');
  assert.deepEqual([moved.status, moved.headers['location']], [301, '/shop/new']);
  const closed = await get('/closed');
  assert.deepEqual([closed.status, /Until tomorrow/.test(closed.text)], [503, true]);
  assert.equal((await get('/about?year=1890')).text, 'Since 1890');
  assert.equal(count(), before);
  assert.equal((await post('/closed', '{}')).status, 200);
  assert.equal((await get('/few')).status, 200);
  const limited = await get('/few');
  assert.deepEqual([limited.status, limited.text], [429, '{"slow":"down"}']);
  assert.equal((await get('/once')).status, 200);
  assert.equal((await get('/once')).status, 429);
}
