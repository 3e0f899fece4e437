import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { Clock } from '../clock.ts';
import { type AnswerLimits, AnswerPace } from './answer-pace.ts';
import { leftBytesOf, unsentBytesOf } from './counting-handle.ts';

/** How often readers are looked at: cheap, since only those are that an answer waits for. */
const lookEveryMs = 500;

/** A connection of which an answer is under way. */
interface Reader {
  readonly pace: AnswerPace;
  answers: number;
}

/**
 * Cuts off who does not take the answer that he has asked for, or takes it by single bytes: he would hold a connection and the answer for as
 * long as he likes, since Node waits anew with every byte. Connections that became WebSockets are their owner's to bound.
 */
export function boundReaders(server: Server, limits: AnswerLimits, clock: Pick<Clock, 'monotonicMs'>): void {
  const readers = new Map<Socket, Reader>();
  const leave = (socket: Socket, reader: Reader): void => {
    reader.answers -= 1;
    if (reader.answers === 0) readers.delete(socket);
  };
  server.prependListener('request', ({ socket }: IncomingMessage, answer: ServerResponse) => {
    const reader = readers.get(socket) ?? { pace: new AnswerPace(), answers: 0 };
    reader.answers += 1;
    readers.set(socket, reader);
    answer.once('close', () => leave(socket, reader));
  });
  const timer = setInterval(() => {
    const nowMs = clock.monotonicMs();
    for (const [socket, { pace }] of readers) {
      const unsentBytes = unsentBytesOf(socket);
      if (pace.isStuck({ unsentBytes, leftBytes: leftBytesOf(socket) }, nowMs, limits)) socket.destroy();
    }
  }, lookEveryMs).unref();
  server.once('close', () => clearInterval(timer));
}
