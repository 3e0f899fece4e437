import type { Socket } from 'node:net';

/**
 * Writes bytes in the pieces that the cuts make, with a turn of the event loop between them, so that the reader sees each
 * piece by itself. Stops when the socket is gone.
 */
export function writeInPieces(socket: Socket, bytes: Buffer, cuts: readonly number[]): Promise<void> {
  return new Promise((resolve) => {
    const places = [...cuts, bytes.length];
    let from = 0;
    let index = 0;
    const next = (): void => {
      const to = places[index];
      if (to === undefined || !socket.writable) return resolve();
      if (to > from) socket.write(bytes.subarray(from, to));
      from = to;
      index += 1;
      // Two turns: one in which the reader's poll finds the piece, one in which it has worked on it.
      if (index < places.length) setImmediate(() => setImmediate(next));
      else resolve();
    };
    next();
  });
}
