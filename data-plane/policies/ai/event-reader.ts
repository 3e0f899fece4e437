/** Of one event; a longer one is nobody's usage, and is passed over. */
const eventBytesMax = 256 * 1024;

const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const firstBytes = 1_024;

/**
 * Reads a stream of events piece by piece and hands over the data of each, once it is whole.
 *
 * Source: the WHATWG's HTML standard, "Server-sent events": lines end by LF, CR or both; `data` of several lines is joined by LF; an event
 * ends at an empty line, and one that never does is none.
 */
export class EventReader {
  readonly #onData: (data: Uint8Array) => void;
  /** What has come of the line in hand; of a line that is too long nothing. Twice as long each time it is full: bytes may come one by one. */
  #line = Buffer.alloc(0);
  #lineBytes = 0;
  #isLineTooLong = false;
  #data: Buffer[] = [];
  #dataBytes = 0;
  #isEventTooLong = false;
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
      if (!(byte === lineFeed && this.#wasReturn)) this.#endLine(bytes, from, at);
      this.#wasReturn = byte === carriageReturn;
      from = at + 1;
    }
    this.#keep(bytes, from, end);
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    if (start === end || this.#isLineTooLong) return;
    const needed = this.#lineBytes + end - start;
    if (needed > eventBytesMax) {
      this.#isLineTooLong = true;
      return;
    }
    if (needed > this.#line.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#line.length * 2, firstBytes));
      this.#line.copy(larger, 0, 0, this.#lineBytes);
      this.#line = larger;
    }
    this.#line.set(bytes.subarray(start, end), this.#lineBytes);
    this.#lineBytes = needed;
  }

  #endLine(bytes: Uint8Array, start: number, end: number): void {
    this.#keep(bytes, start, end);
    const line = this.#line.subarray(0, this.#lineBytes);
    const isTooLong = this.#isLineTooLong;
    this.#lineBytes = 0;
    this.#isLineTooLong = false;
    if (isTooLong) this.#isEventTooLong = true;
    else if (line.length === 0) this.#endEvent();
    else if (line.subarray(0, 5).toString('latin1') === 'data:')
      this.#add(line.subarray(line[5] === 0x20 ? 6 : 5));
  }

  #add(data: Buffer): void {
    this.#dataBytes += data.length;
    if (this.#dataBytes > eventBytesMax) {
      this.#isEventTooLong = true;
      this.#data = [];
    }
    // A copy: the next line comes into the same memory.
    if (!this.#isEventTooLong) this.#data.push(Buffer.from(data));
  }

  #endEvent(): void {
    const [first, ...others] = this.#data;
    const isTooLong = this.#isEventTooLong;
    this.#data = [];
    this.#dataBytes = 0;
    this.#isEventTooLong = false;
    if (isTooLong || first === undefined) return;
    const isDone = others.length === 0 && first.toString('latin1') === '[DONE]';
    if (!isDone) this.#onData(Buffer.concat([first, ...others.flatMap((line) => [Buffer.from('\n'), line])]));
  }
}
