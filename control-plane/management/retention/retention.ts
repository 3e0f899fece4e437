import { z } from '@hono/zod-openapi';
import { Fault, type FaultDetail } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Actor } from '../../access/actor.ts';
import {
  chooseDays,
  chosenDays,
  daysInForce,
  type KeptRecords,
  keptRecords,
  type RetentionSettings,
} from '../../analytics/retention/retention.store.ts';
import { analyticsSettings } from '../../analytics/settings.ts';
import { lockInUse } from '../../publish/tenant-locks.ts';
import { change, type Desk, isAsBefore, laterThan } from '../desk.ts';
import { momentText, present, readOnlyFields } from '../fields.ts';
import { checkIfMatch } from '../route.ts';

const daysSchema = z.int().min(1).max(36_500);

/** Body of an update: what is left out goes by the platform's settings. */
export const updateRetentionSchema = z
  .strictObject({
    ...readOnlyFields('inForce', 'daysMax', 'lateDays', 'updatedAt'),
    recordsDays: daysSchema.optional(),
    logsDays: daysSchema.optional(),
  })
  .openapi('UpdateRetention');

/** How long an environment keeps what is recorded, as it is answered. */
export const retentionSchema = z
  .object({
    /** What the environment has chosen; absent where it goes by the platform's settings. */
    recordsDays: z.int().optional(),
    logsDays: z.int().optional(),
    /** What counts. */
    inForce: z.object({ recordsDays: z.int(), logsDays: z.int() }),
    /** Most days that can be chosen. */
    daysMax: z.int(),
    /** For so many days after a deletion was asked for late records are deleted as well. */
    lateDays: z.int(),
    updatedAt: z.iso.datetime().optional(),
  })
  .openapi('Retention');

const keptSchema = z.object({
  days: z.int(),
  files: z.int(),
  records: z.int(),
  bytes: z.int(),
  /** Times of the oldest and the newest record. */
  oldestAt: z.iso.datetime().optional(),
  newestAt: z.iso.datetime().optional(),
});

/** What is kept of an environment: records of requests, health checks and gaps, and what is logged of calls. */
export const keptRecordsSchema = z.object({ records: keptSchema, logs: keptSchema }).openapi('KeptRecords');

type RetentionView = z.infer<typeof retentionSchema>;

/** What the platform says of how long records are kept. */
export const retentionOf = ({ analytics }: Pick<Desk, 'analytics'>): RetentionSettings =>
  analytics?.retention ?? analyticsSettings.parse({});

/** How long an environment keeps what is recorded. */
export async function getRetention(desk: Desk, at: EnvironmentRef): Promise<RetentionView> {
  return view(retentionOf(desk), await chosenDays(desk.storage.db, at));
}

/** Says how long. Errors: request.invalid beyond what the platform lets an environment choose; request.precondition_failed. */
export function editRetention(
  desk: Desk,
  actor: Actor,
  {
    at,
    wish,
    ifMatch,
  }: {
    readonly at: EnvironmentRef;
    readonly wish: z.infer<typeof updateRetentionSchema>;
    readonly ifMatch: string | undefined;
  },
): Promise<RetentionView> {
  const settings = retentionOf(desk);
  demandAtMost(wish, settings.keptDaysMax);
  return change(desk, { actor, at }, async (now) => {
    await lockInUse(now.trx, at);
    const before = await chosenDays(now.trx, at);
    checkIfMatch(ifMatch, before.updatedAtMs);
    if (isAsBefore(before, { records: wish.recordsDays, logs: wish.logsDays })) return view(settings, before);
    const updatedAtMs = laterThan(before.updatedAtMs, now.nowMs);
    const after = { records: wish.recordsDays, logs: wish.logsDays, updatedAtMs };
    await chooseDays(now.trx, at, { ...after, nowMs: updatedAtMs });
    const object = { type: 'ENVIRONMENT', id: at.environment } as const;
    await now.audit('RETENTION_UPDATED', { ...object, before: told(before), after: told(after) });
    return view(settings, after);
  });
}

/** What is kept of an environment, since when, and how much it is. */
export async function listKept(desk: Desk, at: EnvironmentRef): Promise<z.infer<typeof keptRecordsSchema>> {
  const { inForce } = await getRetention(desk, at);
  const { records, logs } = await keptRecords(desk.storage.db, at);
  return { records: keptView(records, inForce.recordsDays), logs: keptView(logs, inForce.logsDays) };
}

function demandAtMost(wish: z.infer<typeof updateRetentionSchema>, daysMax: number): void {
  const details = (['recordsDays', 'logsDays'] as const).flatMap((path): readonly FaultDetail[] =>
    (wish[path] ?? 0) > daysMax ? [{ path, message: `must be ${daysMax} at most` }] : [],
  );
  if (details.length > 0) throw new Fault('request.invalid', { details });
}

type Chosen = Awaited<ReturnType<typeof chosenDays>>;

const told = ({ records, logs }: Chosen): object => ({
  recordsDays: records ?? null,
  logsDays: logs ?? null,
});

function view(settings: RetentionSettings, chosen: Chosen): RetentionView {
  const { keptDaysMax, lateDays } = settings;
  const { records, logs, updatedAtMs } = chosen;
  const inForce = daysInForce(settings, chosen);
  return present({
    recordsDays: records,
    logsDays: logs,
    inForce: { recordsDays: inForce.records, logsDays: inForce.logs },
    daysMax: keptDaysMax,
    lateDays,
    updatedAt: updatedAtMs === 0 ? undefined : momentText(updatedAtMs),
  });
}

const keptView = (
  { oldestMs, newestMs, files, records, bytes }: KeptRecords,
  days: number,
): z.infer<typeof keptSchema> =>
  present({
    days,
    files,
    records,
    bytes,
    oldestAt: momentText(oldestMs ?? null),
    newestAt: momentText(newestMs ?? null),
  });
