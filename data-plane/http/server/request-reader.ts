import { Ahead } from '../message/ahead.ts';
import { FAULTY, INCOMPLETE } from '../message/fields.ts';
import { parseRequestHead, RequestHead } from '../message/request-head.ts';
import type { ServerConnection } from './connection.ts';
import { becomesHttp2 } from './preface.ts';
import { firstLineIn, firstLineOf } from './refused-request.ts';

/** Bytes of further requests that a client may have sent ahead; past it nothing is read until they are served. */
const aheadBytesMax = 64 * 1024;
/** Requests of one connection that are served in one turn of the event loop; then it is the others' turn. */
const turnRequestsMax = 4;

/**
 * From bytes to requests: finds the heads in what a connection reads and hands them over, one after the other. A head that came in part
 * waits here for the rest of it, and so does what a client sends while a request of his is served.
 */
export class RequestReader {
  readonly #connection: ServerConnection;
  readonly #ahead = new Ahead();
  #isParsing = false;
  /** A part of the next head was parsed. */
  #isHeadBegun = false;

  constructor(connection: ServerConnection) {
    this.#connection = connection;
  }

  /** Nothing waits, not even a part of a head. */
  get isEmpty(): boolean {
    return this.#ahead.isEmpty;
  }

  /** Takes a read while no request is served. */
  // oxlint-disable-next-line max-params -- WireOwner's
  onBytes(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    if (this.#ahead.isEmpty) this.#parse(bytes, start, end, isStable);
    else if (this.#ahead.addPart(bytes, start, end)) this.#parseAhead();
  }

  /** Keeps what came behind the request that is served. */
  keep(bytes: Buffer, start: number, end: number): void {
    if (this.#ahead.add(bytes, start, end) >= aheadBytesMax) this.#connection.wire.pause();
  }

  /** The connection is free for the next request, which may be here already. */
  next(): void {
    this.#isHeadBegun = false;
    this.#connection.wire.resume();
    if (!this.#isParsing) this.#parseAhead();
  }

  /** After a rest. */
  goOn(): void {
    if (!this.#connection.isReading || this.#connection.wire.isClosed) return;
    this.#connection.wire.resume();
    this.#parseAhead();
  }

  /** What waits is somebody else's, or nobody's. */
  release(): Buffer | undefined {
    return this.#ahead.take();
  }

  /** The head is not here in time. */
  refuseLate(): void {
    const bytes = this.#ahead.peek();
    if (bytes === undefined) return;
    this.#connection.refuse('header-timeout', firstLineIn(bytes, this.#connection.state.limits));
  }

  #parseAhead(): void {
    const bytes = this.#ahead.take();
    if (bytes !== undefined) this.#parse(bytes, 0, bytes.length, true);
  }

  /**
   * Serves what is here, one request after the other, until one waits or bytes are missing. Who sends many ahead has none served
   * before the answers to the earlier ones have left, and no more than his share of a turn.
   */
  // oxlint-disable-next-line max-params -- once per read
  #parse(bytes: Buffer, start: number, end: number, isStable: boolean): void {
    const connection = this.#connection;
    this.#isParsing = true;
    let at = start;
    for (let served = 0; at < end && connection.isReading; served += 1) {
      if (served >= turnRequestsMax || !connection.wire.isDrained) {
        this.#rest(bytes.subarray(at, end), isStable);
        break;
      }
      const head = new RequestHead();
      const behind = parseRequestHead(bytes, at, end, head, connection.state.limits);
      if (behind === FAULTY) {
        if (becomesHttp2(connection, head, bytes.subarray(at, end))) return;
        const text = bytes.toString('latin1', at, at + head.targetEnd);
        connection.refuse(head.refusal ?? 'request-line', firstLineOf(head, text));
      } else if (behind === INCOMPLETE) {
        if (!this.#isHeadBegun) connection.patience.awaitHead();
        this.#isHeadBegun = true;
        this.#ahead.keepPart(bytes, at, end);
        break;
      } else {
        connection.serve(head, bytes.toString('latin1', at, behind));
        at = connection.isServing ? connection.feedBody(bytes, behind, end, isStable) : behind;
      }
    }
    this.#isParsing = false;
    if (at < end && connection.isServing) this.keep(bytes, at, end);
  }

  /** Reads nothing and serves nothing until the next turn, or until the client has taken its answers. */
  #rest(bytes: Buffer, isStable: boolean): void {
    const { wire } = this.#connection;
    this.#ahead.keep(isStable ? bytes : Buffer.from(bytes));
    wire.pause();
    if (wire.isDrained) setImmediate(() => wire.guard(() => this.goOn()));
    else wire.askDrain();
  }
}
