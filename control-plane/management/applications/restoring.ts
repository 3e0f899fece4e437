import { Fault } from '../../../proto/faults/fault.ts';
import type { Actor } from '../../access/actor.ts';
import { apiNames, lockApi } from '../apis/apis.store.ts';
import { type Change, change, type Desk, laterThan } from '../desk.ts';
import { plansById } from '../plans/plans.store.ts';
import { subscriptionsOf, updateSubscription } from '../subscriptions/subscriptions.store.ts';
import type { ApplicationView } from './application-shape.ts';
import { type ApplicationRef, foundApplication, lockedApplication, oneView } from './applications.ts';
import { updateApplicationRow } from './applications.store.ts';
import { holdCertificates } from './certificates.ts';
import { holdClient } from './clients.ts';

/**
 * Brings an archived application back: of each plan that is not closed its newest subscription waits to be accepted again, with new keys.
 *
 * Errors: application.active; application.clientId.exists and application.certificate_taken when somebody else has them by now.
 */
export function restoreApplication(desk: Desk, actor: Actor, ref: ApplicationRef): Promise<ApplicationView> {
  return change(desk, { actor, at: ref.at }, async (now) => {
    const row = await lockedApplication(now, ref.id);
    if (row.status !== 'ARCHIVED')
      throw new Fault('application.active', { parameters: { application: row.id } });
    const restored = await updateApplicationRow(now.trx, row, {
      status: 'ACTIVE',
      updated_at_ms: laterThan(row.updated_at_ms, now.nowMs),
    });
    await holdClient(now, restored);
    await holdCertificates(now, restored);
    await askAgain(now, row.id);
    await now.audit('APPLICATION_RESTORED', {
      type: 'APPLICATION',
      id: row.id,
      before: row,
      after: restored,
    });
    return oneView(now.trx, restored);
  });
}

async function askAgain(now: Change, applicationId: string): Promise<void> {
  const before = await subscriptionsOf(now.trx, now.at, applicationId);
  // In the order of their ids, as whoever locks several.
  for (const api of [...new Set(before.map((row) => row.api_id))].toSorted())
    await lockApi(now.trx, now.at, api);
  const rows = await subscriptionsOf(now.trx, now.at, applicationId);
  const planIds = rows.map((row) => row.plan_id);
  const plans = await plansById(now.trx, now.at, planIds);
  const seen = new Set<string>();
  for (const row of rows) {
    const plan = plans.get(row.plan_id);
    if (seen.has(row.plan_id) || plan === undefined || plan.status === 'CLOSED') continue;
    seen.add(row.plan_id);
    await updateSubscription(now.trx, row, {
      status: 'PENDING',
      processed_at_ms: null,
      processed_by: null,
      closed_at_ms: null,
      paused_at_ms: null,
      updated_at_ms: laterThan(row.updated_at_ms, now.nowMs),
    });
  }
}

/** The APIs that an application has or had a subscription to, by name. */
export async function subscribedApis(
  desk: Desk,
  ref: ApplicationRef,
): Promise<readonly { readonly id: string; readonly name: string }[]> {
  const { db } = desk.storage;
  await foundApplication(db, ref);
  const rows = await subscriptionsOf(db, ref.at, ref.id);
  const apis = await apiNames(db, ref.at, [...new Set(rows.map((row) => row.api_id))]);
  return [...apis.values()]
    .map(({ id, name }) => ({ id, name }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
