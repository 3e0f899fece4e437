import type { Queries } from '../../storage/storage.ts';
import { writeAudit } from './audit.store.ts';

/** Whoever may open the database with the command line; there is no signed-in user. */
const operator = 'isthmus bucket adopt';

/** Tells every organization's audit that its records lie in another bucket from now on; where is not theirs to know. */
export async function recordAdoption(
  db: Queries,
  change: { readonly from: string; readonly to: string },
  nowMs: number,
): Promise<void> {
  const organizations = await db.selectFrom('organization').select('id').execute();
  for (const { id } of organizations)
    await writeAudit(db, {
      organization: id,
      actor: { id: operator },
      event: 'BUCKET_ADOPTED',
      type: 'ORGANIZATION',
      id,
      properties: { FROM: change.from, TO: change.to },
      nowMs,
    });
}
