import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { brotliDecompressSync, createGunzip, gunzipSync, inflateSync } from 'node:zlib';

import { catalog } from '../../../proto/policies/catalog.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { weightOf } from './accepted-codings.ts';

/** A gateway before a backend of the test; each configuration is an API of its name. */
async function scene(
  t: TestContext,
  answer: (path: string, response: ServerResponse) => void,
  configurations: Readonly<Record<string, object>> = { plain: {} },
) {
  const server = createServer((incoming, response) => answer(incoming.url ?? '', response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const gateway = await startLocalGateway(t, {
    apis: Object.fromEntries(
      Object.entries(configurations).map(([id, configuration]) => [
        id,
        apiDefinition(id, url, {
          flows: [flow('/', { response: [['compression', configuration]] })],
          endpointGroups: [
            {
              name: 'g',
              type: 'http-proxy',
              sharedConfiguration: { http: { maxConcurrentConnections: 200 } },
              endpoints: [{ name: 'e', type: 'http-proxy', configuration: { target: url } }],
            },
          ],
        }),
      ]),
    ),
  });
  const open = (path: string, headers: Readonly<Record<string, string>>, method = 'GET') =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const asked = httpRequest({
        host: '127.0.0.1',
        port: gateway.port,
        path,
        method,
        headers,
        agent: false,
      });
      asked.on('response', resolve).on('error', reject).end();
    });
  const get = async (path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET') => {
    const response = await open(path, headers, method);
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part as Buffer);
    return { status: response.statusCode, headers: response.headers, bytes: Buffer.concat(parts) };
  };
  return { open, get };
}

const text = 'hello world, '.repeat(10_000);
const json = { 'content-type': 'application/json', 'content-length': String(text.length), etag: '"1"' };
const unpackers = { gzip: gunzipSync, deflate: inflateSync, br: brotliDecompressSync } as const;
const anything = { 'accept-encoding': 'gzip, deflate, br' };

test('an answer is compressed in what its client accepts, and says so; of several likes the first of algorithms counts', async (t) => {
  const { get } = await scene(
    t,
    (path, response) =>
      path.includes('chunked')
        ? response.writeHead(200, { 'content-type': 'application/json' }).end(text)
        : response.writeHead(200, { ...json, 'accept-ranges': 'bytes', 'repr-digest': 'x' }).end(text),
    { plain: {}, gzip: { algorithms: ['gzip', 'br'] }, best: { level: 9 }, fast: { level: 1 } },
  );
  for (const [accept, coding, path] of [
    ['gzip', 'gzip', '/plain'],
    ['deflate', 'deflate', '/plain'],
    ['br', 'br', '/plain/chunked'],
    ['gzip, deflate, br', 'br', '/plain'],
    ['gzip, br', 'gzip', '/gzip'],
    ['gzip;q=0.5, br;q=0.9', 'br', '/gzip'],
    ['*', 'br', '/plain'],
    ['*, br;q=0', 'gzip', '/plain'],
  ] as const) {
    const { headers, bytes } = await get(path, { 'accept-encoding': accept });
    assert.equal(headers['content-encoding'], coding, accept);
    assert.equal(unpackers[coding](bytes).toString(), text, accept);
    assert.equal(headers.vary, 'Accept-Encoding');
    assert.deepEqual(
      [headers['content-length'], headers['accept-ranges'], headers['repr-digest']],
      [undefined, undefined, undefined],
    );
    if (!path.includes('chunked')) assert.equal(headers.etag, 'W/"1"');
  }
  const [fast, best] = [await get('/fast', anything), await get('/best', anything)];
  assert.ok(best.bytes.length < fast.bytes.length, `${best.bytes.length} < ${fast.bytes.length}`);
});

test('what is not to be compressed goes out as it came', async (t) => {
  const kinds: Readonly<Record<string, readonly [status: number, headers: Record<string, string>]>> = {
    packed: [200, { 'content-encoding': 'gzip' }],
    kept: [200, { 'cache-control': 'public, no-transform' }],
    part: [206, { 'content-range': `bytes 0-${text.length - 1}/${text.length}` }],
    image: [200, { 'content-type': 'image/png' }],
    untyped: [200, { 'content-type': '' }],
    unchanged: [304, {}],
    none: [204, {}],
    plain: [200, {}],
  };
  const { get } = await scene(t, (path, response) => {
    const [status, headers] = kinds[path.slice(1)] ?? [500, {}];
    const lines = Object.entries({ ...json, ...headers }).filter(([, value]) => value !== '');
    if (status === 204 || status === 304) response.writeHead(status, { etag: '"1"' }).end();
    else response.writeHead(status, Object.fromEntries(lines)).end(text);
  });
  for (const kind of Object.keys(kinds)) {
    if (kind === 'plain') continue;
    const answer = await get(`/plain/${kind}`, anything);
    const isBodiless = ['unchanged', 'none'].includes(kind);
    assert.equal(answer.headers['content-encoding'], kind === 'packed' ? 'gzip' : undefined, kind);
    assert.equal(answer.bytes.toString(), isBodiless ? '' : text, kind);
    assert.equal(answer.headers.etag, '"1"', kind);
    assert.equal(answer.headers.vary, undefined, kind);
    if (!['unchanged', 'none'].includes(kind))
      assert.equal(answer.headers['content-length'], String(text.length), kind);
  }
  for (const accept of ['', 'identity', 'gzip;q=0, br;q=0, deflate;q=0', 'zstd', 'gzip;q=2']) {
    const { headers, bytes } = await get('/plain/plain', { 'accept-encoding': accept });
    assert.deepEqual([headers['content-encoding'], headers.etag], [undefined, '"1"'], accept);
    assert.equal(headers.vary, 'Accept-Encoding', 'caches tell callers apart all the same');
    assert.equal(bytes.length, text.length);
  }
  const asked = await get('/plain/plain', { ...anything, 'cache-control': 'no-transform' });
  assert.equal(asked.headers['content-encoding'], undefined);
});

test('bytesMin and mediaTypes say what is worth it, at their bounds', async (t) => {
  const { get } = await scene(
    t,
    (path, response) => {
      const query = new URLSearchParams(path.split('?')[1]);
      const body = 'x'.repeat(Number(query.get('bytes')));
      response
        .writeHead(200, {
          'content-type': query.get('type') ?? 'text/plain; charset=utf-8',
          'content-length': body.length,
          vary: 'Origin',
        })
        .end(body);
    },
    {
      plain: {},
      own: { bytesMin: 0, mediaTypes: ['application/*+json', 'x/y'] },
      all: { mediaTypes: ['*'] },
    },
  );
  const isPacked = async (path: string): Promise<boolean> => {
    const { headers } = await get(path, anything);
    const told = await get(path, anything, 'HEAD');
    for (const name of ['content-encoding', 'vary'])
      assert.equal(told.headers[name], headers[name], `${path} ${name}`);
    if (headers['content-encoding'] !== undefined) assert.equal(told.headers['content-length'], undefined);
    if (headers['content-encoding'] !== undefined) assert.equal(headers.vary, 'Origin, Accept-Encoding');
    return headers['content-encoding'] !== undefined;
  };
  assert.deepEqual([await isPacked('/plain?bytes=1023'), await isPacked('/plain?bytes=1024')], [false, true]);
  for (const [type, packed] of [
    ['application/problem%2Bjson', true],
    ['application/json', false],
    ['application/%2Bjson', true],
    ['X/Y;a=b', true],
    ['x/yz', false],
  ] as const)
    assert.equal(await isPacked(`/own?bytes=10&type=${type}`), packed, type);
  assert.ok(!(await isPacked('/own?bytes=0&type=x/y')), 'an empty body');
  assert.ok(await isPacked('/all?bytes=2000&type=image/png'));
});

test('a stream goes on while it comes, and one that breaks off breaks off', async (t) => {
  let backend: ServerResponse | undefined;
  const { open } = await scene(t, (_path, response) => {
    backend = response;
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
  });
  const response = await open('/plain', { 'accept-encoding': 'gzip' });
  let heard = '';
  let isBroken = false;
  const unpacked = response.pipe(createGunzip());
  unpacked.on('data', (part: Buffer) => (heard += part.toString())).on('error', () => undefined);
  response.on('error', () => (isBroken = true));
  await eventually(() => heard === 'data: 1\n\n');
  backend?.write('data: 2\n\n');
  await eventually(() => heard === 'data: 1\n\ndata: 2\n\n');
  backend?.destroy();
  await eventually(() => isBroken);
});

test('past 128 answers at a time they go out as they are, and a place is free again when an answer is over', async (t) => {
  const open: ServerResponse[] = [];
  const scenery = await scene(t, (path, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' }).write('begun');
    if (path.includes('whole')) response.end();
    else open.push(response);
  });
  const encoded = async (path: string): Promise<IncomingMessage> =>
    scenery.open(path, { 'accept-encoding': 'gzip' });
  const held: IncomingMessage[] = [];
  // A place is taken when a body begins to flow, just behind its head.
  for (let place = 0; place < 128; place += 1) {
    const response = await encoded('/plain');
    await new Promise((resolve) => response.once('data', resolve));
    assert.equal(response.headers['content-encoding'], 'gzip', String(place));
    held.push(response);
  }
  const past = await scenery.get('/plain/whole', { 'accept-encoding': 'gzip' });
  assert.deepEqual([past.headers['content-encoding'], past.bytes.toString()], [undefined, 'begun']);
  held.pop()?.destroy();
  await eventually(async () => {
    const next = await scenery.get('/plain/whole', { 'accept-encoding': 'gzip' });
    return next.headers['content-encoding'] === 'gzip';
  });
  for (const response of open) response.end();
  for (const response of held) response.resume();
});

test('a client says what it likes', () => {
  const rows: readonly (readonly [accepted: string, weight: number])[] = [
    ['gzip', 1],
    ['GZIP', 1],
    ['x-gzip', 1],
    [' gzip ; q=0.3 , br', 0.3],
    ['br', 0],
    ['*;q=0.2', 0.2],
    ['gzip;q=0, *', 0],
    ['gzip;q=1.000', 1],
    ['gzip;q=', 0],
    ['gzip;q=0.1234', 0],
    ['', 0],
    [`${'a,'.repeat(512)}gzip`, 0],
  ];
  for (const [accepted, weight] of rows) assert.equal(weightOf(accepted, 'gzip'), weight, accepted);
});

test('a configuration that cannot work is refused', () => {
  const faulty = (config: object): boolean => !catalog.compression.config.safeParse(config).success;
  assert.ok(!faulty({}));
  for (const config of [
    { algorithms: ['zstd'] },
    { level: 0 },
    { level: 10 },
    { bytesMin: -1 },
    { mediaTypes: [''] },
    { mediaTypes: ['a*b*'] },
    { mediaTypes: ['a b'] },
  ])
    assert.ok(faulty(config), JSON.stringify(config));
});
