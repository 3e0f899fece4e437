import { randomBytes } from 'node:crypto';

/** What a frame is, RFC 6455 section 5.2; from `close` on they are control frames. */
export const opcodes = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

/** RFC 6455 section 5.5: a control frame's payload has so many bytes at the most. */
export const controlBytesMax = 125;
/** ... two of them for the code. */
const reasonBytesMax = controlBytesMax - 2;

const final = 0x80;
const masked = 0x80;

/** A whole frame; what a client sends is masked, as servers refuse anything else. */
export function frameOf(opcode: number, payload: Uint8Array, isMasked: boolean): Buffer {
  const { length } = payload;
  const mask = isMasked ? randomBytes(4) : undefined;
  const lengthBytes = length <= controlBytesMax ? 0 : length <= 0xffff ? 2 : 8;
  const payloadAt = 2 + lengthBytes + (mask === undefined ? 0 : 4);
  const frame = Buffer.allocUnsafe(payloadAt + length);
  frame[0] = final | opcode;
  frame[1] = (isMasked ? masked : 0) | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) frame.writeUInt16BE(length, 2);
  else if (lengthBytes === 8) frame.writeBigUInt64BE(BigInt(length), 2);
  frame.set(payload, payloadAt);
  if (mask === undefined) return frame;
  frame.set(mask, payloadAt - 4);
  const into = frame.subarray(payloadAt);
  for (let at = 0; at < length; at += 1) into[at] = (payload[at] ?? 0) ^ (mask[at & 3] ?? 0);
  return frame;
}

/** A close frame (RFC 6455 section 5.5.1); a reason that is too long is cut. */
export function closeFrame(code: number, reason: string, isMasked: boolean): Buffer {
  const words = Buffer.from(reason);
  let end = Math.min(words.length, reasonBytesMax);
  // Not within a letter: its receiver would refuse the rest as no UTF-8.
  while (end > 0 && end < words.length && ((words[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  const payload = Buffer.alloc(2 + end);
  payload.writeUInt16BE(code);
  words.copy(payload, 2, 0, end);
  return frameOf(opcodes.close, payload, isMasked);
}
