import { hasTexts, type SpoolRef } from '../../proto/spool/folder.ts';
import { restoreOwner } from '../../proto/spool/owner.ts';
import { SegmentReader } from '../../proto/spool/segment-reader.ts';

/**
 * Gives a spool whose `spool.json` was lost or damaged its owner back, as its first record names it: without one nobody ships it.
 *
 * False when it holds no record that names one of its own environment.
 */
export async function adoptOrphan(ref: SpoolRef, firsts: readonly number[]): Promise<boolean> {
  for (const first of firsts) {
    const line = await firstLine(ref, first);
    if (!hasTexts(line, ['org_id', 'env_id', 'gateway_id']) || line.env_id !== ref.environment) continue;
    const { org_id: organization, gateway_id: gateway } = line;
    restoreOwner(ref.dir, { organization, environment: ref.environment, gateway });
    return true;
  }
  return false;
}

async function firstLine({ dir, spool }: SpoolRef, first: number): Promise<unknown> {
  const reader = await SegmentReader.open(dir, spool, { first });
  if (reader === undefined) return undefined;
  try {
    for (const item of await reader.read(first)) {
      if (item.kind !== 'batch') continue;
      const { lines } = item.batch;
      return JSON.parse(Buffer.from(lines.subarray(0, lines.indexOf(10))).toString());
    }
    return undefined;
  } finally {
    await reader.close();
  }
}
