import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeDelimited, readDelimited } from './delimited.ts';
import { createGathered } from './gathered.ts';

test('what comes in chunks of any size is there in order, and what was taken stays as it was', () => {
  const gathered = createGathered();
  const expected: number[] = [];
  const taken: Buffer[] = [];
  for (let round = 0; round < 300; round += 1) {
    const chunk = Buffer.from(Array.from({ length: (round * 37) % 5_000 }, (_, n) => (round + n) % 256));
    gathered.add(chunk);
    expected.push(...chunk);
    if (round % 3 === 0) taken.push(gathered.take((round * 101) % (gathered.length + 1)));
    assert.equal(gathered.length, expected.length - Buffer.concat(taken).length);
  }
  taken.push(gathered.take());
  assert.equal(gathered.length, 0);
  assert.deepEqual(Buffer.concat(taken), Buffer.from(expected));
});

test('a chunk of one byte costs a byte, and keeps nothing of the read of which it is a part', () => {
  const gathered = createGathered();
  const reads = 16_000;
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  for (let read = 0; read < reads; read += 1) {
    gathered.add(Buffer.allocUnsafeSlow(64 * 1024).subarray(read, read + 1));
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  assert.equal(gathered.length, reads);
  assert.ok(most < 512 * 1024 * 1024, `${most} bytes of the ${reads * 64 * 1024} that were read are kept`);
});

test('frames in chunks of one byte come out as they went in', async () => {
  const sent = [Buffer.alloc(5_000, 7), Buffer.alloc(0), Buffer.from('x')];
  const body = Buffer.concat(
    sent.map((record) => encodeDelimited({ kind: 'payloads', environment: 'dev', records: [record] })),
  );
  const seen: Uint8Array[] = [];
  for await (const frame of readDelimited(Array.from(body, (byte) => Uint8Array.of(byte))))
    if (frame.kind === 'payloads') seen.push(...frame.records);
  assert.deepEqual(seen.map(Buffer.from), sent);
});
