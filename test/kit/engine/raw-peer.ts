import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { connect as connectTls } from 'node:tls';

/** How a connection ended, as the one who did not end it sees it. */
export type Ending = 'fin' | 'reset';

/** One end of a raw connection, and all that it received. */
export class Peer {
  readonly socket: Socket;
  /** Resolves when the other side has ended or cut the connection. */
  readonly ended: Promise<Ending>;
  /** Monotonic ms of that. */
  endedAtMs: number | undefined = undefined;
  #text = '';

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1').on('data', (part: string) => (this.#text += part));
    this.ended = new Promise((resolve) => {
      const end = (how: Ending): void => {
        this.endedAtMs ??= performance.now();
        resolve(how);
      };
      socket.once('end', () => end('fin'));
      socket.on('error', () => end('reset'));
      socket.once('close', () => end('reset'));
    });
  }

  get text(): string {
    return this.#text;
  }

  write(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Leaves in one of the two ways that TCP knows. */
  leave(how: Ending): void {
    if (how === 'fin') this.socket.end();
    else this.socket.resetAndDestroy();
  }

  /** Waits for a part, the `times`-th one. */
  async until(part: string, times = 1): Promise<void> {
    while (this.#text.split(part).length <= times) {
      if (this.endedAtMs !== undefined)
        throw new Error(`ended after ${JSON.stringify(this.#text)}, without ${part}`);
      await Promise.race([once(this.socket, 'data').catch(() => undefined), this.ended]);
    }
  }
}

/** A backend whose connections are handed out one by one; the test is its program. */
export async function startBackend(t: Pick<TestContext, 'after'>) {
  const waiting: Peer[] = [];
  const takers: ((peer: Peer) => void)[] = [];
  const open = new Set<Socket>();
  let accepted = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const peer = new Peer(socket);
    accepted += 1;
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    // Half open so that an end is seen as one; what was ended is closed all the same.
    socket.once('end', () => socket.end());
    const taker = takers.shift();
    if (taker === undefined) waiting.push(peer);
    else taker(peer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    open: () => open.size,
    next: (): Promise<Peer> => {
      const peer = waiting.shift();
      return peer === undefined ? new Promise((resolve) => takers.push(resolve)) : Promise.resolve(peer);
    },
  };
}

/** Connects and sends the first bytes. */
// oxlint-disable-next-line max-params -- a test's own shorthand
export async function openPeer(
  t: Pick<TestContext, 'after'>,
  { port, from, isTls = false }: { readonly port: number; readonly from: string; readonly isTls?: boolean },
  first: string,
): Promise<Peer> {
  const where = { port, host: '127.0.0.1', localAddress: from };
  const socket = isTls ? connectTls({ ...where, rejectUnauthorized: false }) : connect(where);
  t.after(() => socket.destroy());
  const peer = new Peer(socket);
  await once(socket, isTls ? 'secureConnect' : 'connect');
  if (first !== '') peer.write(first);
  return peer;
}

/** Some turns of the event loop: on loopback what was written in this process has been read by then. */
export async function turns(count = 5): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Whether a receiver may take a message, of a request or an answer, for whole. */
export function isWhole(text: string): boolean {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return false;
  const head = text.slice(0, headEnd);
  if (/^transfer-encoding: chunked$/im.test(head)) return /(?:^|\r\n)0\r\n(?:[^\r\n]+\r\n)*\r\n$/.test(text);
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
  return text.length >= headEnd + 4 + length;
}
