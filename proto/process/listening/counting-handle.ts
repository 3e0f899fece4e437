import type { Socket } from 'node:net';

/** Node's handle that gives bytes to the kernel. */
interface CountingHandle {
  /** All that it was given. */
  readonly bytesWritten: number;
  /** What of it the kernel has not taken. */
  readonly writeQueueSize: number;
}

/**
 * The handle of a socket; private, so that a later Node may have none.
 *
 * Over TLS it is the one below: TLS encrypts a write at once, however long, and counts it as a whole until its last byte has left.
 */
function countingHandleOf(socket: Socket): CountingHandle | undefined {
  let handle: unknown = Reflect.get(socket, '_handle');
  for (let below = handle; isObject(below); below = Reflect.get(below, '_parent')) handle = below;
  return isCounting(handle) ? handle : undefined;
}

/** Bytes that have gone to the kernel since the connection began, over TLS encrypted ones; undefined where the handle does not tell. */
export function leftBytesOf(socket: Socket): number | undefined {
  const handle = countingHandleOf(socket);
  return handle === undefined ? undefined : handle.bytesWritten - handle.writeQueueSize;
}

/**
 * More than the bytes that have not gone to the kernel, of which it shows when they move: `writableLength` counts a write until all of it has
 * gone. What libuv holds is told by the handle only; without it a long write seems to stand still.
 */
export function unsentBytesOf(socket: Socket): number {
  return socket.writableLength + (countingHandleOf(socket)?.writeQueueSize ?? 0);
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const isCounting = (handle: unknown): handle is CountingHandle =>
  isObject(handle) &&
  'bytesWritten' in handle &&
  typeof handle.bytesWritten === 'number' &&
  'writeQueueSize' in handle &&
  typeof handle.writeQueueSize === 'number';
