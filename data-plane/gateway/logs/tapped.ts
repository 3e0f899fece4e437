import type { Body, BodySink, Capture, HeaderList } from '../../http/exchange.ts';

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

  get endsWithConnection(): boolean {
    return this.#body.endsWithConnection === true;
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
