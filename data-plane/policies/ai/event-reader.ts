import { Gathered } from '../gathered.ts';

/** Of one event, with the line feeds between its lines; a longer one is nobody's usage, and is passed over. */
const eventBytesMax = 256 * 1024;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const byteOrderMark = Buffer.from('\uFEFF');

const between = Buffer.from('\n');
const name = Buffer.from('data:');

/** A field without a colon has an empty value. */
const isData = (line: Buffer): boolean =>
  line.subarray(0, name.length).equals(line.length < name.length ? name.subarray(0, 4) : name);

/**
 * Reads a stream of events piece by piece and hands over the data of each, once it is whole.
 *
 * Source: the WHATWG's HTML standard, "Server-sent events": one byte order mark in front is none of it; lines end by LF, CR or both; `data` of
 * several lines is joined by LF; an event ends at an empty line, and one that never does is none.
 * Bounds: twice 256 KiB, whatever comes: data of many empty lines is as long as the line feeds between them.
 */
export class EventReader {
  readonly #onData: (data: Uint8Array) => void;
  /** What has come of the line in hand. */
  readonly #line = new Gathered(eventBytesMax);
  readonly #data = new Gathered(eventBytesMax);
  #hasData = false;
  #isFirstLine = true;
  #isLineLost = false;
  #wasReturn = false;

  constructor(onData: (data: Uint8Array) => void) {
    this.#onData = onData;
  }

  add(bytes: Uint8Array, start: number, end: number): void {
    let from = start;
    for (let at = start; at < end; at += 1) {
      const byte = bytes[at];
      if (byte !== lineFeed && byte !== carriageReturn) {
        this.#wasReturn = false;
        continue;
      }
      // The second half of CR LF.
      if (!(byte === lineFeed && this.#wasReturn)) {
        this.#line.add(bytes, from, at);
        this.#endLine();
      }
      this.#wasReturn = byte === carriageReturn;
      from = at + 1;
    }
    this.#line.add(bytes, from, end);
  }

  #endLine(): void {
    let line = this.#line.bytes;
    if (this.#isFirstLine && line.subarray(0, 3).equals(byteOrderMark)) line = line.subarray(3);
    this.#isFirstLine = false;
    if (this.#line.isTooLong) this.#isLineLost = true;
    else if (line.length === 0) this.#endEvent();
    else if (isData(line)) this.#addLine(line);
    this.#line.clear();
  }

  #addLine(line: Buffer): void {
    if (this.#hasData) this.#data.add(between, 0, 1);
    this.#hasData = true;
    this.#data.add(line, Math.min(line.length, line[5] === space ? 6 : 5), line.length);
  }

  #endEvent(): void {
    const data = this.#data;
    const isWhole = this.#hasData && !this.#isLineLost && !data.isTooLong;
    const isDone = isWhole && data.length === 6 && data.bytes.toString('latin1') === '[DONE]';
    // A copy: the next event comes into the same memory.
    if (isWhole && !isDone) this.#onData(Buffer.from(data.bytes));
    data.clear();
    this.#hasData = false;
    this.#isLineLost = false;
  }
}
