import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';

import { eventually } from '../../../test/kit/eventually.ts';
import { logRecords } from '../../../test/kit/gateway/access-records.ts';
import { apiDefinition, call } from '../../../test/kit/gateway/gateway.ts';
import { logging, startLoggingGateway } from '../../../test/kit/gateway/logging-gateway.ts';

/** A backend that answers with what it was sent, in its own type; the last answer stays in hand. */
async function startEcho(
  t: TestContext,
  answer: (body: Buffer, outgoing: ServerResponse, headers: NodeJS.Dict<string | string[]>) => void = (
    body,
    outgoing,
  ) => void outgoing.end(body),
  onPiece?: (piece: Buffer) => void,
): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => (parts.push(part), onPiece?.(part)));
    incoming.on('error', () => undefined);
    incoming.on('end', () => {
      outgoing.setHeader('content-type', incoming.headers['content-type'] ?? 'text/plain');
      answer(Buffer.concat(parts), outgoing, incoming.headers);
    });
  });
  server.on('upgrade', (_incoming, socket) => {
    t.after(() => socket.destroy());
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const bodies = ['entrypoint_request', 'endpoint_request', 'endpoint_response', 'entrypoint_response'].map(
  (side) => `${side}_body`,
);

test('bodies pass byte for byte, however long, and what is kept of them is bounded, readable and says what is missing', async (t) => {
  const url = await startEcho(t);
  const gateway = await startLoggingGateway(
    t,
    { apis: { a: apiDefinition('a', url, logging()) } },
    { bodyBytesMax: 1_000, excludedContentTypes: ['video*', 'application/pdf'] },
  );
  const long = 'é'.repeat(50_000);
  const rows: readonly (readonly [type: string, body: string | Buffer, shown: string | undefined])[] = [
    ['text/plain', 'short', 'short'],
    ['text/plain', 'x'.repeat(1_000), 'x'.repeat(1_000)],
    ['text/plain', 'x'.repeat(1_001), `${'x'.repeat(1_000)} [cut: 1000 of 1001 bytes]`],
    ['text/plain', `x${long}`, `x${'é'.repeat(499)} [cut: 1000 of 100001 bytes]`],
    ['application/json', gzipSync('{}'), `[${gzipSync('{}').length} bytes that are no text]`],
    ['text/plain', Buffer.from('a\0b'), '[3 bytes that are no text]'],
    ['video/mp4', 'frames', undefined],
    ['Application/PDF; version=2', '%PDF', undefined],
    ['application/pdfs', '%PDF', '%PDF'],
    ['text/plain', '', undefined],
  ];
  for (const [type, body, shown] of rows) {
    const answer = await gateway.call('/a', { method: 'POST', headers: { 'content-type': type }, body });
    assert.equal(answer.text, Buffer.from(body).toString('utf8'));
    const log = await gateway.logOf(answer);
    for (const name of bodies) assert.equal(log[name], shown, `${name} of ${type}`);
  }
  const random = randomBytes(3_000_000);
  const large = await fetch(`${gateway.url}/a`, {
    method: 'POST',
    body: random,
    headers: { 'content-type': 'x/y' },
  });
  const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
  assert.equal(hash(new Uint8Array(await large.arrayBuffer())), hash(random));
  // Without a length, in pieces.
  const pieces = new ReadableStream({
    start(controller) {
      for (const piece of ['one ', 'two ', 'three']) controller.enqueue(Buffer.from(piece));
      controller.close();
    },
  });
  const init = {
    method: 'POST',
    body: pieces,
    duplex: 'half',
    headers: { 'content-type': 'text/plain' },
  } as const;
  const chunked = await fetch(`${gateway.url}/a`, init);
  assert.equal(await chunked.text(), 'one two three');
  const log = await gateway.logOf({ headers: Object.fromEntries(chunked.headers) });
  for (const name of bodies) assert.equal(log[name], 'one two three', name);
  const head = await gateway.call('/a', { method: 'HEAD' });
  assert.deepEqual([head.status, (await gateway.logOf(head))['entrypoint_response_body']], [200, undefined]);
});

test('the memory for bodies is bounded over all calls, a body that finds none left says so, and it comes back', async (t) => {
  const waiting: (() => void)[] = [];
  const url = await startEcho(t, (body, outgoing, headers) => {
    if (headers['x-hold'] === undefined) outgoing.end(body);
    else waiting.push(() => void outgoing.end('held'));
  });
  const gateway = await startLoggingGateway(
    t,
    { apis: { a: apiDefinition('a', url, logging({ mode: { entrypoint: true } })) } },
    { bodyBytesMax: 8_192, capturedBytesMax: 8_192 },
  );
  const text = { 'content-type': 'text/plain' };
  const held = gateway.call('/a', {
    method: 'POST',
    headers: { ...text, 'x-hold': '1' },
    body: 'h'.repeat(7_000),
  });
  await eventually(() => waiting.length === 1);
  const poor = await gateway.call('/a', { method: 'POST', headers: text, body: 'p'.repeat(3_000) });
  assert.equal(poor.text.length, 3_000);
  const why = 'the memory for logged bodies was full';
  const cut = await gateway.logOf(poor);
  assert.equal(cut['entrypoint_request_body'], ` [cut: 0 of 3000 bytes, ${why}]`);
  waiting[0]?.();
  const whole = await gateway.logOf(await held);
  assert.equal(whole['entrypoint_request_body'], 'h'.repeat(7_000));
  assert.equal(whole['entrypoint_response_body'], 'held');
  const rich = await gateway.call('/a', { method: 'POST', headers: text, body: 'r'.repeat(3_000) });
  assert.equal((await gateway.logOf(rich))['entrypoint_request_body'], 'r'.repeat(3_000));
});

test('JSON that rules cannot be applied to is not shown, and a rule replaces nothing else', async (t) => {
  const url = await startEcho(t);
  const gateway = await startLoggingGateway(
    t,
    {
      apis: { a: apiDefinition('a', url, logging({ mode: { entrypoint: true }, phase: { request: true } })) },
    },
    { bodyBytesMax: 200, bodyRules: [{ path: '$.a[*].pin' }, { path: '$.list[-1]', replacer: '' }] },
  );
  const rows: readonly (readonly [body: string, shown: string])[] = [
    ['{ "b": 1.0,  "pin": 3 }', '{ "b": 1.0,  "pin": 3 }'],
    ['{"a":[{"pin":1,"c":2},{"pin":{"x":[]}},3]}', '{"a":[{"pin":"***","c":2},{"pin":"***"},3]}'],
    ['{"list":[1,2],"__proto__":{"pin":1}}', '{"list":[1,""],"__proto__":{"pin":1}}'],
    ['{"a":[{"pin":1}', '[15 bytes that could not be masked]'],
    [`{"a":[{"pin":1}],"z":"${'z'.repeat(300)}"}`, '[324 bytes that could not be masked]'],
    ['pin=1', 'pin=1'],
    [`${'['.repeat(99)}1${']'.repeat(99)}`, `${'['.repeat(99)}1${']'.repeat(99)}`],
  ];
  for (const [body, shown] of rows) {
    const answer = await gateway.call('/a', { method: 'POST', body });
    assert.equal((await gateway.logOf(answer))['entrypoint_request_body'], shown);
  }
});

test('a call that breaks off, a tunnel, and a backend that is away are logged as far as they came', async (t) => {
  const arrived: Buffer[] = [];
  const url = await startEcho(t, undefined, (part) => arrived.push(part));
  const gateway = await startLoggingGateway(t, {
    apis: {
      a: apiDefinition('a', url, logging()),
      away: apiDefinition('away', 'http://127.0.0.1:1', logging()),
    },
  });
  const logged = (path: string) =>
    eventually(
      async () =>
        (await logRecords(gateway.dataDir)).find((log) => log['entrypoint_request_uri'] === path) ?? false,
    );
  const half = connect(gateway.port, '127.0.0.1');
  half.write(
    'POST /a/half HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\nhalf of',
  );
  await eventually(() => arrived.join('') === 'half of');
  half.destroy();
  const broken = await logged('/a/half');
  assert.deepEqual(
    ['entrypoint_request_body', 'endpoint_request_body', 'entrypoint_response_status'].map(
      (name) => broken[name],
    ),
    ['half of', 'half of', undefined],
  );
  assert.equal(broken['error_key'], 'CLIENT_ABORTED_DURING_REQUEST_ERROR');

  const live = connect(gateway.port, '127.0.0.1');
  live.write('GET /a/live HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  assert.match(String(await once(live, 'data')), /^HTTP\/1.1 101/);
  live.destroy();
  const tunnel = await logged('/a/live');
  assert.deepEqual([tunnel['endpoint_response_status'], tunnel['entrypoint_response_status']], [101, 101]);

  const refused = await call(gateway.port, '/away', { method: 'POST', body: 'x' });
  assert.equal(refused.status, 502);
  const log = await gateway.logOf(refused);
  assert.equal(log['endpoint_request_uri'], 'http://127.0.0.1:1/');
  assert.equal(log['endpoint_response_status'], undefined);
  assert.equal(log['error_key'], 'GATEWAY_CLIENT_CONNECTION_REFUSED');
  assert.match(String(log['entrypoint_response_body']), /./);
});
