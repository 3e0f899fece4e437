import type { Clock } from '../../../proto/process/clock.ts';
import { type SentEvent, sentEvent } from './event.ts';

/** Why a stream ends: its process does, it has lasted long enough, or its reader may not read it any more. */
export type EndReason = 'shutdown' | 'life' | 'rights';

/** What a stream holds for a reader who is slower than what happens. */
export const queueBounds = { events: 64, characters: 262_144 } as const;
/** How often something is sent, so that nobody between takes the connection for a dead one. */
export const heartbeatMs = 15_000;
/** When a reader whose stream broke comes back. */
const retryMs = 2_000;

/** What a stream is made with. */
export interface StreamOptions {
  readonly clock: Pick<Clock, 'after'>;
  readonly lifeMsMax: number;
  /** Called once, however it ends. */
  readonly onClosed: () => void;
}

/**
 * Events for one reader, who takes them one by one.
 *
 * What he does not take in time waits: of a state the newest, of other events as many as {@link queueBounds} let; the oldest beyond that are
 * dropped, and the next thing that he gets is `skipped` with their number.
 */
export class EventStream implements AsyncIterableIterator<string> {
  readonly #options: StreamOptions;
  readonly #cancels: (() => void)[];
  #queue: SentEvent[] = [];
  #characters = 0;
  #skipped = 0;
  #isEnding = false;
  #isClosed = false;
  #waiting: ((result: IteratorResult<string, undefined>) => void) | undefined;
  #cancelBeat: () => void = () => undefined;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#cancels = [options.clock.after(options.lifeMsMax, () => this.end('life'))];
    this.#put({ name: 'retry', kind: 'state', text: `retry: ${retryMs}\n\n` });
    this.#beat();
  }

  get isOpen(): boolean {
    return !this.#isEnding && !this.#isClosed;
  }

  push(event: SentEvent): void {
    if (!this.isOpen) return;
    if (event.kind === 'state') this.#remove(this.#queue.findIndex(({ name }) => name === event.name));
    this.#put(event);
    while (this.#isFull()) {
      const oldest = this.#queue.findIndex(({ kind }) => kind === 'each');
      if (oldest === -1) break;
      this.#remove(oldest);
      this.#skipped += 1;
    }
    this.#hand();
  }

  /** Counts what nobody sends: there was more at once than one look takes. */
  skip(count: number): void {
    if (!this.isOpen || count <= 0) return;
    this.#skipped += count;
    this.#hand();
  }

  /** Says why, and ends; what waits is sent before. */
  end(reason: EndReason): void {
    if (!this.isOpen) return;
    this.#put(sentEvent({ name: 'end', kind: 'state', data: { reason } }));
    this.#isEnding = true;
    this.#hand();
  }

  next(): Promise<IteratorResult<string, undefined>> {
    const result = this.#take();
    if (result !== undefined) return Promise.resolve(result);
    return new Promise((resolve) => (this.#waiting = resolve));
  }

  /** The reader has gone. */
  return(): Promise<IteratorResult<string, undefined>> {
    this.#close();
    this.#waiting?.({ done: true, value: undefined });
    this.#waiting = undefined;
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(): IteratorResult<string, undefined> | undefined {
    if (this.#isClosed) return { done: true, value: undefined };
    if (this.#skipped > 0) {
      const { text } = sentEvent({ name: 'skipped', kind: 'state', data: { count: this.#skipped } });
      this.#skipped = 0;
      return { done: false, value: text };
    }
    const next = this.#queue[0];
    if (next !== undefined) {
      this.#remove(0);
      return { done: false, value: next.text };
    }
    if (!this.#isEnding) return undefined;
    this.#close();
    return { done: true, value: undefined };
  }

  #hand(): void {
    if (this.#waiting === undefined) return;
    const result = this.#take();
    if (result === undefined) return;
    this.#waiting(result);
    this.#waiting = undefined;
  }

  #put(event: SentEvent): void {
    this.#queue.push(event);
    this.#characters += event.text.length;
  }

  #remove(at: number): void {
    if (at === -1) return;
    const [gone] = this.#queue.splice(at, 1);
    this.#characters -= gone?.text.length ?? 0;
  }

  #isFull(): boolean {
    return this.#queue.length > queueBounds.events || this.#characters > queueBounds.characters;
  }

  /** A comment, where nobody is busy with something else. */
  #beat(): void {
    this.#cancelBeat = this.#options.clock.after(heartbeatMs, () => {
      if (this.#queue.length === 0) this.#put({ name: 'beat', kind: 'state', text: ':\n\n' });
      this.#hand();
      this.#beat();
    });
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#queue = [];
    this.#cancelBeat();
    for (const cancel of this.#cancels) cancel();
    this.#options.onClosed();
  }
}
