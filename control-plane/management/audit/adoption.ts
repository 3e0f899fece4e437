import type { Trx } from '../../storage/storage.ts';
import { byCommandLine, writeAudit } from './audit.store.ts';

/** Whoever may open the database with the command line; there is no signed-in user. */
const operator = 'isthmus bucket adopt';

/** Tells every organization's audit that its records lie in another bucket from now on; where is not theirs to know. */
export async function recordAdoption(
  trx: Trx,
  change: { readonly from: string; readonly to: string },
  nowMs: number,
): Promise<void> {
  const organizations = await trx.selectFrom('organization').select('id').execute();
  for (const { id } of organizations)
    await writeAudit(trx, {
      organization: id,
      actor: { id: operator, from: byCommandLine },
      event: 'BUCKET_ADOPTED',
      type: 'ORGANIZATION',
      id,
      properties: { FROM: change.from, TO: change.to },
      nowMs,
    });
}
