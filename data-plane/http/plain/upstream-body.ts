import type { Readable } from 'node:stream';
import type { HeaderList } from '../exchange.ts';
import { collect, readableOf, type BodySink, type Flow, type PipedBody } from './body.ts';

/** How an answer's body is steered: undici's controller. */
export interface Valve {
  pause(): void;
  resume(): void;
  abort(cause: Error): void;
}

/** The body of an answer; it stands still until somebody takes it. */
export class UpstreamBody implements PipedBody {
  readonly length: number | undefined;
  readonly isEmpty: boolean;
  trailers: HeaderList | undefined;
  readonly #valve: Valve;
  #sink: BodySink | undefined;
  #end: 'open' | 'whole' | Error = 'open';

  constructor(valve: Valve, length: number | undefined, isEmpty: boolean) {
    this.#valve = valve;
    this.length = length;
    this.isEmpty = isEmpty;
    if (!isEmpty) valve.pause();
  }

  pipe(sink: BodySink): Flow {
    this.#sink = sink;
    this.#tellEnd();
    if (this.#end === 'open') this.#valve.resume();
    return {
      resume: () => this.#valve.resume(),
      cancel: () => this.#valve.abort(new Error('nobody reads the answer')),
    };
  }

  buffer(bytesMax: number): Promise<Uint8Array> {
    return collect(this, bytesMax);
  }

  toReadable(): Readable {
    return readableOf(this);
  }

  discard(): void {
    if (this.#end === 'open') this.#valve.abort(new Error('the answer was discarded'));
  }

  onPiece(piece: Uint8Array): void {
    if (this.#sink?.onPiece(piece) === false) this.#valve.pause();
  }

  onEnd(trailers: HeaderList | undefined): void {
    this.trailers = trailers;
    this.#end = 'whole';
    this.#tellEnd();
  }

  onBroken(cause: Error): void {
    if (this.#end === 'open') this.#end = cause;
    this.#tellEnd();
  }

  /** The end may come before the sink; it is told once, to whoever is there. */
  #tellEnd(): void {
    const sink = this.#sink;
    if (sink === undefined || this.#end === 'open') return;
    this.#sink = undefined;
    if (this.#end === 'whole') sink.onEnd(this.trailers);
    else sink.onBroken(this.#end);
  }
}
