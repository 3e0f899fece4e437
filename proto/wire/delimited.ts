import { Fault } from '../faults/fault.ts';
import { decodeFrame, encodeFrame, type Frame } from './frames.ts';
import { createGathered } from './gathered.ts';
import { wireLimits } from './limits.ts';

/** Length of the prefix: a big-endian uint32 counts the bytes of the frame behind it. */
const prefixBytes = 4;

/** One frame with its length before it, as poll and snapshot bodies hold them one after another. */
export function encodeDelimited(frame: Frame): Uint8Array {
  const body = encodeFrame(frame);
  const item = Buffer.allocUnsafe(prefixBytes + body.length);
  item.writeUInt32BE(body.length, 0);
  item.set(body, prefixBytes);
  return item;
}

/**
 * Cuts a body into frames as its bytes arrive; frame kinds of a later version are skipped.
 *
 * Errors: wire.too_large before a frame is buffered that is larger than allowed; wire.malformed when the body ends
 * inside a frame.
 */
export async function* readDelimited(
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  frameBytesMax: number = wireLimits.frameBytesMax,
): AsyncGenerator<Frame, void, undefined> {
  const held = createGathered();
  for await (const chunk of body) {
    held.add(chunk);
    while (held.length >= prefixBytes) {
      const length = held.peek(prefixBytes).readUInt32BE(0);
      if (length > frameBytesMax) {
        throw new Fault('wire.too_large', {
          detail: `frame of ${length} bytes, the most is ${frameBytesMax}`,
        });
      }
      if (held.length < prefixBytes + length) break;
      const frame = decodeFrame(held.take(prefixBytes + length).subarray(prefixBytes), frameBytesMax);
      if (frame !== undefined) yield frame;
    }
  }
  if (held.length > 0) throw new Fault('wire.malformed', { detail: `the body ends inside a frame` });
}
