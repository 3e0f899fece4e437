import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openPeer } from '../../../test/kit/engine/raw-peer.ts';
import { eventually } from '../../../test/kit/eventually.ts';
import { call } from '../../../test/kit/gateway/gateway.ts';
import { startServingParts } from '../../../test/kit/gateway/serving-parts.ts';
import type { BodyCheck, Policy } from '../../policies/policy.ts';
import { createRefuse } from '../../policies/refuse.ts';
import { heldBytesMax } from './checked-body.ts';

/** What the contract of policies promises of bodies that pass under the eyes of a check. */

const refuse = createRefuse({ NO: { status: 422, message: 'no' } });

const checking = (make: () => BodyCheck): Policy => ({
  request: { needs: 'stream', run: (_call, _slot, passing) => passing.check(make()) },
});
/** Refuses a body at the first `!`. */
const noShouting = checking(() => ({
  onPiece: (bytes, start, end) => (bytes.subarray(start, end).includes('!') ? refuse('NO') : undefined),
}));
const atEnd = checking(() => ({ onPiece: () => undefined, onEnd: () => refuse('NO') }));

const chunked = (path: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n`;
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;

test('a short body goes on unchanged once it was checked whole, in as many pieces as it comes', async (t) => {
  const { backend, port } = await startServingParts(t, { api: noShouting });
  const client = await openPeer(t, { port, from: '127.0.0.1' }, chunked('/api'));
  client.write(chunk('he'));
  client.write(`${chunk('llo')}0\r\n\r\n`);
  const peer = await backend.next();
  await peer.until('hello');
  peer.write('HTTP/1.1 204 X\r\n\r\n');
  await client.until('204');
});

test('of a short body that is refused the backend is not even asked, however late it is refused', async (t) => {
  const { backend, port, errorKeys } = await startServingParts(t, { early: noShouting, late: atEnd });
  for (const path of ['/early', '/late']) {
    const answer = await call(port, path, { method: 'POST', body: 'he!lo' });
    assert.deepEqual([answer.status, answer.text], [422, 'no']);
  }
  assert.deepEqual(errorKeys, ['NO', 'NO']);
  assert.equal(backend.accepted(), 0);
});

for (const size of [heldBytesMax - 1, heldBytesMax, heldBytesMax + 1])
  test(`a body of ${size} bytes arrives whole behind its check, of a length that is said and of one that is not`, async (t) => {
    const { backend, port } = await startServingParts(t, { api: noShouting });
    const body = 'x'.repeat(size);
    for (const text of [
      `POST /api HTTP/1.1\r\nHost: h\r\nContent-Length: ${size}\r\n\r\n${body}`,
      `${chunked('/api')}${chunk(body)}0\r\n\r\n`,
    ]) {
      const client = await openPeer(t, { port, from: '127.0.0.1' }, text);
      const peer = await backend.next();
      await eventually(() => (peer.text.match(/x/g) ?? []).length >= size);
      peer.write('HTTP/1.1 204 X\r\nConnection: close\r\n\r\n');
      await client.until('204');
    }
  });

test('a long body that is refused at its last byte, or at its end, never comes to an end at the backend', async (t) => {
  const { backend, port, errorKeys } = await startServingParts(t, { last: noShouting, end: atEnd });
  const long = 'x'.repeat(3 * heldBytesMax);
  const said = (path: string, rest: string): string =>
    `POST ${path} HTTP/1.1\r\nHost: h\r\nContent-Length: ${long.length + rest.length}\r\n\r\n${long}`;
  for (const [head, rest] of [
    [said('/last', 'ok!'), 'ok!'],
    [said('/end', 'ok.'), 'ok.'],
    [`${chunked('/last')}${chunk(long)}`, `${chunk('!')}0\r\n\r\n`],
    [`${chunked('/end')}${chunk(long)}`, '0\r\n\r\n'],
  ] as const) {
    const client = await openPeer(t, { port, from: '127.0.0.1' }, head);
    const peer = await backend.next();
    await peer.until('xxx');
    client.write(rest);
    await client.until('422');
    await peer.ended;
    assert.doesNotMatch(peer.text, /ok|!|\r\n0\r\n/);
  }
  assert.deepEqual(errorKeys, ['NO', 'NO', 'NO', 'NO']);
});

test('what is refused after the backend has begun its answer is cut in both directions, and recorded', async (t) => {
  const { backend, port, errorKeys } = await startServingParts(t, { api: noShouting });
  const long = 'x'.repeat(3 * heldBytesMax);
  const client = await openPeer(t, { port, from: '127.0.0.1' }, `${chunked('/api')}${chunk(long)}`);
  const peer = await backend.next();
  await peer.until('xxx');
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
  await client.until('half');
  client.write(chunk('!'));
  await Promise.all([client.ended, peer.ended]);
  assert.doesNotMatch(peer.text, /!|\r\n0\r\n/);
  await eventually(() => errorKeys.length === 1);
  assert.deepEqual(errorKeys, ['NO']);
});

test('a step behind has the body that was checked: buffered, transformed, or checked again', async (t) => {
  const quoting: Policy = {
    request: {
      needs: 'buffered',
      run: ({ request }) => void (request.content = Buffer.from(`"${String(request.content)}"`)),
    },
  };
  const { backend, port } = await startServingParts(
    t,
    { api: [noShouting, quoting, noShouting] },
    { bodyBytesMax: 1_000_000 },
  );
  for (const size of [3, 3 * heldBytesMax]) {
    const asked = call(port, '/api', { method: 'POST', body: 'x'.repeat(size) });
    const peer = await backend.next();
    await eventually(() => peer.text.endsWith('x"'));
    assert.match(peer.text, new RegExp(`^content-length: ${size + 2}\r$`, 'im'));
    peer.write('HTTP/1.1 204 X\r\nConnection: close\r\n\r\n');
    await asked;
  }
});

test('a check that throws is a bug of its step: told once with its place, 500, and the backend has no whole request', async (t) => {
  const fail = (): never => {
    throw new Error('a bug');
  };
  const late = checking(() => ({
    onPiece: (bytes, start, end) => (bytes.subarray(start, end).includes('!') ? fail() : undefined),
  }));
  const { backend, logged, port } = await startServingParts(t, {
    piece: [{}, checking(() => ({ onPiece: fail }))],
    end: [{}, checking(() => ({ onPiece: () => undefined, onEnd: fail }))],
    late: [{}, late],
  });
  for (const name of ['piece', 'end'])
    assert.equal((await call(port, `/${name}`, { method: 'POST', body: 'hello' })).status, 500, name);
  assert.equal(backend.accepted(), 0);
  const long = chunk('x'.repeat(3 * heldBytesMax));
  const client = await openPeer(t, { port, from: '127.0.0.1' }, `${chunked('/late')}${long}`);
  const peer = await backend.next();
  client.write(chunk('!'));
  await client.until(' 500 ');
  await peer.ended;
  assert.deepEqual(
    logged.map((line) => line['at']),
    Array(3).fill('flows[0].request[1]'),
  );
});

test('a client that breaks off while its body is checked leaves nobody waiting', async (t) => {
  const { backend, port } = await startServingParts(t, { api: noShouting });
  const short = await openPeer(t, { port, from: '127.0.0.1' }, `${chunked('/api')}${chunk('half')}`);
  short.leave('fin');
  await short.ended;
  assert.equal(backend.accepted(), 0);
  const long = await openPeer(
    t,
    { port, from: '127.0.0.1' },
    `${chunked('/api')}${chunk('x'.repeat(3 * heldBytesMax))}`,
  );
  const peer = await backend.next();
  long.leave('fin');
  await peer.ended;
  assert.doesNotMatch(peer.text, /\r\n0\r\n/);
});
