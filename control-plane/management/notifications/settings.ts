import { randomUUID } from 'node:crypto';
import { Fault, type FaultDetail } from '../../../proto/faults/fault.ts';
import { type Actor, can, type Resource } from '../../access/actor.ts';
import type { Right } from '../../access/permissions.ts';
import { isAddress } from '../../mail/addresses.ts';
import { lockInUse } from '../../publish/tenant-locks.ts';
import type { Queries } from '../../storage/storage.ts';
import { foundApi, lockedApi } from '../apis/api-gate.ts';
import { foundApplication, lockedApplication } from '../applications/applications.ts';
import { change, type Change, type Desk, isAsBefore, laterThan, type Told, toldRow } from '../desk.ts';
import { isPlainUrl } from '../fetches/fetch-text.ts';
import { outboundProblem } from '../fetches/fetching.ts';
import {
  countSettings,
  deleteSetting,
  insertSetting,
  listSettings,
  type SettingOwner,
  type SettingRow,
  updateSetting,
} from './notifications.store.ts';

import {
  listHooks,
  mask,
  portalName,
  scopeOf,
  type SettingView,
  type SettingWish,
  view,
  viewOfNone,
} from './setting-shape.ts';

/** Most settings that an object has: of users, one each; and of nobody. */
const portalMax = 200;
const genericMax = 50;
const addressesMax = 20;

/** How people can be told, beside the console itself. */
const notifiers = [
  { id: 'default-email', type: 'EMAIL', name: 'Default Email Notifier' },
  { id: 'default-webhook', type: 'WEBHOOK', name: 'Default Webhook Notifier' },
] as const;

/** How others can be told of an object. Errors: request.not_found. */
export async function listNotifiers(desk: Desk, { owner }: SettingsRef) {
  await demandOwner(desk.storage.db, owner);
  return notifiers;
}

/** What an operation on settings is about. */
export interface SettingsRef {
  readonly owner: SettingOwner;
}

/**
 * The caller's own setting first, then those that tell addresses and webhooks, which only who may change them sees: a URL may be a secret.
 */
export async function listNotificationSettings(
  desk: Desk,
  actor: Actor,
  { owner }: SettingsRef,
): Promise<readonly SettingView[]> {
  await demandOwner(desk.storage.db, owner);
  const rows = await listSettings(desk.storage.db, owner, actor.id);
  const own = rows.find(({ user_id: user }) => user === actor.id);
  const isSeen = (['create', 'update', 'delete'] as const).some((action) => may(actor, owner, action));
  return [
    own === undefined ? viewOfNone(owner, actor) : view(own),
    ...rows.filter(({ config_type: type }) => isSeen && type === 'GENERIC').map(view),
  ];
}

/**
 * Makes a setting; the caller's own is written where there is one. Errors: request.forbidden for another object's, or without the right to
 * create one that tells others; notification.invalid, request.invalid; email.disabled.
 */
export function createSetting(
  desk: Desk,
  actor: Actor,
  { owner, wish }: SettingsRef & { readonly wish: SettingWish },
): Promise<SettingView> {
  demandPath(owner, wish);
  if (wish.config_type === 'PORTAL') return writeOwn(desk, actor, { owner, wish });
  if (!may(actor, owner, 'create')) throw new Fault('request.forbidden');
  return change(desk, { actor, at: owner.at }, async (now) => {
    await lockOwner(now, owner);
    const { notifier, name } = wish;
    if (notifier === undefined || name === undefined)
      throw new Fault('notification.invalid', { detail: 'A notification needs a name and a notifier.' });
    const id = randomUUID();
    const config = checkedConfig(desk, notifier, wish.config);
    if ((await countSettings(now.trx, owner, 'GENERIC')) >= genericMax)
      throw new Fault('request.invalid', {
        details: [{ path: 'referenceId', message: `has ${genericMax} notifications, the most` }],
      });
    const row: SettingRow = {
      ...rowOf(now, owner, { id, configType: 'GENERIC', user: null }),
      name,
      notifier,
      config,
      sealed_secret: sealedSecret(desk, { id, wish, before: undefined }),
      hooks: JSON.stringify(checkedHooks(owner, wish.hooks ?? [])),
    };
    await insertSetting(now.trx, row);
    await audit(now, owner, { after: row });
    return view(row);
  });
}

/** Changes one that tells others. Errors: as {@link createSetting}; notification.configuration.notFound. */
export function updateGeneric(
  desk: Desk,
  actor: Actor,
  { owner, wish, id }: SettingsRef & { readonly wish: SettingWish; readonly id: string },
): Promise<SettingView> {
  demandPath(owner, wish);
  if (wish.config_type !== 'GENERIC' || (wish.id !== undefined && wish.id !== id))
    throw new Fault('request.forbidden');
  return change(desk, { actor, at: owner.at }, async (now) => {
    const before = await demandGeneric(now, owner, id);
    if (wish.notifier !== undefined && wish.notifier !== before.notifier)
      throw new Fault('request.invalid', {
        details: [{ path: 'notifier', message: `is ${String(before.notifier)}, and stays that` }],
      });
    const config =
      wish.config === undefined ? before.config : checkedConfig(desk, before.notifier ?? '', wish.config);
    const set = {
      name: wish.name ?? before.name,
      config,
      sealed_secret: sealedSecret(desk, { id, wish: { ...wish, config: config ?? undefined }, before }),
      hooks: wish.hooks === undefined ? before.hooks : JSON.stringify(checkedHooks(owner, wish.hooks)),
      updated_at_ms: laterThan(before.updated_at_ms, now.nowMs),
    };
    if (isAsBefore(before, set)) return view(before);
    const after = await updateSetting(now.trx, before, set);
    await audit(now, owner, { before, after });
    return view(after);
  });
}

/** Changes what the caller is told of in the console. */
export function writeOwn(
  desk: Desk,
  actor: Actor,
  { owner, wish }: SettingsRef & { readonly wish: SettingWish },
): Promise<SettingView> {
  demandPath(owner, wish);
  if (wish.config_type !== 'PORTAL' || (wish.user !== undefined && wish.user !== actor.id))
    throw new Fault('request.forbidden');
  const hooksText = JSON.stringify(checkedHooks(owner, wish.hooks ?? []));
  return change(desk, { actor, at: owner.at }, async (now) => {
    await lockOwner(now, owner);
    const rows = await listSettings(now.trx, owner, actor.id);
    const before = rows.find(({ user_id: user }) => user === actor.id);
    if (before === undefined && hooksText === '[]') return viewOfNone(owner, actor);
    if (before !== undefined) {
      if (isAsBefore(before, { hooks: hooksText })) return view(before);
      const after = await updateSetting(now.trx, before, {
        hooks: hooksText,
        updated_at_ms: laterThan(before.updated_at_ms, now.nowMs),
      });
      await audit(now, owner, { before, after });
      return view(after);
    }
    if ((await countSettings(now.trx, owner, 'PORTAL')) >= portalMax)
      throw new Fault('request.invalid', {
        details: [{ path: 'referenceId', message: `tells ${portalMax} users, the most` }],
      });
    const row: SettingRow = {
      ...rowOf(now, owner, { id: randomUUID(), configType: 'PORTAL', user: actor.id }),
      hooks: hooksText,
    };
    await insertSetting(now.trx, row);
    await audit(now, owner, { after: row });
    return view(row);
  });
}

/** Removes one that tells others. Errors: notification.configuration.notFound. */
export function deleteGeneric(
  desk: Desk,
  actor: Actor,
  { owner, id }: SettingsRef & { readonly id: string },
): Promise<void> {
  return change(desk, { actor, at: owner.at }, async (now) => {
    const before = await demandGeneric(now, owner, id);
    await deleteSetting(now.trx, before);
    await audit(now, owner, { before });
  });
}

async function demandGeneric(now: Change, owner: SettingOwner, id: string): Promise<SettingRow> {
  await lockOwner(now, owner);
  const rows = await listSettings(now.trx, owner, now.actor.id);
  const found = rows.find((row) => row.id === id && row.config_type === 'GENERIC');
  if (found === undefined) throw new Fault('notification.configuration.notFound');
  return found;
}

/** Errors: request.not_found. */
async function demandOwner(db: Queries, { at, type, id }: SettingOwner): Promise<void> {
  if (type === 'API') await foundApi(db, { at, id });
  if (type === 'APPLICATION') await foundApplication(db, { at, id });
}

/** Two changes of one object's settings wait for each other, and for whoever deletes it. Errors: request.not_found. */
async function lockOwner(now: Change, { at, type, id }: SettingOwner): Promise<void> {
  if (type === 'API') await lockedApi(now, id);
  else if (type === 'APPLICATION') await lockedApplication(now, id);
  else await lockInUse(now.trx, at);
}

/** What the body says of where it belongs is what the path says. */
function demandPath({ type, id }: SettingOwner, wish: SettingWish): void {
  if ((wish.referenceType ?? type) !== type || (wish.referenceId ?? id) !== id)
    throw new Fault('request.forbidden', {
      detail: 'referenceType and referenceId name something else than the path.',
    });
}

/** The right on the object of the settings. */
export function may(
  actor: Actor,
  { at, type, id }: SettingOwner,
  action: 'create' | 'read' | 'update' | 'delete',
): boolean {
  const scope = type === 'API' ? 'api' : type === 'APPLICATION' ? 'application' : 'environment';
  const chain: Resource = { ...at, ...(scope === 'environment' ? {} : { [scope]: id }) };
  return can(actor, `${scope}-notification:${action}` as Right, chain);
}

function checkedHooks({ type }: SettingOwner, ids: readonly string[]): readonly string[] {
  const known = new Set(listHooks(scopeOf[type]).map(({ id }) => id));
  const details: FaultDetail[] = ids.flatMap((id, index) =>
    known.has(id) ? [] : [{ path: `hooks[${index}]`, message: `there is no hook "${id}" here` }],
  );
  if (details.length > 0) throw new Fault('request.invalid', { details });
  return [...new Set(ids)];
}

function checkedConfig(desk: Desk, notifier: string, config = ''): string {
  const invalid = (path: string, message: string): Fault =>
    new Fault('request.invalid', { details: [{ path, message }] });
  if (notifier === 'default-webhook') {
    if (!isPlainUrl(config))
      throw invalid('config', 'must be an http or https URL without user and password');
    // A call that is refused later is told in the operator's log alone.
    try {
      desk.outbound?.checkUrl(config);
    } catch (error) {
      const problem = outboundProblem(error);
      if (problem === undefined) throw error;
      throw invalid('config', `names an address to which no call goes: ${problem}`);
    }
    return config;
  }
  if (notifier !== 'default-email')
    throw invalid('notifier', `must be one of ${notifiers.map(({ id }) => id).join(', ')}`);
  if (!desk.mail.isOn) throw new Fault('email.disabled');
  const addresses = [...new Set(config.split(/[\s,;]+/).filter((text) => text !== ''))];
  if (addresses.length === 0 || addresses.length > addressesMax || !addresses.every(isAddress))
    throw invalid('config', `must be 1 to ${addressesMax} addresses of mail with a comma between`);
  return addresses.join(',');
}

/** A mask stands for the secret that is kept, as long as the same receiver gets what it signs. */
function sealedSecret(
  desk: Desk,
  {
    id,
    wish: { secret, config },
    before,
  }: { readonly id: string; readonly wish: SettingWish; readonly before: SettingRow | undefined },
): Uint8Array | null {
  if (secret === undefined) return null;
  const invalid = (message: string): Fault =>
    new Fault('request.invalid', { details: [{ path: 'secret', message }] });
  if (secret !== mask) return desk.webhooks.seal(id, secret);
  if (before === undefined || before.sealed_secret === null)
    throw invalid(`is ${mask}, the mask of a secret, and none is kept; write the secret`);
  if (config !== (before.config ?? undefined))
    throw invalid(`is ${mask}, and would sign what goes somewhere else than before; write the secret`);
  return before.sealed_secret;
}

function rowOf(
  { nowMs }: Change,
  { at, type, id: referenceId }: SettingOwner,
  of: { readonly id: string; readonly configType: 'PORTAL' | 'GENERIC'; readonly user: string | null },
): SettingRow {
  return {
    id: of.id,
    ...at,
    reference_type: type,
    reference_id: referenceId,
    config_type: of.configType,
    user_id: of.user,
    name: portalName,
    notifier: null,
    config: null,
    sealed_secret: null,
    hooks: '[]',
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
  };
}

/** A row as the audit tells of it, which more people read than settings: without the secret, and of a URL, which may be one, where it leads. */
function plain(row: SettingRow | undefined): object | undefined {
  if (row === undefined) return undefined;
  const { config, notifier, sealed_secret: secret } = row;
  const isUrl = config !== null && notifier === 'default-webhook';
  return {
    ...row,
    config: isUrl ? `${new URL(config).origin}/${mask}` : config,
    sealed_secret: secret === null ? null : mask,
  };
}

function audit(now: Change, { type, id }: SettingOwner, told: Told<SettingRow>): Promise<void> {
  const rows = { before: plain(told.before), after: plain(told.after) };
  const event =
    told.before === undefined
      ? 'NOTIFICATION_SETTING_CREATED'
      : told.after === undefined
        ? 'NOTIFICATION_SETTING_DELETED'
        : 'NOTIFICATION_SETTING_UPDATED';
  return now.audit(event, { type, id, ...rows }, { NOTIFICATION_SETTING: toldRow(told).id });
}
