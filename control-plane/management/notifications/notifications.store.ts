import type { Selectable, Updateable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Trx } from '../../storage/storage.ts';

/** Who is told of what. */
interface NotificationSettingTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  /** API, APPLICATION or ENVIRONMENT. */
  readonly reference_type: string;
  readonly reference_id: string;
  /** PORTAL, of a user, or GENERIC. */
  readonly config_type: string;
  readonly user_id: string | null;
  name: string;
  /** default-email or default-webhook; null of PORTAL. */
  readonly notifier: string | null;
  /** Addresses with a comma between, or a URL. */
  config: string | null;
  /** What calls of the webhook are signed with, under the key-encryption key. */
  sealed_secret: Uint8Array | null;
  /** JSON: ids. */
  hooks: string;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

/** Something that happened, until whoever wants to know was told. */
interface RaisedHookTable {
  readonly id: string;
  readonly organization: string;
  /** null of what belongs to the whole organization. */
  readonly environment: string | null;
  readonly hook: string;
  /** JSON: ids of what it is about. */
  readonly about: string;
  /** Who did it. */
  readonly user_id: string;
  readonly created_at_ms: number;
}

/** What a user was told in the console. */
interface PortalNotificationTable {
  readonly id: string;
  readonly organization: string;
  readonly user_id: string;
  readonly title: string;
  readonly message: string;
  readonly created_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    notification_setting: NotificationSettingTable;
    raised_hook: RaisedHookTable;
    portal_notification: PortalNotificationTable;
  }
}

/** A row of notification_setting. */
export type SettingRow = Selectable<NotificationSettingTable>;
/** A row of raised_hook. */
export type RaisedRow = Selectable<RaisedHookTable>;
/** A row of portal_notification. */
export type PortalRow = Selectable<PortalNotificationTable>;

/** What settings are of. */
export interface SettingOwner {
  readonly at: EnvironmentRef;
  readonly type: 'API' | 'APPLICATION' | 'ENVIRONMENT';
  readonly id: string;
}

/** The settings of an object: that of a user, and those that are of nobody, oldest first. */
export function listSettings(
  db: Queries,
  { at, type, id }: SettingOwner,
  user: string,
): Promise<readonly SettingRow[]> {
  return inTenant(db.selectFrom('notification_setting'), at)
    .selectAll()
    .where('reference_type', '=', type)
    .where('reference_id', '=', id)
    .where((where) => where.or([where('user_id', '=', user), where('user_id', 'is', null)]))
    .orderBy('created_at_ms')
    .orderBy('id')
    .execute();
}

/** How many an object has of a type. */
export async function countSettings(
  db: Queries,
  { at, type, id }: SettingOwner,
  configType: string,
): Promise<number> {
  const counted = await inTenant(db.selectFrom('notification_setting'), at)
    .select((select) => select.fn.countAll<number>().as('total'))
    .where('reference_type', '=', type)
    .where('reference_id', '=', id)
    .where('config_type', '=', configType)
    .executeTakeFirstOrThrow();
  return Number(counted.total);
}

/** Adds one. */
export async function insertSetting(trx: Trx, row: SettingRow): Promise<void> {
  await trx.insertInto('notification_setting').values(row).execute();
}

/** Changes one. */
export function updateSetting(
  trx: Trx,
  row: SettingRow,
  set: Updateable<NotificationSettingTable>,
): Promise<SettingRow> {
  return inTenant(trx.updateTable('notification_setting'), row)
    .set(set)
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Removes one. */
export async function deleteSetting(trx: Trx, row: SettingRow): Promise<void> {
  await inTenant(trx.deleteFrom('notification_setting'), row).where('id', '=', row.id).execute();
}

/** Removes all of an object that is no more. */
export async function deleteSettingsOf(trx: Trx, { at, type, id }: SettingOwner): Promise<void> {
  await inTenant(trx.deleteFrom('notification_setting'), at)
    .where('reference_type', '=', type)
    .where('reference_id', '=', id)
    .execute();
}
