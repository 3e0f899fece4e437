import { type Server, Socket, type SocketConstructorOpts } from 'node:net';

import { Reading } from './wire.ts';

/**
 * Takes connections before Node wraps them, so that they can read into the shared buffer.
 *
 * Node offers `onread` for outgoing connections only. An accepted handle given to `new Socket({ handle, onread })` does
 * the same; the one private thing is `server._handle.onconnection`, where the handle arrives. Where a later Node has
 * no such place, connections come by the 'connection' event and read by 'data' events: slower, no less right.
 * `accept.test.ts` fails when that happens.
 */
export function acceptFrom(
  server: Server,
  onSocket: (socket: Socket, reading: Reading | undefined) => void,
  /** False where another layer reads first, as TLS does. */
  { mayReadDirectly }: { readonly mayReadDirectly: boolean },
): 'onread' | 'events' {
  const handle: unknown = Reflect.get(server, '_handle');
  if (!mayReadDirectly || !isListening(handle)) {
    server.on('connection', (socket) => {
      socket.setNoDelay(true);
      onSocket(socket, undefined);
    });
    return 'events';
  }
  handle.onconnection = (status, accepted) => {
    // A negative status is an errno, e.g. no file descriptor is left; libuv has made room and goes on listening.
    if (status !== 0 || accepted === undefined) return;
    const reading = new Reading();
    const options = { handle: accepted, onread: reading, allowHalfOpen: false };
    const socket = new Socket(options as SocketConstructorOpts);
    socket.setNoDelay(true);
    onSocket(socket, reading);
  };
  return 'onread';
}

interface ListeningHandle {
  onconnection: (status: number, accepted: object | undefined) => void;
}

function isListening(handle: unknown): handle is ListeningHandle {
  return (
    typeof handle === 'object' &&
    handle !== null &&
    'onconnection' in handle &&
    typeof handle.onconnection === 'function'
  );
}
