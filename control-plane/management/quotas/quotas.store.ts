import { sql } from 'kysely';
import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { lockInUse } from '../../publish/tenant-locks.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Trx } from '../../storage/storage.ts';

/** What an environment may have a number of. */
export const environmentQuotas = ['apis', 'applications', 'subscriptions', 'pages'] as const;
/** One of them. */
export type EnvironmentQuota = (typeof environmentQuotas)[number];
/** How many of each an environment may have. */
export type QuotaLimits = Readonly<Record<EnvironmentQuota, number>>;

/** Where nobody says otherwise. */
export const quotaDefaults: QuotaLimits = {
  apis: 20_000,
  applications: 50_000,
  subscriptions: 500_000,
  pages: 100_000,
};

const count = sql<number | string>`count(*)`.as('used');

/** How many there are: of applications those that are not archived, of subscriptions those that are neither closed nor rejected. */
export async function usedOf(db: Queries, at: EnvironmentRef, quota: EnvironmentQuota): Promise<number> {
  const { used } = await questionOf(db, at, quota).executeTakeFirstOrThrow();
  return Number(used);
}

function questionOf(db: Queries, at: EnvironmentRef, quota: EnvironmentQuota) {
  switch (quota) {
    case 'apis':
      return inTenant(db.selectFrom('api'), at).select(count);
    case 'applications':
      return inTenant(db.selectFrom('application'), at).where('status', '=', 'ACTIVE').select(count);
    case 'subscriptions':
      // Written out: there is an index of these alone, which a parameter would hide.
      return inTenant(db.selectFrom('subscription'), at)
        .where(sql<boolean>`status not in ('CLOSED', 'REJECTED')`)
        .select(count);
    case 'pages':
      return inTenant(db.selectFrom('api_page'), at).select(count);
  }
}

/**
 * Refuses what was made beyond a limit, at the end of the change that made it. The environment's row is locked to its end, so that two changes
 * do not both find room for one.
 *
 * Errors: quota.exceeded; request.not_found for an environment that was archived meanwhile.
 */
export async function demandRoom(
  trx: Trx,
  at: EnvironmentRef,
  wish: { readonly quotas: Iterable<EnvironmentQuota>; readonly limits: QuotaLimits },
): Promise<void> {
  let isLocked = false;
  for (const quota of wish.quotas) {
    isLocked ||= await lockInUse(trx, at);
    const limit = wish.limits[quota];
    const used = await usedOf(trx, at, quota);
    if (used > limit)
      throw new Fault('quota.exceeded', {
        detail: `The environment would have ${used} ${quota}, and may have ${limit}.`,
        parameters: { quota, limit: String(limit), used: String(used) },
      });
  }
}
