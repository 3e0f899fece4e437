import { LRUCache } from 'lru-cache';

import type { Clock } from '../../proto/process/clock.ts';
import type { Kept, Values } from '../policies/served.ts';

/** What an entry takes beside its key and value, nearly. */
const entryBytes = 200;

/** The memory that all caches of this process take together. */
export class CacheMemory {
  readonly #bytesMax: number;
  readonly #all = new Set<MemoryValues>();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get takenBytes(): number {
    let bytes = 0;
    for (const each of this.#all) bytes += each.bytes;
    return bytes;
  }

  enter(values: MemoryValues): void {
    this.#all.add(values);
  }

  leave(values: MemoryValues): void {
    this.#all.delete(values);
  }

  /** Makes room, where whoever takes most loses what was not asked for longest. Says whether there is some. */
  makeRoom(bytes: number): boolean {
    if (bytes > this.#bytesMax) return false;
    for (let taken = this.takenBytes; taken + bytes > this.#bytesMax; taken = this.takenBytes) {
      let largest: MemoryValues | undefined;
      for (const each of this.#all) if (each.bytes > (largest?.bytes ?? 0)) largest = each;
      largest?.forgetOne();
    }
    return true;
  }
}

interface Entry {
  readonly value: Uint8Array;
  readonly endsAtMs: number;
  askedAtMs: number;
}

/** What bounds one of them. */
interface MemoryValuesOptions {
  readonly memory: CacheMemory;
  /** 0: no bound of its own. */
  readonly entriesMax: number;
  /** An entry that nobody asks for so long goes; 0: never. */
  readonly idleMsMax: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** Values in the memory of this process, within what all of them may take together. */
export class MemoryValues implements Values {
  readonly #options: MemoryValuesOptions;
  readonly #entries = new LRUCache<string, Entry>({
    // What bounds it is the memory of all.
    maxSize: Number.MAX_SAFE_INTEGER,
    sizeCalculation: ({ value }, key) => value.length + 2 * key.length + entryBytes,
  });

  constructor(options: MemoryValuesOptions) {
    this.#options = options;
  }

  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  get(key: string): Kept {
    const { idleMsMax, clock } = this.#options;
    const entry = this.#entries.get(key);
    if (entry === undefined) return 'nothing';
    const nowMs = clock.monotonicMs();
    if (nowMs >= entry.endsAtMs || (idleMsMax > 0 && nowMs - entry.askedAtMs >= idleMsMax)) {
      this.#entries.delete(key);
      return 'nothing';
    }
    entry.askedAtMs = nowMs;
    return entry.value;
  }

  set(key: string, value: Uint8Array, lifeMs: number): void {
    const { memory, entriesMax, clock } = this.#options;
    this.#entries.delete(key);
    if (!memory.makeRoom(value.length + 2 * key.length + entryBytes)) return;
    const askedAtMs = clock.monotonicMs();
    this.#entries.set(key, { value, endsAtMs: askedAtMs + lifeMs, askedAtMs });
    if (entriesMax > 0 && this.#entries.size > entriesMax) this.forgetOne();
  }

  /** The one that was not asked for longest. */
  forgetOne(): void {
    this.#entries.pop();
  }

  clear(): void {
    this.#entries.clear();
  }
}
