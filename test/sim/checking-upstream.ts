import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { valuesOf } from './strict-message.ts';
import { readRequest, type StrictHead, type StrictRequest } from './strict-request.ts';

/** The header in which the gateway names each exchange; servers behind it send it back. */
export const idHeader = 'X-Fuzz-Id';

/** Something that came from the gateway and is no single request. */
export interface UpstreamFault {
  readonly reason: string;
  /** The id in the head, where there was a sound one. */
  readonly id: string | undefined;
  /** The id of the request before it on the same connection. */
  readonly previousId: string | undefined;
  readonly bytes: string;
}

/** The strict independent server: what it saw by exchange, and what it could not accept. */
export interface CheckingUpstream {
  readonly port: number;
  /** Whole requests by exchange id; more than one when it came more than once. */
  readonly seen: Map<string, StrictRequest[]>;
  /** Ambiguous bytes. */
  readonly faults: UpstreamFault[];
  /** Beginnings of requests that never became whole, by id where the head was. */
  readonly partial: UpstreamFault[];
  /** Forgets everything. */
  clear(): void;
  stop(): void;
}

/**
 * Starts a server that reads only what RFC 9112 leaves no choice about, records each request, and answers 200.
 *
 * Its answers alternate between a length, chunks, and both kinds of HEAD, and name the exchange that they are for.
 */
export async function startCheckingUpstream(): Promise<CheckingUpstream> {
  const seen = new Map<string, StrictRequest[]>();
  const faults: UpstreamFault[] = [];
  const partial: UpstreamFault[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    let bytes: Buffer = Buffer.alloc(0);
    let previousId: string | undefined;
    const report = (reason: string, head: StrictHead | undefined): UpstreamFault => ({
      reason,
      id: head === undefined ? undefined : idOf(head),
      previousId,
      bytes: bytes.toString('latin1'),
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      if (bytes.length === 0) return;
      const reading = readRequest(bytes, 0);
      partial.push(
        report(
          'the connection ended within a request',
          reading.kind === 'complete' ? undefined : reading.head,
        ),
      );
    });
    socket.on('data', (piece: Buffer) => {
      bytes = bytes.length === 0 ? piece : Buffer.concat([bytes, piece]);
      while (bytes.length > 0) {
        const reading = readRequest(bytes, 0);
        if (reading.kind === 'incomplete') return;
        if (reading.kind === 'ambiguous') {
          faults.push(report(reading.reason, reading.head));
          bytes = Buffer.alloc(0);
          socket.destroy();
          return;
        }
        const id = idOf(reading.request);
        if (id === undefined) faults.push(report('a request without an id', reading.request));
        const key = id ?? 'none';
        seen.set(key, [...(seen.get(key) ?? []), reading.request]);
        previousId = id;
        bytes = bytes.subarray(reading.end);
        socket.write(answerTo(reading.request, key), 'latin1');
        if (reading.request.isLast) socket.end();
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    // The address of a TCP server is never a string.
    port: (server.address() as AddressInfo).port,
    seen,
    faults,
    partial,
    clear: () => {
      seen.clear();
      faults.length = 0;
      partial.length = 0;
    },
    stop: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function idOf(head: StrictHead): string | undefined {
  const ids = valuesOf(head.fields, idHeader.toLowerCase());
  return ids.length === 1 ? ids[0] : undefined;
}

function answerTo(request: StrictRequest, id: string): string {
  const body = `${request.method} ${id}`;
  const isChunked = request.body.length % 2 === 1 && request.version === '1.1';
  const framing = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
  const payload = isChunked ? `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body;
  return `HTTP/1.1 200 OK\r\n${idHeader}: ${id}\r\n${framing}\r\n\r\n${request.method === 'HEAD' ? '' : payload}`;
}
