import type { Selectable } from 'kysely';
import { Fault } from '../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../proto/wire/published.ts';
import type { Trx } from '../storage/storage.ts';
import type { OrganizationTable } from '../storage/tables.ts';

/*
 * The rows that changes wait for one another at, until the transaction ends. The organization's is taken before those of its environments.
 */

/**
 * Locks an organization's row, and reads it. What is looked up in all of an organization before it is changed (who administers it, which roles,
 * tags, environments it has, its flows) is looked up behind this lock, so that one change of it comes after the other.
 */
export function lockOrganization(trx: Trx, id: string): Promise<Selectable<OrganizationTable> | undefined> {
  return trx
    .updateTable('organization')
    .set((row) => ({ name: row.ref('name') }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** An environment whose row is locked by this transaction: nobody else publishes there until it ends. */
export interface LockedEnvironment extends EnvironmentRef {
  readonly epoch: number;
  /** The last seq given out, those of this transaction included. */
  readonly seq: number;
}

/**
 * Takes the environment's row lock and the next `count` sequence numbers; with 0 only the lock.
 *
 * The lock is held until commit, so numbers become visible in the order in which they were given out.
 * Errors: request.not_found when the organization has no such environment.
 */
export async function lockEnvironment(
  trx: Trx,
  at: EnvironmentRef,
  count: number,
): Promise<LockedEnvironment> {
  const row = await trx
    .updateTable('environment')
    .set((eb) => ({ seq: eb('seq', '+', count) }))
    .where('organization', '=', at.organization)
    .where('id', '=', at.environment)
    .returning(['seq', 'epoch'])
    .executeTakeFirst();
  if (row === undefined)
    throw new Fault('request.not_found', { internal: `environment ${at.organization}/${at.environment}` });
  return { organization: at.organization, environment: at.environment, ...row };
}

/** The same lock, for who changes what belongs to the environment. Errors: request.not_found when it was archived. */
export async function lockInUse(trx: Trx, at: EnvironmentRef): Promise<true> {
  const { numUpdatedRows } = await trx
    .updateTable('environment')
    .set((set) => ({ seq: set.ref('seq') }))
    .where('organization', '=', at.organization)
    .where('id', '=', at.environment)
    .where('archived_at_ms', 'is', null)
    .executeTakeFirst();
  if (Number(numUpdatedRows) === 0) throw new Fault('request.not_found');
  return true;
}
