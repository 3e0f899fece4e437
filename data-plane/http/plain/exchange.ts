import { ServerResponse, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { invariant } from '../../../proto/faults/fault.ts';
import type {
  Body,
  Exchange,
  ExchangeRequest,
  HeaderList,
  Outcome,
  PhaseMarks,
  ResponseHead,
  UpstreamUpgrade,
} from '../exchange.ts';
import { createHeaderList, forwardable } from '../headers.ts';
import { isPiped, type PipedBody } from './body.ts';
import type { RequestBody } from './request-body.ts';
import type { PlainUpgrade } from './upgrade.ts';

/** Unread bytes of a request that are drained after its answer, so that the connection can be kept. */
const drainBytesMax = 64 * 1024;

/** One request on Node's own server. */
export class PlainExchange implements Exchange {
  readonly startedAtMs = Date.now();
  readonly marks: PhaseMarks = {
    upstreamStartUs: 0,
    upstreamConnectUs: 0,
    upstreamHeadUs: 0,
    upstreamEndUs: 0,
  };
  readonly request: ExchangeRequest;
  beforeEnd: ((outcome: Outcome) => Promise<void> | undefined) | undefined;
  isAborted = false;
  readonly #startedMs = performance.now();
  readonly #message: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #body: RequestBody;
  readonly #abortCallbacks: (() => void)[] = [];
  #controller: AbortController | undefined;
  #status = 0;
  #responseBytes = 0;
  #isAnswered = false;
  #isOver = false;

  constructor(
    message: IncomingMessage,
    response: ServerResponse,
    parts: { readonly request: ExchangeRequest; readonly body: RequestBody },
  ) {
    this.#message = message;
    this.#response = response;
    this.request = parts.request;
    this.#body = parts.body;
    response.once('close', () => this.#onClose());
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      this.onAbort(() => this.#controller?.abort(new Error('the client went away')));
    }
    return this.#controller.signal;
  }

  elapsedUs(): number {
    return Math.max(1, Math.round((performance.now() - this.#startedMs) * 1_000));
  }

  createHeaders(): HeaderList {
    return createHeaderList();
  }

  onAbort(callback: () => void): void {
    if (this.isAborted) callback();
    else this.#abortCallbacks.push(callback);
  }

  respond(head: ResponseHead, body: Body | Uint8Array | string | undefined): void {
    invariant(!this.#isAnswered, 'an exchange is answered once');
    this.#isAnswered = true;
    if (this.isAborted)
      return typeof body === 'object' && !(body instanceof Uint8Array) ? body.discard() : undefined;
    const isBodiless = this.request.method === 'HEAD' || head.status === 204 || head.status === 304;
    if (isPiped(body) && !body.isEmpty && !isBodiless) return this.#respondPiped(head, body);
    if (isPiped(body)) body.discard();
    const bytes =
      isPiped(body) || body === undefined
        ? new Uint8Array()
        : typeof body === 'string'
          ? Buffer.from(body)
          : (body as Uint8Array);
    this.#respondWhole(head, bytes, isBodiless);
  }

  tunnel(upgraded: UpstreamUpgrade): void {
    invariant(!this.#isAnswered, 'an exchange is answered once');
    this.#isAnswered = true;
    const { head, socket, early } = upgraded as PlainUpgrade;
    const client = this.#message.socket;
    if (this.isAborted) return void socket.destroy();
    this.#status = head.status;
    client.write(headText(head));
    if (early.length > 0) client.write(early);
    client.on('data', (piece: Buffer) => (this.#body.bytes += piece.length));
    socket.on('data', (piece: Buffer) => (this.#responseBytes += piece.length));
    join(client, socket);
    client.once('close', () => this.#finish('complete', () => undefined));
  }

  #respondWhole(head: ResponseHead, bytes: Uint8Array, isBodiless: boolean): void {
    this.#responseBytes = isBodiless ? 0 : bytes.length;
    this.#status = head.status;
    this.#finish('complete', () => {
      // RFC 9110 section 8.6: HEAD and 304 keep the length that a GET would have had; 204 has none.
      const declared = isBodiless ? head.headers.get('content-length') : String(bytes.length);
      const length = head.status === 204 || declared === undefined ? [] : ['Content-Length', declared];
      this.#writeHead(head, length);
      this.#response.end(isBodiless ? undefined : bytes);
    });
  }

  #respondPiped(head: ResponseHead, body: PipedBody): void {
    const response = this.#response;
    this.#status = head.status;
    response.strictContentLength = true;
    this.#writeHead(
      head,
      body.length === undefined ? trailerNames(head.headers) : ['Content-Length', String(body.length)],
    );
    let last: Uint8Array | undefined;
    const flow = body.pipe({
      onPiece: (piece) => {
        this.#responseBytes += piece.length;
        // The piece that completes a declared length is the last; it waits for beforeEnd. Chunked answers wait with their final chunk.
        if (this.#responseBytes === body.length) {
          last = piece;
          return true;
        }
        return response.write(piece);
      },
      onEnd: (trailers) => {
        if (body.length !== undefined && this.#responseBytes !== body.length) return this.#breakOff();
        this.#finish('complete', () => {
          const lines = trailers === undefined || body.length !== undefined ? [] : pairs(trailers);
          if (lines.length > 0) response.addTrailers(lines);
          response.end(last);
        });
      },
      onBroken: () => this.#breakOff(),
    });
    response.on('drain', () => flow.resume());
    this.onAbort(() => flow.cancel());
    // The head of an event stream must not wait for its first event.
    response.flushHeaders();
  }

  #writeHead(head: ResponseHead, framing: readonly string[]): void {
    const flat = [...forwardable(head.headers), ...framing];
    const unread =
      this.#body.isEmpty || this.#message.readableEnded
        ? 0
        : (this.#body.length ?? Infinity) - this.#body.bytes;
    if (unread > drainBytesMax) flat.push('Connection', 'close');
    if (head.reason === undefined) this.#response.writeHead(head.status, flat);
    else this.#response.writeHead(head.status, head.reason, flat);
  }

  /** The answer broke off after its head had left: the client must see that it is not whole. */
  #breakOff(): void {
    if (this.isAborted) return;
    this.#finish('upstreamAborted', () => this.#message.socket.destroy());
  }

  /** Tells beforeEnd, once, and lets the last bytes go when it agrees. */
  #finish(kind: Outcome['kind'], release: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const held = this.beforeEnd?.({
      kind,
      status: this.#status,
      requestBytes: this.#body.bytes,
      responseBytes: this.#responseBytes,
      totalUs: Math.round((performance.now() - this.#startedMs) * 1_000),
    });
    if (held === undefined) release();
    else void held.then(release, release);
  }

  #onClose(): void {
    if (this.#response.writableFinished) return;
    this.isAborted = true;
    for (const callback of this.#abortCallbacks.splice(0)) callback();
    this.#finish('clientAborted', () => undefined);
  }
}

/** A response object for a socket that Node took out of its server because the client asked for an upgrade. */
export function responseOn(message: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(message);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as Socket);
  response.once('finish', () => socket.end());
  return response;
}

function headText(head: ResponseHead): string {
  const lines = [`HTTP/1.1 ${head.status} ${head.reason ?? 'Switching Protocols'}`];
  head.headers.forEach((name, value) => lines.push(`${name}: ${value}`));
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function join(client: Duplex, upstream: Duplex): void {
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.on('error', () => to.destroy());
    from.once('close', () => to.destroy());
    from.pipe(to);
  }
}

function trailerNames(headers: HeaderList): readonly string[] {
  return headers.getAll('trailer').flatMap((value) => ['Trailer', value]);
}

function pairs(headers: HeaderList): [string, string][] {
  const lines: [string, string][] = [];
  headers.forEach((name, value) => lines.push([name, value]));
  return lines;
}
