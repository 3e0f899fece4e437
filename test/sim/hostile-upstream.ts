import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { ResponseCase } from './cases.ts';
import { tokensOf } from './strict-message.ts';
import { readRequest } from './strict-request.ts';
import { readResponse } from './strict-response.ts';
import { writeInPieces } from './writing.ts';

/** A backend that answers each request with the bytes that its case prescribes. */
export interface HostileUpstream {
  readonly port: number;
  /** Prescribes the answer to `GET /r/<id>`. */
  script(id: string, answer: Pick<ResponseCase, 'input' | 'cuts' | 'ending'>): void;
  /** How often the request of that id came whole. */
  count(id: string): number;
  /** When the last byte of the answer of that id was written, by performance.now(); undefined before. */
  writtenMs(id: string): number | undefined;
  /** Requests that the strict reader could not accept, in words. */
  readonly faults: string[];
  clear(): void;
  stop(): void;
}

/** Starts one. */
export async function startHostileUpstream(): Promise<HostileUpstream> {
  const scripts = new Map<string, Pick<ResponseCase, 'input' | 'cuts' | 'ending'>>();
  const counts = new Map<string, number>();
  const written = new Map<string, number>();
  const faults: string[] = [];
  const sockets = new Set<Socket>();
  const spoiled = new WeakSet<Socket>();
  const answer = async (socket: Socket, method: string, id: string): Promise<void> => {
    if (spoiled.has(socket))
      faults.push(`a request on a connection whose last answer was not whole and alone: ${id}`);
    counts.set(id, (counts.get(id) ?? 0) + 1);
    const script = scripts.get(id);
    if (script === undefined) {
      faults.push(`a request that nobody sent: ${id}`);
      socket.destroy();
      return;
    }
    if (!isReusable(script.input, method)) spoiled.add(socket);
    await writeInPieces(socket, script.input, script.cuts);
    written.set(id, performance.now());
    if (script.ending === 'fin') socket.end();
    if (script.ending === 'reset') socket.resetAndDestroy();
  };
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    let bytes: Buffer = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (piece: Buffer) => {
      // Said goodbye already: what still comes was under way, and a server that has closed does not see it.
      if (!socket.writable) return;
      bytes = Buffer.concat([bytes, piece]);
      const reading = readRequest(bytes, 0);
      if (reading.kind === 'incomplete') return;
      if (reading.kind === 'ambiguous') {
        faults.push(reading.reason);
        socket.destroy();
        return;
      }
      bytes = bytes.subarray(reading.end);
      // The gateway does not pipeline: what comes before the answer would be a request that nobody sent.
      if (bytes.length > 0) faults.push(`bytes after a request: ${bytes.toString('latin1')}`);
      void answer(socket, reading.request.method, reading.request.target.slice('/r/'.length));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    // The address of a TCP server is never a string.
    port: (server.address() as AddressInfo).port,
    script: (id, script) => void scripts.set(id, script),
    count: (id) => counts.get(id) ?? 0,
    writtenMs: (id) => written.get(id),
    faults,
    clear: () => {
      scripts.clear();
      counts.clear();
      written.clear();
      faults.length = 0;
    },
    stop: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** RFC 9112 sections 6.3 and 9.3: after anything else than one whole answer that says nothing of closing, nobody may ask again. */
function isReusable(input: Buffer, method: string): boolean {
  const reading = readResponse(input, 0, { method, ending: 'open', blankBeforeColon: 'removed' });
  if (reading.kind !== 'complete' || reading.end < input.length) return false;
  const { version, fields } = reading.response;
  const options = tokensOf(fields, 'connection');
  return !options.includes('close') && (version === '1.1' || options.includes('keep-alive'));
}
