import type { RawData, WebSocket } from 'ws';
import type { Clock } from './clock.ts';
import { createRate } from './rate.ts';

/** A WebSocket that is read only as fast as it may bring something. */
export interface Reading {
  /** Reads nothing more for now, whoever else has a reason to; repeated calls do nothing. */
  hold(): void;
  /** Goes on, unless it is ahead of its rate. */
  release(): void;
}

/** How much the other side may bring. */
export interface ReadingBounds {
  /** Frames a second: messages, pings and pongs. */
  readonly framesPerSecondMax: number;
  /** A message counts once more for each of these. */
  readonly frameCostBytes: number;
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>;
}

/**
 * Pauses a socket that brings more than its rate. Back-pressure and no refusal: who is honest may have much to say at once, and
 * says it a moment later.
 *
 * What one read of the socket brought is given out all the same, thousands of small frames, so it is made up for afterwards.
 */
export function readInTime(socket: WebSocket, bounds: ReadingBounds): Reading {
  const { framesPerSecondMax, frameCostBytes, clock } = bounds;
  const rate = createRate(framesPerSecondMax, clock);
  let isHeld = false;
  let cancelPause: (() => void) | undefined;
  const settle = (): void => {
    const mayRead = !isHeld && cancelPause === undefined;
    if (mayRead && socket.isPaused) socket.resume();
    else if (!mayRead && !socket.isPaused) socket.pause();
  };
  const count = (bytes: number): void => {
    const waitMs = rate.charge(1 + bytes / frameCostBytes);
    if (waitMs === 0) return;
    cancelPause?.();
    cancelPause = clock.after(waitMs, () => {
      cancelPause = undefined;
      settle();
    });
    settle();
  };
  socket.on('message', (message) => count(bytesOf(message).length));
  socket.on('ping', () => count(0)).on('pong', () => count(0));
  socket.on('close', () => cancelPause?.());
  return {
    hold: () => ((isHeld = true), settle()),
    release: () => ((isHeld = false), settle()),
  };
}

/** The bytes of a message in whichever form ws gives them. */
export function bytesOf(message: RawData): Uint8Array {
  if (Array.isArray(message)) return Buffer.concat(message);
  return message instanceof ArrayBuffer ? new Uint8Array(message) : message;
}
