import type { Queries } from '../../storage/storage.ts';
import { chainBehind, chainHead, hashOf } from './audit.store.ts';

/** What is wrong with a row of a chain. */
export interface AuditFault {
  /** Place in the chain. */
  readonly seq: number;
  readonly what:
    /** Rows up to the one before this are not there. */
    | 'missing'
    /** The row is another one than was written. */
    | 'changed'
    /** The chain ends elsewhere than its head says. */
    | 'cut'
    /** A row stands behind the end of the chain: whoever writes one moves the end with it. */
    | 'behind'
    /** Rows stand beside the chain that former versions did not write, or some of those are gone. */
    | 'beside';
}

/** What a comparison of an organization's audit with its own chain found. */
export interface AuditVerdict {
  readonly rows: number;
  /** Rows that former versions wrote, which nothing proves. */
  readonly unchained: number;
  /** The newest row: kept elsewhere, they prove later that nothing up to here was changed. */
  readonly head: { readonly seq: number; readonly hash: string };
  /** The first of them, at most {@link faultsMax}. */
  readonly faults: readonly AuditFault[];
}

const chunk = 1_000;
const faultsMax = 100;

/**
 * Reads an organization's audit whole and proves that each row is the one that was written behind the one before.
 *
 * Whoever can write the database can write a whole chain anew: only a head that was kept elsewhere shows that (`kept`).
 */
export async function verifyAudit(
  db: Queries,
  organization: string,
  kept?: { readonly seq: number; readonly hash: string },
): Promise<AuditVerdict> {
  const faults: AuditFault[] = [];
  const fault = (seq: number, what: AuditFault['what']): void => {
    if (faults.length < faultsMax) faults.push({ seq, what });
  };
  const head = await chainHead(db, organization);
  let rows = 0;
  let last = { seq: 0, hash: '' };
  let isKept = kept === undefined || kept.seq === 0;
  while (true) {
    const found = await chainBehind(db, organization, { seq: last.seq, limit: chunk });
    for (const row of found) {
      const seq = Number(row.seq);
      rows += 1;
      if (seq !== last.seq + 1) fault(seq, 'missing');
      else if (row.hash !== hashOf(row, last.hash)) fault(seq, 'changed');
      // From what it says on: one row that was changed is one fault, not one for each behind it.
      last = { seq, hash: row.hash ?? '' };
      if (kept?.seq === seq) {
        isKept = true;
        if (kept.hash !== row.hash) fault(seq, 'changed');
      }
    }
    if (found.length < chunk) break;
  }
  if (last.seq < head.seq || !isKept) fault(Math.max(head.seq, kept?.seq ?? 0), 'cut');
  else if (last.seq === head.seq && last.hash !== head.hash) fault(head.seq, 'changed');
  // As it is now, since others write meanwhile.
  const end = await chainHead(db, organization);
  if (last.seq > end.seq) fault(last.seq, 'behind');
  if (head.beside !== head.unchained) fault(0, 'beside');
  return { rows, unchained: head.unchained, head: { seq: head.seq, hash: head.hash }, faults };
}
