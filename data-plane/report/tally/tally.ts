import { closeSync, constants, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { privateFileMode } from '../../../proto/process/disk/durable-file.ts';
import { thisProcess } from '../../../proto/spool/owner.ts';
import type { Part, Tenant } from '../messages.ts';
import { encodeTally, encodeUnwritten, tallyFile, type Unwritten, unwrittenAt } from './tally-content.ts';
import type { Unheld } from '../queue.ts';

/** What a tally needs. */
export interface TallyOptions {
  /** A folder in memory; undefined where there is none: nothing is counted then. */
  readonly dir: string | undefined;
  /** Where the spools lie. */
  readonly root: string;
  /** It could not be written: a kill now loses records that nobody will tell. */
  readonly onTrouble: (error: unknown) => void;
}

interface Count {
  readonly at: Tenant;
  readonly unwritten: { -readonly [Key in keyof Unwritten]: Unwritten[Key] };
  file: number | undefined;
}

/**
 * Counts the records of answers that left before they were written, where kill -9 takes nothing from: in memory of the kernel.
 *
 * While the spool takes records in time there is nothing to count, and no file. From the moment in which answers leave without waiting
 * until the last of their records is written there is one file per spool; every answer that leaves is counted in it first (one system
 * call of about 1 us, which no disk can stall). Who keeps the spools up compares it with what a killed process came to write
 * (`tallies.ts`).
 */
export class Tally implements Unheld {
  readonly #options: TallyOptions;
  readonly #counts = new Map<string, Count>();
  /** Answers leave without waiting. */
  #isOpen = false;
  /** There are files. */
  #isKept = false;

  constructor(options: TallyOptions) {
    this.#options = options;
  }

  begin(waiting: Iterable<{ readonly at: Tenant; readonly count: number }>): void {
    if (this.#options.dir === undefined) return;
    this.#isOpen = true;
    this.#isKept = true;
    for (const { unwritten } of this.#counts.values()) unwritten.waiting = 0;
    for (const { at, count } of waiting) this.#of(at).unwritten.waiting += count;
    this.#saveAll();
  }

  added(at: Tenant): void {
    if (!this.#isOpen) return;
    const count = this.#of(at);
    count.unwritten.waiting += 1;
    this.#save(count);
  }

  end(): void {
    this.#isOpen = false;
    this.#settle();
  }

  /** These go to the thread next, the gap records in front. */
  sent(gaps: readonly Part[], parts: readonly Part[]): void {
    for (const gap of gaps) {
      const { unwritten } = this.#of(gap);
      unwritten.inFlight += gap.count;
      unwritten.droppedInFlight = unwritten.dropped;
      unwritten.dropped = 0;
    }
    for (const part of parts) {
      const { unwritten } = this.#of(part);
      unwritten.inFlight += part.count;
      unwritten.waiting = Math.max(0, unwritten.waiting - part.count);
    }
    this.#saveAll();
  }

  /** What was sent last is written. */
  written(): void {
    for (const { unwritten } of this.#counts.values()) {
      unwritten.written += unwritten.inFlight;
      unwritten.inFlight = 0;
      unwritten.droppedInFlight = 0;
    }
    this.#saveAll();
    this.#settle();
  }

  /** What was sent last has not come to the thread. */
  unsent(): void {
    for (const { unwritten } of this.#counts.values()) {
      unwritten.dropped += unwritten.droppedInFlight;
      unwritten.inFlight = 0;
      unwritten.droppedInFlight = 0;
    }
    this.#saveAll();
  }

  /** Records that waited were dropped; a gap record will say so. */
  dropped(count: number, at: Tenant): void {
    const { unwritten } = this.#of(at);
    unwritten.waiting = Math.max(0, unwritten.waiting - count);
    unwritten.dropped += count;
    this.#saveAll();
  }

  /** The process ends. What it did not come to write is told by the next one. */
  close(): void {
    this.#isOpen = false;
    this.#settle();
  }

  /** Once everything that was answered is written there is nothing to be known any more. */
  #settle(): void {
    if (!this.#isKept || this.#isOpen) return;
    for (const { unwritten } of this.#counts.values())
      if (unwritten.waiting > 0 || unwrittenAt(unwritten, unwritten.written) > 0) return;
    this.#isKept = false;
    for (const count of this.#counts.values()) this.#remove(count);
  }

  #of(at: Tenant): Count {
    const known = this.#counts.get(at.spool);
    if (known !== undefined) return known;
    const { stream, organization, environment, spool } = at;
    const count: Count = {
      at: { stream, organization, environment, spool },
      unwritten: { written: 0, inFlight: 0, droppedInFlight: 0, waiting: 0, dropped: 0 },
      file: undefined,
    };
    this.#counts.set(spool, count);
    return count;
  }

  #saveAll(): void {
    if (this.#isKept) for (const count of this.#counts.values()) this.#save(count);
  }

  #save(count: Count): void {
    const { dir, root, onTrouble } = this.#options;
    if (dir === undefined) return;
    try {
      if (count.file !== undefined) {
        const { bytes, position } = encodeUnwritten(count.unwritten);
        writeSync(count.file, bytes, 0, bytes.length, position);
        return;
      }
      // Most environments of a gateway have no request in such a moment.
      if (unwrittenAt(count.unwritten, count.unwritten.written) === 0) return;
      const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
      // Others may write into that folder: nothing of theirs is opened.
      count.file = openSync(
        join(dir, tallyFile(count.at.spool)),
        O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY,
        privateFileMode,
      );
      const bytes = encodeTally({ ...count.at, root, ...thisProcess() }, count.unwritten);
      writeSync(count.file, bytes, 0, bytes.length, 0);
    } catch (error) {
      onTrouble(error);
    }
  }

  #remove(count: Count): void {
    const { dir, onTrouble } = this.#options;
    if (count.file === undefined || dir === undefined) return;
    try {
      closeSync(count.file);
      count.file = undefined;
      unlinkSync(join(dir, tallyFile(count.at.spool)));
    } catch (error) {
      onTrouble(error);
    }
  }
}
