import { invariant } from '../../proto/faults/fault.ts';
import { type Body, BodyAborted, type BodyFlow, type BodySink, type BodySource, bufferBody } from './body.ts';
import type { HeaderList } from './exchange.ts';

/** Makes a body of its own out of a source; it belongs to no engine, and every engine takes it. madeOf: see `Body.madeOf`. */
export function createBody(source: BodySource, madeOf?: Body): Body {
  return new MadeBody(source, madeOf);
}

/** A body over bytes in hand, and the trailers that came behind them. */
export function bodyOf(bytes: Uint8Array, trailers?: HeaderList): Body {
  return createBody({
    length: bytes.length,
    start(sink) {
      sink.onPiece(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length, true);
      sink.onEnd(trailers);
      return stopped;
    },
  });
}

const nothing = (): void => undefined;
const stopped: BodyFlow = { resume: nothing, cancel: nothing };

/**
 * What a body passes through: a sink in front, a body behind.
 *
 * What it leaves out passes unchanged. It may give at once, later, or nothing; whatever runs outside of these calls (a callback, a
 * promise) is its own to catch, and says `to.onBroken`.
 */
export interface BodyTransform {
  /** Takes a piece as `BodySink.onPiece` and gives what becomes of it to the sink behind. */
  onPiece(bytes: Buffer, start: number, end: number, isStable: boolean): void;
  /** Whether it takes more now; when it said no, it says `from.resume()` later. Default: what the sink behind says. */
  onReadEnd?(): boolean;
  /** The body in front is whole: gives what is left, then `to.onEnd`, at once or later. Default: `to.onEnd(trailers)`. */
  onEnd?(trailers: HeaderList | undefined): void;
  /** The sink behind takes more. Default: `from.resume()`. */
  resume?(): void;
  /** It is over before its end: broken off in front, or unwanted behind. What it still gives goes nowhere. Not called behind `to.onEnd`. */
  onCut?(): void;
}

/** Makes the transform of one body when it begins to flow. `to.onEnd` may come before the body in front has ended: the rest is let go. */
export type TransformMaker = (to: BodySink, from: Pick<BodyFlow, 'resume'>) => BodyTransform;

/** How a transform is bound to its body. */
export interface TransformWish {
  /** Bytes that come out, when they are known; see `BodySource.length`. */
  readonly length?: number | undefined;
  /**
   * Hears what the transform threw, which without it goes up to whoever feeds the body, what it said by `to.onBroken`, and that more or
   * less came out than was said; the body is then broken, and not by who sent it.
   */
  readonly onThrown?: ((error: unknown) => void) | undefined;
}

/** What comes of a body that passes through a transform. A body that is known to be empty stays so: nothing is made for it. */
export function transformBody(body: Body, make: TransformMaker, wish: TransformWish = {}): Body {
  if (body.isEmpty) return body;
  const source: BodySource = {
    // Whoever is told of an empty body asks for nothing of it, and what comes all the same would be swallowed.
    length: wish.length === 0 ? undefined : wish.length,
    start: (sink) => new Through(body, sink, wish).start(make),
    discard: () => body.discard(),
  };
  return new MadeBody(source, body);
}

class MadeBody implements Body {
  readonly length: number | undefined;
  readonly isEmpty: boolean;
  readonly madeOf: Body | undefined;
  trailers: HeaderList | undefined = undefined;
  readonly #source: BodySource;
  #isTaken = false;

  constructor(source: BodySource, madeOf?: Body) {
    this.#source = source;
    this.madeOf = madeOf;
    this.length = source.length;
    this.isEmpty = source.length === 0;
  }

  get endsWithConnection(): boolean {
    return this.madeOf?.endsWithConnection === true;
  }

  pipe(sink: BodySink): BodyFlow {
    invariant(!this.#isTaken, 'a body is consumed once');
    this.#isTaken = true;
    const flow = new MadeFlow(this.length, sink, (trailers) => (this.trailers = trailers));
    flow.start(this.#source);
    return flow;
  }

  buffer(bytesMax: number): Promise<Uint8Array> {
    return bufferBody(this, bytesMax);
  }

  discard(): void {
    if (this.#isTaken) return;
    this.#isTaken = true;
    this.#source.discard?.();
  }
}

/**
 * Between a source and its sink: holds the source to the length that it said, and to one end.
 *
 * Bytes past a length would be read as the next message, and a message that is short of it would take the next one's: either breaks it.
 */
class MadeFlow implements BodySink, BodyFlow {
  readonly #length: number | undefined;
  readonly #keepTrailers: (trailers: HeaderList | undefined) => void;
  #sink: BodySink | undefined;
  #flow: BodyFlow | undefined = undefined;
  #bytes = 0;
  /** Nobody wants the rest, though the source has not ended. */
  #isCut = false;

  constructor(
    length: number | undefined,
    sink: BodySink,
    keepTrailers: (trailers: HeaderList | undefined) => void,
  ) {
    this.#length = length;
    this.#sink = sink;
    this.#keepTrailers = keepTrailers;
  }

  start(source: BodySource): void {
    const flow = source.start(this);
    this.#flow = flow;
    if (this.#isCut) flow.cancel();
  }

  // oxlint-disable-next-line max-params -- BodySink's
  onPiece(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    if (this.#sink === undefined || start === end) return;
    this.#bytes += end - start;
    if (this.#length !== undefined && this.#bytes > this.#length)
      return this.#break(`more came than the ${this.#length} bytes that were said`);
    this.#sink.onPiece(bytes, start, end, isStable);
  }

  onReadEnd(): boolean {
    return this.#sink?.onReadEnd() ?? false;
  }

  onEnd(trailers: HeaderList | undefined): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    if (this.#length !== undefined && this.#bytes !== this.#length)
      return this.#break(`${this.#bytes} bytes came of the ${this.#length} that were said`);
    this.#sink = undefined;
    this.#keepTrailers(trailers);
    sink.onEnd(trailers);
  }

  onBroken(cause: Error): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.onBroken(cause);
  }

  resume(): void {
    if (this.#sink !== undefined) this.#flow?.resume();
  }

  cancel(): void {
    if (this.#sink === undefined) return;
    this.#sink = undefined;
    this.#isCut = true;
    this.#flow?.cancel();
  }

  #break(why: string): void {
    const sink = this.#sink;
    this.cancel();
    sink?.onBroken(new BodyAborted(why));
  }
}

/** A transform at work: the sink of the body in front and the flow of the one behind. */
class Through implements BodySink, BodyFlow {
  readonly #body: Body;
  readonly #out: BodySink;
  readonly #wish: TransformWish;
  #bytes = 0;
  #transform: BodyTransform | undefined = undefined;
  #from: BodyFlow | undefined = undefined;
  /** Asked for more before `pipe` had returned. */
  #isResumeWanted = false;
  #isOver = false;

  constructor(body: Body, out: BodySink, wish: TransformWish) {
    this.#body = body;
    this.#out = out;
    this.#wish = wish;
  }

  start(make: TransformMaker): BodyFlow {
    const out = this.#out;
    const to: BodySink = {
      // oxlint-disable-next-line max-params -- BodySink's
      onPiece: (bytes, start, end, isStable) => {
        if (this.#isOver) return;
        this.#bytes += end - start;
        if (this.#bytes > (this.#wish.length ?? Infinity)) return this.#misfits();
        out.onPiece(bytes, start, end, isStable);
      },
      onReadEnd: () => !this.#isOver && out.onReadEnd(),
      onEnd: (trailers) => {
        if (this.#end(trailers)) this.#from?.cancel();
      },
      onBroken: (cause) => this.#fail(cause),
    };
    this.#guard(() => {
      this.#transform = make(to, { resume: () => this.#resumeFrom() });
    });
    if (this.#isOver) {
      this.#body.discard();
      return this;
    }
    this.#from = this.#body.pipe(this);
    if (this.#isOver) this.#from.cancel();
    else if (this.#isResumeWanted) this.#from.resume();
    return this;
  }

  // oxlint-disable-next-line max-params -- BodySink's
  onPiece(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    if (!this.#isOver) this.#guard(() => this.#transform?.onPiece(bytes, start, end, isStable));
  }

  onReadEnd(): boolean {
    let takesMore = false;
    if (!this.#isOver)
      this.#guard(() => {
        takesMore = this.#transform?.onReadEnd?.() ?? this.#out.onReadEnd();
      });
    return takesMore;
  }

  onEnd(trailers: HeaderList | undefined): void {
    if (this.#isOver) return;
    this.#guard(() => {
      if (this.#transform?.onEnd !== undefined) return this.#transform.onEnd(trailers);
      this.#end(trailers);
    });
  }

  onBroken(cause: Error): void {
    if (!this.#close()) return;
    this.#guard(() => this.#transform?.onCut?.());
    this.#out.onBroken(cause);
  }

  resume(): void {
    if (this.#isOver) return;
    if (this.#transform?.resume === undefined) return this.#resumeFrom();
    this.#guard(() => this.#transform?.resume?.());
  }

  cancel(): void {
    if (!this.#close()) return;
    this.#from?.cancel();
    this.#guard(() => this.#transform?.onCut?.());
  }

  #resumeFrom(): void {
    if (this.#isOver) return;
    if (this.#from === undefined) this.#isResumeWanted = true;
    else this.#from.resume();
  }

  /** What came out is whole, if it is as long as was said. Says whether it is. */
  #end(trailers: HeaderList | undefined): boolean {
    if (this.#isOver) return false;
    if (this.#bytes !== (this.#wish.length ?? this.#bytes)) {
      this.#misfits();
      return false;
    }
    this.#close();
    this.#out.onEnd(trailers);
    return true;
  }

  #misfits(): void {
    this.#fail(new BodyAborted(`${this.#bytes} bytes came out of the ${this.#wish.length} that were said`));
  }

  /** The transform's fault: told before the body breaks, so that nobody else is taken for its cause. */
  #fail(cause: Error): void {
    if (!this.#close()) return;
    this.#from?.cancel();
    this.#wish.onThrown?.(cause);
    this.#out.onBroken(cause);
  }

  /** Says whether it was open until now. */
  #close(): boolean {
    const wasOpen = !this.#isOver;
    this.#isOver = true;
    return wasOpen;
  }

  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      const wasOpen = this.#close();
      this.#from?.cancel();
      if (this.#wish.onThrown === undefined) throw error;
      this.#wish.onThrown(error);
      if (wasOpen) this.#out.onBroken(new BodyAborted('what it passed through threw', { cause: error }));
    }
  }
}
