import type { Selectable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Trx } from '../../storage/storage.ts';

/** Somebody outside who says who people are. */
interface IdentityProviderTable {
  readonly organization: string;
  /** Made of the first name; what users of it have as their source. */
  readonly id: string;
  name: string;
  description: string;
  readonly type: string;
  /** 0: nobody comes in by it, wherever it is activated. */
  enabled: number;
  /** JSON: endpoints, client id, scopes. */
  configuration: string;
  /** Sealed with the organization's data key. */
  client_secret: string;
  /** JSON: of profile, groups and roles. */
  mappings: string;
  email_required: number;
  /** 0: groups and roles are worked out at the first sign-in of a user alone. */
  sync_mappings: number;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

/** Where a provider counts: an environment, or the organization itself (`environment` is empty). */
interface IdentityActivationTable {
  readonly organization: string;
  readonly environment: string;
  readonly provider: string;
  readonly created_at_ms: number;
}

/** A sign-in that was brought to its end: it opens no second session. */
interface UsedSignInTable {
  /** SHA-256 of its state, hex. */
  readonly state_hash: string;
  readonly organization: string;
  readonly expires_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    identity_provider: IdentityProviderTable;
    identity_activation: IdentityActivationTable;
    used_sign_in: UsedSignInTable;
  }
}

/** A row of identity_provider. */
export type IdentityProviderRow = Selectable<IdentityProviderTable>;
/** A row of identity_activation. */
export type IdentityActivationRow = Selectable<IdentityActivationTable>;

/** Which provider. */
export interface ProviderRef {
  readonly organization: string;
  readonly id: string;
}

/** Those of an organization, by name. */
export function listProviders(db: Queries, organization: string): Promise<IdentityProviderRow[]> {
  return db
    .selectFrom('identity_provider')
    .selectAll()
    .where('organization', '=', organization)
    .orderBy('name')
    .orderBy('id')
    .execute();
}

/** One of them. */
export function findProvider(
  db: Queries,
  { organization, id }: ProviderRef,
): Promise<IdentityProviderRow | undefined> {
  return db
    .selectFrom('identity_provider')
    .selectAll()
    .where('organization', '=', organization)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** Of their rows what seals are looked for in. */
export const secretsOfProviders = (db: Queries, organization: string) =>
  db.selectFrom('identity_provider').select('id').where('organization', '=', organization);

/** One of them with its row locked until the transaction ends. */
export function lockProvider(
  trx: Trx,
  { organization, id }: ProviderRef,
): Promise<IdentityProviderRow | undefined> {
  return trx
    .updateTable('identity_provider')
    .set((row) => ({ name: row.ref('name') }))
    .where('organization', '=', organization)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** Adds one; a taken id is a unique violation. */
export async function insertProvider(trx: Trx, row: IdentityProviderRow): Promise<void> {
  await trx.insertInto('identity_provider').values(row).execute();
}

/** Replaces what can be changed. */
export async function updateProvider(trx: Trx, row: IdentityProviderRow): Promise<void> {
  const { organization, id, type: _type, created_at_ms: _created, ...set } = row;
  await trx
    .updateTable('identity_provider')
    .set(set)
    .where('organization', '=', organization)
    .where('id', '=', id)
    .execute();
}

/** Removes one with its activations. */
export async function deleteProvider(trx: Trx, { organization, id }: ProviderRef): Promise<void> {
  await trx
    .deleteFrom('identity_provider')
    .where('organization', '=', organization)
    .where('id', '=', id)
    .execute();
}

/** The providers that are activated there, by id. */
export function activationsAt(db: Queries, at: EnvironmentRef): Promise<IdentityActivationRow[]> {
  return inTenant(db.selectFrom('identity_activation'), at).selectAll().orderBy('provider').execute();
}

/** Where a provider is activated. */
export function activationsOf(
  db: Queries,
  { organization, id }: ProviderRef,
): Promise<IdentityActivationRow[]> {
  return db
    .selectFrom('identity_activation')
    .selectAll()
    .where('organization', '=', organization)
    .where('provider', '=', id)
    .execute();
}

/** Activates one there. */
export async function insertActivation(trx: Trx, row: IdentityActivationRow): Promise<void> {
  await trx.insertInto('identity_activation').values(row).execute();
}

/** Takes an activation back. */
export async function deleteActivation(trx: Trx, at: EnvironmentRef, provider: string): Promise<void> {
  await inTenant(trx.deleteFrom('identity_activation'), at).where('provider', '=', provider).execute();
}

/** Notes that a sign-in came to its end, and forgets those that are too old to come again; says whether it is the first time. */
export async function useSignIn(
  trx: Trx,
  used: UsedSignInTable & { readonly nowMs: number },
): Promise<boolean> {
  const { nowMs, ...row } = used;
  await trx
    .deleteFrom('used_sign_in')
    .where('organization', '=', row.organization)
    .where('expires_at_ms', '<=', nowMs)
    .execute();
  const result = await trx
    .insertInto('used_sign_in')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0) === 1;
}

/** Takes from everybody what a provider's mapping gave. */
export async function forgetSource(trx: Trx, { organization, id }: ProviderRef): Promise<void> {
  for (const table of ['membership', 'user_group_member'] as const)
    await trx.deleteFrom(table).where('organization', '=', organization).where('source', '=', id).execute();
}

/** Ends the sessions of who comes by a provider. */
export async function endSessionsOfSource(trx: Trx, { organization, id }: ProviderRef): Promise<void> {
  const users = trx
    .selectFrom('user_account')
    .select('id')
    .where('organization', '=', organization)
    .where('source', '=', id);
  await trx
    .deleteFrom('user_session')
    .where('organization', '=', organization)
    .where('user_id', 'in', users)
    .execute();
}
