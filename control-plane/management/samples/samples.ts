import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Actor } from '../../access/actor.ts';
import { removeMemberships } from '../../access/memberships.store.ts';
import { insertDeletion } from '../../analytics/retention/deletions.store.ts';
import { deleteApi, stopApi } from '../apis/apis.ts';
import { foundApi } from '../apis/api-gate.ts';
import { archiveApplication } from '../applications/applications.ts';
import { change, type Change, type Desk } from '../desk.ts';
import { deleteMetadata } from '../metadata/metadata.store.ts';
import { deleteSettingsOf } from '../notifications/notifications.store.ts';
import {
  deleteApplicationRow,
  forgetSample,
  listSampleRows,
  type Sample,
  usedElsewhere,
} from './samples.store.ts';

const sampleSchema = z
  .object({ type: z.enum(['API', 'APPLICATION']), id: z.string(), name: z.string() })
  .openapi('Sample');

/** What of the samples is there. */
export const samplesSchema = z.object({ data: z.array(sampleSchema) }).openapi('Samples');

/** What was taken away, or would be, and what stays because somebody uses it. */
export const samplesRemovedSchema = z
  .object({
    dryRun: z.boolean(),
    removed: z.array(sampleSchema),
    kept: z.array(sampleSchema.extend({ reason: z.string() })),
  })
  .openapi('SamplesRemoved');

/** The same as a type. */
export type SamplesRemoved = z.infer<typeof samplesRemovedSchema>;

/** The samples that are there: APIs first, each kind by name. */
export async function listSamples({ storage }: Desk, at: EnvironmentRef) {
  return { data: [...(await listSampleRows(storage.db, at))] };
}

/**
 * Takes the samples away: APIs with their plans, subscriptions, keys and records, and applications. Nothing else is touched: a sample application that
 * is subscribed to an API of somebody's own stays, as an application like any other once that API's subscription was closed.
 *
 * Each is a change of its own, so that a removal that was broken off goes on where it was.
 */
export async function removeSamples(
  desk: Desk,
  actor: Actor,
  { at, isDryRun }: { readonly at: EnvironmentRef; readonly isDryRun: boolean },
): Promise<SamplesRemoved> {
  const removed: Sample[] = [];
  const kept: SamplesRemoved['kept'] = [];
  for (const sample of await listSampleRows(desk.storage.db, at)) {
    const users = sample.type === 'APPLICATION' ? await usedElsewhere(desk.storage.db, at, sample.id) : [];
    if (users.length > 0) {
      const reason = `It is subscribed to ${users.map((name) => JSON.stringify(name)).join(', ')}; close that first.`;
      kept.push({ ...sample, reason });
      continue;
    }
    if (!isDryRun) await remove(desk, actor, { at, sample });
    removed.push(sample);
  }
  if (!isDryRun && removed.length > 0)
    await change(desk, { actor, at }, (now) =>
      now.audit('SAMPLES_REMOVED', { type: 'ENVIRONMENT', id: at.environment }),
    );
  return { dryRun: isDryRun, removed, kept };
}

/** What gateways recorded before they heard of it comes within this time; so long it goes as well. */
const lateMs = 8 * 86_400_000;

/** Has the ingester delete what is recorded of an API, and what comes late. */
async function deleteRecords({ trx, at, actor, nowMs }: Change, api: string): Promise<void> {
  await insertDeletion(trx, {
    ...at,
    id: randomUUID(),
    subject: 'API',
    value: api,
    from_ms: null,
    to_ms: nowMs + lateMs,
    asked_by: actor.id,
    asked_at_ms: nowMs,
    late_until_ms: nowMs + lateMs,
  });
}

async function remove(
  desk: Desk,
  actor: Actor,
  { at, sample }: { readonly at: EnvironmentRef; readonly sample: Sample },
): Promise<void> {
  const { type, id } = sample;
  if (type === 'API') {
    const api = await foundApi(desk.storage.db, { at, id });
    if (api.state === 'STARTED') await stopApi(desk, actor, { at, id });
    await deleteApi(desk, actor, { at, id, closePlans: true });
  } else await archiveApplication(desk, actor, { at, id });
  await change(desk, { actor, at }, async (now) => {
    await forgetSample(now.trx, at, sample);
    // Of an application's calls to other APIs nothing goes: those are no samples.
    if (type === 'API') await deleteRecords(now, id);
    if (type === 'API' || !(await deleteApplicationRow(now.trx, at, id))) return;
    await deleteMetadata(now.trx, { at, scope: 'application', id });
    await deleteSettingsOf(now.trx, { at, type: 'APPLICATION', id });
    await removeMemberships(now.trx, at.organization, { scope: 'application', reference: id });
  });
}
