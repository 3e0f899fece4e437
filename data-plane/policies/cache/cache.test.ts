import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get as httpGet, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';

import { eventually } from '../../../test/kit/eventually.ts';
import { createFakeClock } from '../../../test/kit/fake-clock.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';

type Answering = (response: ServerResponse, request: IncomingMessage, nth: number) => void;

/** A backend that answers as the test says, and counts how often. */
async function startBackend(t: TestContext, answer: Answering) {
  let count = 0;
  const server = createServer((request, response) => {
    count += 1;
    answer(response, request, count);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, count: () => count };
}

const cachedApi = (target: string, step: object = {}, resource: object = {}) =>
  apiDefinition('shop', target, {
    resources: [{ name: 'kept', type: 'cache', configuration: resource }],
    flows: [flow('/', { request: [['cache', { cacheName: 'kept', ...step }]] })],
  });

async function start(
  t: TestContext,
  answer: Answering,
  more: { readonly step?: object; readonly resource?: object; readonly cache?: object } = {},
) {
  const backend = await startBackend(t, answer);
  const gateway = await startLocalGateway(t, {
    apis: { shop: cachedApi(backend.url, more.step, more.resource) },
    config: { cache: more.cache ?? {} },
  });
  const metric = async (name: string): Promise<string | undefined> => {
    const text = await (await fetch(`${gateway.nodeApi}/metrics`)).text();
    return text
      .split('\n')
      .find((line) => line.startsWith(name))
      ?.split(' ')
      .at(-1);
  };
  return { backend, gateway, metric };
}

test('the client gets an answer while it is copied, and what breaks off is not kept', async (t) => {
  let finish: (() => void) | undefined;
  const { backend, gateway } = await start(t, (response, _request, nth) => {
    response.writeHead(200, { 'content-length': '6' });
    response.write('one');
    if (nth === 1) setTimeout(() => response.destroy(), 50).unref();
    else finish = () => response.end('two');
  });
  await assert.rejects(gateway.call('/shop/a'));
  const request = httpGet(`${gateway.url}/shop/a`);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  for await (const piece of response) {
    text += String(piece);
    // It goes on when what there was is with the client.
    if (text === 'one') finish?.();
  }
  assert.equal(text, 'onetwo');
  assert.equal((await gateway.call('/shop/a')).text, 'onetwo');
  assert.equal(backend.count(), 2);
});

test('a client that goes before the end keeps nothing, and gives its memory back', async (t) => {
  const { backend, gateway } = await start(
    t,
    (response, _request, nth) => {
      response.writeHead(200);
      response.write('x'.repeat(900));
      if (nth > 1) response.end('y');
    },
    { cache: { capturedBytesMax: 1_024 } },
  );
  const request = httpGet(`${gateway.url}/shop/a`);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  await once(response, 'data');
  request.destroy();
  await eventually(async () => {
    await gateway.call('/shop/a');
    return (await gateway.call('/shop/a')).headers['age'] !== undefined;
  });
  assert.ok(backend.count() >= 2);
});

test('an answer with trailers, and one that ends with its connection, are passed on and not kept', async (t) => {
  const { backend, gateway } = await start(t, (response, request) => {
    if (request.url === '/trailers') {
      response.writeHead(200, { 'transfer-encoding': 'chunked' });
      response.write('one');
      response.addTrailers({ 'x-sum': '1' });
      response.end();
    } else {
      response.socket?.end('HTTP/1.1 200 OK\r\n\r\nwhole?');
    }
  });
  for (const [path, text] of [
    ['/trailers', 'one'],
    ['/closed', 'whole?'],
  ] as const)
    for (let asked = 0; asked < 2; asked += 1) assert.equal((await gateway.call(`/shop${path}`)).text, text);
  assert.equal(backend.count(), 4);
});

test('an answer as large as cache.entryBytesMax allows is kept, a larger one passes', async (t) => {
  const { backend, gateway } = await start(
    t,
    (response, request) => {
      const bytes = 'x'.repeat(Number((request.url ?? '').slice(1).split('?')[0]));
      if (request.url?.endsWith('length') === true)
        response.writeHead(200, { 'content-length': bytes.length });
      response.end(bytes);
    },
    { cache: { entryBytesMax: 2_000 } },
  );
  for (const way of ['', '?length']) {
    const before = backend.count();
    for (const bytes of [1_700, 1_700, 2_001, 2_001])
      assert.equal((await gateway.call(`/shop/${bytes}${way}`)).text.length, bytes);
    assert.equal(backend.count() - before, 3, way);
  }
});

test('of many who ask for the same one goes to the backend; the others get what it kept', async (t) => {
  const answers: (() => void)[] = [];
  const { backend, gateway, metric } = await start(t, (response) => {
    answers.push(() => response.end('one'));
  });
  const asking = Promise.all(Array.from({ length: 20 }, () => gateway.call('/shop/a')));
  await eventually(() => answers.length > 0);
  await new Promise((resolve) => setImmediate(resolve));
  for (const answer of answers) answer();
  assert.deepEqual(new Set((await asking).map(({ text }) => text)), new Set(['one']));
  assert.equal(backend.count(), 1);
  assert.equal(await metric('isthmus_gateway_cache_lookups_total{found="hit"}'), '19');
  assert.equal(await metric('isthmus_gateway_cache_lookups_total{found="miss"}'), '1');
  assert.ok(Number(await metric('isthmus_gateway_cache_memory_bytes')) > 0);
});

test('who waits for an answer that is not kept goes as soon as that is known, and is not made to wait again', async (t) => {
  let end = (): void => undefined;
  const { backend, gateway } = await start(
    t,
    (response, _request, nth) => {
      response.writeHead(200, { 'set-cookie': 'a=1' });
      response.write('x');
      if (nth === 1) end = () => response.end();
      else response.end();
    },
    { cache: { fetchWaitMsMax: 60_000 } },
  );
  const first = gateway.call('/shop/a');
  const others = Promise.all(Array.from({ length: 5 }, () => gateway.call('/shop/a')));
  assert.deepEqual(new Set((await others).map(({ status }) => status)), new Set([200]));
  assert.equal(backend.count(), 6);
  end();
  await first;
});

test('nobody waits longer than cache.fetchWaitMsMax', async (t) => {
  const { backend, gateway } = await start(
    t,
    (response, _request, nth) => {
      if (nth > 1) response.end('two');
    },
    { cache: { fetchWaitMsMax: 100 } },
  );
  const first = httpGet(`${gateway.url}/shop/a`).on('error', () => undefined);
  await eventually(() => backend.count() === 1);
  assert.equal((await gateway.call('/shop/a')).text, 'two');
  first.destroy();
});

test('an answer goes when its time is over, the smaller one of step and resource', async (t) => {
  for (const [step, resource] of [
    [{ timeToLiveSeconds: 10 }, { timeToLiveSeconds: 60 }],
    [{ timeToLiveSeconds: 60 }, { timeToLiveSeconds: 10 }],
    [{ timeToLiveSeconds: 0 }, { timeToLiveSeconds: 10 }],
    [{ timeToLiveSeconds: 10 }, {}],
    [{ timeToLiveSeconds: 60 }, { timeToIdleSeconds: 10 }],
  ]) {
    const clock = createFakeClock();
    const backend = await startBackend(t, (response) => response.end('one'));
    const gateway = await startLocalGateway(t, {
      apis: { shop: cachedApi(backend.url, step, resource) },
      clock,
    });
    await gateway.call('/shop/a');
    await clock.advance(9_999);
    await gateway.call('/shop/a');
    assert.equal(backend.count(), 1, JSON.stringify([step, resource]));
    await clock.advance(resource?.timeToIdleSeconds === undefined ? 1 : 10_000);
    await gateway.call('/shop/a');
    assert.equal(backend.count(), 2, JSON.stringify([step, resource]));
    await gateway.close();
  }
});

test('a new revision begins with an empty cache in memory', async (t) => {
  const { backend, gateway } = await start(t, (response) => response.end('one'));
  await gateway.call('/shop/a');
  assert.equal((await gateway.call('/shop/a')).headers['age'], '0');
  gateway.write('shop', cachedApi(backend.url, { timeToLiveSeconds: 100 }));
  await eventually(async () => (await gateway.call('/shop/a')).headers['age'] === undefined);
});
