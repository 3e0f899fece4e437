import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { status } from '@grpc/grpc-js';
import { answerOfHttp2, openHttp2, startHttp2Backend } from '../../../test/kit/engine/http2.ts';
import { openPeer } from '../../../test/kit/engine/raw-peer.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { apiDefinition, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { openGrpc, startGrpcServer } from '../../../test/kit/servers/grpc.ts';

const api = (id: string, path: string, port: number): Record<string, unknown> =>
  apiDefinition(id, `grpc://127.0.0.1:${port}`, {
    listeners: [
      { type: 'http', paths: [{ host: 'localhost', path }], entrypoints: [{ type: 'http-proxy' }] },
    ],
  });

async function stage(t: TestContext, listen: object = {}, request: object = {}) {
  const server = await startGrpcServer(t);
  const deaf = await startHttp2Backend(t, () => undefined);
  const gateway = await startLocalGateway(t, {
    apis: { words: api('words', '/', server.port), deaf: api('deaf', '/deaf', deaf.port) },
    config: { listen: { http2: { clearText: true }, ...listen }, request },
  });
  return { server, gateway, client: openGrpc(t, gateway.port) };
}

test('a call of gRPC may be silent for longer than the window in which the rate of an upload is judged', async (t) => {
  const { server, gateway, client } = await stage(t);
  const echo = client.start('Echo', ['a'], { isOpen: true });
  const silent = client.start('Late', [], { isOpen: true });
  const late = client.start('Late', ['a'], { isOpen: true });
  await eventually(() => echo.received.length === 1 && server.heard.length === 3);
  // Uploads that trickle and begin later tell when the window is over for those: one byte begins no window anew, whatever the backend speaks.
  const head = ['POST /deaf HTTP/1.1', 'Host: localhost', 'Content-Length: 1000', '', ''].join('\r\n');
  const slow = await openPeer(t, { port: gateway.port, from: '127.0.0.1' }, head);
  const upload = openHttp2(t, gateway.port).request({
    ':method': 'POST',
    ':path': '/deaf',
    ':authority': 'localhost',
  });
  const answer = answerOfHttp2(upload);
  const timer = setInterval(() => {
    slow.write('x');
    if (!upload.destroyed) upload.write('x');
  }, 500);
  t.after(() => clearInterval(timer));
  assert.equal((await answer).status, 408);
  await slow.ended;
  clearInterval(timer);
  assert.match(slow.text, /^HTTP\/1\.1 408 /);
  echo.say('b');
  await eventually(() => echo.received.length === 2);
  echo.end();
  server.answerLate();
  for (const [call, messages] of [
    [echo, ['echo a', 'echo b']],
    [silent, ['late']],
    [late, ['late']],
  ] as const) {
    const end = await call.ended;
    assert.deepEqual([end.code, end.messages], [status.OK, messages]);
  }
});

test('a call of gRPC in which nothing moves for tunnelIdleMsMax ends with a status of gRPC, before and after its answer has begun', async (t) => {
  const { server, client } = await stage(t, { tunnelIdleMsMax: 700 });
  const busy = client.start('Echo', ['a'], { isOpen: true });
  const timer = setInterval(() => busy.say('a'), 100);
  t.after(() => clearInterval(timer));
  const startedMs = performance.now();
  const calls = [
    [client.start('Join', [], { isOpen: true }), []],
    [client.start('Late', ['a'], { isOpen: true }), []],
    [client.start('Echo', ['a'], { isOpen: true }), ['echo a']],
  ] as const;
  for (const [call, messages] of calls) {
    const end = await call.ended;
    assert.deepEqual(
      [end.code, end.details, end.messages],
      [status.UNAVAILABLE, 'Request Timeout', messages],
    );
    assert.ok(performance.now() - startedMs >= 700);
  }
  await eventually(() => server.cancelled() === 1);
  clearInterval(timer);
  busy.end();
  assert.equal((await busy.ended).code, status.OK);
});

test('requestMsMax ends a call of gRPC with a status of gRPC, before and after its answer has begun', async (t) => {
  const { client } = await stage(t, { requestMsMax: 500 });
  for (const [name, messages] of [
    ['Late', []],
    ['Echo', ['echo a']],
  ] as const) {
    const end = await client.start(name, ['a'], { isOpen: true }).ended;
    assert.deepEqual(
      [end.code, end.details, end.messages],
      [status.UNAVAILABLE, 'Gateway Timeout', messages],
    );
  }
});

test('a call of gRPC that is ended after its answer has begun hears a status of gRPC: of its life, of a service that goes', async (t) => {
  const { client } = await stage(t, {}, { streamMsMax: 500 });
  const old = await client.start('Echo', ['a'], { isOpen: true }).ended;
  assert.deepEqual(
    [old.code, old.details, old.messages],
    [status.UNAVAILABLE, 'Service Unavailable', ['echo a']],
  );
  const other = await stage(t);
  const left = other.client.start('Echo', ['a'], { isOpen: true });
  await eventually(() => left.received.length === 1);
  other.server.stop();
  const end = await left.ended;
  assert.deepEqual([end.code, end.details, end.messages], [status.UNAVAILABLE, 'Bad Gateway', ['echo a']]);
});

test('what the engine refuses of a call of gRPC, its caller hears as a status of gRPC', async (t) => {
  const { client } = await stage(t, { bodyBytesMax: 20, headerBytesMax: 2_048 });
  const tooLarge = await client.start('Echo', ['a', 'x'.repeat(20)], { isOpen: true }).ended;
  assert.deepEqual([tooLarge.code, tooLarge.details], [status.UNKNOWN, 'Payload Too Large']);
  const unread = await client.start('Echo', ['a'], { metadata: { 'x-long': 'x'.repeat(2_048) } }).ended;
  assert.deepEqual([unread.code, unread.details], [status.UNKNOWN, 'Request Header Fields Too Large']);
});

test('answerMsMax does not end a call in which the caller streams or pauses before a head comes; it begins with his last message', async (t) => {
  const answerMsMax = 1_000;
  const { server, client } = await stage(t, {}, { answerMsMax });
  const joined = client.start('Join', ['a'], { isOpen: true });
  const paused = client.start('Late', [], { isOpen: true });
  const left = client.start('Late', ['a'], { isOpen: true });
  const silent = client.start('Wait', ['a']);
  const startedMs = performance.now();
  const timer = setInterval(() => joined.say('b'), 100);
  t.after(() => clearInterval(timer));
  const silentEnd = await silent.ended;
  assert.deepEqual([silentEnd.code, silentEnd.details], [status.UNAVAILABLE, 'Request timeout']);
  assert.ok(performance.now() - startedMs >= answerMsMax);
  await eventually(() => performance.now() - startedMs > 2.5 * answerMsMax);
  clearInterval(timer);
  const endedMs = performance.now();
  left.end();
  joined.end();
  const end = await joined.ended;
  assert.deepEqual([end.code, end.messages[0]?.slice(0, 5)], [status.OK, 'a+b+b']);
  const leftEnd = await left.ended;
  assert.deepEqual([leftEnd.code, leftEnd.details], [status.UNAVAILABLE, 'Request timeout']);
  assert.ok(
    performance.now() - endedMs >= answerMsMax - 10,
    'a service has the time from the last message on',
  );
  server.answerLate();
  paused.end();
  const pausedEnd = await paused.ended;
  assert.deepEqual([pausedEnd.code, pausedEnd.messages], [status.OK, ['late']]);
});

test('answerMsMax of a body over HTTP/2 that is no call of gRPC runs while nothing of it comes, and from its end on', async (t) => {
  const answerMsMax = 1_000;
  const { gateway } = await stage(t, { bodyBytesPerSecondMin: 0 }, { answerMsMax });
  const session = openHttp2(t, gateway.port);
  const start = (path: string) =>
    session.request({ ':method': 'POST', ':path': path, ':authority': 'localhost' });
  const [sending, still] = [start('/deaf'), start('/deaf')];
  const [sent, stillAnswer] = [answerOfHttp2(sending), answerOfHttp2(still)];
  const timer = setInterval(() => sending.write('x'), 100);
  t.after(() => clearInterval(timer));
  const startedMs = performance.now();
  assert.equal((await stillAnswer).status, 504);
  await eventually(() => performance.now() - startedMs > 2.5 * answerMsMax);
  assert.equal(sending.closed, false);
  clearInterval(timer);
  const endedMs = performance.now();
  sending.end();
  assert.equal((await sent).status, 504);
  assert.ok(performance.now() - endedMs >= answerMsMax - 10);
});

test('answerMsMax ends a call that waits for a policy, although its caller still streams', async (t) => {
  const server = await startGrpcServer(t);
  const slow = {
    selectors: [{ type: 'HTTP', path: '/', pathOperator: 'STARTS_WITH' }],
    request: [{ policy: 'latency', configuration: { time: 60, timeUnit: 'SECONDS' } }],
  };
  const gateway = await startLocalGateway(t, {
    apis: { words: { ...api('words', '/', server.port), flows: [slow] } },
    config: { listen: { http2: { clearText: true } }, request: { answerMsMax: 500 } },
  });
  const call = openGrpc(t, gateway.port).start('Echo', ['a'], { isOpen: true });
  const end = await call.ended;
  assert.deepEqual([end.code, end.details], [status.UNAVAILABLE, 'Request timeout']);
  assert.equal(server.heard.length, 0);
});
