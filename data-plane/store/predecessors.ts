import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

import type { RecordHeader } from '../../proto/wire/published.ts';
import type { ProofOfPredecessor, StoredRecord } from './stored.ts';

/**
 * Knows again what this gateway served in place of records that it refuses.
 *
 * A head proves the revision that is refused and not the one before, whose header line is gone: a key of this gateway stands in for it, so
 * that nobody who writes into the file has anything served. A proof holds for one environment, and for one revision that is refused.
 */
export class Predecessors {
  readonly #environment: string;
  readonly #key: Uint8Array;

  /** `secret` is this gateway's own. */
  constructor(environment: string, secret: Uint8Array) {
    this.#environment = environment;
    this.#key = new Uint8Array(hkdfSync('sha256', secret, '', 'predecessors of refused records', 32));
  }

  readonly proofOf: ProofOfPredecessor = ({ kind, id, sha256 }, previous) =>
    createHmac('sha256', this.#key)
      .update(sha256)
      .update(JSON.stringify([this.#environment, kind, id]))
      .update(previous)
      .digest();

  /** Says whether the record was that before. */
  holds({ header, previous, previousProof }: StoredRecord): boolean {
    if (previous === undefined || previousProof === undefined) return false;
    const proof = this.proofOf(header, previous);
    return proof.length === previousProof.length && timingSafeEqual(proof, previousProof);
  }
}

/** The records of which the file says what they were before, and cannot prove it. */
export function unprovenOf(
  records: readonly StoredRecord[],
  predecessors: Predecessors,
): readonly RecordHeader[] {
  return records
    .filter((record) => record.previous !== undefined && !predecessors.holds(record))
    .map(({ header }) => header);
}
