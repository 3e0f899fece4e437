import { z } from 'zod';
import type { LandingKey } from '../../proto/wire/blobs.ts';
import type { OffsetRange } from './ranges.ts';

/** A range of a spool that a file of the lake holds, and what brought it. */
export type Covered = OffsetRange & Pick<LandingKey, 'spool' | 'gateway' | 'hash8'>;

/** The key of {@link LakeProof} in a Parquet file's own key-value metadata. */
export const proofKey = 'isthmus';

const offset = z.int().min(0);

/**
 * What a file of the lake says of itself, so that the manifest can be made again out of the bucket alone.
 *
 * Shape: {"format":1,"file":"<id>","organization":"o","environment":"e","records":7,
 *         "covered":[{"spool":"<32 hex>","gateway":"g","hash8":"1a2b3c4d","first":0,"last":9}]}
 */
export const LakeProof = z.object({
  format: z.literal(1),
  file: z.string(),
  organization: z.string(),
  environment: z.string(),
  records: offset,
  covered: z.array(
    z
      .object({
        spool: z.string().regex(/^[0-9a-f]{32}$/),
        gateway: z.string(),
        hash8: z.string(),
        first: offset,
        last: offset,
      })
      .refine(({ first, last }) => first <= last),
  ),
});
/** See {@link LakeProof}. */
export type LakeProof = z.output<typeof LakeProof>;

/** The ranges that some parts of a landing object cover. */
export function coveredBy(
  key: Pick<LandingKey, 'spool' | 'gateway' | 'hash8' | 'first' | 'last'>,
  parts: readonly OffsetRange[],
): readonly Covered[] {
  const { spool, gateway } = key;
  // A trimmed range has no hash of its own: a later object of just that range is no contradiction.
  return parts.map((part) => ({ ...part, spool, gateway, hash8: isWhole(key, part) ? key.hash8 : '' }));
}

/** Whether a part of a range is all of it. */
export const isWhole = (range: OffsetRange, part: OffsetRange | undefined): boolean =>
  part?.first === range.first && part.last === range.last;
