import type { Body, BodySink, HeaderList } from '../../http/exchange.ts';
import type { LoggedBody } from '../../report/logs/log-facts.ts';

/** The memory that all bodies take together that are being logged in this process. */
export class CaptureMemory {
  readonly #bytesMax: number;
  #taken = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get takenBytes(): number {
    return this.#taken;
  }

  /** Says whether there was room. */
  take(bytes: number): boolean {
    if (this.#taken + bytes > this.#bytesMax) return false;
    this.#taken += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#taken -= bytes;
  }
}

const firstBytes = 1_024;

/** What is kept of a body while it passes: its beginning, as far as the bounds allow. */
export class Capture implements LoggedBody {
  total = 0;
  cutBy: LoggedBody['cutBy'] = undefined;
  readonly #memory: CaptureMemory;
  readonly #bytesMax: number;
  #buffer = Buffer.alloc(0);
  #used = 0;
  #isReleased = false;

  constructor(memory: CaptureMemory, bytesMax: number) {
    this.#memory = memory;
    this.#bytesMax = bytesMax;
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#used);
  }

  add(bytes: Uint8Array, start: number, end: number): void {
    this.total += end - start;
    if (this.cutBy !== undefined || this.#isReleased || start === end) return;
    const room = this.#bytesMax - this.#used;
    if (room < end - start) this.cutBy = 'body';
    const taken = Math.min(room, end - start);
    if (!this.#reserve(this.#used + taken)) {
      this.cutBy = 'memory';
      return;
    }
    this.#buffer.set(bytes.subarray(start, start + taken), this.#used);
    this.#used += taken;
  }

  /** Gives its memory back; what passes from now on is not kept. */
  release(): void {
    this.#isReleased = true;
    this.#memory.give(this.#buffer.length);
    this.#buffer = Buffer.alloc(0);
    this.#used = 0;
  }

  /** Twice as much each time: a body that comes byte by byte is not copied at each. */
  #reserve(bytes: number): boolean {
    const before = this.#buffer.length;
    if (bytes <= before) return true;
    const doubled = Math.min(Math.max(bytes, before * 2, firstBytes), this.#bytesMax);
    const size = this.#memory.take(doubled - before)
      ? doubled
      : this.#memory.take(bytes - before)
        ? bytes
        : 0;
    if (size === 0) return false;
    const larger = Buffer.allocUnsafeSlow(size);
    this.#buffer.copy(larger, 0, 0, this.#used);
    this.#buffer = larger;
    return true;
  }
}

/** A body that is kept while it passes; nothing of it changes, waits or comes in another piece. */
export function tapped(body: Body, capture: Capture): Body {
  return body.isEmpty ? body : new TappedBody(body, capture);
}

class TappedBody implements Body {
  readonly length: number | undefined;
  readonly isEmpty = false;
  readonly #body: Body;
  readonly #capture: Capture;

  constructor(body: Body, capture: Capture) {
    this.length = body.length;
    this.#body = body;
    this.#capture = capture;
  }

  get trailers(): HeaderList | undefined {
    return this.#body.trailers;
  }

  pipe(sink: BodySink): ReturnType<Body['pipe']> {
    return this.#body.pipe(new Tap(sink, this.#capture));
  }

  async buffer(bytesMax: number): Promise<Uint8Array> {
    const bytes = await this.#body.buffer(bytesMax);
    this.#capture.add(bytes, 0, bytes.length);
    return bytes;
  }

  discard(): void {
    this.#body.discard();
  }
}

class Tap implements BodySink {
  readonly #sink: BodySink;
  readonly #capture: Capture;

  constructor(sink: BodySink, capture: Capture) {
    this.#sink = sink;
    this.#capture = capture;
  }

  // oxlint-disable-next-line max-params -- BodySink's
  onPiece(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    this.#capture.add(bytes, start, end);
    this.#sink.onPiece(bytes, start, end, isStable);
  }

  onReadEnd(): boolean {
    return this.#sink.onReadEnd();
  }

  onEnd(trailers: HeaderList | undefined): void {
    this.#sink.onEnd(trailers);
  }

  onBroken(cause: Error): void {
    this.#sink.onBroken(cause);
  }
}
