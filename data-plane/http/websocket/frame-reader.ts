import { isUtf8 } from 'node:buffer';

import { controlBytesMax, opcodes } from './frames.ts';

/** Why a WebSocket is closed by its reader: a code of RFC 6455 section 7.4.1 and some words. */
export interface FrameFault {
  /** 1002 protocol error, 1007 no UTF-8, 1009 too big. */
  readonly code: 1002 | 1007 | 1009;
  readonly reason: string;
}

/** Who hears what a client says; each call is one message or one control frame. A pong says nothing but that somebody lives. */
export interface FrameSink {
  /** `bytes` is the receiver's own from then on. */
  onMessage(bytes: Buffer, isText: boolean): void;
  onPing(payload: Buffer): void;
  /** code: 1005 when the frame had none. */
  onCloseFrame(code: number, reason: string): void;
}

/** What a client may send. */
export interface FrameLimits {
  readonly frameBytesMax: number;
  readonly messageBytesMax: number;
}

const reserved = 0x70;
const headBytesMax = 14;
/** What a message is given room for at first, however long its frame says that it will be: room follows bytes, not words. */
const firstRoomBytes = 1_024;

/**
 * Reads the frames of a client (RFC 6455 section 5), which masks them, and puts its messages together.
 *
 * Strict: what section 5 forbids is a fault, and after a fault nothing is taken. Holds one message, in at most twice `messageBytesMax` while it
 * grows, and one control frame, which may stand between the frames of that message.
 */
export class FrameReader {
  fault: FrameFault | undefined = undefined;
  readonly #limits: FrameLimits;
  readonly #head = Buffer.alloc(headBytesMax);
  #headBytes = 0;
  /** Of the head in hand, known from its second byte on. */
  #headLength = 2;
  #payloadLeft = 0;
  #payloadAt = 0;
  /** Of the message in hand: text or binary; undefined between messages. */
  #kind: number | undefined = undefined;
  #message: Buffer = Buffer.alloc(0);
  #messageBytes = 0;
  readonly #control = Buffer.alloc(controlBytesMax);

  constructor(limits: FrameLimits) {
    this.#limits = limits;
  }

  /**
   * Takes bytes[start..end) as far as the end of the next message or control frame, and returns the position behind what was taken: so
   * that whoever hears of it may have the rest wait.
   */
  // oxlint-disable-next-line max-params -- as every parser of the engine
  read(bytes: Uint8Array, start: number, end: number, sink: FrameSink): number {
    let at = start;
    while (at < end && this.fault === undefined) {
      if (this.#headBytes < this.#headLength) {
        this.#head.writeUInt8(bytes[at] ?? 0, this.#headBytes);
        this.#headBytes += 1;
        at += 1;
        if (this.#headBytes === 2) this.#beginHead();
        if (this.#headBytes < this.#headLength || this.fault !== undefined) continue;
        this.#beginPayload();
      } else {
        const step = Math.min(this.#payloadLeft, end - at);
        this.#unmask(bytes, at, at + step);
        at += step;
      }
      const isWhole = this.#payloadLeft === 0 && this.#headBytes === this.#headLength;
      if (this.fault === undefined && isWhole && this.#endFrame(sink)) return at;
    }
    return this.fault === undefined ? at : end;
  }

  get #opcode(): number {
    return (this.#head[0] ?? 0) & 0x0f;
  }

  get #isFinal(): boolean {
    return (this.#head[0] ?? 0) >= 0x80;
  }

  get #isControl(): boolean {
    return this.#opcode >= opcodes.close;
  }

  #beginHead(): void {
    const [first = 0, second = 0] = this.#head;
    const length = second & 0x7f;
    if ((first & reserved) !== 0) return this.#refuse(1002, 'a reserved bit is set');
    // Section 5.1: a server must close on a frame that is not masked.
    if (second < 0x80) return this.#refuse(1002, 'a frame is not masked');
    if (this.#isControl) {
      if (this.#opcode > opcodes.pong) return this.#refuse(1002, 'an opcode is unknown');
      if (!this.#isFinal) return this.#refuse(1002, 'a control frame is fragmented');
      if (length > controlBytesMax) return this.#refuse(1002, 'a control frame is too long');
    } else {
      if (this.#opcode > opcodes.binary) return this.#refuse(1002, 'an opcode is unknown');
      const isContinued = this.#opcode === opcodes.continuation;
      if (isContinued !== (this.#kind !== undefined))
        return this.#refuse(1002, isContinued ? 'nothing is continued' : 'a message is not at its end');
    }
    this.#headLength = 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + 4;
  }

  #beginPayload(): void {
    const length = this.#length();
    if (length === undefined) return this.#refuse(1002, 'a length is not in its shortest form');
    if (!this.#isControl) {
      const { frameBytesMax, messageBytesMax } = this.#limits;
      if (length > frameBytesMax) return this.#refuse(1009, `a frame has more than ${frameBytesMax} bytes`);
      if (this.#messageBytes + length > messageBytesMax)
        return this.#refuse(1009, `a message has more than ${messageBytesMax} bytes`);
      if (this.#opcode !== opcodes.continuation) this.#kind = this.#opcode;
    }
    this.#payloadLeft = length;
    this.#payloadAt = 0;
  }

  /** Section 5.2: the minimal number of bytes, and no sign. What is past 2^53 is past every limit as well. */
  #length(): number | undefined {
    const short = (this.#head[1] ?? 0) & 0x7f;
    if (short < 126) return short;
    if (short === 126) {
      const length = this.#head.readUInt16BE(2);
      return length < 126 ? undefined : length;
    }
    const length = this.#head.readBigUInt64BE(2);
    return length < 0x1_00_00n || length >= 1n << 63n ? undefined : Number(length);
  }

  // oxlint-disable-next-line max-params -- once per read of every frame
  #unmask(bytes: Uint8Array, start: number, end: number): void {
    const into = this.#isControl ? this.#control : this.#room(end - start);
    const shift = this.#isControl ? this.#payloadAt : this.#messageBytes;
    const maskAt = this.#headLength - 4;
    for (let at = start; at < end; at += 1) {
      const turn = (this.#payloadAt + at - start) & 3;
      into[shift + at - start] = (bytes[at] ?? 0) ^ (this.#head[maskAt + turn] ?? 0);
    }
    const step = end - start;
    this.#payloadAt += step;
    this.#payloadLeft -= step;
    if (!this.#isControl) this.#messageBytes += step;
  }

  #room(more: number): Buffer {
    const needed = this.#messageBytes + more;
    if (needed <= this.#message.length) return this.#message;
    const wished = Math.max(needed, this.#message.length * 2, firstRoomBytes);
    const room = Buffer.allocUnsafeSlow(Math.min(wished, this.#limits.messageBytesMax));
    this.#message.copy(room, 0, 0, this.#messageBytes);
    this.#message = room;
    return room;
  }

  /** Says whether it told the sink of something. */
  #endFrame(sink: FrameSink): boolean {
    this.#headBytes = 0;
    this.#headLength = 2;
    if (this.#isControl) return this.#endControl(sink);
    if (!this.#isFinal) return false;
    const bytes = this.#message.subarray(0, this.#messageBytes);
    const isText = this.#kind === opcodes.text;
    this.#kind = undefined;
    this.#message = Buffer.alloc(0);
    this.#messageBytes = 0;
    if (isText && !isUtf8(bytes)) this.#refuse(1007, 'a text is no UTF-8');
    else sink.onMessage(bytes, isText);
    return true;
  }

  #endControl(sink: FrameSink): boolean {
    const payload = Buffer.from(this.#control.subarray(0, this.#payloadAt));
    if (this.#opcode === opcodes.pong) return false;
    if (this.#opcode === opcodes.ping) sink.onPing(payload);
    else this.#endClose(payload, sink);
    return true;
  }

  #endClose(payload: Buffer, sink: FrameSink): void {
    if (payload.length === 0) return sink.onCloseFrame(1005, '');
    if (payload.length === 1) return this.#refuse(1002, 'a close code has one byte');
    const code = payload.readUInt16BE(0);
    if (!isSendableCode(code)) return this.#refuse(1002, 'a close code is none');
    const reason = payload.subarray(2);
    if (!isUtf8(reason)) return this.#refuse(1007, 'a close reason is no UTF-8');
    sink.onCloseFrame(code, reason.toString());
  }

  #refuse(code: FrameFault['code'], reason: string): void {
    this.fault = { code, reason };
  }
}

/** RFC 6455 section 7.4 and the IANA registry: what may stand in a close frame. 1004 to 1006 and 1015 are said by nobody. */
export function isSendableCode(code: number): boolean {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}
