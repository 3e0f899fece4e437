import { randomUUID } from 'node:crypto';
import { Fault } from '../../../proto/faults/fault.ts';
import { wireLimits } from '../../../proto/wire/limits.ts';
import { type DeployedApi, deployedApis, lockApi } from '../apis/apis.store.ts';
import type { ApplicationRow } from '../applications/applications.store.ts';
import { publishKey } from '../deployments/publication.ts';
import { isServed } from '../deployments/records.ts';
import { type Change, laterThan } from '../desk.ts';
import { plansById } from '../plans/plans.store.ts';
import { type ApiKeyView, apiKeyView } from '../subscriptions/subscription-shape.ts';
import { openSubscriptions, type SubscriptionRow } from '../subscriptions/subscriptions.store.ts';
import {
  type ApiKeyRow,
  insertOpening,
  listKeysOf,
  listSharedKeys,
  type OpeningKey,
  subscriptionsOfKeys,
  updateKey,
} from './api-keys.store.ts';
import { endOf, type IssuedKey, isLive, makeKey, renewalGraceMs } from './issuing.ts';

/** Most subscriptions that one key opens. */
const sharedSubscriptionsMax = wireLimits.subscriptionsPerKeyMax;

/** A subscription to a plan with keys, whose API is locked. */
interface Keyed {
  readonly api: DeployedApi;
  readonly subscription: SubscriptionRow;
}

/** What of an application's keys there is after a change. */
export interface Shared {
  /** The key that lasts longest; absent while nothing is subscribed to. */
  readonly key: ApiKeyRow | undefined;
  /** With its value, when it was just made. */
  readonly issued: IssuedKey | undefined;
}

/**
 * Locks the APIs that an application's keys are for, and those named, in the order in which whoever locks several does.
 *
 * The application is locked already, so that no subscription comes meanwhile.
 */
export async function lockKeyedApis(
  now: Change,
  applicationId: string,
  alsoApis: readonly string[] = [],
): Promise<void> {
  const rows = await keyedRows(now, applicationId);
  const ids = new Set([...alsoApis, ...rows.map((row) => row.api_id)]);
  for (const id of [...ids].toSorted()) await lockApi(now.trx, now.at, id);
}

/** Open subscriptions of an application to plans with keys, pending ones too. */
export async function keyedRows(now: Change, applicationId: string): Promise<readonly SubscriptionRow[]> {
  const open = await openSubscriptions(now.trx, now.at, { column: 'application_id', id: applicationId });
  const planIds = open.map((row) => row.plan_id);
  const plans = await plansById(now.trx, now.at, planIds);
  return open.filter((row) => plans.get(row.plan_id)?.security_type === 'API_KEY');
}

/**
 * Lets each live key of the application open each subscription that is served; makes one where there is none. Application and APIs are locked.
 *
 * Errors: request.invalid for a custom key where there is a key already; apiKey.existing.
 */
export async function shareKeysLocked(
  now: Change,
  application: ApplicationRow,
  wish: {
    readonly customKey?: string | undefined;
    readonly isRenewal: boolean;
    /** Whether its keys have been of one subscription each until now. */
    readonly isFirst?: boolean;
  },
): Promise<Shared> {
  const keyed = await keyedOf(now, application.id);
  const before = (await listSharedKeys(now.trx, now.at, application.id)).filter((key) =>
    isLive(key, now.nowMs),
  );
  if (keyed.length === 0 && before.length === 0) return { key: undefined, issued: undefined };
  const mustMake = wish.isRenewal || before.length === 0;
  if (!mustMake && wish.customKey !== undefined)
    throw new Fault('request.invalid', {
      details: [
        {
          path: 'customApiKey',
          message: 'cannot be chosen: the application has one key for all its subscriptions; renew that',
        },
      ],
    });
  const issued = mustMake
    ? await makeKey(now, { applicationId: application.id, customKey: wish.customKey })
    : undefined;
  const live = [...(issued === undefined ? [] : [issued.row]), ...before];
  await openAll(now, live, { keyed, published: wish.isFirst === true ? 'all' : 'new' });
  if (wish.isRenewal) for (const key of before) await endLater(now, key, keyed);
  if (issued !== undefined) {
    const event = wish.isRenewal && before.length > 0 ? 'APIKEY_RENEWED' : 'APIKEY_CREATED';
    const object = { type: 'APPLICATION', id: application.id, after: issued.row } as const;
    await now.audit(event, object, { API_KEY: issued.row.id });
  }
  return { key: live.toSorted((a, b) => endOf(b) - endOf(a))[0], issued };
}

/** The key for a reader, with its value if it was just made; undefined when there is none. */
export async function sharedKeyView(
  now: Change,
  application: ApplicationRow,
  { key, issued }: Shared,
): Promise<ApiKeyView | undefined> {
  const row = issued?.row ?? key;
  if (row === undefined) return undefined;
  const opened = await subscriptionsOfKeys(now.trx, now.at, [row.id]);
  return apiKeyView(row, {
    nowMs: now.nowMs,
    application,
    subscriptions: opened.get(row.id),
    ...(issued !== undefined && { key: issued.key }),
  });
}

/** Makes the keys of an application, which were of one subscription each, open all of them. It and its APIs are locked. */
export async function becomeShared(now: Change, application: ApplicationRow): Promise<void> {
  checkShareable(await keyedRows(now, application.id));
  const open = await openSubscriptions(now.trx, now.at, { column: 'application_id', id: application.id });
  const ends = new Map(open.map((row) => [row.id, row.ending_at_ms]));
  const keys = await listKeysOf(now.trx, now.at, { column: 'application_id', ids: [application.id] });
  for (const key of keys) {
    // What ended with its one subscription lasts for the others; what was to end at a time of its own still does.
    const hadNoEnd = key.expire_at_ms === ends.get(key.subscription_id);
    await updateKey(now.trx, key, { exclusive_to: null, ...(hadNoEnd && { expire_at_ms: null }) });
  }
  await shareKeysLocked(now, application, { isRenewal: false, isFirst: true });
}

/** Errors: plan.notSubscribableWithSharedApiKey when a key would open two plans of an API, or too many. */
export function checkShareable(rows: readonly Pick<SubscriptionRow, 'api_id'>[]): void {
  if (new Set(rows.map((row) => row.api_id)).size < rows.length)
    throw new Fault('plan.notSubscribableWithSharedApiKey');
  if (rows.length > sharedSubscriptionsMax)
    throw new Fault('plan.notSubscribableWithSharedApiKey', {
      detail: `A shared key opens at most ${sharedSubscriptionsMax} subscriptions.`,
      hint: 'Close one that is not needed, or subscribe with another application.',
    });
}

/** Changes a shared key and tells gateways, for each subscription that it opens. Application and APIs are locked. */
export async function writeSharedLocked(
  now: Change,
  key: ApiKeyRow,
  set: Parameters<typeof updateKey>[2],
): Promise<ApiKeyRow> {
  const updatedAtMs = laterThan(key.updated_at_ms, now.nowMs);
  const after = await updateKey(now.trx, key, { ...set, updated_at_ms: updatedAtMs });
  const keyed = await keyedOf(now, key.application_id);
  await openAll(now, [after], { keyed, published: 'all' });
  return after;
}

/** Revokes what an application shares, whose subscriptions are closed. */
export async function revokeSharedLocked(now: Change, applicationId: string): Promise<void> {
  for (const key of await listSharedKeys(now.trx, now.at, applicationId))
    if (key.revoked_at_ms === null)
      await updateKey(now.trx, key, {
        revoked_at_ms: now.nowMs,
        updated_at_ms: laterThan(key.updated_at_ms, now.nowMs),
      });
}

async function keyedOf(now: Change, applicationId: string): Promise<readonly Keyed[]> {
  const served = (await keyedRows(now, applicationId)).filter((row) => isServed(row.status));
  const apiIds = served.map((row) => row.api_id);
  const apis = await deployedApis(now.trx, now.at, apiIds);
  return served.flatMap((subscription) => {
    const api = apis.get(subscription.api_id);
    return api === undefined ? [] : [{ api, subscription }];
  });
}

/** Lets keys open subscriptions, and publishes what is new of that, or all of it. */
async function openAll(
  now: Change,
  keys: readonly ApiKeyRow[],
  { keyed, published }: { readonly keyed: readonly Keyed[]; readonly published: 'new' | 'all' },
): Promise<void> {
  const [first] = keys;
  if (first === undefined) return;
  const known = new Map<string, OpeningKey>();
  const records = new Set<string>();
  const of = { column: 'application_id', ids: [first.application_id] } as const;
  for (const row of await listKeysOf(now.trx, now.at, of)) {
    known.set(`${row.id}/${row.subscription_id}`, row);
    records.add(row.record_id);
  }
  for (const key of keys)
    for (const { api, subscription } of keyed) {
      const before = known.get(`${key.id}/${subscription.id}`);
      if (before !== undefined && published === 'new') continue;
      const recordId = records.has(key.id) ? randomUUID() : key.id;
      records.add(recordId);
      const names = { record_id: recordId, subscription_id: subscription.id, api_id: api.id };
      const opening = before ?? (await insertOpening(now.trx, key, { ...names, nowMs: now.nowMs }));
      publishKey(now, api, { key: { ...opening, ...key }, subscription });
    }
}

async function endLater(now: Change, key: ApiKeyRow, keyed: readonly Keyed[]): Promise<void> {
  const endMs = now.nowMs + renewalGraceMs;
  if (endOf(key) <= endMs) return;
  const updatedAtMs = laterThan(key.updated_at_ms, now.nowMs);
  const ending = await updateKey(now.trx, key, { expire_at_ms: endMs, updated_at_ms: updatedAtMs });
  await openAll(now, [ending], { keyed, published: 'all' });
}
