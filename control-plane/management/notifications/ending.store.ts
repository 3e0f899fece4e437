import { sql } from 'kysely';
import type { Queries, Trx } from '../../storage/storage.ts';
import { isInUse } from '../tenants/tenants.store.ts';

/** That somebody was told of an end: of what, of which end, and from how many days before it on. */
interface EndToldTable {
  readonly organization: string;
  readonly environment: string;
  /** SUBSCRIPTION or API_KEY. */
  readonly type: string;
  readonly object_id: string;
  readonly ends_at_ms: number;
  readonly days: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    end_told: EndToldTable;
  }
}

/** Something that ends, with what it belongs to; a key that an application shares has no subscription. */
export interface Ending extends Omit<EndToldTable, 'days'> {
  readonly application: string;
  readonly subscription: string | null;
  readonly plan: string | null;
  readonly api: string | null;
}

/** Which ends are asked for: those within so many days from now that nobody was told of within as many. */
export interface EndingSpan {
  readonly nowMs: number;
  readonly days: number;
  readonly limit: number;
}

/** A day of those that people are told ahead. */
export const dayMs = 86_400_000;

/** Those of all organizations within the span, in environments that are in use; what ends next is first. */
export async function nextEnding(
  db: Queries,
  type: 'SUBSCRIPTION' | 'API_KEY',
  { nowMs, days, limit }: EndingSpan,
): Promise<readonly Ending[]> {
  const { rows } = await sql<Ending>`
    select organization, environment, ${type} as type, object_id, ends_at_ms, application, subscription, plan, api
    from (${type === 'SUBSCRIPTION' ? subscriptions : keys}) as ending
    where ends_at_ms > ${nowMs} and ends_at_ms <= ${nowMs + days * dayMs}
      and not exists (
        select 1 from end_told as told
        where told.organization = ending.organization and told.environment = ending.environment and told.type = ${type}
          and told.object_id = ending.object_id and told.ends_at_ms = ending.ends_at_ms and told.days <= ${days})
      and ${isInUse(sql.ref('ending.environment'))}
    order by ends_at_ms, object_id
    limit ${limit}`.execute(db);
  return rows;
}

const subscriptions = sql`
  select organization, environment, id as object_id, ending_at_ms as ends_at_ms, application_id as application,
    id as subscription, plan_id as plan, api_id as api
  from subscription
  where ending_at_ms is not null and status in ('ACCEPTED', 'PAUSED')`;

/** But for keys that another one of the same subscription, or of the same application, outlasts, and for those that end with their subscription. */
const keys = sql`
  select one.organization, one.environment, one.id as object_id, one.expire_at_ms as ends_at_ms, one.application_id as application,
    one.exclusive_to as subscription, opened.plan_id as plan, opened.api_id as api
  from api_key as one
  left join subscription as opened
    on opened.organization = one.organization and opened.environment = one.environment and opened.id = one.exclusive_to
  where one.expire_at_ms is not null and one.revoked_at_ms is null
    and (opened.id is null or opened.status in ('ACCEPTED', 'PAUSED'))
    and (opened.ending_at_ms is null or opened.ending_at_ms > one.expire_at_ms)
    and not exists (
      select 1 from api_key as other
      where other.organization = one.organization and other.environment = one.environment
        and other.application_id = one.application_id
        and (other.exclusive_to = one.exclusive_to or (other.exclusive_to is null and one.exclusive_to is null))
        and other.id <> one.id and other.revoked_at_ms is null
        and (other.expire_at_ms is null or other.expire_at_ms > one.expire_at_ms))`;

/** Notes that somebody was told. */
export async function insertTold(trx: Trx, { type, ...of }: Ending, days: number): Promise<void> {
  const { organization, environment, object_id, ends_at_ms } = of;
  await trx
    .insertInto('end_told')
    .values({ organization, environment, type, object_id, ends_at_ms, days })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Forgets what has ended. */
export async function forgetTold(db: Queries, nowMs: number): Promise<void> {
  await sql`delete from end_told where ends_at_ms <= ${nowMs}`.execute(db);
}
