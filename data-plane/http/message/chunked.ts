import { FAULTY, Fields, type FieldLimits, parseFields } from './fields.ts';
import { CR, hexValue, HTAB, LF, SEMICOLON, SPACE, token } from './grammar.ts';
import type { AnswerFault, RefusalReason } from './refusal.ts';

/** Faults of a chunked body; the words are the same on both sides. */
export type ChunkFault = RefusalReason & AnswerFault;

/** Digits of a chunk size: 13 hexadecimal digits are 2^52, which a double still counts exactly. */
const sizeDigitsMax = 13;
/** Extensions of one chunk and of a whole body; nobody needs them, floods do. */
const extensionBytesMax = 256;
const extensionBytesOfBodyMax = 4 * 1024;

// RFC 9110 section 6.5.1: what decides about framing, routing, authentication or content is no trailer.
const forbiddenTrailers =
  /^(?:content-(?:length|encoding|type|range)|transfer-encoding|host|authorization|proxy-authorization|proxy-authenticate|www-authenticate|trailer|te|connection|keep-alive|proxy-connection|upgrade|cookie|set-cookie|cache-control|expect|max-forwards|range|if-[a-z-]+)$/;

/** Whether a field of this name, in lower case, may stand in no trailer section; with `_` neither, which CGI servers read as `-`. */
export function isForbiddenTrailer(lowerName: string): boolean {
  return forbiddenTrailers.test(lowerName.replaceAll('_', '-'));
}

const inSize = 0;
const inExtension = 1;
const inSizeLf = 2;
const inData = 3;
const inDataCr = 4;
const inDataLf = 5;
const inTrailer = 6;
const atEnd = 7;

/** Where the pieces of a chunked body go, without copies: bytes[start..end) of what was fed. */
export interface ChunkSink {
  onChunk(bytes: Uint8Array, start: number, end: number): void;
}

/**
 * Decodes a chunked body (RFC 9112 section 7.1), byte by byte where it is grammar and at once where it is data.
 *
 * Strict: no white space, no sign, no 0x, CRLF only, extensions of tokens and quoted strings only. Call `feed` with what comes; after
 * `isDone` or a fault it takes nothing more.
 */
export class ChunkedDecoder {
  isDone = false;
  fault: ChunkFault | undefined = undefined;
  /** Names and values of the trailer section, once done. */
  trailer: { readonly text: string; readonly fields: Fields } | undefined = undefined;

  readonly #limits: FieldLimits;
  #state = inSize;
  #size = 0;
  #sizeDigits = 0;
  #left = 0;
  #extension = '';
  #extensionBytes = 0;
  /** The trailer section as far as it has come; parsed when a line is complete. */
  #trailerBytes: Buffer = Buffer.alloc(0);

  constructor(limits: FieldLimits) {
    this.#limits = limits;
  }

  /** Takes bytes[start..end); returns the position behind the last byte that belongs to the body. */
  // oxlint-disable-next-line max-params, max-lines-per-function -- the state machine, one state after the other
  feed(bytes: Uint8Array, start: number, end: number, sink: ChunkSink): number {
    let at = start;
    while (at < end && !this.isDone && this.fault === undefined) {
      switch (this.#state) {
        case inSize:
          at = this.#readSize(bytes, at, end);
          break;
        case inExtension:
          at = this.#readExtension(bytes, at, end);
          break;
        case inSizeLf:
          if (bytes[at] !== LF) return this.#refuse('line-ending', at);
          at += 1;
          this.#startData();
          break;
        case inData: {
          const take = Math.min(this.#left, end - at);
          this.#left -= take;
          if (this.#left === 0) this.#state = inDataCr;
          sink.onChunk(bytes, at, at + take);
          at += take;
          break;
        }
        case inDataCr:
          if (bytes[at] !== CR) return this.#refuse(bytes[at] === LF ? 'line-ending' : 'chunk-data', at);
          at += 1;
          this.#state = inDataLf;
          break;
        case inDataLf:
          if (bytes[at] !== LF) return this.#refuse('line-ending', at);
          at += 1;
          this.#state = inSize;
          this.#size = 0;
          this.#sizeDigits = 0;
          break;
        default:
          at = this.#readTrailer(bytes, at, end);
      }
    }
    return at;
  }

  #readSize(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    for (; at < end; at += 1) {
      const byte = bytes[at] ?? 0;
      const digit = hexValue[byte] ?? 255;
      if (digit !== 255) {
        this.#sizeDigits += 1;
        if (this.#sizeDigits > sizeDigitsMax) return this.#refuse('chunk-size', at);
        this.#size = this.#size * 16 + digit;
        continue;
      }
      if (byte === LF) return this.#refuse('line-ending', at);
      if (this.#sizeDigits === 0) return this.#refuse('chunk-size', at);
      if (byte === CR) this.#state = inSizeLf;
      else if (byte === SEMICOLON) {
        this.#state = inExtension;
        this.#extension = ';';
      } else return this.#refuse(byte === SPACE || byte === HTAB ? 'chunk-extension' : 'chunk-size', at);
      return at + 1;
    }
    return at;
  }

  #readExtension(bytes: Uint8Array, start: number, end: number): number {
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at] ?? 0;
      if (byte === LF) return this.#refuse('line-ending', at);
      if (byte === CR) {
        if (!extensionPattern.test(this.#extension)) return this.#refuse('chunk-extension', at);
        this.#state = inSizeLf;
        return at + 1;
      }
      this.#extensionBytes += 1;
      if (this.#extension.length >= extensionBytesMax || this.#extensionBytes > extensionBytesOfBodyMax)
        return this.#refuse('chunk-extension', at);
      if (token[byte] !== 1 && (byte < 0x20 || byte > 0x7e)) return this.#refuse('chunk-extension', at);
      this.#extension += String.fromCharCode(byte);
    }
    return end;
  }

  #startData(): void {
    this.#left = this.#size;
    this.#state = this.#size === 0 ? inTrailer : inData;
  }

  /** Trailers come once a body and are short: they are gathered and parsed whole, at each line that ends. */
  #readTrailer(bytes: Uint8Array, start: number, end: number): number {
    const had = this.#trailerBytes.length;
    const room = this.#limits.headerBytesMax + 3 - had;
    const taken = Math.min(end, start + room);
    const part = bytes.subarray(start, taken);
    this.#trailerBytes = Buffer.concat([this.#trailerBytes, part]);
    // Worth a parse only when a line may have ended, so that who sends byte by byte makes no work.
    if (taken - start < room && !part.includes(LF)) return taken;
    const fields = new Fields();
    const behind = parseFields(this.#trailerBytes, 0, this.#trailerBytes.length, fields, 0, this.#limits);
    if (behind === FAULTY) return this.#refuse(fields.fault ?? 'field-name', taken);
    if (behind === 0) return taken;
    const text = this.#trailerBytes.toString('latin1', 0, behind);
    for (let line = 0; line < fields.kinds.length; line += 1) {
      const name = text.slice(fields.places[line * 4], fields.places[line * 4 + 1]);
      if (isForbiddenTrailer(name.toLowerCase())) return this.#refuse('trailer-field', taken);
    }
    if (fields.kinds.length > 0) this.trailer = { text, fields };
    this.#trailerBytes = Buffer.alloc(0);
    this.#state = atEnd;
    this.isDone = true;
    return start + behind - had;
  }

  #refuse(fault: ChunkFault, at: number): number {
    this.fault = fault;
    return at;
  }
}

// RFC 9112 section 7.1.1, without the optional white space that parsers disagree about.
const extensionPattern =
  /^(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\t !#-[\]-~]|\\[\t -~])*"))?)+$/;
