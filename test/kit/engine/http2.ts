import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  createServer,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';

import type { ServerHttp2, UpstreamHttp2 } from '../../../data-plane/http/exchange.ts';

/** HTTP/2 in every way, with bounds that no test of a conversation meets by accident. */
export const http2Defaults: ServerHttp2 = {
  alpn: true,
  hasHttp11: true,
  clearText: true,
  streamsMax: 100,
  streamWindowBytes: 65_535,
  cancelsMax: 1_000,
  cancelsPerSecondMax: 1_000,
  controlFramesPerSecondMax: 1_000,
};

/** An upstream that speaks HTTP/2, as a definition that says nothing more has it. */
export const upstreamHttp2: UpstreamHttp2 = {
  isRequired: false,
  streamsMax: undefined,
  connectionWindowBytes: undefined,
  streamWindowBytes: undefined,
  frameBytesMax: undefined,
};

/** An answer as a client of HTTP/2 has it. */
export interface Http2Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders & IncomingHttpStatusHeader;
  readonly text: string;
  readonly trailers: IncomingHttpHeaders | undefined;
}

/** A client; without certificate authorities it believes every server. */
export function openHttp2(
  t: Pick<TestContext, 'after'>,
  port: number,
  options: SecureClientSessionOptions & { readonly isTls?: boolean; readonly localAddress?: string } = {},
): ClientHttp2Session {
  const scheme = options.isTls === true ? 'https' : 'http';
  const client = connect(`${scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false, ...options });
  client.on('error', () => undefined);
  t.after(() => client.destroy());
  return client;
}

/** Asks one request whose body, and trailers, are in hand. */
export async function askHttp2(
  client: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  { body, trailers }: { readonly body?: string | Buffer; readonly trailers?: OutgoingHttpHeaders } = {},
): Promise<Http2Answer> {
  const stream = client.request(headers, {
    endStream: body === undefined && trailers === undefined,
    waitForTrailers: trailers !== undefined,
  });
  if (trailers !== undefined) stream.once('wantTrailers', () => stream.sendTrailers(trailers));
  if (body !== undefined || trailers !== undefined) stream.end(body);
  return answerOfHttp2(stream);
}

/** Reads an answer to its end. Errors: what ended the stream before. */
export async function answerOfHttp2(stream: ClientHttp2Stream): Promise<Http2Answer> {
  let trailers: IncomingHttpHeaders | undefined;
  stream.on('trailers', (given: IncomingHttpHeaders) => (trailers = given));
  const ended = once(stream, 'end');
  const closed = once(stream, 'close');
  // Whoever waits for the head hears of it.
  for (const promise of [ended, closed]) promise.catch(() => undefined);
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders & IncomingHttpStatusHeader];
  let text = '';
  stream.setEncoding('latin1').on('data', (part: string) => (text += part));
  await ended;
  await closed;
  assert.equal(stream.rstCode, 0);
  return { status: headers[':status'], headers, text, trailers };
}

/** A backend that speaks HTTP/2 in clear text. */
export async function startHttp2Backend(
  t: Pick<TestContext, 'after'>,
  onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]) => void,
  settings: Parameters<typeof createServer>[0] = {},
) {
  const server = createServer(settings);
  const open = new Set<Socket>();
  let sessions = 0;
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.on('session', (session) => {
    sessions += 1;
    session.on('error', () => undefined);
  });
  // oxlint-disable-next-line max-params -- Node's
  server.on('stream', (stream, headers, _flags, raw: unknown) => {
    stream.on('error', () => undefined);
    onStream(stream, headers, raw as readonly string[]);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, open, sessions: () => sessions };
}

/** Reads what a stream brings, to its end. */
export async function textOf(stream: ServerHttp2Stream): Promise<string> {
  let text = '';
  stream.setEncoding('latin1').on('data', (part: string) => (text += part));
  await once(stream, 'end');
  return text;
}
