import { z } from 'zod';
import type { LandingKey } from '../../proto/wire/blobs.ts';
import { literal } from './lake-columns.ts';
import type { OffsetRange } from './ranges.ts';

/** A range of a spool that a file of the lake holds, and what brought it. */
export type Covered = OffsetRange & Pick<LandingKey, 'spool' | 'gateway' | 'hash8'>;

/** The key of {@link LakeProof} in a Parquet file's own key-value metadata. */
export const proofKey = 'isthmus';

const offset = z.int().min(0);
const rangesMax = 100_000;

/** See {@link Covered}. */
export const coveredSchema = z
  .object({
    spool: z.string().regex(/^[0-9a-f]{32}$/),
    gateway: z.string().regex(/^[A-Za-z0-9._-]{1,128}$/),
    // Empty for a part of a landing object.
    hash8: z.string().regex(/^(?:[0-9a-f]{8})?$/),
    first: offset,
    last: offset,
  })
  .refine(({ first, last }) => first <= last);

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
  covered: z.array(coveredSchema).max(rangesMax).refine(areApart, 'ranges of a spool overlap'),
});
/** See {@link LakeProof}. */
export type LakeProof = z.output<typeof LakeProof>;

/** Records that are packed together: whoever looks for one of them unpacks them all. Fewer would cost whoever reads everything more. */
const rowGroupSize = 32_768;

/** How a file of the lake is written, as the options of `COPY` in DuckDB: with what it says of itself. */
export const copyOptions = (proof: LakeProof): string =>
  `(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2, ROW_GROUP_SIZE ${rowGroupSize}, KV_METADATA {${proofKey}: ${literal(JSON.stringify(proof))}})`;

/** The manifest has each offset once, so a file that claims one twice could not come into it. */
function areApart(covered: readonly (OffsetRange & { readonly spool: string })[]): boolean {
  const sorted = covered.toSorted((a, b) =>
    a.spool < b.spool ? -1 : a.spool > b.spool ? 1 : a.first - b.first,
  );
  return sorted.every((range, index) => {
    const before = sorted[index - 1];
    return before?.spool !== range.spool || before.last < range.first;
  });
}

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
