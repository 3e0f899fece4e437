import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import { type HeadVerdict, verifyHead } from '../../proto/trust/heads.ts';
import type { SignedHead } from '../../proto/wire/head.ts';
import type { EnvironmentRef } from '../../proto/wire/published.ts';
import type { SeenHead, Store } from '../store/store.ts';
import { Certificates } from './certificates.ts';

interface HeadsOptions {
  readonly at: EnvironmentRef;
  readonly rootKey: Uint8Array;
  readonly store: Pick<Store, 'saveSeen'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Judges the heads of one environment: by the certificates that came for it, and by the highest that was ever seen. */
export class Heads {
  readonly certificates: Certificates;
  readonly #options: HeadsOptions;
  #seen: Pick<SeenHead, 'epoch' | 'seq' | 'digest'> | undefined;

  constructor(options: HeadsOptions) {
    this.#options = options;
    this.certificates = new Certificates(options);
  }

  /** Remembers what the store saw, and what it holds when that is more. */
  saw(seen: SeenHead | undefined, stored?: SignedHead): void {
    this.#seen = stored !== undefined && isBeyond(stored, seen) ? stored : seen;
  }

  judge(bytes: Uint8Array): HeadVerdict {
    const { at, clock, rootKey, store } = this.#options;
    const verdict = verifyHead(bytes, {
      rootKey,
      certificates: this.certificates.all,
      lastSeen: this.#seen,
      environment: at,
      nowMs: clock.now(),
    });
    if (verdict.kind === 'refused') return verdict;
    const { epoch, seq, digest } = verdict.head;
    if (this.#seen === undefined || epoch > this.#seen.epoch || seq > this.#seen.seq) {
      this.#seen = verdict.head;
      store.saveSeen({ environment: at.environment, epoch, seq, digest });
    }
    return verdict;
  }
}

function isBeyond(head: SignedHead, seen: SeenHead | undefined): boolean {
  return seen === undefined || head.epoch > seen.epoch || (head.epoch === seen.epoch && head.seq > seen.seq);
}
