import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

import type { Nack, RecordHeader } from '../../proto/wire/published.ts';
import type { JudgedOf, RemovedRecord, SetRecord } from '../gateway/deploy/change.ts';
import type { JudgedApi } from '../gateway/deploy/judged.ts';
import type { Store, StoredJudgement } from '../store/store.ts';
import { keyOf } from './record-set.ts';

/** What judgements are kept by. */
export interface JudgementsOptions {
  readonly store: Pick<Store, 'saveJudged'>;
  /** Names this program, its settings, and whatever else of this machine decides whether an API compiles. */
  readonly ground: string;
  /** A secret of this gateway: nobody else's word on where an API is found is believed. */
  readonly secret: Uint8Array;
  readonly judged: JudgedOf;
}

/** A change as it came into service. */
interface AppliedChange {
  readonly set: readonly SetRecord[];
  readonly removed: readonly RemovedRecord[];
  readonly refused: readonly Nack[];
  /** The header line of an API. */
  readonly headerOf: (id: string) => Api | undefined;
}

type Api = Pick<RecordHeader, 'id' | 'sha256'>;

/**
 * What was found out of APIs when they were compiled, beside their records, so that a restart need not compile them again.
 *
 * A judgement holds for one record, proven by its hash, under one program with its settings; its proof covers all of them, so that anything
 * else, also one that somebody wrote into the file, is none, and the API is compiled at the start.
 */
export class Judgements {
  readonly #options: JudgementsOptions;
  readonly #key: Uint8Array;

  constructor(options: JudgementsOptions) {
    this.#options = options;
    this.#key = new Uint8Array(hkdfSync('sha256', options.secret, options.ground, 'judgements of APIs', 32));
  }

  /** Undefined when it is none of this record, of this program, or of this gateway. Cost: about 5 us. */
  read(environment: string, api: Api, stored: StoredJudgement | undefined): JudgedApi | undefined {
    if (stored === undefined) return undefined;
    const proof = this.#proofOf(environment, api, stored.text);
    if (proof.length !== stored.proof.length || !timingSafeEqual(proof, stored.proof)) return undefined;
    // Proven to be what `keep` wrote.
    return JSON.parse(stored.text) as JudgedApi;
  }

  /** Keeps what was found out of the APIs of a change that is in service now, but for those that were refused. */
  keep(environment: string, change: AppliedChange): void {
    const { store, judged } = this.#options;
    const kept: StoredJudgement[] = [];
    const gone = change.removed.flatMap(({ kind, id }) => (kind === 'api' ? [id] : []));
    const isRefused = new Set(change.refused.map(keyOf));
    for (const record of change.set) {
      if (record.kind !== 'api' || record.judged !== undefined) continue;
      const { id, seq } = record;
      const api = change.headerOf(id);
      const found = isRefused.has(keyOf(record)) ? undefined : judged(environment, { id, seq });
      if (api === undefined || found === undefined) gone.push(id);
      else {
        const text = JSON.stringify(found);
        kept.push({ id, text, proof: this.#proofOf(environment, api, text) });
      }
    }
    if (kept.length + gone.length > 0) store.saveJudged(environment, kept, gone);
  }

  /** What was kept of it was wrong. */
  forget(environment: string, { id }: Pick<Nack, 'id'>): void {
    this.#options.store.saveJudged(environment, [], [id]);
  }

  #proofOf(environment: string, { id, sha256 }: Api, text: string): Buffer {
    return createHmac('sha256', this.#key)
      .update(sha256)
      .update(JSON.stringify([environment, id]))
      .update(text)
      .digest();
  }
}
