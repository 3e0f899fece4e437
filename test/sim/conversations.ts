import { connect, type Socket } from 'node:net';
import { writeInPieces } from './writing.ts';

/** What one client heard, and how it ended. */
export interface Heard {
  readonly bytes: Buffer;
  /** fin and reset: the gateway ended it that way; hung: nobody did within the bound. */
  readonly endedBy: 'fin' | 'reset' | 'hung';
  /** The client had said that nothing more comes before the gateway closed. */
  readonly hasHalfClosed: boolean;
}

/** What a client is to do. */
export interface Talk {
  readonly port: number;
  readonly input: Buffer;
  readonly cuts: readonly number[];
  readonly ending: 'wait' | 'half-close' | 'reset';
  /** Receives the client's port before its first byte is sent. */
  readonly onPort: (port: number) => void;
  /**
   * What the client still waits for. answer: an exchange that runs. exchange: one that ought to begin. refusal: one that
   * comes, or not before the client closes when the engine still waits for the end of something. nothing: it may close.
   */
  readonly awaits: () => 'answer' | 'exchange' | 'refusal' | 'nothing';
}

/** No conversation needs longer; one that does hangs. */
const conversationMsMax = 10_000;
/** Time between two looks at all conversations. */
const tickMs = 4;
/**
 * Looks in a row without news before a client closes; each is a turn of the event loop of its own. To close before an
 * exchange has begun would abort it, so that wait is longer than any stall of a busy machine.
 */
const quietTicks = { nothing: 3, refusal: 50, exchange: 700 };

interface Running {
  readonly talk: Talk;
  readonly startedMs: number;
  quiet: number;
  isWritten: boolean;
  finish(endedBy: Heard['endedBy']): void;
  halfClose(): void;
}

/** Clients that talk to the gateway, and the one clock that judges when each of them has nothing more to wait for. */
export class Conversations {
  readonly #running = new Set<Running>();
  readonly #timer = setInterval(() => this.#tick(), tickMs);

  /** Runs one conversation to its end; never rejects. */
  run(talk: Talk): Promise<Heard> {
    return new Promise((resolve) => {
      const socket = connect({ port: talk.port, host: '127.0.0.1', noDelay: true });
      const pieces: Buffer[] = [];
      let hasHalfClosed = false;
      let endedBy: Heard['endedBy'] = 'fin';
      const running: Running = {
        talk,
        startedMs: performance.now(),
        quiet: 0,
        isWritten: false,
        finish: (how) => {
          endedBy = how;
          socket.destroy();
        },
        halfClose: () => {
          if (hasHalfClosed) return;
          hasHalfClosed = true;
          socket.end();
        },
      };
      this.#running.add(running);
      socket.on('data', (piece: Buffer) => {
        pieces.push(piece);
        running.quiet = 0;
      });
      // A write that fails (EPIPE) after the gateway closed is no reset of what was heard: reads say how it ended.
      socket.on('error', (error: Error & { code?: string }) => {
        if (error.code === 'ECONNRESET' && !hasEnded(socket)) endedBy = 'reset';
      });
      socket.once('close', () => {
        this.#running.delete(running);
        resolve({ bytes: Buffer.concat(pieces), endedBy, hasHalfClosed });
      });
      socket.once('connect', () => {
        talk.onPort(socket.localPort ?? 0);
        void writeInPieces(socket, talk.input, talk.cuts).then(() => {
          running.isWritten = true;
          running.quiet = 0;
          if (talk.ending === 'half-close') running.halfClose();
          if (talk.ending === 'reset') socket.resetAndDestroy();
        });
      });
    });
  }

  /** Stops the clock; conversations that run are left to their sockets. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now = performance.now();
    for (const running of this.#running) {
      if (now - running.startedMs > conversationMsMax) running.finish('hung');
      else if (running.isWritten) this.#look(running);
    }
  }

  #look(running: Running): void {
    const awaited = running.talk.awaits();
    if (awaited === 'answer') running.quiet = 0;
    else if ((running.quiet += 1) >= quietTicks[awaited]) running.halfClose();
  }
}

function hasEnded(socket: Socket): boolean {
  return socket.readableEnded;
}
