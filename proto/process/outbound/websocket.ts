import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';

import { Fault } from '../../faults/fault.ts';
import { createGathered } from '../../wire/gathered.ts';
import type { Dial } from './dial.ts';

/** One WebSocket. */
export interface WebSocketOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
  /** From the first byte of the handshake to its answer; connecting has its own bound. */
  readonly handshakeMs: number;
  /** Ends the handshake; once open, the socket is the caller's to close. */
  readonly signal?: AbortSignal | undefined;
  readonly maxPayloadBytes: number;
}

/** What a server answered instead of switching protocols. */
export interface HandshakeRefusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** At most 64 KiB of it. */
  readonly body: string;
}

const refusals = new WeakMap<object, HandshakeRefusal>();
const refusalBytesMax = 64 * 1024;
/** Fragments of one message: each keeps the whole read of the socket in memory of which it is a part, however small it is. */
const fragmentsMax = 64;

/** The server's answer when an error is a refused handshake; undefined for any other error. */
export function refusalOf(error: unknown): HandshakeRefusal | undefined {
  return typeof error === 'object' && error !== null ? refusals.get(error) : undefined;
}

/** Dials and shakes hands; compression is off because frames are compressed or random already. */
export async function openWebSocket(url: URL, dial: Dial, options: WebSocketOptions): Promise<WebSocket> {
  const connection = await dial(url, options.signal);
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, [...(options.protocols ?? [])], {
      headers: { ...options.headers },
      maxPayload: options.maxPayloadBytes,
      maxFragments: fragmentsMax,
      perMessageDeflate: false,
      followRedirects: false,
      createConnection: () => connection,
    });
    const stop = (reason: unknown): void => {
      reject(reason);
      socket.terminate();
      connection.destroy();
    };
    const onAbort = (): void => stop(options.signal?.reason);
    // Not ws's own handshakeTimeout: it rests on the socket's, which a connection that exists already does not take over.
    const timer = setTimeout(() => {
      stop(new Fault('outbound.timeout', { internal: `WebSocket ${url.origin}: ${options.handshakeMs} ms` }));
    }, options.handshakeMs);
    const settle = (): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
    };
    options.signal?.addEventListener('abort', onAbort, { once: true });
    if (options.signal?.aborted === true) onAbort();
    socket.once('open', () => {
      settle();
      socket.off('error', onError);
      // The server's first frame may have come with the handshake; it waits until the caller had a turn to listen.
      socket.pause();
      setImmediate(() => socket.resume());
      resolve(socket);
    });
    const onError = (error: Error): void => {
      settle();
      connection.destroy();
      reject(
        new Fault('outbound.unreachable', {
          internal: `WebSocket ${url.origin}: ${error.message}`,
          cause: error,
        }),
      );
    };
    socket.on('error', onError);
    socket.once('unexpected-response', (_request, answer) => {
      void readRefusal(answer).then((refusal) => {
        settle();
        const fault = new Fault('outbound.handshake_refused', {
          internal: `WebSocket ${url.origin}: ${refusal.status}`,
        });
        refusals.set(fault, refusal);
        stop(fault);
      });
    });
  });
}

async function readRefusal(answer: IncomingMessage): Promise<HandshakeRefusal> {
  const gathered = createGathered();
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      gathered.add(chunk);
      if (gathered.length >= refusalBytesMax) break;
    }
  } catch {
    // The status alone is worth as much to the caller as a body that broke off.
  }
  const headers = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
  return {
    status: answer.statusCode ?? 0,
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: gathered.take(refusalBytesMax).toString(),
  };
}
