import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** Answers in place of the server behind. */
export type StrangersAnswer = (incoming: IncomingMessage, outgoing: ServerResponse) => void;

/** Somebody in between who answers himself, or lets pass; upgrades never pass. */
export interface Stranger {
  readonly url: string;
  /** Undefined lets everything pass. */
  answers(answer: StrangersAnswer | undefined): void;
  /** Cuts the connection under bodies of more bytes. */
  cutsAbove(bytes: number): void;
  /** Never takes bodies of more bytes to their end. */
  stallsAbove(bytes: number): void;
  /** Answers to bodies of more bytes with a page, 413 unless told. */
  refusesAbove(bytes: number, status?: number): void;
  /** What becomes of the answers to uploads that pass. */
  answersGo(where: 'through' | 'astray' | 'nowhere'): void;
  /** Requests seen. */
  count(): number;
}

/** Starts one in front of a server; it stops with the test. */
export async function startStranger(t: Pick<TestContext, 'after'>, target: string): Promise<Stranger> {
  let answer: StrangersAnswer | undefined;
  let bytesMax = Infinity;
  let stallBytes = Infinity;
  let refusedBytes = Infinity;
  let refusedStatus = 413;
  let answersGo = 'through';
  let count = 0;
  const server = createServer((incoming, outgoing) => {
    // A shipper proves who it is beside its uploads; what strangers do is done to uploads.
    const isAbout = !/^\/bridge\/v1\/(nonce|seat)$/.test(incoming.url ?? '');
    if (isAbout) count += 1;
    if (Number(incoming.headers['content-length'] ?? 0) > bytesMax)
      return void incoming.once('data', () => incoming.socket.resetAndDestroy());
    if (Number(incoming.headers['content-length'] ?? 0) > stallBytes) return void incoming.pause();
    if (Number(incoming.headers['content-length'] ?? 0) > refusedBytes) {
      incoming.resume();
      return void incoming.once('end', () =>
        outgoing.writeHead(refusedStatus, { 'content-type': 'text/html' }).end(),
      );
    }
    if (answer !== undefined && isAbout) {
      incoming.resume();
      return void incoming.once('end', () => answer?.(incoming, outgoing));
    }
    const { method, headers } = incoming;
    if (headers.upgrade !== undefined) return void outgoing.writeHead(501).end();
    const onward = request(new URL(incoming.url ?? '/', target), { method, headers }, (real) => {
      if (isAbout && answersGo !== 'through') {
        real.resume();
        return void (answersGo === 'astray' && real.once('end', () => incoming.socket.destroy()));
      }
      outgoing.writeHead(real.statusCode ?? 502, real.headers);
      real.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), new Promise((resolve) => server.close(resolve))));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answers: (next) => void (answer = next),
    cutsAbove: (bytes) => void (bytesMax = bytes),
    stallsAbove: (bytes) => void (stallBytes = bytes),
    refusesAbove(bytes, status = 413) {
      refusedBytes = bytes;
      refusedStatus = status;
    },
    answersGo: (where) => void (answersGo = where),
    count: () => count,
  };
}
