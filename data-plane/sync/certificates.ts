import type { Log } from '../../proto/process/log.ts';
import { isCertified } from '../../proto/trust/heads.ts';
import { followRoots } from '../../proto/trust/roots.ts';
import type { EnvironmentRef } from '../../proto/wire/published.ts';

const certificatesMax = 64;

/** What proves the heads of one environment: certificates of its publishing keys, and how their root came from the enrolled one. */
export class Certificates {
  readonly #at: EnvironmentRef;
  readonly #trustedKey: Uint8Array;
  readonly #log: Pick<Log, 'info'>;
  #all: readonly Uint8Array[] = [];
  #rootKey: Uint8Array;
  #savedRootKey: Uint8Array | undefined;

  constructor(options: {
    readonly at: EnvironmentRef;
    readonly rootKey: Uint8Array;
    readonly log: Pick<Log, 'info'>;
  }) {
    this.#at = options.at;
    this.#trustedKey = options.rootKey;
    this.#rootKey = options.rootKey;
    this.#log = options.log;
  }

  /** Encoded; the steps between roots stand in front. */
  get all(): readonly Uint8Array[] {
    return this.#all;
  }

  /** Who is root now: nobody before it is any more. The same object as long as nothing changed. */
  get rootKey(): Uint8Array {
    return this.#rootKey;
  }

  /** The root under which what is stored verifies; undefined while nothing is. */
  get savedRootKey(): Uint8Array | undefined {
    return this.#savedRootKey;
  }

  /** Whether what is stored verifies under the root of now. */
  get isSaved(): boolean {
    return this.#savedRootKey === this.#rootKey;
  }

  /** What was here under that root is stored. */
  saved(rootKey: Uint8Array): void {
    this.#savedRootKey = rootKey;
  }

  load(stored: readonly Uint8Array[]): void {
    this.#all = stored;
    this.#rootKey = followRoots(this.#trustedKey, this.#at.organization, stored).rootKey;
    this.#savedRootKey = this.#rootKey;
  }

  /** Takes what a bridge sent as far as the root, or the one that it names, has signed it. */
  add(sent: readonly Uint8Array[]): void {
    const held = new Set(this.#all.map(hexOf));
    // Out of their frame. What is held stands in front: a root that was left leads nowhere else.
    const news = sent.filter((each) => !held.has(hexOf(each))).map((each) => Uint8Array.from(each));
    if (news.length === 0) return;
    const { organization } = this.#at;
    const { rootKey, chain } = followRoots(this.#trustedKey, organization, [...this.#all, ...news]);
    // Only what the root signed, else invented ones would push the proven out.
    const isRooted = (each: Uint8Array): boolean => isCertified(each, { rootKey, environment: this.#at });
    const added = news.filter(isRooted);
    const isMoved = Buffer.compare(rootKey, this.#rootKey) !== 0;
    if (isMoved) {
      this.#rootKey = rootKey;
      this.#log.info({ ...this.#at }, 'the organization has a new root, which the one before has named');
    }
    if (added.length === 0 && !isMoved) return;
    // The old ones stay beside them: a bridge that sends none must not make a proven key unknown.
    const kept = this.#all.filter((each) => !chain.includes(each) && (!isMoved || isRooted(each)));
    this.#all = [...chain, ...added, ...kept].slice(0, certificatesMax);
  }
}

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
