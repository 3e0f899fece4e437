import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import { Server, type Socket } from 'node:net';

import type { Clock } from '../clock.ts';

/** How an HTTP listener ends. */
export interface Drain {
  /**
   * Stops listening, lets answers in flight end, and cuts what is left after {@link drainMsMax}. Every answer from now on says
   * `Connection: close`.
   *
   * quietMs: how long a connection without a request stays open: its next request may have been sent already, and is answered.
   */
  close(clock: Clock, quietMs?: number): Promise<void>;
}

/** Longest wait for answers that are on their way when a listener closes; then their connections are cut. */
export const drainMsMax = 5_000;

/** Follows the answers of a listener from its start. */
export function createDrain(server: HttpServer): Drain {
  const open = new Set<ServerResponse>();
  // Node counts a connection that has sent nothing yet among the busy ones.
  const fresh = new Map<string, Socket>();
  let isClosing = false;
  const tell = (answer: ServerResponse): void => {
    if (!answer.headersSent) answer.setHeader('Connection', 'close');
  };
  server.on('connection', (socket) => {
    const name = nameOf(socket);
    fresh.set(name, socket);
    socket.once('close', () => fresh.delete(name));
  });
  server.on('upgrade', ({ socket }) => fresh.delete(nameOf(socket)));
  // Before whoever answers: he may do it in the same turn.
  server.prependListener('request', ({ socket }: IncomingMessage, answer: ServerResponse) => {
    fresh.delete(nameOf(socket));
    if (isClosing) return tell(answer);
    open.add(answer);
    answer.once('close', () => open.delete(answer));
  });
  const retire = (): void => {
    server.closeIdleConnections();
    for (const socket of fresh.values()) socket.destroy();
  };
  return {
    async close(clock, quietMs = 0) {
      isClosing = true;
      for (const answer of open) tell(answer);
      // Not the HTTP server's own: it closes connections without a request at once, and resets whoever is just sending one.
      const closed = new Promise<void>((resolve) => {
        if (server.listening) Server.prototype.close.call(server, () => resolve());
        else resolve();
      });
      const cancels = [
        // Once more in a while: an answer that had begun before leaves its connection open.
        ...[quietMs, quietMs + 100, quietMs + 1_000].map((ms) => clock.after(ms, retire)),
        clock.after(quietMs + drainMsMax, () => server.closeAllConnections()),
      ];
      if (quietMs === 0) retire();
      await closed;
      for (const cancel of cancels) cancel();
    },
  };
}

/** A connection of TLS has the address and port of the TCP connection under it. */
const nameOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
