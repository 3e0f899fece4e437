import type { ClientHttp2Stream } from 'node:http2';

import type { BodyFlow } from '../body.ts';
import type { ResponseHead, UpstreamFailure, UpstreamRequest } from '../exchange.ts';
import { type BodyConnection, type BodyFault, IncomingBody } from '../message/incoming-body.ts';
import { lengthOf } from '../message/framing.ts';
import type { WireHeaders } from '../message/wire-headers.ts';
import type { CallHolder, UpstreamCall } from '../upstream/call.ts';
import { informationalMax } from '../upstream/answer-reader.ts';
import { judgeRequestLine, takesTrailers } from '../upstream/request-head.ts';
import { Silence } from '../upstream/silence.ts';
import { feedBody, StreamEnd } from './incoming.ts';
import { http2 } from './node-http2.ts';
import { appendFields, readFields } from './spelling.ts';
import { StreamWriter, type StreamWriterOwner } from './stream-writer.ts';
import type { UpstreamSession } from './upstream-session.ts';

/** One call on a stream of HTTP/2. */
export class UpstreamStream implements CallHolder, BodyConnection, StreamWriterOwner {
  readonly #session: UpstreamSession;
  readonly #call: UpstreamCall;
  readonly #stream: ClientHttp2Stream;
  readonly #end: StreamEnd;
  #body: IncomingBody | undefined = undefined;
  #writer: StreamWriter | undefined = undefined;
  #requestFlow: BodyFlow | undefined = undefined;
  #isRequestSent = true;
  #informational = 0;
  readonly #silence: Silence;
  /** Why it was ended here. */
  #failure: { readonly failure: UpstreamFailure; readonly message: string } | undefined = undefined;

  /** Throws a TypeError for a request that cannot be sent. */
  constructor(session: UpstreamSession, call: UpstreamCall) {
    this.#session = session;
    this.#call = call;
    this.#silence = new Silence(session.pool.options, session.pool.sweep);
    const { request } = call;
    const { body } = request;
    const isPiped = body !== undefined && !(body instanceof Uint8Array) && !body.isEmpty;
    const isEmpty = !isPiped && (body === undefined || body.length === 0);
    const stream = session.request(headFields(request, session.scheme), {
      endStream: isEmpty,
      waitForTrailers: isPiped,
    });
    this.#stream = stream;
    this.#end = new StreamEnd(stream);
    call.holder = this;
    this.#armRead();
    this.#listen();
    if (isPiped) {
      this.#isRequestSent = false;
      this.#writer = new StreamWriter(stream, this);
      const flow = body.pipe(this.#writer);
      // It may have come to its end in the call.
      if (!this.#isRequestSent) this.#requestFlow = flow;
    } else if (!isEmpty && body instanceof Uint8Array) stream.end(body);
  }

  #listen(): void {
    const stream = this.#stream;
    let error: Error | undefined;
    stream.on('error', (thrown) => (error = thrown));
    stream.on('headers', () =>
      this.guard(() => {
        // 1xx answers are this hop's own business.
        this.#informational += 1;
        if (this.#informational > informationalMax) this.#fail('invalidResponse', 'informational-flood');
      }),
    );
    stream.once('response', (_headers, flags: number, raw: unknown) =>
      this.guard(() => this.#open(raw as readonly string[], flags)),
    );
    stream.once('close', () => this.guard(() => this.#onClose(error)));
  }

  /** Runs what the event loop began: what is thrown ends this call, never the connection. */
  guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#call.onThrown(error);
      this.#abandon('something threw');
    }
  }

  onSweep(nowMs: number): void {
    const { exchange } = this.#call.request;
    if (!this.#call.isSettled && exchange.isAnswered)
      return this.#abandon('the request was answered without the upstream');
    // The client is slow to read, or to send its body: the upstream is not to blame, unless it does not take what is here of that.
    const isClientSlow = !this.#isRequestSent && this.#writer?.isDrained === true;
    if (this.#stream.isPaused() || isClientSlow) return this.#armRead();
    if (this.#silence.isTooLong(nowMs)) this.#fail('readTimeout', this.#silence.words);
  }

  onClientGone(): void {
    this.#abandon('the client went away');
  }

  pauseBody(): void {
    this.#stream.pause();
  }

  resumeBody(): void {
    this.#stream.resume();
    this.#armRead();
  }

  onBodyWanted(): void {
    // Nothing to say to an upstream.
  }

  onBodyWhole(): void {
    const { exchange } = this.#call.request;
    exchange.marks.upstreamEndUs = exchange.elapsedUs();
    this.#finish();
  }

  onManyPieces(): void {
    // A frame is a piece, and Node reads no more than a window of them.
  }

  onBodyFault(fault: BodyFault): void {
    this.#fail('invalidResponse', fault.reason);
  }

  onBodyUnwanted(): void {
    this.#abandon('the answer was discarded, and what is left of it may be endless');
  }

  onWritten(): void {
    this.guard(() => {
      this.#armRead();
      this.#requestFlow?.resume();
    });
  }

  onTaken(): void {
    this.#armRead();
  }

  onLast(writer: StreamWriter): void {
    this.#isRequestSent = true;
    this.#requestFlow = undefined;
    writer.release();
    this.#armRead();
  }

  onBroken(cause: Error): void {
    this.#requestFlow = undefined;
    this.#fail('requestBodyFailed', cause.message);
  }

  #open(raw: readonly string[], flags: number): void {
    const { request } = this.#call;
    const { exchange, method } = request;
    const { answerLimits } = this.#session;
    const status = Number(raw[raw.indexOf(':status') + 1]);
    // As in HTTP/1.1: RFC 9110 section 15 knows no other classes, and 1xx ended above.
    if (!(status >= 200 && status <= 599)) return this.#fail('invalidResponse', 'status-line');
    const headers = readFields(raw, answerLimits);
    if (typeof headers === 'string') return this.#fail('invalidResponse', headers);
    exchange.marks.upstreamHeadUs = exchange.elapsedUs();
    const isEnded = (flags & http2().constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const isEmpty = isEnded || method === 'HEAD' || status === 204 || status === 304;
    const declared = lengthOf(headers.get('content-length') ?? '');
    const body = new IncomingBody(isEmpty ? 0 : 'stream', this, answerLimits, declared);
    body.head = headers;
    this.#body = body;
    this.#armRead();
    const stream = this.#stream;
    feedBody({
      stream,
      end: this.#end,
      body,
      limits: answerLimits,
      guard: (work) => {
        this.#armRead();
        this.guard(work);
      },
    });
    if (isEmpty) {
      exchange.marks.upstreamEndUs = exchange.marks.upstreamHeadUs;
      this.#finish();
    }
    this.#call.settle({ kind: 'response', head: headOf(status, headers), body });
  }

  /** The answer is whole: what is left of the request is nobody's. */
  #finish(): void {
    this.#call.holder = undefined;
    this.#silence.end();
    const flow = this.#requestFlow;
    this.#requestFlow = undefined;
    flow?.cancel();
    if (!this.#isRequestSent) this.#stream.close(http2().constants.NGHTTP2_CANCEL);
  }

  #onClose(error: Error | undefined): void {
    const { rstCode } = this.#stream;
    const call = this.#call;
    this.#requestFlow?.cancel();
    this.#requestFlow = undefined;
    this.#session.onStreamGone(this);
    const why = this.#failure ?? {
      failure: this.#session.failure ?? 'reset',
      message: error?.message ?? `the upstream reset the stream (code ${rstCode})`,
    };
    this.#body?.break(new Error(why.message));
    if (call.isSettled) return;
    call.holder = undefined;
    const isUnprocessed = rstCode === http2().constants.NGHTTP2_REFUSED_STREAM;
    if (this.#failure === undefined && call.isRepeatableAfter(isUnprocessed)) {
      call.repeat();
      return this.#session.pool.enter(call);
    }
    call.fail(why.failure, why.message);
  }

  /** No answer comes, or no more of it. */
  #fail(failure: UpstreamFailure, message: string): void {
    this.#failure ??= { failure, message };
    this.#call.holder = undefined;
    const flow = this.#requestFlow;
    this.#requestFlow = undefined;
    flow?.cancel();
    this.#stream.close(http2().constants.NGHTTP2_CANCEL);
    this.#body?.break(new Error(message));
    this.#call.fail(failure, message);
  }

  #abandon(why: string): void {
    this.#fail('aborted', why);
  }

  #armRead(): void {
    this.#silence.begin(this.#body !== undefined);
  }
}

/** Throws a TypeError when a policy made a method or target that would be another request. */
function headFields(request: UpstreamRequest, scheme: string): string[] {
  judgeRequestLine(request);
  const { method, target, headers, body } = request;
  const fields = [
    ':method',
    method,
    ':scheme',
    scheme,
    ':authority',
    headers.get('host') ?? '',
    ':path',
    target,
  ];
  appendFields(fields, headers);
  if (takesTrailers(headers)) fields.push('te', 'trailers');
  for (const value of headers.getAll('trailer')) fields.push('trailer', value);
  const length = body?.length;
  if (length !== undefined && length > 0) fields.push('content-length', String(length));
  return fields;
}

function headOf(status: number, headers: WireHeaders): ResponseHead {
  return { status, headers };
}
