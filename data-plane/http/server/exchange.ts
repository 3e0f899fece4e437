import { invariant } from '../../../proto/faults/fault.ts';
import { reasons } from '../../../proto/process/listening/node-http.ts';
import type { Body, BodyFlow } from '../body.ts';
import type {
  Exchange,
  HeaderList,
  Outcome,
  ResponseHead,
  StreamEnding,
  UpstreamUpgrade,
} from '../exchange.ts';
import { BodyWriter, type BodyWriterOwner } from '../message/body-writer.ts';
import { kinds } from '../message/field-kind.ts';
import { WireHeaders, wireHeadersOf } from '../message/wire-headers.ts';
import { startTunnel, type Tunnel, type TunnelEnd } from '../tunnel.ts';
import type { HandshakeRefusal, OpenWebSocket, WebSocketWish } from '../web-socket.ts';
import { Acceptance } from '../websocket/acceptance.ts';
import type { ServerConnection } from './connection.ts';
import { OngoingExchange } from './ongoing.ts';
import { refusalAnswer } from './refusal-answer.ts';
import type { ServerRequest } from './request.ts';

/** Unread bytes of a request that are read and dropped after its answer, so that the connection can be kept. */
const drainBytesMax = 64 * 1024;
/** Answers up to this size leave in one write with their head. */
const oneWriteBytesMax = 12 * 1024;

/** One request and its answer on a connection of this engine. */
export class ServerExchange extends OngoingExchange implements Exchange, BodyWriterOwner {
  readonly request: ServerRequest;
  expectsContinue: boolean;
  readonly #connection: ServerConnection;
  #isPersistent: boolean;
  #responseBytes = 0;
  #flow: BodyFlow | undefined = undefined;
  #writer: BodyWriter | undefined = undefined;
  /** Or a WebSocket of our own. */
  #tunnel: Tunnel | Acceptance | undefined = undefined;

  constructor(
    connection: ServerConnection,
    request: ServerRequest,
    asked: { readonly isPersistent: boolean; readonly expectsContinue: boolean },
  ) {
    super();
    this.#connection = connection;
    this.request = request;
    this.#isPersistent = asked.isPersistent;
    this.expectsContinue = asked.expectsContinue;
  }

  protected tellThrown(error: unknown): void {
    this.#connection.state.sweep.tellThrown(error);
  }

  protected onThrown(error: unknown): void {
    this.#connection.onThrown(error);
  }

  giveUp(): void {
    if (this.isOver || this.isAborted) return;
    const { wire, state } = this.#connection;
    const hasHead = this.#writer !== undefined;
    const isHead = this.request.method === 'HEAD';
    this.isAborted = true;
    this.#abort();
    if (hasHead) return this.#end('upstreamAborted', () => wire.reset());
    this.status = 500;
    this.#responseBytes = isHead ? 0 : (reasons[500]?.length ?? 0);
    this.#end('complete', () => {
      wire.write(refusalAnswer(500, state.sweep.dateLine, isHead));
      this.#connection.onExchangeEnd(false);
    });
  }

  tunnel(upgraded: UpstreamUpgrade): void {
    invariant(!this.isAnswered, 'an exchange is answered once');
    this.isAnswered = true;
    // That was told already; an upstream connection that nobody takes over closes by itself.
    if (this.isAborted) return;
    this.status = upgraded.head.status;
    this.isOver = true;
    try {
      this.#tunnel = startTunnel(this.#connection, upgraded, (end) => this.#onTunnelEnd(end));
    } catch (error) {
      // Whose head has left nobody can say; whoever owns the wires by now learns that this one is gone.
      this.#connection.wire.reset();
      throw error;
    }
  }

  accept(wish: WebSocketWish, open: OpenWebSocket): HandshakeRefusal | undefined {
    invariant(!this.isAnswered, 'an exchange is answered once');
    const begin = (): boolean => !this.isAborted && (this.isOver = true);
    const onEnd = (end: TunnelEnd): void => this.#onTunnelEnd(end);
    const accepted = Acceptance.of(this.#connection, this.request, { wish, open, begin, onEnd });
    if (!(accepted instanceof Acceptance)) return accepted;
    this.isAnswered = true;
    this.status = 101;
    this.#tunnel = accepted;
    return undefined;
  }

  end(ending: StreamEnding, isWhole: boolean): void {
    // Whoever ends many must not stop at one that throws.
    this.#connection.wire.guard(() => {
      if (this.#tunnel !== undefined) return this.#tunnel.end(ending);
      const writer = this.#writer;
      if (writer === undefined || this.isOver) return;
      this.#isPersistent = false;
      this.#flow?.cancel();
      if (isWhole) writer.onEnd(undefined);
      else writer.onBroken(new Error(ending.reason));
    });
  }

  /** The client may go on as it likes once its answer has begun. */
  get isTwoWay(): boolean {
    return this.isAnswered;
  }

  get answerBytes(): number {
    return this.#writer?.bytes ?? 0;
  }

  /** The client's connection has taken what was written. */
  onDrain(): void {
    this.#flow?.resume();
  }

  /** The client has gone. */
  onClientGone(): void {
    if (this.isOver) return;
    this.isAborted = true;
    this.#abort();
    this.#end('clientAborted', () => undefined);
  }

  /** `requestMsMax` has passed; the connection is reset next. */
  onOutOfTime(): void {
    this.refusal ??= 'request-too-long';
  }

  /** The request's body broke its framing; `refuse` is called when the refusal may leave, unless a head already has. */
  onBodyFault(status: number, reason: string, refuse: () => void): void {
    const hasHead = this.isAnswered;
    this.isAborted = true;
    this.refusal = reason;
    if (!hasHead) this.status = status;
    this.#abort();
    // An answer that ends with its connection would pass for whole.
    this.#end('clientAborted', () => (hasHead ? this.#connection.wire.reset() : refuse()));
  }

  protected sendWhole(head: ResponseHead, bytes: Uint8Array | undefined, declared: string | undefined): void {
    const length = bytes?.length ?? 0;
    this.status = head.status;
    this.#responseBytes = length;
    this.#decidePersistence(head);
    // Before the record is told: what throws here is answered otherwise.
    const text = this.#headText(head, declared === undefined ? '' : `Content-Length: ${declared}\r\n`);
    this.#end('complete', () => {
      const { wire } = this.#connection;
      if (bytes === undefined || length === 0) wire.write(text);
      else {
        const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, length);
        if (length <= oneWriteBytesMax) wire.write(text + buffer.toString('latin1'));
        else wire.writeWith(text, buffer, 0, length, true);
      }
      this.#connection.onExchangeEnd(this.#isPersistent);
    });
  }

  protected sendPiped(head: ResponseHead, body: Body): void {
    const { wire } = this.#connection;
    this.status = head.status;
    // RFC 9112 section 6.1: HTTP/1.0 knows no chunks; the end of the connection ends the body.
    const framing = body.length ?? (this.request.httpVersion === '1.1' ? 'chunked' : 'close');
    if (framing === 'close') this.#isPersistent = false;
    this.#decidePersistence(head);
    const text = this.#headText(head, pipedFramingLine(framing, head.headers));
    this.#writer = new BodyWriter(wire, text, framing, this);
    this.#flow = body.pipe(this.#writer);
  }

  /** Its piped answer is whole. */
  onLast(): void {
    this.#end('complete', ServerExchange.#sendLast);
  }

  /** Its piped answer broke off after its head had left: the client must see that it is not whole. */
  onBroken(): void {
    this.#end('upstreamAborted', () => this.#connection.wire.reset());
  }

  /** A function for all, since most exchanges end so. */
  static readonly #sendLast = (exchange: ServerExchange): void => {
    exchange.#writer?.release();
    exchange.#connection.onExchangeEnd(exchange.#isPersistent);
  };

  /** The connection is kept when the gateway does not say otherwise and what is unread of the request is short. */
  #decidePersistence(head: ResponseHead): void {
    const { body } = this.request;
    if (this.#connection.state.isClosing) this.#isPersistent = false;
    else if (body.state !== 'whole') {
      // RFC 9110 section 10.1.1: whoever was not told to continue may or may not send the body.
      const unread = this.expectsContinue ? Infinity : (body.length ?? Infinity) - body.bytes;
      if (unread > drainBytesMax) this.#isPersistent = false;
    }
    if (head.headers instanceof WireHeaders && head.headers.closes) this.#isPersistent = false;
  }

  #headText(head: ResponseHead, framing: string): string {
    const closing = this.#isPersistent ? '' : 'Connection: close\r\n';
    const connection =
      this.#isPersistent && this.request.httpVersion === '1.0' ? 'Connection: keep-alive\r\n' : closing;
    return headText(head, this.#connection.state.sweep.dateLine, framing + connection);
  }

  #abort(): void {
    this.#flow?.cancel();
    this.tellAbort();
  }

  #end(kind: Outcome['kind'], release: (exchange: ServerExchange) => void): void {
    this.finish(kind, this.#writer?.bytes ?? this.#responseBytes, release);
  }

  /** Nothing waits for this record: the bytes have gone. */
  #onTunnelEnd({ kind, bytesFromClient, bytesFromUpstream }: TunnelEnd): void {
    void this.tell(kind, bytesFromClient, bytesFromUpstream);
  }
}

const statusLines = new Map<number, string>(
  Object.entries(reasons).map(([status, reason]) => [
    Number(status),
    `HTTP/1.1 ${status} ${reason ?? ''}\r\n`,
  ]),
);
const forbiddenInReason = /[^\t\x20-\x7e\x80-\xff]/g;

function statusLine(status: number, reason: string | undefined): string {
  if (reason === undefined || reason === reasons[status])
    return statusLines.get(status) ?? `HTTP/1.1 ${status} \r\n`;
  return `HTTP/1.1 ${status} ${reason.replace(forbiddenInReason, '')}\r\n`;
}

function headText({ status, reason, headers: given }: ResponseHead, dateLine: string, last: string): string {
  const headers = wireHeadersOf(given);
  const date = headers.mayHave(kinds.date) ? '' : dateLine;
  return `${statusLine(status, reason)}${headers.forwardable()}${date}${last}\r\n`;
}

function pipedFramingLine(framing: number | 'chunked' | 'close', headers: HeaderList): string {
  if (framing === 'close') return '';
  return typeof framing === 'number'
    ? `Content-Length: ${framing}\r\n`
    : `${trailerLines(headers)}Transfer-Encoding: chunked\r\n`;
}

function trailerLines(headers: HeaderList): string {
  let lines = '';
  for (const value of headers.getAll('trailer')) lines += `Trailer: ${value}\r\n`;
  return lines;
}
