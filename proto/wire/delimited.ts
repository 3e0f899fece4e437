import { Fault } from '../faults/fault.ts';
import { decodeFrame, encodeFrame, type Frame } from './frames.ts';
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
  let chunks: Uint8Array[] = [];
  let bytes = 0;
  let needed = prefixBytes;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes < needed) continue;
    // Joined only when a whole frame is there, so a large frame in small chunks is copied once.
    let rest = Buffer.concat(chunks, bytes);
    while (rest.length >= prefixBytes) {
      const length = rest.readUInt32BE(0);
      if (length > frameBytesMax) {
        throw new Fault('wire.too_large', {
          detail: `frame of ${length} bytes, the most is ${frameBytesMax}`,
        });
      }
      needed = prefixBytes + length;
      if (rest.length < needed) break;
      const frame = decodeFrame(rest.subarray(prefixBytes, needed), frameBytesMax);
      rest = rest.subarray(needed);
      needed = prefixBytes;
      if (frame !== undefined) yield frame;
    }
    if (rest.length < prefixBytes) needed = prefixBytes;
    chunks = [rest];
    bytes = rest.length;
  }
  if (bytes > 0) throw new Fault('wire.malformed', { detail: `the body ends inside a frame` });
}
