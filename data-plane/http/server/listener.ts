import { createServer, type AddressInfo, type Server } from 'node:net';
import { Fault } from '../../../proto/faults/fault.ts';
import type { RunningServer, ServerOptions } from '../exchange.ts';
import { acceptFrom } from '../socket/accept.ts';
import type { Sweep } from '../socket/sweep.ts';
import { ServerConnection } from './connection.ts';
import { ServerState } from './state.ts';
import { createTlsAcceptor } from './tls.ts';

/** Waiting connections that the kernel keeps for us. */
const backlog = 4_096;

/** Listens for HTTP/1.1. Errors: process.port_taken; config.invalid when certificates do not fit. */
export async function startListener(options: ServerOptions, sweep: Sweep): Promise<RunningServer> {
  const state = new ServerState(options, sweep);
  const acceptor = options.tls === undefined ? undefined : createTlsAcceptor(options.tls);
  acceptor?.onSecure((socket) => void new ServerConnection(socket, undefined, state));
  const server = options.listener ?? (await listen(options));
  acceptFrom(
    server,
    (socket, reading) => {
      if (!state.admits(socket.remoteAddress ?? '')) {
        state.onRefusal('too-many-connections', socket.remoteAddress ?? '');
        socket.on('error', () => undefined);
        socket.resetAndDestroy();
      } else if (acceptor !== undefined) acceptor.accept(socket);
      else void new ServerConnection(socket, reading, state);
    },
    { mayReadDirectly: acceptor === undefined },
  );
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return state.members.size;
    },
    reloadTls: (tls) => acceptor?.reload(tls),
    async close(deadlineMs, quietMs = 0) {
      server.close();
      await state.drain(deadlineMs, quietMs);
    },
  };
}

async function listen({ host, port }: ServerOptions): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: Error & { code?: string }) => {
      const isTaken = error.code === 'EADDRINUSE';
      reject(
        isTaken
          ? new Fault('process.port_taken', { detail: `Port ${port} on ${host} is in use.`, cause: error })
          : error,
      );
    });
    server.listen({ port, host, backlog }, resolve);
  });
  return server;
}
