import { hash } from 'node:crypto';

/** Of the token that was asked for last: the plans of one API ask for the same one after another. */
let last = { token: '', hash: '' };

/** The SHA-256 of a token: all that is kept of one. */
function hashOf(token: string): string {
  if (token !== last.token) last = { token, hash: hash('sha256', token, 'base64') };
  return last.hash;
}

/** First 8 hex digits of a token's SHA-256, for records. */
export function hash8Of(token: string): string {
  return Buffer.from(hashOf(token).slice(0, 8), 'base64').toString('hex', 0, 4);
}

/** What a text takes at most, with where it lies. */
export function textBytes(text: string): number {
  return 32 + 2 * text.length;
}

/** What an entry takes beside what is known of its token, nearly: its hash and its place in the map. */
const entryBytes = 200;
/** A part of the whole is freed at once, so that a flood of tokens does not look for the largest each time. */
const freedPart = 16;

/** The memory that the known tokens of all plans of this process take together. */
export class TokenMemory {
  readonly #bytesMax: number;
  readonly #all = new Set<SeenTokens<unknown>>();
  #takenBytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** Of `owner`, who takes so much more, or less when negative. */
  take(owner: SeenTokens<unknown>, bytes: number): void {
    this.#takenBytes += bytes;
    if (owner.size === 0) this.#all.delete(owner);
    else this.#all.add(owner);
  }

  /** Makes room, where whoever takes most loses its oldest. Says whether there is some. */
  makeRoom(bytes: number): boolean {
    if (bytes > this.#bytesMax) return false;
    if (this.#takenBytes + bytes <= this.#bytesMax) return true;
    const goal = Math.max(0, Math.min(this.#bytesMax - bytes, this.#bytesMax * (1 - 1 / freedPart)));
    while (this.#takenBytes > goal) {
      let largest: SeenTokens<unknown> | undefined;
      for (const each of this.#all) if (each.bytes > (largest?.bytes ?? 0)) largest = each;
      if (largest === undefined) return false;
      largest.forgetDownTo(Math.max(0, largest.bytes - Math.ceil(this.#bytesMax / freedPart)), goal);
    }
    return true;
  }
}

/** What became known of a token. */
interface Seen<Known> {
  readonly known: Known;
  /** Wall clock. */
  readonly untilMs: number;
  /** Of `known`, nearly. */
  readonly bytes: number;
}

/** What became known of tokens, each until it expires: bounded in number and, with those of all plans, in bytes; the oldest goes first. */
export class SeenTokens<Known> {
  readonly #max: number;
  readonly #memory: TokenMemory;
  readonly #byHash = new Map<string, Seen<Known>>();
  #bytes = 0;
  #isReleased = false;

  constructor(max: number, memory: TokenMemory) {
    this.#max = max;
    this.#memory = memory;
  }

  get size(): number {
    return this.#byHash.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Undefined for one that was not seen, or whose time is over. */
  find(token: string, nowMs: number): Known | undefined {
    const seen = this.#byHash.get(hashOf(token));
    if (seen === undefined || nowMs < seen.untilMs) return seen?.known;
    this.#forget(hashOf(token), seen);
    return undefined;
  }

  /** One that has no room is not remembered. */
  set(token: string, seen: Seen<Known>): void {
    if (this.#isReleased) return;
    const key = hashOf(token);
    const former = this.#byHash.get(key);
    if (former !== undefined) this.#forget(key, former);
    if (this.#byHash.size >= this.#max) this.#forgetOldest();
    if (!this.#memory.makeRoom(seen.bytes + entryBytes)) return;
    this.#byHash.set(key, seen);
    this.#take(seen.bytes + entryBytes);
  }

  /** Forgets the oldest until this one takes at most `bytes`, or all together at most `togetherBytes`. */
  forgetDownTo(bytes: number, togetherBytes: number): void {
    while (this.#bytes > bytes && this.#memory.takenBytes > togetherBytes) this.#forgetOldest();
  }

  /** Forgets all, and remembers nothing any more. */
  release(): void {
    this.#isReleased = true;
    this.#byHash.clear();
    this.#take(-this.#bytes);
  }

  #forgetOldest(): void {
    for (const [key, seen] of this.#byHash) return this.#forget(key, seen);
  }

  #forget(key: string, { bytes }: Seen<Known>): void {
    this.#byHash.delete(key);
    this.#take(-bytes - entryBytes);
  }

  #take(bytes: number): void {
    this.#bytes += bytes;
    this.#memory.take(this, bytes);
  }
}
