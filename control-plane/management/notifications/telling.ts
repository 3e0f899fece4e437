import { randomUUID } from 'node:crypto';
import { Fault, invariant } from '../../../proto/faults/fault.ts';
import type { Log } from '../../../proto/process/log.ts';
import { actorOf } from '../../access/access.ts';
import { getUser } from '../../access/access.store.ts';
import { objectRoles, primaryOwners, tenantRoles } from '../../access/memberships.store.ts';
import { type Hook, type HookFacts, hookOf } from '../../mail/hooks.ts';
import { writeInForce } from '../../mail/in-force.ts';
import { type Template, templateOf } from '../../mail/templates.ts';
import type { Written } from '../../mail/written.ts';
import { keepLease, releaseLease, takeLease } from '../../storage/leases.ts';
import { createRecurring } from '../../storage/recurring.ts';
import type { Trx } from '../../storage/storage.ts';
import { findApi } from '../apis/apis.store.ts';
import { findApplication } from '../applications/applications.store.ts';
import type { Desk } from '../desk.ts';
import { findPlanAnywhere } from '../plans/plans.store.ts';
import { findSubscription } from '../subscriptions/subscriptions.store.ts';
import { isInUse } from '../tenants/tenants.store.ts';
import { dayMs } from './ending.store.ts';
import { endingHooks, raiseEndings } from './ending.ts';
import type { RaisedRow, SettingOwner, SettingRow } from './notifications.store.ts';
import { insertPortal, keepNewest } from './portal.store.ts';
import { nextRaised } from './raised.store.ts';
import type { About } from './raising.ts';
import { may } from './settings.ts';

const lookEveryMs = 1_000;
/** Ends are told in days. */
const endingsEveryMs = 3_600_000;
const perLook = 50;
/** Of one organization in a look, while others wait. */
const perOrganization = 10;
/** Most notifications that a user has; of more the oldest go. */
const portalMax = 1_000;

/** Who tells. */
interface Teller {
  readonly desk: Desk;
  readonly log: Log;
  /** So many days before subscriptions and keys end, people are told of it. */
  readonly endsSoonDays: readonly number[];
}

/**
 * Tells what was raised, until the signal: one control plane on the database at a time, each in a transaction of its own with what it puts
 * into queues, so that nobody is told twice, whoever is killed.
 */
export async function tellRaised(teller: Teller, signal: AbortSignal): Promise<void> {
  const { desk, log, endsSoonDays: days } = teller;
  const { storage, clock } = desk;
  const lease = { name: 'management.notifications', leaseMs: 30_000, holder: randomUUID() };
  const trouble = createRecurring(
    { log, clock },
    { lasts: 'notifications wait for the database', over: 'notifications are told again' },
  );
  const isHeld = (trx: Trx): Promise<boolean> => keepLease(trx, storage.dialect, lease);
  let endingsAtMs = -Infinity;
  const look = async (): Promise<boolean> => {
    if ((await takeLease(storage, lease)) === undefined) return false;
    if (clock.monotonicMs() >= endingsAtMs) {
      const isMore = await raiseEndings({ storage, days }, clock.now(), isHeld);
      endingsAtMs = isMore ? -Infinity : clock.monotonicMs() + endingsEveryMs;
    }
    const rows = await nextRaised(storage.db, { each: perOrganization, limit: perLook });
    for (const row of rows) {
      if (signal.aborted) return false;
      await storage
        .transaction(async (trx) => {
          if (!(await isHeld(trx))) return;
          await trx.deleteFrom('raised_hook').where('id', '=', row.id).execute();
          await tell(teller, trx, row);
        })
        .catch(async (error: unknown) => {
          if (error instanceof Fault && error.code.startsWith('storage.')) throw error;
          log.error({ err: error, hook: row.hook, organization: row.organization }, 'a notification is lost');
          await storage.db.deleteFrom('raised_hook').where('id', '=', row.id).execute();
        });
    }
    return rows.length > 0;
  };
  while (!signal.aborted) {
    let isMore = false;
    try {
      isMore = await look();
      trouble.worked();
    } catch (error) {
      trouble.failed({ err: error });
    }
    if (!isMore) await clock.delay(lookEveryMs, signal);
  }
  await releaseLease(storage.db, lease.name, lease.holder).catch((error: unknown) =>
    log.debug({ err: error }, 'the lease of notifications ends by itself'),
  );
}

async function tell({ desk, log }: Omit<Teller, 'endsSoonDays'>, trx: Trx, row: RaisedRow): Promise<void> {
  const hook = hookOf(row.hook);
  if (hook === undefined) return;
  const about = JSON.parse(row.about) as About;
  const settings = (await settingsFor(trx, row, { hook, about })).filter(({ hooks }) =>
    (JSON.parse(hooks) as readonly string[]).includes(hook.id),
  );
  const owner = endingHooks.includes(row.hook) ? await ownerToWarn(trx, row, about) : [];
  if (settings.length === 0 && owner.length === 0) return;
  const facts = await factsOf(trx, row, about);
  const now = { trx, organization: row.organization, nowMs: desk.clock.now() };
  const addresses = settings.flatMap(({ notifier, config }) =>
    notifier === 'default-email' ? (config ?? '').split(',') : [],
  );
  const to = [...addresses, ...owner];
  await desk.mail.tell(now, { to, hook, facts });
  let telling: Written | undefined;
  for (const setting of settings) {
    const { notifier, config, user_id: user } = setting;
    if (user !== null) {
      telling ??= await writeInForce({ db: trx, log }, { ...now, template: inConsole(hook), facts });
      await tellUser(now, { setting, user, telling });
    }
    if (user === null && notifier !== 'default-email' && config !== null) {
      const target = { settingId: setting.id, url: config, sealedSecret: setting.sealed_secret };
      await desk.webhooks.call(now, { target, hook, facts });
    }
  }
}

/** Whoever owns the application is told before its calls are refused, asked for or not; of the two hooks of an end, by one. */
async function ownerToWarn(
  trx: Trx,
  { organization, hook }: RaisedRow,
  { application }: About,
): Promise<readonly string[]> {
  if (application === undefined || hookOf(hook)?.scope !== 'APPLICATION') return [];
  const owners = await primaryOwners(trx, organization, { scope: 'application', ids: [application] });
  const user = await getUser(trx, organization, owners.get(application)?.id ?? '');
  return user?.status === 'ACTIVE' && user.email !== null ? [user.email] : [];
}

function inConsole({ scope, id }: Hook): Template {
  const template = templateOf({ scope, hook: id, type: 'PORTAL' });
  invariant(template !== undefined, 'of each hook there are words');
  return template;
}

/** Those of the API, of the application, or of all environments of the organization that are in use. */
async function settingsFor(
  trx: Trx,
  { organization, environment }: RaisedRow,
  { hook, about }: { readonly hook: Hook; readonly about: About },
): Promise<readonly SettingRow[]> {
  const all = trx.selectFrom('notification_setting').selectAll().where('organization', '=', organization);
  if (hook.scope === 'PORTAL')
    return all
      .where('reference_type', '=', 'ENVIRONMENT')
      .where((where) => isInUse(where.ref('notification_setting.environment')))
      .execute();
  const id = hook.scope === 'API' ? about.api : about.application;
  if (environment === null || id === undefined) return [];
  return all
    .where('environment', '=', environment)
    .where('reference_type', '=', hook.scope)
    .where('reference_id', '=', id)
    .execute();
}

/** In the console; who may not read notifications of the object any more is told nothing of it. */
async function tellUser(
  { trx, organization, nowMs }: { readonly trx: Trx; readonly organization: string; readonly nowMs: number },
  {
    setting,
    user,
    telling,
  }: {
    readonly setting: SettingRow;
    readonly user: string;
    readonly telling: Written;
  },
): Promise<void> {
  const row = await getUser(trx, organization, user);
  if (row === undefined || row.status !== 'ACTIVE') return;
  const { environment, reference_type: type, reference_id: id } = setting;
  const owner = { at: { organization, environment }, type, id } as SettingOwner;
  const scope = type === 'API' ? 'api' : 'application';
  const objects = type === 'ENVIRONMENT' ? [] : [{ scope, reference: id } as const];
  const roles = [
    ...(await tenantRoles(trx, organization, user)),
    ...(await objectRoles(trx, { organization, user }, objects)),
  ];
  if (!may(actorOf(row, roles), owner, 'read')) return;
  const { subject: title, text: message } = telling;
  await insertPortal(trx, [
    { id: randomUUID(), organization, user_id: user, title, message, created_at_ms: nowMs },
  ]);
  await keepNewest(trx, { organization, userId: user }, portalMax);
}

/** What is not there, or not any more, is empty. */
async function factsOf(trx: Trx, row: RaisedRow, about: About): Promise<HookFacts> {
  const { organization } = row;
  const at = { organization, environment: row.environment ?? '' };
  const found = <T>(id: string | undefined, find: (id: string) => Promise<T | undefined>) =>
    id === undefined ? undefined : find(id);
  const subscription = await found(about.subscription, (id) => findSubscription(trx, at, id));
  const plan = await found(about.plan ?? subscription?.plan_id, (id) => findPlanAnywhere(trx, at, id));
  const application = await found(about.application ?? subscription?.application_id, (id) =>
    findApplication(trx, at, id),
  );
  const api = await found(about.api, (id) => findApi(trx, at, id));
  const user = await found(about.user, (id) => getUser(trx, organization, id));
  const owner = await getUser(trx, organization, row.user_id);
  return {
    api: { id: about.api ?? '', name: api?.name ?? '', version: api?.api_version ?? '' },
    application: { id: application?.id ?? '', name: application?.name ?? '' },
    plan: { id: plan?.id ?? '', name: plan?.name ?? '', security: plan?.security_type ?? '' },
    subscription: {
      id: subscription?.id ?? '',
      status: subscription?.status ?? '',
      reason: subscription?.reason ?? '',
    },
    owner: { displayName: owner?.display_name ?? 'Control plane' },
    user: { displayName: user?.display_name ?? '', email: user?.email ?? '' },
    ending:
      about.endsAtMs === undefined ? noEnding : endingIn(about.endsAtMs - row.created_at_ms, about.endsAtMs),
  };
}

const noEnding = { date: '', days: '' };
/** The days begin with the last one: what ends within a day ends in one. */
const endingIn = (leftMs: number, endsAtMs: number): HookFacts['ending'] => ({
  date: new Date(endsAtMs).toISOString().slice(0, 10),
  days: String(Math.max(1, Math.ceil(leftMs / dayMs))),
});
