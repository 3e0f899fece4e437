import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';

import { startEngineProxy } from '../../../test/kit/engine/engine-proxy.ts';
import { askHttp2, http2Defaults, openHttp2, upstreamHttp2 } from '../../../test/kit/engine/http2.ts';
import {
  block,
  endHeaders,
  endStream,
  frame,
  frameTypes as types,
  openRawHttp2,
  preface,
} from '../../../test/kit/engine/http2-frames.ts';
import { startBackend } from '../conformance/stage.ts';
import { listening } from '../upstream/dial-stage.ts';

const ok = frame(types.headers, endHeaders, 1, block([[':status', '200']]));
const data = (flags: number, text = 'half'): Buffer => frame(types.data, flags, 1, Buffer.from(text));
const reset = (code: number): Buffer => frame(types.reset, 0, 1, Buffer.from([0, 0, 0, code]));

/** A backend by frames: says what it is told when it was asked. */
async function startFrames(t: TestContext, answer: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    let came = Buffer.alloc(0);
    let isAsked = false;
    socket.on('error', () => undefined);
    socket.write(Buffer.concat([frame(types.settings, 0, 0), frame(types.settings, 1, 0)]));
    socket.on('data', (bytes: Buffer) => {
      came = Buffer.concat([came, bytes]);
      if (isAsked) return;
      for (let at = preface.length; at + 9 <= came.length && !isAsked; at += 9 + came.readUIntBE(at, 3))
        isAsked = came[at + 3] === types.headers;
      if (isAsked) answer(socket);
    });
  });
  return listening(t, server);
}

const endings: readonly (readonly [string, readonly Buffer[], 'whole' | 'broken' | 'cut'])[] = [
  ['END_STREAM with data', [ok, data(endStream)], 'whole'],
  ['END_STREAM behind data', [ok, data(0), data(endStream, '')], 'whole'],
  [
    'END_STREAM with trailers',
    [ok, data(0), frame(types.headers, endStream | endHeaders, 1, block([['x', 'y']]))],
    'whole',
  ],
  ['a reset without error', [ok, data(0), reset(0)], 'broken'],
  ['a reset', [ok, data(0), reset(8)], 'broken'],
  ['the end of the connection', [ok, data(0)], 'cut'],
  [
    'trailers that are none',
    [ok, data(0), frame(types.headers, endStream | endHeaders, 1, block([['host', 'y']]))],
    'broken',
  ],
  [
    'fewer bytes than were said',
    [
      frame(
        types.headers,
        endHeaders,
        1,
        block([
          [':status', '200'],
          ['content-length', '9'],
        ]),
      ),
      data(endStream),
    ],
    'broken',
  ],
];

for (const version of ['1.1', '2'])
  test(`an answer of HTTP/2 is whole for a client of HTTP/${version} only when its backend said so`, async (t) => {
    for (const [name, frames, expected] of endings) {
      const port = await startFrames(t, (socket) => {
        socket.write(Buffer.concat(frames));
        if (expected === 'cut') socket.end();
      });
      const proxy = await startEngineProxy(t, {
        upstream: { port, http2: upstreamHttp2 },
        http2: http2Defaults,
      });
      const asked =
        version === '2'
          ? askHttp2(openHttp2(t, proxy.port), { ':path': '/' }).then(({ text }) => text)
          : fetch(`http://127.0.0.1:${proxy.port}/`).then((answer) => answer.text());
      const said = await asked.then(
        (text) => text,
        () => 'broken',
      );
      assert.equal(said, expected === 'whole' ? 'half' : 'broken', name);
      assert.deepEqual(
        proxy.outcomes.map(({ kind }) => kind),
        [expected === 'whole' ? 'complete' : 'upstreamAborted'],
        name,
      );
    }
  });

test('a request of HTTP/2 that is reset, whatever the code says, is never whole for its backend', async (t) => {
  for (const code of [0, 8]) {
    const backend = await startBackend(t);
    const proxy = await startEngineProxy(t, { upstream: { port: backend.port }, http2: http2Defaults });
    const client = await openRawHttp2(t, proxy.port);
    const post = [
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', 'h'],
    ] as const;
    client.write(frame(types.headers, endHeaders, 1, block(post)), data(0));
    const seen = await backend.next();
    const cut = seen.closed.catch(() => undefined);
    while (!(await seen.rest()).includes('half')) await new Promise(setImmediate);
    client.write(reset(code));
    await cut;
    assert.doesNotMatch(await seen.rest(), /0\r\n\r\n$/, `code ${code}`);
    assert.deepEqual(
      proxy.outcomes.map(({ kind }) => kind),
      ['clientAborted'],
      `code ${code}`,
    );
  }
});

test('an answer whose status is of no class is no answer: 502, as in HTTP/1.1', async (t) => {
  for (const status of ['999', '600', '000', '099', '20', 'abc']) {
    const head = block([[':status', status]]);
    const port = await startFrames(t, (socket) =>
      socket.write(frame(types.headers, endHeaders | endStream, 1, head)),
    );
    const proxy = await startEngineProxy(t, { upstream: { port, http2: upstreamHttp2 } });
    // Not a method that is asked again.
    const answer = await fetch(`http://127.0.0.1:${proxy.port}/`, { method: 'POST' });
    assert.equal(answer.status, 502, status);
  }
});
