import type { ChildProcess, SendHandle } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import net, { type Server } from 'node:net';
import { getSystemErrorName } from 'node:util';

import { invariant } from '../../proto/faults/fault.ts';
import { listenFault, type ListenWish } from '../../proto/process/listen.ts';
import { type ServersConfig, serversOf } from '../servers/settings.ts';
import type { ToWorker } from './messages.ts';

/** The listening sockets of all servers of a gateway with workers. */
export interface SharedListeners {
  /** By the id of the server. */
  readonly ports: ReadonlyMap<string, number>;
  /** Sends a worker its duplicate of each. */
  give(child: ChildProcess): void;
  /** May be called twice. */
  close(): void;
}

/** Binds the addresses of all servers, or none. Errors: as {@link openListener}, with the setting of the server. */
export async function openListeners(config: ServersConfig): Promise<SharedListeners> {
  const opened = new Map<string, SharedListener>();
  const close = (): void => opened.forEach((listener) => listener.close());
  const servers = serversOf(config);
  try {
    for (const server of servers) opened.set(server.id, await openListener(server));
  } catch (error) {
    close();
    throw error;
  }
  return {
    ports: new Map([...opened].map(([id, { port }]) => [id, port])),
    give(child) {
      [...opened].forEach(([server, listener], index) =>
        listener.give(child, { kind: 'listen', server, isLast: index === opened.size - 1 }),
      );
    },
    close,
  };
}

/**
 * The listening socket of a server of a gateway with workers. The primary keeps it open and accepts nothing itself; each worker gets a
 * duplicate and accepts from the one queue that they share.
 *
 * So a worker can go or be killed without a connection that nobody has accepted being lost, and while none is left
 * connections wait in the queue and are not refused.
 */
export interface SharedListener {
  readonly port: number;
  /** Sends a worker its duplicate with the message. */
  give(child: ChildProcess, message: ToWorker): void;
  /** May be called twice. Workers' duplicates stay open. */
  close(): void;
}

/** Most connections that wait to be accepted; the operating system may hold fewer. */
const backlog = 511;

/** What node:cluster opens listeners with: bound, and not accepting. */
interface Handle {
  getsockname(out: { port?: number }): number;
  close(): void;
}
type CreateHandle = (address: string, port: number, family: 4 | 6) => Handle | number;

/**
 * Binds the address. It begins to listen when the first worker does.
 *
 * A `net.Server` of our own will not do: it accepts as soon as it listens, so the primary would compete for connections that
 * it does not serve. Node has no public way to a socket that is bound only, but node:cluster's; listener.test.ts fails
 * when it changes.
 * Errors: process.port_taken, also later from the first worker; process.port_refused.
 */
export async function openListener(at: ListenWish): Promise<SharedListener> {
  const refused = (error: unknown): unknown => listenFault(error, at);
  const { address, family } = await lookup(at.host).catch((error: unknown) => {
    throw refused(error);
  });
  const open = '_createServerHandle' in net ? (net._createServerHandle as CreateHandle) : undefined;
  invariant(open !== undefined, 'this Node opens listening handles in another way; see workers/listener.ts');
  const handle = open(address, at.port, family === 6 ? 6 : 4);
  if (typeof handle === 'number') throw refused(systemError(handle, at));
  const name: { port?: number } = {};
  const fault = handle.getsockname(name);
  if (fault !== 0 || name.port === undefined) {
    handle.close();
    throw refused(systemError(fault, at));
  }
  let isClosed = false;
  return {
    port: name.port,
    give(child, message) {
      // A worker that is just starting while everything ends needs none.
      if (isClosed) return;
      // The type knows servers and sockets only; node:cluster sends bare handles in this way.
      child.send(message, handle as unknown as SendHandle);
    },
    close() {
      isClosed = true;
      handle.close();
    },
  };
}

/**
 * Begins to accept on a handle that came with a message, in a worker.
 *
 * Errors: emitted by the server, EADDRINUSE among them when somebody else listens there.
 */
export function acceptOn(handle: unknown): Server {
  // Half-open connections are the engine's to judge, as on a listener of its own.
  return net.createServer({ allowHalfOpen: true, noDelay: true }).listen(handle, backlog);
}

function systemError(code: number, { host, port }: ListenWish): Error {
  const name = getSystemErrorName(code);
  return Object.assign(new Error(`listen ${name}: ${host}:${port}`), { code: name });
}
