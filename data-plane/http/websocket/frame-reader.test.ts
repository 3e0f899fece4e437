import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import type { Writable } from 'node:stream';
import { test } from 'node:test';
import * as ws from 'ws';

import { FrameReader, type FrameSink, isSendableCode } from './frame-reader.ts';
import { closeFrame, frameOf, opcodes } from './frames.ts';

// The types of `ws` leave it out.
const Receiver = Reflect.get(ws, 'Receiver') as new (options: object) => Writable;

const limits = { frameBytesMax: 70_000, messageBytesMax: 100_000 };

/** What a reader tells of bytes that come in parts, and how it faults. */
function readAll(parts: readonly Uint8Array[], given = limits): readonly string[] {
  const heard: string[] = [];
  const sink: FrameSink = {
    onMessage: (bytes, isText) => heard.push(`${isText ? 'text' : 'binary'} ${bytes.toString('latin1')}`),
    onPing: (payload) => heard.push(`ping ${payload.toString('latin1')}`),
    onCloseFrame: (code, reason) => heard.push(`close ${code} ${reason}`),
  };
  const reader = new FrameReader(given);
  for (const part of parts)
    for (let at = 0; at < part.length && reader.fault === undefined;)
      at = reader.read(part, at, part.length, sink);
  if (reader.fault !== undefined) heard.push(`fault ${reader.fault.code} ${reader.fault.reason}`);
  return heard;
}

const text = (words: string): Buffer => frameOf(opcodes.text, Buffer.from(words), true);
/** The same frame, not the last of its message. */
const open = (frame: Buffer): Buffer => (frame.writeUInt8((frame[0] ?? 0) & 0x7f, 0), frame);
const withByte = (frame: Buffer, at: number, byte: number): Buffer => (frame.writeUInt8(byte, at), frame);
const continued = (words: string): Buffer => frameOf(opcodes.continuation, Buffer.from(words), true);
const control = (opcode: number, payload: Uint8Array): Buffer => frameOf(opcode, payload, true);
/** A head alone, with a length that it spells itself. */
const head = (...bytes: readonly number[]): Buffer => Buffer.from([...bytes, 0, 0, 0, 0]);

const rows: Readonly<Record<string, readonly [bytes: readonly Buffer[], heard: readonly string[]]>> = {
  'a text': [[text('hé')], ['text h\xc3\xa9']],
  'an empty message': [[text('')], ['text ']],
  'a message in parts, with a ping between them': [
    [open(text('a')), control(opcodes.ping, Buffer.from('p')), open(continued('b')), continued('c')],
    ['ping p', 'text abc'],
  ],
  'a letter that is cut between two frames': [
    [
      open(frameOf(opcodes.text, Buffer.from([0xc3]), true)),
      frameOf(opcodes.continuation, Buffer.from([0xa9]), true),
    ],
    ['text \xc3\xa9'],
  ],
  'a pong, of which nobody hears': [[control(opcodes.pong, Buffer.alloc(125))], []],
  'a ping of 125 bytes': [[control(opcodes.ping, Buffer.alloc(125, 'p'))], [`ping ${'p'.repeat(125)}`]],
  'a close without a code': [[control(opcodes.close, Buffer.alloc(0))], ['close 1005 ']],
  'a close with a code and words': [[closeFrame(1000, 'bye', true)], ['close 1000 bye']],
  'a frame that is not masked': [
    [frameOf(opcodes.text, Buffer.from('a'), false)],
    ['fault 1002 a frame is not masked'],
  ],
  'a reserved bit': [[withByte(text('a'), 0, 0xc1)], ['fault 1002 a reserved bit is set']],
  'an unknown opcode': [[withByte(text('a'), 0, 0x83)], ['fault 1002 an opcode is unknown']],
  'an unknown control opcode': [[withByte(text('a'), 0, 0x8b)], ['fault 1002 an opcode is unknown']],
  'a ping in parts': [
    [open(control(opcodes.ping, Buffer.alloc(0)))],
    ['fault 1002 a control frame is fragmented'],
  ],
  'a ping of 126 bytes': [[head(0x89, 0xfe, 0, 126)], ['fault 1002 a control frame is too long']],
  'a continuation of nothing': [[continued('a')], ['fault 1002 nothing is continued']],
  'a text within a text': [[open(text('a')), text('b')], ['fault 1002 a message is not at its end']],
  'a length of 125 in two bytes': [
    [head(0x82, 0xfe, 0, 125)],
    ['fault 1002 a length is not in its shortest form'],
  ],
  'a length of 65535 in eight': [
    [head(0x82, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff)],
    ['fault 1002 a length is not in its shortest form'],
  ],
  'a length with a sign': [
    [head(0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0)],
    ['fault 1002 a length is not in its shortest form'],
  ],
  'a length past everything that can come': [
    [head(0x82, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255)],
    ['fault 1009 a frame has more than 70000 bytes'],
  ],
  'a text that is no UTF-8': [
    [frameOf(opcodes.text, Buffer.from([0xff]), true)],
    ['fault 1007 a text is no UTF-8'],
  ],
  'a close code of one byte': [
    [control(opcodes.close, Buffer.from([3]))],
    ['fault 1002 a close code has one byte'],
  ],
  'a close code that nobody says': [
    [control(opcodes.close, Buffer.from([0x03, 0xed]))],
    ['fault 1002 a close code is none'],
  ],
  'a close reason that is no UTF-8': [
    [control(opcodes.close, Buffer.from([0x03, 0xe8, 0xff]))],
    ['fault 1007 a close reason is no UTF-8'],
  ],
};

for (const [what, [frames, heard]] of Object.entries(rows)) {
  test(`${what} is read as RFC 6455 says, however its bytes are cut`, () => {
    const bytes = Buffer.concat(frames);
    assert.deepEqual(readAll([bytes]), heard, 'whole');
    assert.deepEqual(readAll(Array.from(bytes, (byte) => Uint8Array.of(byte))), heard, 'byte by byte');
  });
}

test('a frame and a message are taken to their bounds and no further, before their bytes are here', () => {
  const bound = { frameBytesMax: 4, messageBytesMax: 6 };
  const fits = [open(text('abcd')), continued('ef')];
  assert.deepEqual(readAll(fits, bound), ['text abcdef']);
  const wide = text('abcde').subarray(0, 6);
  assert.deepEqual(readAll([wide], bound), ['fault 1009 a frame has more than 4 bytes']);
  const long = [open(text('abcd')), continued('efg').subarray(0, 6)];
  assert.deepEqual(readAll(long, bound), ['fault 1009 a message has more than 6 bytes']);
});

test('whoever hears of a message may have the rest wait', () => {
  const bytes = Buffer.concat([text('one'), text('two')]);
  const reader = new FrameReader(limits);
  const heard: string[] = [];
  const sink = {
    onMessage: (message: Buffer) => void heard.push(message.toString()),
    onPing: () => undefined,
    onCloseFrame: () => undefined,
  };
  const at = reader.read(bytes, 0, bytes.length, sink);
  assert.deepEqual([heard, at], [['one'], text('one').length]);
});

test('close codes that may be sent are those of the registry', () => {
  const sendable = [1000, 1003, 1007, 1014, 3000, 4999];
  const others = [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535];
  assert.deepEqual([...sendable, ...others].filter(isSendableCode), sendable);
});

test('another implementation hears the same of 2,000 conversations, most of them bent', async (t) => {
  const seed = randomInt(2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const random = createRandom(seed);
  for (let round = 0; round < 2_000; round += 1) {
    const bytes = converse(random);
    const ours = readAll(cut(bytes, random));
    const theirs = await readByWs(bytes);
    // They fault in their own words, and what follows a close frame is of no interest.
    const bare = (heard: readonly string[]): readonly string[] => {
      const closeAt = heard.findIndex((one) => one.startsWith('close'));
      const until = closeAt === -1 ? heard : heard.slice(0, closeAt + 1);
      // A length whose highest bit is set is a breach of the protocol, and too large as well (RFC 6455 section 5.2).
      return until.map((one) => (one.startsWith('fault') ? one.slice(0, 10).replace('1009', '1002') : one));
    };
    // They take a length in a longer form than it needs (RFC 6455 section 5.2 forbids it), so that they hear on where we stop.
    const isLonger = ours.at(-1)?.endsWith('a length is not in its shortest form') === true;
    const until = isLonger ? ours.length - 1 : undefined;
    assert.deepEqual(
      bare(ours).slice(0, until),
      bare(theirs).slice(0, until),
      `seed ${seed}, round ${round}: ${bytes.toString('hex')}`,
    );
  }
});

function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}

/** Some frames, one after another; now and then a byte of a head is another. */
function converse(random: (below: number) => number): Buffer {
  const frames: Buffer[] = [];
  const count = 1 + random(6);
  for (let at = 0; at < count; at += 1) {
    const kinds = [
      opcodes.text,
      opcodes.binary,
      opcodes.continuation,
      opcodes.ping,
      opcodes.pong,
      opcodes.close,
    ];
    const opcode = kinds[random(kinds.length)] ?? 0;
    const isControl = opcode >= opcodes.close;
    const length = [0, 1, 2, 20, isControl ? 125 : 126, isControl ? 3 : 65_536][random(6)] ?? 0;
    const payload = random(3) === 0 ? randomBytes(length) : Buffer.alloc(length, 'e');
    if (opcode === opcodes.close && length >= 2)
      payload.writeUInt16BE([1000, 1005, 3000, 999][random(4)] ?? 0);
    const frame = frameOf(opcode, payload, random(30) > 0);
    if (!isControl && random(3) === 0) open(frame);
    // Of a length whose first bit is set, RFC 6455 says that it is wrong, the other implementation that it is too long.
    const bent = random(256);
    if (random(12) === 0) frame.writeUInt8((bent & 0x7f) === 0x7f ? 0 : bent, random(2));
    frames.push(frame);
  }
  return Buffer.concat(frames);
}

function cut(bytes: Buffer, random: (below: number) => number): readonly Buffer[] {
  const at = random(bytes.length + 1);
  return [bytes.subarray(0, at), bytes.subarray(at)];
}

async function readByWs(bytes: Buffer): Promise<readonly string[]> {
  const heard: string[] = [];
  const receiver = new Receiver({ isServer: true, maxPayload: limits.frameBytesMax });
  receiver.on('message', (data: Buffer, isBinary: boolean) =>
    heard.push(`${isBinary ? 'binary' : 'text'} ${data.toString('latin1')}`),
  );
  receiver.on('ping', (payload: Buffer) => heard.push(`ping ${payload.toString('latin1')}`));
  receiver.on('conclude', (code: number, reason: Buffer) => heard.push(`close ${code} ${reason.toString()}`));
  const failed = new Promise<void>((resolve) =>
    receiver.on('error', (error: object) => {
      const code: unknown = Object.getOwnPropertySymbols(error)
        .map((symbol) => Reflect.get(error, symbol) as unknown)
        .find((value) => typeof value === 'number');
      heard.push(`fault ${String(code)}`);
      resolve();
    }),
  );
  const written = new Promise<void>((resolve) => receiver.write(bytes, () => resolve()));
  await Promise.race([failed, written]);
  return heard;
}
