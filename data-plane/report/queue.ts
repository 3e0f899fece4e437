import type { Clock } from '../../proto/process/clock.ts';
import { type Block, Blocks } from './blocks.ts';
import { holdFor } from './hold.ts';
import type { Part, Tenant } from './messages.ts';

/** What a queue needs. */
export interface QueueOptions {
  readonly clock: Clock;
  /** Undefined: nobody waits. */
  readonly holdMs: number | undefined;
  readonly bytesMax: number;
  /** Hands lines to the thread; called again only after `written`. */
  readonly send: (parts: readonly Part[]) => void;
  readonly onState: (isDegraded: boolean) => void;
  /** Is told of answers that leave before their record is written, before they do. */
  readonly unheld?: Unheld | undefined;
  /** Records that were dropped since the memory was full, oldest first. */
  readonly onDropped: (count: number, at: Tenant) => void;
  /** Something threw on the way although nothing should; whoever waited is released. Does not throw. */
  readonly onThrown: (error: unknown) => void;
}

/** Counts answers that nobody holds back although their record is not written. Does not throw. */
export interface Unheld {
  /** From now on nobody waits, those neither who have waited for these lines so far. */
  begin(waiting: Iterable<{ readonly at: Tenant; readonly count: number }>): void;
  /** One more. */
  added(at: Tenant): void;
  /** From now on everybody waits again. */
  end(): void;
}

/** Lines on their way to the spool thread. */
export interface SpoolQueue {
  /** Adds a line. The promise resolves when it is written, or after holdMs of a running event loop; undefined when nobody should wait. */
  add(at: Tenant, line: string): Promise<void> | undefined;
  /** The thread has written what was sent last. */
  written(): void;
  /** Resolves when nothing is waiting or in flight. */
  drained(): Promise<void>;
  readonly isDegraded: boolean;
  readonly bytes: number;
}

const messageBytesMax = 1024 * 1024;
/** How long lines gather while the event loop has other work; an idle one sends them at once. */
const gatherMsMax = 1;

/** Those who wait for the same write. */
interface Turn {
  readonly promise: Promise<void>;
  readonly release: () => void;
}

/**
 * Gathers lines and sends them as one message; while a message is in flight the next one gathers.
 *
 * Waking the thread costs as much as several requests. So lines gather as long as every turn of the event loop brings more of them, at
 * most `gatherMsMax`: a busy gateway sends some dozens at a time, one with a single request sends it in the next turn.
 *
 * When a write takes longer than the hold, everybody is released and the queue is degraded: lines gather in a bounded
 * ring and nobody waits, until a write returns in time again. The hold counts only time in which the event loop ran.
 */
export function createSpoolQueue(options: QueueOptions): SpoolQueue {
  return new GatheringQueue(options);
}

class GatheringQueue implements SpoolQueue {
  readonly #options: QueueOptions;
  readonly #blocks = new Blocks();
  readonly #waiting: Block[] = [];
  #bytes = 0;
  #gathering: Turn | undefined;
  #inFlight:
    | {
        readonly turn: Turn | undefined;
        readonly sentAtMs: number;
        readonly bytes: number;
        readonly blocks: readonly Block[];
      }
    | undefined;
  #isScheduled = false;
  /** Lines since the start. */
  #added = 0;
  #gatherSinceMs = 0;
  #isDegraded = false;
  #idle: (() => void)[] = [];

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  get isDegraded(): boolean {
    return this.#isDegraded;
  }

  get bytes(): number {
    return this.#bytes + (this.#inFlight?.bytes ?? 0);
  }

  add(at: Tenant, line: string): Promise<void> | undefined {
    this.#append(at, line);
    this.#added += 1;
    this.#schedule();
    if (this.#isDegraded) this.#options.unheld?.added(at);
    if (this.#isDegraded || this.#options.holdMs === undefined) return undefined;
    this.#gathering ??= this.#openTurn(this.#options.holdMs);
    return this.#gathering.promise;
  }

  written(): void {
    const sent = this.#inFlight;
    if (sent === undefined) return;
    this.#inFlight = undefined;
    for (const block of sent.blocks) this.#blocks.give(block);
    sent.turn?.release();
    const isInTime = this.#options.clock.monotonicMs() - sent.sentAtMs <= (this.#options.holdMs ?? Infinity);
    if (this.#isDegraded && isInTime) this.#setDegraded(false);
    if (this.#waiting.length > 0) this.#schedule();
    else for (const resolve of this.#idle.splice(0)) resolve();
  }

  drained(): Promise<void> {
    if (this.#inFlight === undefined && this.#waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #append(at: Tenant, line: string): void {
    let block = this.#waiting.findLast((open) => open.at.spool === at.spool);
    const before = block?.used ?? 0;
    if (block === undefined || !block.add(line)) {
      block = this.#blocks.take(at, line.length);
      block.add(line);
      this.#waiting.push(block);
      this.#bytes += block.used;
    } else this.#bytes += block.used - before;
    while (this.#bytes > this.#options.bytesMax && this.#waiting.length > 1) {
      const oldest = this.#waiting.shift();
      if (oldest === undefined) return;
      this.#bytes -= oldest.used;
      this.#blocks.give(oldest);
      this.#options.onDropped(oldest.count, oldest.at);
    }
  }

  #schedule(): void {
    if (this.#inFlight !== undefined || this.#isScheduled) return;
    this.#isScheduled = true;
    this.#gatherSinceMs = this.#options.clock.monotonicMs();
    this.#lookAgain();
  }

  /** A pending setImmediate keeps the event loop from sleeping: a turn that brings no line says that there is nothing else to do. */
  #lookAgain(): void {
    const seen = this.#added;
    setImmediate(() =>
      this.#run(() => {
        const gatheredMs = this.#options.clock.monotonicMs() - this.#gatherSinceMs;
        if (this.#added !== seen && gatheredMs < gatherMsMax) this.#lookAgain();
        else this.#send();
      }),
    );
  }

  /** Runs what a timer began: what is thrown ends no process, and holds up no answer. */
  #run(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#options.onThrown(error);
      this.#gathering?.release();
      this.#gathering = undefined;
      this.#isScheduled = false;
    }
  }

  /** Called when something waits and nothing is in flight. */
  #send(): void {
    this.#isScheduled = false;
    const blocks: Block[] = [];
    let bytes = 0;
    while (bytes < messageBytesMax) {
      const block = this.#waiting.shift();
      if (block === undefined) break;
      blocks.push(block);
      bytes += block.used;
    }
    this.#bytes -= bytes;
    // Lines that did not fit go with the next message, and whoever waits for one of them waits for that.
    const turn = this.#waiting.length === 0 ? this.#gathering : undefined;
    if (turn !== undefined) this.#gathering = undefined;
    this.#inFlight = { turn, sentAtMs: this.#options.clock.monotonicMs(), bytes, blocks };
    try {
      this.#options.send(blocks.map((block) => block.part));
    } catch (error) {
      // They are lost; those behind them are not.
      turn?.release();
      this.#inFlight = undefined;
      if (this.#waiting.length > 0) this.#schedule();
      for (const block of blocks) {
        this.#run(() => this.#options.onDropped(block.count, block.at));
        this.#blocks.give(block);
      }
      throw error;
    }
  }

  #openTurn(holdMs: number): Turn {
    const { promise, resolve } = Promise.withResolvers<void>();
    let isOpen = true;
    const cancel = holdFor(this.#options.clock, holdMs, () => {
      // A busy event loop fires timers before it reads messages: the write may be done. Give it one turn to say so.
      setImmediate(() =>
        this.#run(() => {
          if (isOpen) this.#setDegraded(true);
        }),
      );
    });
    const release = (): void => {
      isOpen = false;
      cancel();
      resolve();
    };
    return { promise, release };
  }

  #setDegraded(isDegraded: boolean): void {
    if (isDegraded) {
      if (!this.#isDegraded) this.#options.unheld?.begin(this.#waiting);
      this.#gathering?.release();
      this.#gathering = undefined;
      this.#inFlight?.turn?.release();
    }
    if (this.#isDegraded === isDegraded) return;
    this.#isDegraded = isDegraded;
    if (!isDegraded) this.#options.unheld?.end();
    this.#options.onState(isDegraded);
  }
}
