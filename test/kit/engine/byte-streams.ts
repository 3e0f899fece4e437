import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request as plainRequest } from 'node:http';
import { createServer as createTlsServer, request as tlsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';

/** A body of `bytes` pseudo-random bytes, and how it is framed and read. */
export interface StreamWish {
  readonly bytes: number;
  readonly framing: 'length' | 'chunked';
  /** Called before each piece is read; what it returns is waited for. Default: read as fast as it comes. */
  readonly pace?: ((bytesRead: number) => Promise<void> | undefined) | undefined;
}

/** What arrived. */
export interface StreamSeen {
  readonly bytes: number;
  readonly sha256: string;
}

const pieceBytes = 256 * 1024;
// Longer than a piece, so that each piece can begin at another place: one that is lost or swapped changes the hash.
const source = randomBytes(pieceBytes + 251);

function* pieces(bytes: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes; at += pieceBytes) {
    const turn = (at / pieceBytes) % 251;
    yield source.subarray(turn, turn + Math.min(pieceBytes, bytes - at));
  }
}

/** What arrives when all of it does. */
export function wholeStream(bytes: number): StreamSeen {
  const hash = createHash('sha256');
  for (const piece of pieces(bytes)) hash.update(piece);
  return { bytes, sha256: hash.digest('hex') };
}

/** Writes a body with back-pressure; `onMove` hears of every piece that the socket took. */
export async function writeStream(
  to: Writable,
  bytes: number,
  onMove?: (bytesSent: number) => void,
): Promise<void> {
  let sent = 0;
  for (const piece of pieces(bytes)) {
    if (to.destroyed) return;
    sent += piece.length;
    const isFull = !to.write(piece);
    onMove?.(sent);
    if (isFull) await drained(to);
  }
  to.end();
}

/** Resolves when there is room again, or when there never will be. */
function drained(to: Writable): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      to.off('drain', done).off('close', done);
      resolve();
    };
    to.on('drain', done).on('close', done);
  });
}

/** Reads a body to its end; rejects when it breaks off. */
export async function readStream(from: Readable, pace?: StreamWish['pace']): Promise<StreamSeen> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const part of from) {
    const wait = pace?.(bytes);
    if (wait !== undefined) await wait;
    hash.update(part as Buffer);
    bytes += (part as Buffer).length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** A backend of long bodies: PUT swallows one, GET sends one. */
export interface StreamBackend {
  readonly port: number;
  /** What the next GET sends and how the next PUT is read. */
  next: StreamWish;
  /** Bytes that the last GET has handed to its socket. */
  readonly sentBytes: () => number;
}

/** Starts one; with a certificate it speaks TLS. A PUT is answered with `{bytes, sha256}` of what it read. */
export async function startStreamBackend(
  t: Pick<TestContext, 'after'>,
  tls?: { readonly cert: string; readonly key: string },
): Promise<StreamBackend> {
  let sentBytes = 0;
  const backend = {
    port: 0,
    next: { bytes: 0, framing: 'length' } as StreamWish,
    sentBytes: () => sentBytes,
  };
  const serve = async (incoming: IncomingMessage, outgoing: Writable & Head): Promise<void> => {
    const { bytes, framing, pace } = backend.next;
    if (incoming.method === 'PUT') return void outgoing.end(JSON.stringify(await readStream(incoming, pace)));
    incoming.resume();
    outgoing.writeHead(200, framing === 'length' ? { 'content-length': bytes } : {});
    sentBytes = 0;
    await writeStream(outgoing, bytes, (sent) => (sentBytes = sent));
  };
  const onRequest = (incoming: IncomingMessage, outgoing: Writable & Head): void =>
    void serve(incoming, outgoing).catch(() => outgoing.destroy());
  const server = tls === undefined ? createServer(onRequest) : createTlsServer({ ...tls }, onRequest);
  server.requestTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => (server.closeAllConnections(), server.close()));
  backend.port = (server.address() as AddressInfo).port;
  return backend;
}

interface Head {
  writeHead(status: number, headers: Readonly<Record<string, string | number>>): unknown;
}

/** Sends a body to `url` and reads what the backend says it read. `onMove` hears of every piece that left. */
export async function putStream(
  url: string,
  { bytes, framing }: StreamWish,
  onMove?: (bytesSent: number) => void,
): Promise<StreamSeen> {
  const call = request(url, 'PUT', framing === 'length' ? { 'content-length': bytes } : {});
  const answered = once(call, 'response') as Promise<[IncomingMessage]>;
  await Promise.all([answered, writeStream(call, bytes, onMove)]);
  const [answer] = await answered;
  const text = Buffer.concat(await answer.toArray()).toString();
  if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}: ${text}`);
  return JSON.parse(text) as StreamSeen;
}

/** Reads the body at `url` at a pace. */
export async function getStream(url: string, pace?: StreamWish['pace']): Promise<StreamSeen> {
  const call = request(url, 'GET', {});
  call.end();
  const [answer] = (await once(call, 'response')) as [IncomingMessage];
  if (answer.statusCode !== 200) throw new Error(String(answer.statusCode));
  return readStream(answer, pace);
}

/** One body up and one down, compared by hash. */
export async function upAndDown(
  { backend, url }: { readonly backend: StreamBackend; readonly url: string },
  wish: StreamWish,
  pace?: StreamWish['pace'],
): Promise<void> {
  const whole = wholeStream(wish.bytes);
  backend.next = { ...wish, pace };
  assert.deepEqual(await putStream(url, wish), whole, 'up');
  assert.deepEqual(await getStream(url, pace), whole, 'down');
}

function request(url: string, method: string, headers: Readonly<Record<string, string | number>>) {
  const options = { method, headers, agent: false } as const;
  return url.startsWith('https:')
    ? tlsRequest(url, { ...options, rejectUnauthorized: false })
    : plainRequest(url, options);
}
