import type { Queries } from '../../storage/storage.ts';
import { writeAudit } from './audit.store.ts';

/** Tells every organization's audit that the manifest of the lake was made anew out of the bucket. */
export async function recordRebuild(
  db: Queries,
  found: { readonly adopted: number; readonly doubled: number; readonly missing: number },
  by: { readonly operator: string; readonly nowMs: number },
): Promise<void> {
  const organizations = await db.selectFrom('organization').select('id').execute();
  for (const { id } of organizations)
    await writeAudit(db, {
      organization: id,
      actor: { id: by.operator },
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
