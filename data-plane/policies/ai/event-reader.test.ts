import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EventReader } from './event-reader.ts';

/** What is read of a stream that comes in pieces of so many bytes. */
function read(stream: string, pieceBytes: number): readonly string[] {
  const events: string[] = [];
  const reader = new EventReader((data) => events.push(Buffer.from(data).toString()));
  const bytes = Buffer.from(stream);
  for (let at = 0; at < bytes.length; at += pieceBytes)
    reader.add(bytes, at, Math.min(bytes.length, at + pieceBytes));
  return events;
}

const rows: readonly (readonly [what: string, stream: string, events: readonly string[]])[] = [
  ['data of one line and of several', 'data: a\n\ndata:b\ndata: c\n\n', ['a', 'b\nc']],
  [
    'other fields and comments are passed over',
    ': hi\nevent: x\nid: 1\ndata: {"é":1}\nretry: 3\n\n',
    ['{"é":1}'],
  ],
  ['lines end by CR, LF or both', 'data: a\r\n\r\ndata: b\r\rdata: c\n\n', ['a', 'b', 'c']],
  ['one space in front is none of the data', 'data:  a \n\n', [' a ']],
  [
    'an event without data is none, and one without an end neither',
    'event: x\n\ndata: a\n\ndata: b\n',
    ['a'],
  ],
  ['the mark of an end is none', 'data: a\n\ndata: [DONE]\n\n', ['a']],
  [
    'a byte order mark in front is none of it, and a second one is',
    '\ufeffdata: a\n\n\ufeffdata: b\n\n',
    ['a'],
  ],
  ['empty lines of data are lines', 'data:\ndata\ndata: \ndata: a\n\ndata:\n\n', ['\n\n\na', '']],
  ['data in a name is none', 'datax: a\n\nxdata: b\n\ndata: c\n\n', ['c']],
];
for (const [what, stream, events] of rows)
  test(`${what}, wherever the pieces are cut`, () => {
    for (const pieceBytes of [1, 2, 3, 5, 1_000]) assert.deepEqual(read(stream, pieceBytes), events);
  });

test('an event of more than 256 KiB is passed over, in one line or in several, and the next one is read', () => {
  const bytesMax = 256 * 1024;
  for (const pieceBytes of [1_000, 1_000_000]) {
    const fits = 'x'.repeat(bytesMax - 'data: '.length);
    assert.deepEqual(read(`data: ${fits}\n\ndata: b\n\n`, pieceBytes), [fits, 'b']);
    assert.deepEqual(read(`data: ${fits}x\n\ndata: b\n\n`, pieceBytes), ['b']);
    const half = 'x'.repeat(bytesMax / 2);
    const less = 'x'.repeat(bytesMax / 2 - 1);
    assert.deepEqual(read(`data: ${half}\ndata: ${less}\n\n`, pieceBytes), [`${half}\n${less}`]);
    assert.deepEqual(read(`data: ${half}\ndata: ${half}\n\ndata: b\n\n`, pieceBytes), ['b']);
  }
});

test('an event without an end holds no more than its bound, whatever its lines are', () => {
  const mib = 1024 * 1024;
  for (const line of ['data:\n', 'data: x\n', ':\n', 'data: x', `data: ${'x'.repeat(1_000)}\r`]) {
    const piece = Buffer.from(line.repeat(Math.ceil(mib / line.length)));
    const reader = new EventReader(() => assert.fail('no event has ended'));
    reader.add(piece, 0, piece.length);
    const before = process.memoryUsage();
    for (let count = 0; count < 8; count += 1) reader.add(piece, 0, piece.length);
    const after = process.memoryUsage();
    const grown = after.heapUsed + after.external - before.heapUsed - before.external;
    // What is kept of 8 MiB: garbage of a few collections, and no object for each of a million lines.
    assert.ok(grown < 48 * mib, `${JSON.stringify(line.slice(0, 8))}: ${Math.round(grown / mib)} MiB`);
  }
});
