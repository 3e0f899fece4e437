import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Trx } from '../../storage/storage.ts';

/** Something that was made to be looked at. */
export interface SampleTable {
  readonly organization: string;
  readonly environment: string;
  readonly type: 'API' | 'APPLICATION';
  readonly object_id: string;
  readonly created_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    sample: SampleTable;
  }
}

/** What of the samples is still there, by name. */
export interface Sample {
  readonly type: SampleTable['type'];
  readonly id: string;
  readonly name: string;
}

/** Samples that somebody has since deleted, or archived, are none. */
export async function listSampleRows(db: Queries, at: EnvironmentRef): Promise<readonly Sample[]> {
  const apis = await inTenant(db.selectFrom('api'), at)
    .select(['id', 'name'])
    .where('id', 'in', ids(db, at, 'API'))
    .orderBy('name')
    .execute();
  const applications = await inTenant(db.selectFrom('application'), at)
    .select(['id', 'name'])
    .where('status', '=', 'ACTIVE')
    .where('id', 'in', ids(db, at, 'APPLICATION'))
    .orderBy('name')
    .execute();
  return [
    ...apis.map((row) => ({ type: 'API' as const, ...row })),
    ...applications.map((row) => ({ type: 'APPLICATION' as const, ...row })),
  ];
}

const ids = (db: Queries, at: EnvironmentRef, type: Sample['type']) =>
  inTenant(db.selectFrom('sample'), at).select('object_id').where('type', '=', type);

/** Says of an object that it is a sample. */
export async function insertSample(trx: Trx, row: SampleTable): Promise<void> {
  await trx.insertInto('sample').values(row).execute();
}

/** An object is a sample no more. */
export async function forgetSample(
  trx: Trx,
  at: EnvironmentRef,
  { type, id }: Pick<Sample, 'type' | 'id'>,
): Promise<void> {
  await inTenant(trx.deleteFrom('sample'), at).where('type', '=', type).where('object_id', '=', id).execute();
}

/** Of samples that are applications: the APIs outside of the samples to which they are subscribed. */
export async function usedElsewhere(
  db: Queries,
  at: EnvironmentRef,
  application: string,
): Promise<readonly string[]> {
  const rows = await inTenant(db.selectFrom('subscription'), at)
    .select('api_id')
    .distinct()
    .where('application_id', '=', application)
    .where('api_id', 'not in', ids(db, at, 'API'))
    .where('status', 'not in', ['CLOSED', 'REJECTED'])
    .execute();
  if (rows.length === 0) return [];
  const apis = await inTenant(db.selectFrom('api'), at)
    .select('name')
    .where(
      'id',
      'in',
      rows.map(({ api_id }) => api_id),
    )
    .orderBy('name')
    .execute();
  return apis.map(({ name }) => name);
}

/** Deletes an archived application of which no subscription is left; whether it did. */
export async function deleteApplicationRow(trx: Trx, at: EnvironmentRef, id: string): Promise<boolean> {
  const left = await inTenant(trx.selectFrom('subscription'), at)
    .select('id')
    .where('application_id', '=', id)
    .limit(1)
    .executeTakeFirst();
  if (left !== undefined) return false;
  await inTenant(trx.deleteFrom('application'), at)
    .where('id', '=', id)
    .where('status', '=', 'ARCHIVED')
    .execute();
  return true;
}
