import { type RefusalReason, refusals } from '../message/refusal.ts';
import type { ServerConnection } from './connection.ts';
import { refusalAnswer } from './refusal-answer.ts';

/** What is read and dropped after an answer that closes, so that the client sees the answer and no reset (RFC 9112 section 9.6). */
const lingerBytesMax = 1024 * 1024;

/**
 * The end of a connection: its last answer has left or is to come, perhaps when its record is written. What the client sends from now on
 * is read to a bound and dropped, so that no reset overtakes the answer.
 */
export class LastAnswer {
  readonly #connection: ServerConnection;
  #bytes = 0;

  constructor(connection: ServerConnection) {
    this.#connection = connection;
    connection.patience.awaitNothing();
    connection.wire.resume();
  }

  /** More of what nobody wants. */
  onBytes(count: number): void {
    this.#bytes += count;
    if (this.#bytes > lingerBytesMax) this.#connection.wire.destroy();
  }

  /** Says no with a status of our own; none is the answer's to whoever asked for its head alone. */
  refuse(reason: RefusalReason, isHead: boolean): void {
    const { wire, state } = this.#connection;
    wire.write(refusalAnswer(refusals[reason].status, state.sweep.dateLine, isHead));
    this.end();
  }

  /** Ends our side; theirs has a moment to end. */
  end(): void {
    this.#connection.patience.awaitRest();
    this.#connection.wire.end();
  }
}
