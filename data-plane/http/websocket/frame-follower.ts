import { opcodes } from './frames.ts';

const inOpcode = 0;
const inLength = 1;
const inHead = 2;
const inPayload = 3;

/**
 * Follows the frames of one direction of a WebSocket (RFC 6455 section 5.2) and keeps nothing of them but where the one in hand
 * ends, so that a frame of ours can be put between two of theirs.
 *
 * Cost: a few steps per frame and one per read of a long one. It has to see every byte from the first on.
 */
export class FrameFollower {
  /** A close frame has passed: nothing may follow it (section 5.5.1). */
  hasClosed = false;
  #stage = inOpcode;
  #opcode = 0;
  /** Bytes of the extended length, and of length and mask together, that are still to come. */
  #lengthLeft = 0;
  #headLeft = 0;
  #payloadLeft = 0;

  /** Everything that passed was whole frames. A control frame may stand here even inside a message (section 5.4). */
  get isBetweenFrames(): boolean {
    return this.#stage === inOpcode;
  }

  /** Takes bytes[start..end); returns `end`, or where the frame in hand ends when `untilFrameEnd` and that is before. */
  // oxlint-disable-next-line max-params -- once per read of every WebSocket
  feed(bytes: Uint8Array, start: number, end: number, untilFrameEnd: boolean): number {
    let at = start;
    while (at < end) {
      if (untilFrameEnd && this.#stage === inOpcode) return at;
      if (this.#stage === inPayload) {
        const step = Math.min(this.#payloadLeft, end - at);
        at += step;
        this.#payloadLeft -= step;
        if (this.#payloadLeft === 0) this.#stage = inOpcode;
      } else {
        this.#readHead(bytes[at] ?? 0);
        at += 1;
      }
    }
    return end;
  }

  #readHead(byte: number): void {
    if (this.#stage === inOpcode) {
      this.#opcode = byte & 0x0f;
      this.#stage = inLength;
      return;
    }
    if (this.#stage === inLength) {
      const length = byte & 0x7f;
      this.#lengthLeft = length === 126 ? 2 : length === 127 ? 8 : 0;
      this.#headLeft = this.#lengthLeft + ((byte & 0x80) === 0 ? 0 : 4);
      this.#payloadLeft = this.#lengthLeft === 0 ? length : 0;
      this.#stage = inHead;
    } else {
      this.#headLeft -= 1;
      if (this.#lengthLeft > 0) {
        this.#lengthLeft -= 1;
        this.#payloadLeft = this.#payloadLeft * 256 + byte;
      }
    }
    if (this.#headLeft > 0) return;
    if (this.#opcode === opcodes.close) this.hasClosed = true;
    this.#stage = this.#payloadLeft === 0 ? inOpcode : inPayload;
  }
}
