import type { ServerHttp2Stream } from 'node:http2';

import { reasons } from '../../../proto/process/listening/node-http.ts';
import type { Body, BodyFlow } from '../body.ts';
import type { Exchange, Outcome, ResponseHead, StreamEnding } from '../exchange.ts';
import { kinds } from '../message/field-kind.ts';
import { isGrpcHead } from '../message/grpc.ts';
import { type BodyConnection, BodyFault, IncomingBody } from '../message/incoming-body.ts';
import { type RefusalReason, refusals } from '../message/refusal.ts';
import type { ReadRequest } from '../message/request.ts';
import type { RequestHead } from '../message/request-head.ts';
import { AnswerPace } from '../../../proto/process/listening/answer-pace.ts';
import { BodyPace, type PacedExchange } from '../server/body-pace.ts';
import { OngoingExchange } from '../server/ongoing.ts';
import { ServerRequest } from '../server/request.ts';
import type { HandshakeRefusal } from '../web-socket.ts';
import { feedBody, StreamEnd } from './incoming.ts';
import { http2, isGone } from './node-http2.ts';
import { endReading, stopReading } from './reading-end.ts';
import { sendRefusal, setGrpcRefusal } from './refusal.ts';
import type { ServerSession } from './server-session.ts';
import { appendFields, markTrailers } from './spelling.ts';
import { StreamWriter, type StreamWriterOwner } from './stream-writer.ts';
import { WholeAnswer } from './whole-answer.ts';

/** A head that was judged, and how its body comes. */
export interface AskedStream {
  readonly read: ReadRequest;
  readonly head: RequestHead;
  readonly text: string;
}

/** One request and its answer on a stream of HTTP/2. */
export class ServerStream
  extends OngoingExchange
  implements Exchange, BodyConnection, StreamWriterOwner, PacedExchange
{
  readonly request: ServerRequest;
  readonly stream: ServerHttp2Stream;
  readonly #session: ServerSession;
  readonly upload: IncomingBody;
  readonly #pace: BodyPace;
  /** When the last byte of the answer has to have left; 0 is no bound. */
  readonly #answerDueMs: number;
  #expectsContinue: boolean;
  #responseBytes = 0;
  readonly #whole = new WholeAnswer();
  #writer: StreamWriter | undefined = undefined;
  #flow: BodyFlow | undefined = undefined;
  readonly #answerPace = new AnswerPace();
  /** Known once somebody has asked. */
  #isGrpc: boolean | undefined = undefined;

  constructor(session: ServerSession, stream: ServerHttp2Stream, { read, head, text }: AskedStream) {
    super();
    const { state } = session;
    this.#session = session;
    this.#pace = new BodyPace(state.limits);
    this.stream = stream;
    const bodyEnd = stream.endAfterHeaders ? 0 : 'stream';
    this.upload = new IncomingBody(bodyEnd, this, state.limits, declaredLength(read, head));
    markTrailers(head);
    this.request = new ServerRequest(session, read, { head, text, body: this.upload, httpVersion: '2' });
    this.#expectsContinue = read.framing.expectsContinue;
    const { requestMsMax } = state.limits;
    this.#answerDueMs = requestMsMax === 0 ? 0 : state.sweep.nowMs + requestMsMax;
    const onGone = (): void => this.guard(() => this.#onGone());
    // Told in the call in which a reset is read, before the end of what came: nobody answers who is not there.
    stream.once('aborted', onGone).once('close', onGone);
    const end = new StreamEnd(stream);
    feedBody({ stream, end, body: this.upload, limits: state.limits, guard: (work) => this.guard(work) });
  }

  /** Whether its caller understands no other refusal; judged by the head as it came. */
  get isGrpc(): boolean {
    return (this.#isGrpc ??= isGrpcHead(this.request.rawHead));
  }

  get isTwoWay(): boolean {
    return this.isAnswered || this.isGrpc;
  }

  get answerBytes(): number {
    return this.#writer?.bytes ?? 0;
  }

  /** Runs what the event loop began: what is thrown ends this stream at the most. */
  guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.onThrown(error);
    }
  }

  protected tellThrown(error: unknown): void {
    this.#session.state.sweep.tellThrown(error);
  }

  onThrown(error: unknown): void {
    this.tellThrown(error);
    if (this.isOver || this.isAborted) this.#reset();
    else this.giveUp();
  }

  giveUp(): void {
    if (this.isOver || this.isAborted) return;
    this.isAborted = true;
    this.#abort();
    if (this.#writer !== undefined) return this.#end('upstreamAborted', () => this.#reset());
    this.status = this.isGrpc ? 200 : 500;
    const isBodiless = this.isGrpc || this.request.method === 'HEAD';
    this.#responseBytes = isBodiless ? 0 : (reasons[500]?.length ?? 0);
    this.#end('complete', () => this.#sendRefusal(500));
  }

  tunnel(): void {
    // No request of a stream asks for another protocol.
    this.isAnswered = true;
    this.giveUp();
  }

  accept(): HandshakeRefusal {
    return { status: 400, headers: [], reason: 'a WebSocket is not opened over HTTP/2 (RFC 8441)' };
  }

  end(ending: StreamEnding, isWhole: boolean): void {
    this.guard(() => {
      const writer = this.#writer;
      if (writer === undefined || this.isOver) return;
      this.#flow?.cancel();
      if (isWhole) writer.onEnd(undefined);
      else this.#end('upstreamAborted', () => this.#cut(ending.code === 1_008 ? 403 : 503));
    });
  }

  onWritten(): void {
    this.guard(() => this.#flow?.resume());
  }

  onLast(): void {
    this.#end('complete', () => {
      this.#writer?.release();
      endReading(this.stream, this.upload, this.#writer !== undefined);
    });
  }

  onBroken(): void {
    this.#end('upstreamAborted', () => this.#cut(502));
  }

  pauseBody(): void {
    this.stream.pause();
  }

  resumeBody(): void {
    this.stream.resume();
  }

  onBodyWanted(): void {
    if (!this.#expectsContinue || this.upload.bytes > 0 || this.stream.headersSent) return;
    this.#expectsContinue = false;
    if (!isGone(this.stream)) this.stream.additionalHeaders({ ':status': 100 });
  }

  onBodyWhole(): void {
    this.upload.endedUs = this.elapsedUs();
  }

  onManyPieces(): void {
    // A frame is a piece, and Node reads no more than a window of them.
  }

  onBodyUnwanted(): void {
    this.stream.resume();
  }

  onBodyFault(fault: BodyFault): void {
    const reason = fault.reason as RefusalReason;
    void this.#session.state.onRefusal(reason, this.#session.remoteAddress, { hasExchange: true });
    if (!this.isOver) this.#refuse(reason, refusals[reason].status);
  }

  onSweep(nowMs: number): void {
    if (this.#answerDueMs !== 0 && nowMs >= this.#answerDueMs) {
      // Behind what a client does not take nothing is told.
      const isHeard = this.isGrpc && !this.isOver && this.stream.writableLength === 0;
      if (isHeard) return this.#refuse('request-too-long', 504);
      this.refusal ??= 'request-too-long';
      return this.#reset();
    }
    const fault = this.#pace.faultOf(this, this.stream.isPaused(), nowMs);
    if (fault !== undefined) this.upload.break(new BodyFault(fault));
    if (this.isOver) stopReading(this.stream, this.upload);
    const unsentBytes = this.stream.writableLength + (this.#writer?.heldBytes ?? 0);
    const leftBytes = (this.#writer?.bytes ?? this.#whole.givenBytes) - unsentBytes;
    if (this.#answerPace.isStuck({ unsentBytes, leftBytes }, nowMs, this.#session.state.limits))
      this.#reset();
  }

  protected sendWhole(head: ResponseHead, bytes: Uint8Array | undefined, declared: string | undefined): void {
    this.status = head.status;
    this.#responseBytes = bytes?.length ?? 0;
    // Before the record is told: what throws here is answered otherwise.
    const fields = headFieldsOf(this.#session.state.sweep, head, declared);
    this.#end('complete', () => {
      const { stream } = this;
      if (isGone(stream)) return;
      const isEmpty = bytes === undefined || bytes.length === 0;
      stream.respond(fields, { endStream: isEmpty });
      if (!isEmpty) this.#whole.give(stream, bytes, (work) => this.guard(work));
      endReading(this.stream, this.upload, this.#writer !== undefined);
    });
  }

  protected sendPiped(head: ResponseHead, body: Body): void {
    const { stream } = this;
    this.status = head.status;
    const fields = headFieldsOf(
      this.#session.state.sweep,
      head,
      body.length === undefined ? undefined : String(body.length),
    );
    for (const value of head.headers.getAll('trailer')) fields.push('trailer', value);
    if (isGone(stream)) return body.discard();
    stream.respond(fields, { waitForTrailers: true });
    this.#writer = new StreamWriter(stream, this);
    this.#flow = body.pipe(this.#writer);
  }

  /** Ends the exchange with a status of our own, or without one where another has left. */
  #refuse(reason: string, status: number): void {
    const hasHead = this.isAnswered;
    this.isAborted = true;
    this.refusal = reason;
    if (!hasHead) this.status = this.isGrpc ? 200 : status;
    this.#abort();
    this.#end('clientAborted', () => (hasHead ? this.#cut(status) : this.#sendRefusal(status)));
  }

  /** Ends an answer that has begun: gRPC has a place for a status behind it, everybody else sees a reset. */
  #cut(status: number): void {
    if (!this.isGrpc || this.#writer === undefined) return this.#reset();
    this.#writer.cutShort(setGrpcRefusal(this.createHeaders(), status));
    endReading(this.stream, this.upload, this.#writer !== undefined);
  }

  #sendRefusal(status: number): void {
    if (isGone(this.stream)) return;
    sendRefusal(this.stream, status, {
      method: this.request.method,
      date: this.#session.state.sweep.date,
      isGrpc: this.isGrpc,
    });
    endReading(this.stream, this.upload, this.#writer !== undefined);
  }

  #onGone(): void {
    this.#session.onStreamGone(this);
    if (!this.isOver) {
      this.isAborted = true;
      this.#abort();
      this.#end('clientAborted', () => undefined);
    }
    this.upload.break(new Error('the client went away'));
  }

  #reset(): void {
    this.stream.close(http2().constants.NGHTTP2_INTERNAL_ERROR);
  }

  #abort(): void {
    this.#flow?.cancel();
    this.tellAbort();
  }

  #end(kind: Outcome['kind'], release: () => void): void {
    this.finish(kind, this.#writer?.bytes ?? this.#responseBytes, release);
  }
}

function declaredLength({ framing }: ReadRequest, head: RequestHead): number | undefined {
  const isSaid = (head.seen & (1 << kinds.contentLength)) !== 0;
  return typeof framing.body === 'number' && isSaid ? framing.body : undefined;
}

function headFieldsOf(
  { date }: { readonly date: string },
  { status, headers }: ResponseHead,
  declared: string | undefined,
): string[] {
  const fields = [':status', String(status)];
  appendFields(fields, headers);
  if (declared !== undefined) fields.push('content-length', declared);
  if (!headers.has('date')) fields.push('date', date);
  return fields;
}
