import type { OnThrown } from '../exchange.ts';

/** Something that waits: looked at some times a second, so that no wait costs a timer. */
export interface Swept {
  onSweep(nowMs: number): void;
  /** Its look threw; see `OnThrown`. */
  onThrown(error: unknown): void;
}

/** Between two looks. Every wait of the engine may last this much longer, and never less than it should. */
const sweepMs = 100;

/**
 * The engine's one timer: a coarse clock, the lag of the event loop, and a look at every connection.
 *
 * Setting a deadline is an assignment, and 20,000 connections cost about 2 ms of looking a second; a timer per phase of a
 * request would cost more than parsing its head.
 */
export class Sweep {
  /**
   * Monotonic milliseconds of the next look, at most `sweepMs` ahead. To be added to: a wait that is counted from the last look
   * would end before its time.
   */
  nowMs = performance.now() + sweepMs;
  /** How late the last look was. */
  lagMs = 0;
  /** `Date: ...\r\n`, RFC 9110 section 6.6.1. */
  dateLine = dateLine();
  /** Everything of an engine knows its sweep, so what was thrown is told here. Never throws. */
  readonly tellThrown: OnThrown;
  readonly #members = new Set<Swept>();
  #timer: NodeJS.Timeout | undefined = undefined;
  #second = Math.trunc(Date.now() / 1_000);

  constructor(onThrown: OnThrown) {
    this.tellThrown = (error) => {
      try {
        onThrown(error);
      } catch {
        // Whoever listens cannot even be told that he cannot be told.
      }
    };
  }

  /** The same without its name. */
  get date(): string {
    return this.dateLine.slice('Date: '.length, -2);
  }

  /** Runs what a timer began: what is thrown is told and goes no further. */
  run(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.tellThrown(error);
    }
  }

  add(member: Swept): void {
    this.#members.add(member);
    if (this.#timer !== undefined) return;
    this.nowMs = performance.now() + sweepMs;
    // Nobody looked while nobody waited, so the date is as old as the last connection.
    this.#tellDate();
    this.#timer = setInterval(() => this.#look(), sweepMs).unref();
  }

  delete(member: Swept): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.lagMs = 0;
  }

  #look(): void {
    const nowMs = performance.now();
    this.lagMs = Math.max(0, nowMs - this.nowMs);
    this.nowMs = nowMs + sweepMs;
    this.#tellDate();
    for (const member of this.#members) {
      try {
        member.onSweep(nowMs);
      } catch (error) {
        member.onThrown(error);
      }
    }
  }

  #tellDate(): void {
    const second = Math.trunc(Date.now() / 1_000);
    if (second === this.#second) return;
    this.#second = second;
    this.dateLine = dateLine();
  }
}

function dateLine(): string {
  return `Date: ${new Date().toUTCString()}\r\n`;
}
