import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import type { Writable } from 'node:stream';
import { test } from 'node:test';
import * as ws from 'ws';

import { FrameFollower } from './frame-follower.ts';
import { closeFrame, frameOf } from './frames.ts';

// The types of `ws` leave it out.
const Receiver = Reflect.get(ws, 'Receiver') as new (options: { readonly isServer: boolean }) => Writable;

for (const isMasked of [false, true]) {
  test(`every end of a ${isMasked ? 'masked' : 'plain'} frame is found, however the bytes are cut, and no other place`, () => {
    const frames = [0, 1, 2, 125, 126, 127, 65_535, 65_536, 0, 70_000, 3].map((length) =>
      frameOf(length % 2 === 0 ? 2 : 1, randomBytes(length), isMasked),
    );
    const ends = new Set<number>([0]);
    let at = 0;
    for (const { length } of frames) ends.add((at += length));
    const bytes = Buffer.concat(frames);
    for (let round = 0; round < 50; round += 1) {
      const follower = new FrameFollower();
      for (let from = 0; from < bytes.length;) {
        const to = Math.min(bytes.length, from + randomInt(1, round < 10 ? 4 : 100_000));
        assert.equal(follower.feed(bytes, from, to, false), to);
        assert.equal(follower.isBetweenFrames, ends.has(to), `at ${to}`);
        from = to;
      }
      assert.equal(follower.hasClosed, false);
    }
    // Who wants to stop at the next end stops there and takes nothing of what follows.
    const cut = (frames[0]?.length ?? 0) + 1;
    const follower = new FrameFollower();
    follower.feed(bytes, 0, cut, false);
    const end = follower.feed(bytes, cut, bytes.length, true);
    assert.equal(end, (frames[0]?.length ?? 0) + (frames[1]?.length ?? 0));
    assert.equal(follower.isBetweenFrames, true);
    assert.equal(follower.feed(bytes, end, bytes.length, true), end);
  });

  test(`a ${isMasked ? 'masked' : 'plain'} close frame is one to another implementation, and to us`, async () => {
    const receiver = new Receiver({ isServer: isMasked });
    const seen = new Promise((resolve, reject) => {
      receiver.on('conclude', (code: number, reason: Buffer) => resolve([code, reason.toString()]));
      receiver.on('error', reject);
    });
    const bytes = closeFrame(1_008, 'the key is revoked', isMasked);
    receiver.write(bytes);
    assert.deepEqual(await seen, [1_008, 'the key is revoked']);
    const follower = new FrameFollower();
    follower.feed(bytes, 0, bytes.length, false);
    assert.equal(follower.hasClosed, true);
    assert.ok(closeFrame(1_001, 'x'.repeat(500), isMasked).length <= 2 + 4 + 125);
  });
}

test('a length past everything that can come is a frame that never ends', () => {
  const follower = new FrameFollower();
  const bytes = Buffer.from([0x82, 127, ...Array.from({ length: 8 }, () => 255), 1, 2, 3]);
  assert.equal(follower.feed(bytes, 0, bytes.length, false), bytes.length);
  assert.equal(follower.isBetweenFrames, false);
});
