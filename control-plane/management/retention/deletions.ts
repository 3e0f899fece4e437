import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Actor } from '../../access/actor.ts';
import { displayNames } from '../../access/users.store.ts';
import {
  activeDeletions,
  deletionRow,
  type DeletionRow,
  deletionStates,
  filesLeft,
  filesUnread,
  insertDeletion,
  listDeletionRows,
} from '../../analytics/retention/deletions.store.ts';
import {
  countOf,
  isPersonal,
  isSubjectKind,
  type SubjectKind,
  subjectKinds,
} from '../../analytics/retention/subject.ts';
import { lockInUse } from '../../publish/tenant-locks.ts';
import { change, type Desk } from '../desk.ts';
import { idSchema, momentSchema, momentText, present } from '../fields.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { retentionOf } from './retention.ts';

/** Most deletions of an environment that are not done. */
const activeMax = 200;
const dayMs = 86_400_000;

const kindSchema = z
  .string()
  .max(256)
  .refine(
    isSubjectKind,
    `must be one of ${subjectKinds.join(', ')}, or custom. and the name of a metric, e.g. custom.user`,
  )
  .openapi({ example: 'CONSUMER_IP' });

/** Body of a request to delete; `from` and `to` narrow it to records of a time. */
export const newDeletionSchema = z
  .strictObject({
    subject: kindSchema,
    /** As it is recorded: an id, an address, the hash8 of an API key, the text of a metric. */
    value: z.string().min(1).max(1_024),
    from: momentSchema.optional(),
    /** Without it: now. */
    to: momentSchema.optional(),
  })
  .openapi('NewDeletion');

/** A deletion as it is answered. */
export const deletionSchema = z
  .object({
    id: z.string(),
    subject: z.string(),
    /** Absent when it is done and said who somebody is. */
    value: z.string().optional(),
    from: z.iso.datetime().optional(),
    to: z.iso.datetime(),
    state: z.enum(deletionStates),
    askedBy: z.object({ id: z.string(), displayName: z.string().optional() }),
    askedAt: z.iso.datetime(),
    /** Until then late records are deleted as well. */
    lateUntil: z.iso.datetime(),
    /** Since then nothing of it is left of what there was. */
    cleanAt: z.iso.datetime().optional(),
    doneAt: z.iso.datetime().optional(),
    recordsDeleted: z.int(),
    logsDeleted: z.int(),
    filesRewritten: z.int(),
    /** Objects in quarantine that named it, or could not be read. */
    quarantineDeleted: z.int(),
    /** Still to be searched. */
    filesLeft: z.int(),
    /** Damaged, and kept until their time is over: nobody can say what they hold. */
    filesUnread: z.int(),
  })
  .openapi('Deletion');

/** What a deletion would delete of what is there now; logs that only the ids of its requests lead to are not counted. */
export const deletionCountSchema = z
  .object({ records: z.int(), logs: z.int().optional() })
  .openapi('DeletionCount');

type DeletionWish = z.infer<typeof newDeletionSchema>;
type DeletionView = z.infer<typeof deletionSchema>;

/**
 * Asks for a deletion, which goes on from now until late records are late no more.
 *
 * Errors: request.invalid for a value that its subject cannot have, a time that is not over, or one deletion too many at once.
 */
export async function askDeletion(
  desk: Desk,
  actor: Actor,
  { at, wish }: { readonly at: EnvironmentRef; readonly wish: DeletionWish },
): Promise<DeletionView> {
  const span = checked(desk, wish);
  const { lateDays } = retentionOf(desk);
  const asked = await change(desk, { actor, at }, async (now) => {
    await lockInUse(now.trx, at);
    if ((await activeDeletions(now.trx, at)).length >= activeMax)
      throw new Fault('request.invalid', {
        detail: `There can be ${activeMax} deletions that are not done; one is done ${lateDays} days after it was asked for.`,
      });
    const row = await insertDeletion(now.trx, {
      organization: at.organization,
      environment: at.environment,
      id: randomUUID(),
      subject: wish.subject,
      value: wish.value,
      from_ms: span.fromMs ?? null,
      to_ms: span.toMs,
      asked_by: actor.id,
      asked_at_ms: now.nowMs,
      late_until_ms: now.nowMs + lateDays * dayMs,
    });
    // The audit stays: it says of what kind, and not of whom, where that is somebody.
    const { subject, value } = row;
    const after = {
      subject,
      value: isPersonal(wish.subject) ? null : value,
      from_ms: row.from_ms,
      to_ms: row.to_ms,
    };
    const object = { type: 'ENVIRONMENT', id: at.environment, after } as const;
    await now.audit('DELETION_ASKED', object, { DELETION: row.id });
    return row;
  });
  return seen(desk, asked);
}

/** Counts what a deletion would delete, and deletes nothing. Errors: as {@link askDeletion}; analytics.unavailable, and those of the lake. */
export async function countDeletion(
  desk: Desk,
  { at, wish }: { readonly at: EnvironmentRef; readonly wish: DeletionWish },
): Promise<z.infer<typeof deletionCountSchema>> {
  const { fromMs = 0, toMs } = checked(desk, wish);
  const { analytics } = desk;
  if (analytics === undefined) throw new Fault('analytics.unavailable');
  const span = { ...at, fromMs, toMs };
  const count = async (about: 'requests' | 'logs'): Promise<number> => {
    const { question, params } = countOf(wish.subject, about, wish.value);
    return analytics.ask(question, span, params);
  };
  const records = await count('requests');
  return isPersonal(wish.subject) ? { records } : { records, logs: await count('logs') };
}

/** A page of deletions, newest first. */
export async function listDeletions(
  desk: Desk,
  { at, page }: { readonly at: EnvironmentRef; readonly page: PageWish },
): Promise<{ readonly data: readonly DeletionView[]; readonly total: number }> {
  const { data, total } = await listDeletionRows(desk.storage.db, at, boundsOf(page));
  return { data: await Promise.all(data.map((row) => seen(desk, row))), total };
}

/** One deletion. Errors: request.not_found. */
export async function getDeletion(
  desk: Desk,
  { at, id }: { readonly at: EnvironmentRef; readonly id: string },
): Promise<DeletionView> {
  const row = await deletionRow(desk.storage.db, at, id);
  if (row === undefined) throw new Fault('request.not_found');
  return seen(desk, row);
}

/** What a value of a subject looks like. */
function valueSchema(subject: SubjectKind): z.ZodType {
  switch (subject) {
    case 'APPLICATION':
    case 'SUBSCRIPTION':
      return idSchema;
    case 'API_KEY':
      return z.string().regex(/^[0-9a-f]{8}$/, 'must be the hash8 of a key: 8 digits and letters a to f');
    case 'CONSUMER_IP':
      return z.string().refine((text) => isIP(text) !== 0, 'must be an address, e.g. 203.0.113.7');
    default:
      return z.string();
  }
}

function checked(
  desk: Desk,
  { subject, value, from, to }: DeletionWish,
): { readonly fromMs: number | undefined; readonly toMs: number } {
  const nowMs = desk.clock.now();
  const fromMs = from === undefined ? undefined : Date.parse(from);
  // A record of this very millisecond goes too.
  const toMs = to === undefined ? nowMs + 1 : Date.parse(to);
  const wrong = valueSchema(subject).safeParse(value).error?.issues ?? [];
  const details = wrong.map(({ message }) => ({ path: 'value', message }));
  if (toMs > nowMs + 1) details.push({ path: 'to', message: 'must not be in the future' });
  if (fromMs !== undefined && fromMs >= toMs) details.push({ path: 'from', message: 'must be before to' });
  if (details.length > 0) throw new Fault('request.invalid', { details });
  return { fromMs, toMs };
}

async function seen(desk: Desk, row: DeletionRow): Promise<DeletionView> {
  const { db } = desk.storage;
  const names = await displayNames(db, row.organization, [row.asked_by]);
  return present({
    id: row.id,
    subject: row.subject,
    value: row.value ?? undefined,
    from: momentText(row.from_ms),
    to: new Date(row.to_ms).toISOString(),
    state: row.state,
    askedBy: present({ id: row.asked_by, displayName: names.get(row.asked_by) }),
    askedAt: new Date(row.asked_at_ms).toISOString(),
    lateUntil: new Date(row.late_until_ms).toISOString(),
    cleanAt: momentText(row.clean_at_ms),
    doneAt: momentText(row.done_at_ms),
    recordsDeleted: row.records_deleted,
    logsDeleted: row.logs_deleted,
    filesRewritten: row.files_rewritten,
    quarantineDeleted: row.objects_deleted,
    filesLeft: await filesLeft(db, row),
    filesUnread: await filesUnread(db, row),
  });
}
