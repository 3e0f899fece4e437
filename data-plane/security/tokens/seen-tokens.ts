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

/** What became known of tokens, each until it expires: bounded, the oldest goes first. */
export class SeenTokens<Known> {
  readonly #max: number;
  readonly #byHash = new Map<string, { readonly known: Known; readonly untilMs: number }>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#byHash.size;
  }

  /** Undefined for one that was not seen, or whose time is over. */
  find(token: string, nowMs: number): Known | undefined {
    const seen = this.#byHash.get(hashOf(token));
    if (seen === undefined || nowMs < seen.untilMs) return seen?.known;
    this.#byHash.delete(hashOf(token));
    return undefined;
  }

  set(token: string, known: Known, untilMs: number): void {
    if (this.#byHash.size >= this.#max)
      for (const oldest of this.#byHash.keys()) {
        this.#byHash.delete(oldest);
        break;
      }
    this.#byHash.set(hashOf(token), { known, untilMs });
  }
}
