import type { Clock } from '../../proto/process/clock.ts';
import { Probing } from '../redis/probing.ts';
import type { Count, CounterRule } from './limiter.ts';

/** One question to counters that somebody else keeps. */
export interface Take {
  readonly environment: string;
  readonly key: string;
  readonly rule: CounterRule;
  readonly amount: number;
}

/** Who keeps them, and how long he is waited for. */
export interface ByTurnOptions {
  /** Asks for all takes of one turn; answers in their order, undefined for one that failed, and rejects when nobody can be asked. */
  readonly send: (takes: readonly Take[]) => Promise<readonly (Count | undefined)[]>;
  /** Longest wait for an answer. */
  readonly waitMsMax: number;
  /** Most takes that wait for an answer. */
  readonly waitingMax: number;
  readonly clock: Pick<Clock, 'after'>;
  /** He is late, or cannot be asked; told once until he answers again. */
  readonly onAway: (why: unknown) => void;
  readonly onBack: () => void;
  /** A take that was asked and not answered, or too late; once for each. Cheaper than to wait for its rejection. */
  readonly onUnanswered?: () => void;
  /**
   * Asks for nothing that counts. Given, who was late or failed once is asked for nothing else until this is answered in time, so that no
   * more requests wait for him. Default: he is asked again once he has answered everything.
   */
  readonly probe?: () => Promise<unknown>;
}

interface Batch {
  readonly takes: Take[];
  readonly waiting: { readonly resolve: (count: Count) => void; readonly reject: (error: unknown) => void }[];
  isOver: boolean;
}

/**
 * Asks for all that one turn of the event loop takes in one message.
 *
 * Who is late once is not waited for again until he has answered all that he was asked: a store that hangs costs one wait, not one per
 * request.
 */
export class ByTurn {
  readonly #options: ByTurnOptions;
  #next: Batch | undefined;
  /** Takes that were not answered, late ones included. */
  #waiting = 0;
  #isLate = false;
  #isTold = false;
  /** Undefined where nobody is probed. */
  readonly #probing: Probing | undefined;

  constructor(options: ByTurnOptions) {
    this.#options = options;
    const { probe } = options;
    const onAnswered = (): void => {
      this.#isLate = false;
      this.#back();
    };
    this.#probing = probe && new Probing({ ...options, probe, onAnswered });
  }

  /** Undefined when it is not asked: the store is late, or too many wait. Rejects when the answer is late or there is none. */
  take(take: Take): Promise<Count> | undefined {
    if (this.#isLate || this.#isProbed || this.#waiting >= this.#options.waitingMax) return undefined;
    const batch = (this.#next ??= this.#begin());
    this.#waiting += 1;
    batch.takes.push(take);
    return new Promise((resolve, reject) => void batch.waiting.push({ resolve, reject }));
  }

  /** Probes no more. */
  close(): void {
    this.#probing?.close();
  }

  get #isProbed(): boolean {
    return this.#probing?.isOn === true;
  }

  #begin(): Batch {
    setImmediate(() => this.#send());
    return { takes: [], waiting: [], isOver: false };
  }

  #send(): void {
    const batch = this.#next;
    this.#next = undefined;
    if (batch === undefined) return;
    const { send, clock, waitMsMax } = this.#options;
    // After a turn in which this process was the late one, the answer may lie there unread: it is read before anybody is blamed.
    const late = clock.after(waitMsMax, () => setImmediate(() => this.#late(batch)));
    void send(batch.takes).then(
      (counts) => {
        late();
        this.#answered(batch, counts);
      },
      (error: unknown) => {
        late();
        this.#failed(batch, error);
      },
    );
  }

  #late(batch: Batch): void {
    if (batch.isOver) return;
    this.#isLate = true;
    this.#refuse(batch, new Error(`no answer within ${this.#options.waitMsMax} ms`));
  }

  #answered(batch: Batch, counts: readonly (Count | undefined)[]): void {
    if (!batch.isOver)
      batch.waiting.forEach(({ resolve, reject }, index) => {
        const count = counts[index];
        if (count !== undefined) return resolve(count);
        reject(new Error('an answer is missing'));
        this.#options.onUnanswered?.();
      });
    this.#leave(batch);
    if (this.#waiting > 0 || this.#isProbed) return;
    this.#back();
  }

  #back(): void {
    if (!this.#isTold) return;
    this.#isTold = false;
    this.#options.onBack();
  }

  #failed(batch: Batch, error: unknown): void {
    if (!batch.isOver) this.#refuse(batch, error);
    this.#leave(batch);
  }

  #refuse(batch: Batch, error: unknown): void {
    batch.isOver = true;
    for (const { reject } of batch.waiting) {
      reject(error);
      this.#options.onUnanswered?.();
    }
    this.#probing?.begin();
    if (this.#isTold) return;
    this.#isTold = true;
    this.#options.onAway(error);
  }

  #leave(batch: Batch): void {
    batch.isOver = true;
    this.#waiting -= batch.takes.length;
    if (this.#waiting === 0) this.#isLate = false;
  }
}
