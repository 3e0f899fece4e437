import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test, type TestContext } from 'node:test';

import { type EngineProxyWish, startEngineProxy } from '../../../test/kit/engine/engine-proxy.ts';
import { askHttp2, http2Defaults, openHttp2 } from '../../../test/kit/engine/http2.ts';
import {
  block,
  codeOf,
  endHeaders,
  endStream,
  frame,
  frameTypes as types,
  getFields,
  openRawHttp2,
} from '../../../test/kit/engine/http2-frames.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { startBackend } from '../conformance/stage.ts';
import type { EngineRefusal, Exchange, ServerHttp2 } from '../exchange.ts';

const calm = 0xb;
const refusedStream = 0x7;
const protocolError = 0x1;

/** An engine whose backend answers nothing by itself. */
async function stage(
  t: TestContext,
  http2: Partial<ServerHttp2> = {},
  {
    upstreamWish,
    ...wish
  }: Partial<Omit<EngineProxyWish, 'upstream'>> & {
    readonly upstreamWish?: Partial<EngineProxyWish['upstream']>;
  } = {},
) {
  const backend = await startBackend(t);
  const refused: EngineRefusal[] = [];
  const exchanges: Exchange[] = [];
  const proxy = await startEngineProxy(t, {
    upstream: { ...upstreamWish, port: backend.port },
    http2: { ...http2Defaults, ...http2 },
    onRefusal: (refusal) => void refused.push(refusal),
    onExchange: (exchange) => void exchanges.push(exchange),
    ...wish,
  });
  return { ...proxy, backend, refused, exchanges, reasons: () => refused.map(({ reason }) => reason) };
}

const get = (stream: number, fields = getFields): Buffer =>
  frame(types.headers, endStream | endHeaders, stream, block(fields));

test('requests that are taken back at once, again and again, end their connection (CVE-2023-44487)', async (t) => {
  const { port, reasons, exchanges, running } = await stage(t, { cancelsMax: 50, cancelsPerSecondMax: 10 });
  const attacker = await openRawHttp2(t, port);
  const cancel = Buffer.from([0, 0, 0, 8]);
  for (let stream = 1; stream < 1_000; stream += 2)
    attacker.write(get(stream), frame(types.reset, 0, stream, cancel));
  await attacker.closed;
  assert.equal(exchanges.length, 0, 'what is taken back with its request costs no call');
  assert.ok(reasons().includes('http2-flood') || reasons().includes('http2-error'), reasons().join());
  await eventually(() => running.http2.streams === 0 && running.http2.connections === 0);
});

test('requests that are spoiled from outside count as taken back', async (t) => {
  const { port, exchanges } = await stage(t, { cancelsMax: 20, cancelsPerSecondMax: 1 });
  const attacker = await openRawHttp2(t, port);
  // A window update of nothing makes the server reset the stream itself.
  for (let stream = 1; stream < 400; stream += 2)
    attacker.write(get(stream), frame(types.window, 0, stream, Buffer.alloc(4)));
  await attacker.closed;
  assert.ok(exchanges.length <= 60, `${exchanges.length} were served`);
});

test('who takes a few requests back goes on', async (t) => {
  const { port, backend } = await stage(t, { cancelsMax: 50 });
  const client = await openRawHttp2(t, port);
  for (let stream = 1; stream < 40; stream += 2)
    client.write(get(stream), frame(types.reset, 0, stream, Buffer.from([0, 0, 0, 8])));
  client.write(get(41, [...getFields, ['x-last', '1']]));
  for (;;) {
    const seen = await backend.next();
    if (seen.head.includes('x-last')) {
      seen.reply('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      break;
    }
  }
  await client.next(types.headers, 41);
});

for (const [name, flood] of [
  ['PING', frame(types.ping, 0, 0, Buffer.alloc(8))],
  ['SETTINGS', frame(types.settings, 0, 0, Buffer.from([0, 4, 0, 0, 255, 255]))],
] as const)
  test(`a flood of ${name} ends its connection`, async (t) => {
    const { port, reasons } = await stage(t, { controlFramesPerSecondMax: 20 });
    const attacker = await openRawHttp2(t, port);
    for (let at = 0; at < 500; at += 1) attacker.write(flood);
    await attacker.closed;
    assert.deepEqual(reasons(), ['http2-flood']);
    assert.equal(codeOf(await attacker.next(types.goaway, 0)), calm);
  });

test('header lines without end are cut off: CONTINUATION frames, many small fields, one long field', async (t) => {
  const { port, exchanges } = await stage(t);
  const continued = await openRawHttp2(t, port);
  continued.write(frame(types.headers, endStream, 1, block(getFields)));
  for (let at = 0; at < 1_000; at += 1)
    continued.write(frame(types.continuation, 0, 1, block([['x-more', 'v'.repeat(1_000)]])));
  await continued.closed;
  for (const fields of [
    Array.from({ length: 5_000 }, (_, at) => [`x-${at}`, ''] as const),
    [['x-long', 'v'.repeat(200_000)] as const],
  ]) {
    const attacker = await openRawHttp2(t, port);
    const bytes = block([...getFields, ...fields]);
    attacker.write(frame(types.headers, endStream, 1, bytes.subarray(0, 16_000)));
    for (let at = 16_000; at < bytes.length; at += 16_000)
      attacker.write(
        frame(
          types.continuation,
          at + 16_000 >= bytes.length ? endHeaders : 0,
          1,
          bytes.subarray(at, at + 16_000),
        ),
      );
    await Promise.race([attacker.next(types.reset, 1), attacker.closed]);
  }
  assert.equal(exchanges.length, 0);
});

test('a little past the bounds of a head is answered 431, and the connection goes on', async (t) => {
  const { port, backend, reasons } = await stage(
    t,
    {},
    { limits: { headersMax: 20, headerBytesMax: 2_000 } },
  );
  const client = openHttp2(t, port);
  const many = Object.fromEntries(Array.from({ length: 22 }, (_, at) => [`x-${at}`, 'v']));
  assert.equal((await askHttp2(client, { ':path': '/', ...many })).status, 431);
  assert.equal((await askHttp2(client, { ':path': '/', 'x-long': 'v'.repeat(2_001) })).status, 431);
  assert.deepEqual(reasons(), ['too-many-headers', 'headers-too-large']);
  const answer = askHttp2(client, { ':path': '/' });
  (await backend.next()).reply('HTTP/1.1 204 No Content\r\n\r\n');
  assert.equal((await answer).status, 204);
});

test('what breaks the rules of a head never reaches the backend', async (t) => {
  const { port, backend, reasons } = await stage(t, {}, { limits: { connectionsMax: 200 } });
  const without = (name: string) => getFields.filter(([given]) => given !== name);
  const changed = (name: string, value: string) =>
    getFields.map((field) => (field[0] === name ? ([name, value] as const) : field));
  const rows: readonly (readonly [
    string,
    readonly (readonly [string, string])[],
    number | 'reset' | 'left out',
  ])[] = [
    ['Connection', [...getFields, ['connection', 'close']], 'reset'],
    ['Keep-Alive', [...getFields, ['keep-alive', 'timeout=5']], 'reset'],
    ['Proxy-Connection', [...getFields, ['proxy-connection', 'close']], 'reset'],
    ['Transfer-Encoding', [...getFields, ['transfer-encoding', 'chunked']], 'reset'],
    ['Upgrade', [...getFields, ['upgrade', 'websocket']], 'reset'],
    ['TE that is not trailers', [...getFields, ['te', 'gzip']], 'reset'],
    ['a name in capitals', [...getFields, ['X-A', '1']], 'reset'],
    ['a name with a colon', [...getFields, ['x-a: 1\r\nhost', '1']], 'left out'],
    ['a line end in a value', [...getFields, ['x-a', '1\r\nx-b: 2']], 'left out'],
    ['a null byte in a value', [...getFields, ['x-a', '1\0']], 'left out'],
    ['a control byte in a value', [...getFields, ['x-a', '1\v']], 'left out'],
    ['a blank in a name', [...getFields, ['x-a b', '1']], 'left out'],
    ['an empty name', [...getFields, ['', '1']], 'left out'],
    ['a blank before a value', [...getFields, ['x-a', ' 1']], 400],
    ['a tab behind a value', [...getFields, ['x-a', '1\t']], 400],
    ['a value of a blank', [...getFields, ['x-a', ' ']], 400],
    ['an unknown pseudo-header field', [[':other', '1'], ...getFields], 'reset'],
    ['a pseudo-header field behind a field', [...without(':path'), ['x-a', '1'], [':path', '/']], 'reset'],
    ['two paths', [...getFields, [':path', '/b']], 'reset'],
    ['two methods', [[':method', 'GET'], ...getFields], 'reset'],
    ['no path', without(':path'), 'reset'],
    ['an empty path', changed(':path', ''), 'reset'],
    ['no method', without(':method'), 'reset'],
    ['no scheme', without(':scheme'), 'reset'],
    ['a length and no body', [...getFields, ['content-length', '5']], 'reset'],
    [
      'extended CONNECT, which was not offered',
      [...changed(':method', 'CONNECT'), [':protocol', 'websocket']],
      'reset',
    ],
    [
      'CONNECT',
      [
        [':method', 'CONNECT'],
        [':authority', 'h:443'],
      ],
      405,
    ],
    ['Host against :authority', [...getFields, ['host', 'other']], 400],
    ['neither', without(':authority'), 'reset'],
    ['two Hosts', [...without(':authority'), ['host', 'h'], ['host', 'h']], 'reset'],
    ['userinfo', changed(':authority', 'a@h'), 'reset'],
    ['another scheme', changed(':scheme', 'ftp'), 400],
    ['an absolute path', changed(':path', 'http://h/'), 'reset'],
    ['a blank in a path', changed(':path', '/a b'), 'reset'],
    ['a fragment', changed(':path', '/a#b'), 400],
    ['a path that is escaped badly', changed(':path', '/%zz'), 400],
    ['a null byte in a path', changed(':path', '/%00'), 400],
    ['an asterisk with GET', changed(':path', '*'), 'reset'],
    ['two sets of credentials', [...getFields, ['authorization', 'a'], ['authorization', 'b']], 400],
    ['an alias', [...getFields, ['x-a', '1'], ['x_a', '2']], 400],
    ['a twin of Host', [...getFields, ['content_length', '1']], 400],
    ['an expectation', [...getFields, ['expect', 'magic']], 417],
  ];
  const found: unknown[] = [];
  for (const [name, fields, expected] of rows) {
    const client = await openRawHttp2(t, port);
    client.write(get(1, fields));
    if (expected === 'left out') {
      // Node's own: the line is left out, and what is left is a request.
      const seen = await Promise.race([
        backend.next(),
        client.next(types.reset, 1).then(() => assert.fail(name)),
      ]);
      assert.doesNotMatch(seen.head, /x-a|x-b/, name);
      client.socket.destroy();
      continue;
    }
    const ended = await Promise.race([
      client.next(types.headers, 1),
      client.next(types.reset, 1),
      client.next(types.goaway, 0),
    ]);
    found.push([name, ended.type === types.headers ? statusOf(ended.payload) : 'reset']);
    if (ended.type !== types.headers) assert.ok([protocolError, calm].includes(codeOf(ended)), name);
    client.socket.destroy();
  }
  assert.deepEqual(
    found,
    rows.flatMap(([name, , expected]) => (expected === 'left out' ? [] : [[name, expected]])),
  );
  assert.equal(backend.count(), 6);
  assert.equal(reasons().filter((reason) => reason === 'host-mismatch').length, 1);
});

/** The status at the beginning of a header block, as Node writes it: by its index, or its digits. */
function statusOf(payload: Buffer): number {
  return payload[0] === 0x8c ? 400 : Number(payload.subarray(2, 5).toString('latin1'));
}

test('more streams than are allowed are refused unread, and those that are there go on', async (t) => {
  const { port, backend, exchanges } = await stage(t, { streamsMax: 3 });
  const client = await openRawHttp2(t, port);
  for (const stream of [1, 3, 5, 7]) client.write(get(stream));
  assert.equal(codeOf(await client.next(types.reset, 7)), refusedStream);
  assert.equal(exchanges.length, 3);
  for (let at = 0; at < 3; at += 1)
    (await backend.next()).reply('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  for (const stream of [1, 3, 5]) await client.next(types.headers, stream);
  // Who has confirmed the bound and passes it breaks the rules.
  client.write(frame(types.settings, 1, 0));
  for (const stream of [9, 11, 13, 15]) client.write(get(stream));
  await client.closed;
  assert.equal(codeOf(await client.next(types.goaway, 0)), protocolError);
});

test('answerIdleMsMax: a client that asks and takes nothing is cut off, though its connection lives, and who waits for the backend is next', async (t) => {
  const { port, backend, outcomes } = await stage(
    t,
    {},
    { upstreamWish: { connectionsMax: 1 }, limits: { answerIdleMsMax: 400, idleMsMax: 60_000 } },
  );
  const client = await openRawHttp2(t, port);
  // No stream may send a byte.
  client.write(frame(types.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0])), get(1));
  const seen = await backend.next();
  const cut = seen.closed.catch(() => undefined);
  seen.reply(`HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n${'x'.repeat(300_000)}`);
  await client.next(types.headers, 1);
  const other = askHttp2(openHttp2(t, port), { ':path': '/' });
  await client.next(types.reset, 1);
  await cut;
  (await backend.next()).reply('HTTP/1.1 204 No Content\r\n\r\n');
  assert.equal((await other).status, 204);
  client.write(frame(types.ping, 0, 0, Buffer.alloc(8)));
  await client.next(types.ping, 0);
  await eventually(() => outcomes.length === 2);
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ['clientAborted', 'complete'],
  );
});

test('a connection on which nothing is asked is closed, before its first request and after its last', async (t) => {
  const { port, backend, running } = await stage(t, {}, { limits: { headerMsMax: 300, idleMsMax: 300 } });
  await (
    await openRawHttp2(t, port)
  ).closed;
  const client = openHttp2(t, port);
  const answer = askHttp2(client, { ':path': '/' });
  (await backend.next()).reply('HTTP/1.1 204 No Content\r\n\r\n');
  await answer;
  await once(client, 'close');
  await eventually(() => running.connections === 0);
});

test('after so many requests a connection takes no more, and says so before', async (t) => {
  const { port, backend } = await stage(t, {}, { limits: { requestsPerConnectionMax: 2 } });
  const client = openHttp2(t, port);
  const gone = once(client, 'goaway');
  for (let at = 0; at < 2; at += 1) {
    const answer = askHttp2(client, { ':path': '/' });
    (await backend.next()).reply('HTTP/1.1 204 No Content\r\n\r\n');
    assert.equal((await answer).status, 204);
  }
  assert.equal((await gone)[0], 0);
  await once(client, 'close');
});

test('a body past its bound is refused, with a length before and without one when it is met', async (t) => {
  const { port, backend, outcomes } = await stage(t, {}, { limits: { bodyBytesMax: 10 } });
  const client = openHttp2(t, port);
  assert.equal(
    (
      await askHttp2(
        client,
        { ':method': 'POST', ':path': '/', 'content-length': '11' },
        { body: 'x'.repeat(11) },
      )
    ).status,
    413,
  );
  assert.equal(backend.count(), 0);
  assert.equal(
    (await askHttp2(client, { ':method': 'POST', ':path': '/' }, { body: 'x'.repeat(11) })).status,
    413,
  );
  assert.equal(outcomes[0]?.refusal, 'body-too-large');
});

test('a client whose connection breaks has broken no rule', async (t) => {
  const { port, reasons, running } = await stage(t);
  const client = await openRawHttp2(t, port);
  await client.next(types.settings, 0);
  client.socket.resetAndDestroy();
  await eventually(() => running.connections === 0);
  assert.deepEqual(reasons(), []);
});

test('bytes that only begin like HTTP/2 end their connection, and nothing else', async (t) => {
  const { port, reasons, running } = await stage(t);
  const { connect } = await import('node:net');
  for (const bytes of [
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nX: y\r\n\r\n not a frame',
    'PRI / HTTP/1.1\r\nHost: h\r\n\r\n',
  ]) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.resume().write(bytes);
    await once(socket, 'close');
  }
  assert.deepEqual(reasons(), ['http2-error', 'method']);
  await eventually(() => running.connections === 0);
});
