import type { Trx } from '../../storage/storage.ts';
import { byCommandLine, writeAudit } from './audit.store.ts';

/** Tells every organization's audit that the manifest of the lake was made anew out of the bucket. */
export async function recordRebuild(
  trx: Trx,
  found: { readonly adopted: number; readonly doubled: number; readonly missing: number },
  by: { readonly operator: string; readonly nowMs: number },
): Promise<void> {
  const organizations = await trx.selectFrom('organization').select('id').execute();
  for (const { id } of organizations)
    await writeAudit(trx, {
      organization: id,
      actor: { id: by.operator, from: byCommandLine },
      event: 'LAKE_REBUILT',
      type: 'ORGANIZATION',
      id,
      properties: {
        ADOPTED: String(found.adopted),
        DOUBLED: String(found.doubled),
        MISSING: String(found.missing),
      },
      nowMs: by.nowMs,
    });
}
