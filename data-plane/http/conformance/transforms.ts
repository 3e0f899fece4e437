import { createDeflateRaw, createInflateRaw, type DeflateRaw, type InflateRaw } from 'node:zlib';
import type { BodySink, BodyTransform, HeaderList, TransformMaker } from '../exchange.ts';

/** Every letter twice, at once: longer by a factor that is known. */
export const doubling: TransformMaker = (to) => ({
  onPiece(bytes, start, end) {
    const out = Buffer.allocUnsafe((end - start) * 2);
    for (let at = start; at < end; at += 1) out.fill(bytes[at] ?? 0, (at - start) * 2, (at - start) * 2 + 2);
    to.onPiece(out, 0, out.length, true);
  },
});

/** Each byte is turned over: the length stays, twice is none. */
export const flipping: TransformMaker = (to) => ({
  onPiece(bytes, start, end) {
    const out = Buffer.allocUnsafe(end - start);
    for (let at = start; at < end; at += 1) out[at - start] = ~(bytes[at] ?? 0);
    to.onPiece(out, 0, out.length, true);
  },
});

/** Gives each read a turn of the event loop later, holds its own back while the sink behind is full, and has a word at the end. */
export const lingering =
  (word = ''): TransformMaker =>
  (to, from) =>
    new Lingering(to, from, word);

class Lingering implements BodyTransform {
  readonly #to: BodySink;
  readonly #from: { resume(): void };
  readonly #word: string;
  #held: Buffer[] = [];
  #trailers: HeaderList | undefined = undefined;
  #isLast = false;
  #isWaiting = false;

  constructor(to: BodySink, from: { resume(): void }, word: string) {
    this.#to = to;
    this.#from = from;
    this.#word = word;
  }

  // oxlint-disable-next-line max-params -- BodySink's
  onPiece(bytes: Buffer, start: number, end: number): void {
    this.#held.push(Buffer.from(bytes.subarray(start, end)));
  }

  onReadEnd(): boolean {
    this.#giveLater();
    return false;
  }

  onEnd(trailers: HeaderList | undefined): void {
    this.#isLast = true;
    this.#trailers = trailers;
    this.#giveLater();
  }

  resume(): void {
    this.#isWaiting = false;
    this.#give();
  }

  onCut(): void {
    this.#held = [];
  }

  #giveLater(): void {
    if (!this.#isWaiting) setImmediate(() => this.#give());
  }

  #give(): void {
    const held = this.#held;
    this.#held = [];
    for (const piece of held) this.#to.onPiece(piece, 0, piece.length, true);
    if (this.#isLast) {
      const word = Buffer.from(this.#word);
      this.#to.onPiece(word, 0, word.length, true);
      return this.#to.onEnd(this.#trailers);
    }
    this.#isWaiting = !this.#to.onReadEnd();
    if (!this.#isWaiting) this.#from.resume();
  }
}

/** Packs by zlib, which works in threads of its own: what goes in and what comes out have no turn in common. */
export const packing = (level: number): TransformMaker => throughZlib(() => createDeflateRaw({ level }));

/** The way back. */
export const unpacking: TransformMaker = throughZlib(() => createInflateRaw());

function throughZlib(create: () => DeflateRaw | InflateRaw): TransformMaker {
  return (to, from) => {
    const zlib = create();
    let trailers: HeaderList | undefined;
    let isFull = false;
    zlib.on('data', (piece: Buffer) => {
      to.onPiece(piece, 0, piece.length, true);
      if (!to.onReadEnd()) zlib.pause();
    });
    zlib.on('drain', () => from.resume());
    zlib.on('end', () => to.onEnd(trailers));
    zlib.on('error', (error) => to.onBroken(error));
    return {
      onPiece: (bytes, start, end) => (isFull = !zlib.write(Buffer.from(bytes.subarray(start, end)))),
      onReadEnd: () => !isFull,
      onEnd: (given) => ((trailers = given), zlib.end()),
      resume: () => void zlib.resume(),
      onCut: () => void zlib.destroy(),
    };
  };
}
