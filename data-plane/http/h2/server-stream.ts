import type { ServerHttp2Stream } from 'node:http2';

import { reasons } from '../../../proto/process/listening/node-http.ts';
import type { Body, BodyFlow } from '../body.ts';
import type { Exchange, Outcome, ResponseHead, StreamEnding } from '../exchange.ts';
import { kinds } from '../message/field-kind.ts';
import { type BodyConnection, BodyFault, IncomingBody } from '../message/incoming-body.ts';
import { type RefusalReason, refusals } from '../message/refusal.ts';
import type { ReadRequest } from '../message/request.ts';
import type { RequestHead } from '../message/request-head.ts';
import { BodyPace, isAwaited } from '../server/body-pace.ts';
import { OngoingExchange } from '../server/ongoing.ts';
import { ServerRequest } from '../server/request.ts';
import type { HandshakeRefusal } from '../web-socket.ts';
import { feedBody, StreamEnd } from './incoming.ts';
import { http2, isGone } from './node-http2.ts';
import type { ServerSession } from './server-session.ts';
import { appendFields, markTrailers } from './spelling.ts';
import { StreamWriter, type StreamWriterOwner } from './stream-writer.ts';

/** A head that was judged, and how its body comes. */
export interface AskedStream {
  readonly read: ReadRequest;
  readonly head: RequestHead;
  readonly text: string;
}

/** One request and its answer on a stream of HTTP/2. */
export class ServerStream extends OngoingExchange implements Exchange, BodyConnection, StreamWriterOwner {
  readonly request: ServerRequest;
  readonly stream: ServerHttp2Stream;
  readonly #session: ServerSession;
  readonly #body: IncomingBody;
  readonly #pace = new BodyPace();
  /** When the last byte of the answer has to have left; 0 is no bound. */
  readonly #answerDueMs: number;
  #expectsContinue: boolean;
  #responseBytes = 0;
  #writer: StreamWriter | undefined = undefined;
  #flow: BodyFlow | undefined = undefined;
  /** Since when nothing of the answer has left, though some of it waits; 0 is that nothing waits. */
  #stuckSinceMs = 0;
  #stuckBytes = 0;

  constructor(session: ServerSession, stream: ServerHttp2Stream, { read, head, text }: AskedStream) {
    super();
    const { state } = session;
    this.#session = session;
    this.stream = stream;
    const end = new StreamEnd(stream);
    const { body: declared, expectsContinue } = read.framing;
    const hasLength = (head.seen & (1 << kinds.contentLength)) !== 0;
    const length = typeof declared === 'number' && hasLength ? declared : undefined;
    this.#body = new IncomingBody(stream.endAfterHeaders ? 0 : 'stream', this, state.limits, length);
    markTrailers(head);
    this.request = new ServerRequest(session, read, { head, text, body: this.#body, httpVersion: '2' });
    this.#expectsContinue = expectsContinue;
    const { requestMsMax } = state.limits;
    this.#answerDueMs = requestMsMax === 0 ? 0 : state.sweep.nowMs + requestMsMax;
    const onGone = (): void => this.guard(() => this.#onGone());
    // Told in the call in which a reset is read, before the end of what came: nobody answers who is not there.
    stream.once('aborted', onGone).once('close', onGone);
    feedBody({ stream, end, body: this.#body, limits: state.limits, guard: (work) => this.guard(work) });
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
    this.status = 500;
    this.#responseBytes = this.request.method === 'HEAD' ? 0 : (reasons[500]?.length ?? 0);
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
      else writer.onBroken(new Error(ending.reason));
    });
  }

  onWritten(): void {
    this.guard(() => this.#flow?.resume());
  }

  onLast(): void {
    this.#end('complete', () => {
      this.#writer?.release();
      this.#endReading();
    });
  }

  onBroken(): void {
    this.#end('upstreamAborted', () => this.#reset());
  }

  pauseBody(): void {
    this.stream.pause();
    this.#pace.stop();
  }

  resumeBody(): void {
    this.stream.resume();
  }

  onBodyWanted(): void {
    if (!this.#expectsContinue || this.#body.bytes > 0 || this.stream.headersSent) return;
    this.#expectsContinue = false;
    if (!isGone(this.stream)) this.stream.additionalHeaders({ ':status': 100 });
  }

  onBodyWhole(): void {
    // Nothing follows it on its stream.
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
    if (this.isOver) return;
    const hasHead = this.isAnswered;
    this.isAborted = true;
    this.refusal = reason;
    if (!hasHead) this.status = refusals[reason].status;
    this.#abort();
    this.#end('clientAborted', () => (hasHead ? this.#reset() : this.#sendRefusal(this.status)));
  }

  onSweep(nowMs: number): void {
    if (this.#answerDueMs !== 0 && nowMs >= this.#answerDueMs) {
      this.refusal ??= 'request-too-long';
      return this.#reset();
    }
    const { limits } = this.#session.state;
    const body = this.#body;
    if (isAwaited(body, limits) && !this.stream.isPaused() && this.#pace.isTooSlow(body, limits, nowMs))
      body.break(new BodyFault('body-too-slow'));
    this.#watchWriting(nowMs);
  }

  protected sendWhole(head: ResponseHead, bytes: Uint8Array | undefined, declared: string | undefined): void {
    this.status = head.status;
    this.#responseBytes = bytes?.length ?? 0;
    // Before the record is told: what throws here is answered otherwise.
    const fields = this.#headFields(head, declared);
    this.#end('complete', () => {
      const { stream } = this;
      if (isGone(stream)) return;
      const isEmpty = bytes === undefined || bytes.length === 0;
      stream.respond(fields, { endStream: isEmpty });
      if (!isEmpty) stream.end(bytes);
      this.#endReading();
    });
  }

  protected sendPiped(head: ResponseHead, body: Body): void {
    const { stream } = this;
    this.status = head.status;
    const fields = this.#headFields(head, body.length === undefined ? undefined : String(body.length));
    for (const value of head.headers.getAll('trailer')) fields.push('trailer', value);
    if (isGone(stream)) return body.discard();
    stream.respond(fields, { waitForTrailers: true });
    this.#writer = new StreamWriter(stream, this);
    this.#flow = body.pipe(this.#writer);
  }

  #headFields({ status, headers }: ResponseHead, declared: string | undefined): string[] {
    const fields = [':status', String(status)];
    appendFields(fields, headers);
    if (declared !== undefined) fields.push('content-length', declared);
    if (!headers.has('date')) fields.push('date', this.#session.state.sweep.date);
    return fields;
  }

  #sendRefusal(status: number): void {
    if (isGone(this.stream)) return;
    sendRefusal(this.stream, status, {
      method: this.request.method,
      date: this.#session.state.sweep.date,
    });
    this.#endReading();
  }

  /** RFC 9113 section 8.1: an answer that is whole before its request asks for no more of that. */
  #endReading(): void {
    const { stream } = this;
    if (this.#body.state === 'whole') return;
    this.#body.discard();
    const stop = (): void => stream.close(http2().constants.NGHTTP2_NO_ERROR);
    if (stream.writableFinished) stop();
    else stream.once('finish', stop);
  }

  #onGone(): void {
    this.#session.onStreamGone(this);
    if (!this.isOver) {
      this.isAborted = true;
      this.#abort();
      this.#end('clientAborted', () => undefined);
    }
    this.#body.break(new Error('the client went away'));
  }

  #reset(): void {
    this.stream.close(http2().constants.NGHTTP2_INTERNAL_ERROR);
  }

  /** Whoever asks has to take the answer: some of it again and again. */
  #watchWriting(nowMs: number): void {
    const left = this.stream.writableLength;
    if (left === 0) this.#stuckSinceMs = 0;
    else if (this.#stuckSinceMs === 0 || left !== this.#stuckBytes) {
      this.#stuckSinceMs = nowMs;
      this.#stuckBytes = left;
    } else if (nowMs - this.#stuckSinceMs >= this.#session.state.limits.answerIdleMsMax) this.#reset();
  }

  #abort(): void {
    this.#flow?.cancel();
    this.tellAbort();
  }

  #end(kind: Outcome['kind'], release: () => void): void {
    this.finish(kind, this.#writer?.bytes ?? this.#responseBytes, release);
  }
}

/** Answers with a status of the engine's own, as `refusalAnswer` does in HTTP/1.1; the connection goes on, since a stream has its frames. */
export function sendRefusal(
  stream: ServerHttp2Stream,
  status: number,
  { method, date }: { readonly method: string; readonly date: string },
): void {
  const phrase = reasons[status] ?? 'Refused';
  const fields = [':status', String(status), 'date', date];
  if (status === 503) fields.push('retry-after', '1');
  fields.push('content-type', 'text/plain', 'content-length', String(phrase.length));
  stream.respond(fields, { endStream: method === 'HEAD' });
  if (method !== 'HEAD') stream.end(phrase);
}
