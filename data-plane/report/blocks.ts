import { batchHeadBytes } from '../../proto/spool/segment.ts';
import type { Part, Tenant } from './messages.ts';

/** Room of a block; small enough that dropping the oldest drops little, large enough that a turn is one. */
const blockBytes = 256 * 1024;
/** Blocks that are kept for the next turns. */
const freeMax = 8;

/**
 * Lines of one tenant in memory that the spool thread can read: nothing is copied or cloned on the way to it.
 *
 * In front is room for the head of the batch that the thread writes.
 */
export class Block {
  readonly at: Tenant;
  readonly memory: Buffer;
  used = batchHeadBytes;
  count = 0;

  constructor(at: Tenant, memory: Buffer) {
    this.at = at;
    this.memory = memory;
  }

  /** Adds a line; false when it may not fit. */
  add(line: string): boolean {
    // UTF-8 takes at most three bytes for a UTF-16 unit.
    if (this.memory.length - this.used < line.length * 3) return false;
    this.used += this.memory.write(line, this.used, 'utf8');
    this.count += 1;
    return true;
  }

  get part(): Part {
    return { ...this.at, bytes: this.memory.subarray(0, this.used), count: this.count };
  }
}

/** Lends the memory of blocks, again and again. */
export class Blocks {
  readonly #free: Buffer[] = [];

  /** A block with room for a line of that length. */
  take(at: Tenant, lineLength: number): Block {
    const bytes = batchHeadBytes + lineLength * 3;
    const memory = bytes <= blockBytes ? this.#free.pop() : undefined;
    return new Block(at, memory ?? Buffer.from(new SharedArrayBuffer(Math.max(blockBytes, bytes))));
  }

  /** Takes it back once the thread has written it, or it was dropped. */
  give({ memory }: Block): void {
    if (memory.length === blockBytes && this.#free.length < freeMax) this.#free.push(memory);
  }
}

/** A part of one line. */
export function partOf(at: Tenant, line: string): Part {
  const bytes = Buffer.alloc(batchHeadBytes + Buffer.byteLength(line));
  bytes.write(line, batchHeadBytes);
  return { ...at, bytes, count: 1 };
}
