import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { isIP } from 'node:net';
import {
  type Body,
  createBody,
  type EndListener,
  type Exchange,
  type ExchangeRequest,
  type HeaderList,
  type ResponseHead,
} from '../exchange.ts';
import { noMarks } from '../marks.ts';
import { PlainHeaders } from './plain-headers.ts';

/**
 * An exchange of another engine, as far as a proxy needs one: a stream of HTTP/2, spoken by Node.
 *
 * It proves that the contract is enough for two engines to meet; it is no engine for production.
 */
export class ForeignExchange implements Exchange {
  readonly startedAtMs = Date.now();
  readonly startedMs = performance.now();
  readonly marks = noMarks();
  readonly request: ExchangeRequest;
  beforeEnd: EndListener | undefined = undefined;
  isAborted = false;
  isAnswered = false;
  readonly #stream: ServerHttp2Stream;
  readonly #controller = new AbortController();

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.#stream = stream;
    this.request = requestOf(stream, headers);
    stream.on('error', () => undefined);
    stream.once('close', () => {
      if (stream.writableFinished) return;
      this.isAborted = true;
      this.#controller.abort(new Error('the client went away'));
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  elapsedUs(): number {
    return 1;
  }

  createHeaders(): HeaderList {
    return new PlainHeaders([]);
  }

  onAbort(callback: () => void): void {
    if (this.isAborted) callback();
    else this.signal.addEventListener('abort', callback, { once: true });
  }

  respond({ status, headers }: ResponseHead, body: Body | Uint8Array | string | undefined): void {
    this.isAnswered = true;
    const stream = this.#stream;
    const isInHand = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
    if (stream.destroyed) return isInHand ? undefined : body.discard();
    stream.respond({ ':status': status, ...outgoing(headers) }, { waitForTrailers: true });
    if (isInHand) {
      stream.once('wantTrailers', () => stream.sendTrailers({}));
      return void stream.end(body);
    }
    let trailers: HeaderList | undefined;
    stream.once('wantTrailers', () => stream.sendTrailers(trailers === undefined ? {} : outgoing(trailers)));
    const flow = body.pipe({
      onPiece: (bytes, start, end) => void stream.write(Buffer.from(bytes.subarray(start, end))),
      onReadEnd: () => !stream.writableNeedDrain,
      onEnd: (given) => ((trailers = given), void stream.end()),
      onBroken: () => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
    });
    stream.on('drain', () => flow.resume());
    this.onAbort(() => flow.cancel());
  }

  tunnel(): void {
    this.giveUp();
  }

  accept() {
    return { status: 400, headers: [], reason: 'not over this engine' } as const;
  }

  end(): void {
    this.giveUp();
  }

  giveUp(): void {
    this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }
}

function requestOf(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): ExchangeRequest {
  const authority = headers[':authority'] ?? '';
  const {
    remoteAddress = '',
    remotePort = 0,
    localAddress = '',
    localPort = 0,
  } = stream.session?.socket ?? {};
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith(':') ? [] : [value ?? []].flat().map((one) => [name, one] as const),
  );
  const host = new URL(`http://${authority}`).hostname;
  return {
    method: headers[':method'] ?? '',
    path: headers[':path'] ?? '',
    query: undefined,
    httpVersion: '2',
    scheme: 'http',
    authority,
    host: isIP(host) === 6 ? host.slice(1, -1) : host,
    headers: new PlainHeaders([['host', authority], ...lines]),
    body: bodyOf(stream),
    remoteAddress,
    remotePort,
    localAddress,
    localPort,
    isUpgrade: false,
    rawHead: undefined,
    clientCertificate: undefined,
  };
}

/** What a stream brings, as a source: it waits when it is told to, and knows whether it came whole. */
function bodyOf(stream: ServerHttp2Stream): Body {
  return createBody({
    length: stream.endAfterHeaders ? 0 : undefined,
    start(sink) {
      let trailers: HeaderList | undefined;
      stream.on('data', (piece: Buffer) => {
        sink.onPiece(piece, 0, piece.length, true);
        if (!sink.onReadEnd()) stream.pause();
      });
      stream.on('trailers', (given: IncomingHttpHeaders) => {
        trailers = new PlainHeaders(Object.entries(given).map(([name, value]) => [name, String(value)]));
      });
      // A reset ends the stream like an end; only its code tells.
      stream.once('end', () => {
        if (stream.rstCode === constants.NGHTTP2_NO_ERROR) sink.onEnd(trailers);
        else sink.onBroken(new Error('the client went away'));
      });
      // Behind an end this says nothing any more.
      stream.once('close', () => sink.onBroken(new Error('the client went away')));
      return { resume: () => void stream.resume(), cancel: () => void stream.resume() };
    },
    discard: () => void stream.resume(),
  });
}

/** HTTP/2 has no connection headers; what frames an answer is the stream. */
function outgoing(headers: HeaderList): OutgoingHttpHeaders {
  const lines = new Map<string, string[]>();
  headers.forEach((name, value) => {
    const lowerName = name.toLowerCase();
    if (!/^(?:connection|keep-alive|transfer-encoding|content-length|upgrade)$/.test(lowerName))
      lines.set(lowerName, [...(lines.get(lowerName) ?? []), value]);
  });
  return Object.fromEntries(lines);
}
