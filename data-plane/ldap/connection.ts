import type { Socket } from 'node:net';

import { elementBytes, tags } from './ber.ts';
import { type LdapEntry, type LdapRequest, messageOf, readMessage, unbindOperation } from './messages.ts';

/** What a server answered to one request. */
export interface LdapAnswer {
  /** Of RFC 4511 appendix A. */
  readonly code: number;
  readonly entries: readonly LdapEntry[];
}

/** All that a server may answer to one request. */
const answerBytesMax = 256 * 1024;

interface Waiting {
  readonly id: number;
  readonly answeredBy: number;
  readonly entries: LdapEntry[];
  readonly resolve: (answer: LdapAnswer) => void;
  readonly reject: (error: unknown) => void;
  bytes: number;
}

/**
 * A connection to a directory, on which one request runs at a time.
 *
 * What a server sends is cut into messages here, whose length is known before they are gathered. Whoever says what nobody asked for, too
 * much, or what is no message, is left.
 */
export class LdapConnection {
  readonly #socket: Socket;
  #pieces: Buffer[] = [];
  #gathered = 0;
  #nextId = 1;
  #waiting: Waiting | undefined;
  #broken: unknown;
  #isLost = false;
  /** Told once, when nothing more comes of it. */
  onGone: () => void = () => undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', this.#onData).on('error', this.#onError).on('close', this.#onClose);
  }

  get isOpen(): boolean {
    return this.#broken === undefined && !this.#socket.destroyed;
  }

  /** The other side ended it, or what lies between. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Errors: what the connection ended with. */
  ask({ operation, answeredBy }: LdapRequest): Promise<LdapAnswer> {
    return new Promise((resolve, reject) => {
      if (!this.isOpen || this.#waiting !== undefined) return reject(this.#broken ?? new Error('is closed'));
      const id = this.#nextId;
      this.#nextId = id === 0x7f_ff_ff_ff ? 1 : id + 1;
      this.#waiting = { id, answeredBy, entries: [], resolve, reject, bytes: 0 };
      this.#socket.ref().write(messageOf(id, operation));
    });
  }

  /** Ends it, also for who waits. */
  leave(why: unknown): void {
    if (this.#broken !== undefined) return;
    this.#broken = why;
    if (this.#waiting === undefined && !this.#socket.destroyed)
      this.#socket.end(messageOf(this.#nextId, unbindOperation));
    this.#socket.destroySoon();
    if (this.#waiting !== undefined) this.#socket.destroy();
    this.#waiting?.reject(why);
    this.#waiting = undefined;
    this.onGone();
  }

  /**
   * Gives the socket back, to be secured. Errors: Error when more has come than was asked for: whoever stands between could have said it,
   * and it would be taken for the server's own.
   */
  giveBack(): Socket {
    if (this.#gathered > 0) throw new Error('something came before the connection was secured');
    this.#broken = new Error('was given back');
    return this.#socket.off('data', this.#onData).off('error', this.#onError).off('close', this.#onClose);
  }

  /** Nobody uses it: it keeps no process alive. */
  rest(): void {
    this.#socket.unref();
  }

  readonly #onError = (error: Error): void => this.#lose(error);
  readonly #onClose = (): void => this.#lose(new Error('the connection was closed'));

  #lose(why: Error): void {
    this.#isLost ||= this.#broken === undefined;
    this.leave(why);
  }

  readonly #onData = (piece: Buffer): void => {
    this.#pieces.push(piece);
    this.#gathered += piece.length;
    try {
      this.#takeMessages();
    } catch (error) {
      this.leave(error);
    }
  };

  #takeMessages(): void {
    while (this.#broken === undefined) {
      let [head] = this.#pieces;
      if (head === undefined) return;
      if (head.length < 6 && this.#gathered > head.length)
        this.#pieces = [(head = Buffer.concat(this.#pieces))];
      if (head[0] !== tags.sequence) throw new Error('what came is no message');
      const length = elementBytes(head);
      if (length !== undefined && length > answerBytesMax) throw new Error('a message is too long');
      if (length === undefined || this.#gathered < length) return;
      const all = this.#pieces.length === 1 ? head : Buffer.concat(this.#pieces);
      this.#pieces = all.length === length ? [] : [all.subarray(length)];
      this.#gathered = all.length - length;
      this.#take(all.subarray(0, length));
    }
  }

  #take(bytes: Buffer): void {
    const waiting = this.#waiting;
    const message = readMessage(bytes);
    if (message.id !== waiting?.id) throw new Error('a message came that nobody asked for');
    waiting.bytes += bytes.length;
    if (waiting.bytes > answerBytesMax) throw new Error('an answer is too long');
    if (message.kind === 'entry') waiting.entries.push(message.entry);
    if (message.kind !== 'result') return;
    if (message.tag !== waiting.answeredBy) throw new Error('a message answers something else');
    this.#waiting = undefined;
    waiting.resolve({ code: message.code, entries: waiting.entries });
  }
}
