import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { type Actor, authorize, can } from '../../access/actor.ts';
import { lockInUse } from '../../publish/tenant-locks.ts';
import { isUniqueViolation, type Queries } from '../../storage/storage.ts';
import type { AuditEvent } from '../audit/events.ts';
import { change, type Change, type Desk, isAsBefore, laterThan, type Told, toldRow } from '../desk.ts';
import { readOnlyFields } from '../fields.ts';
import { checkIfMatch } from '../route.ts';
import {
  countOwnViews,
  countSharedViews,
  deleteViewRow,
  findView,
  insertView,
  listViewRows,
  type OwnedViewRow,
  updateViewRow,
  type ViewRow,
} from './views.store.ts';

/** Most views of a user in an environment, those that are shared with it, and characters of a search. */
const ownMax = 100;
const sharedMax = 200;
const queryCharsMax = 2_048;

/** Lists of the console whose search can be kept. */
export const viewPageSchema = z.enum(['APIS', 'LOGS', 'ANALYTICS']);
const fields = {
  name: z.string().trim().min(1).max(64),
  page: viewPageSchema,
  /** What stands behind the question mark of the list's address. */
  query: z
    .string()
    .max(queryCharsMax)
    .regex(/^[\w\-.~!$'()*+,;:@/%&=?]*$/, 'must be the query of an address, percent-encoded, without "?"'),
};

/** Body of a creation and of an update. */
export const viewWishSchema = z
  .strictObject({
    ...readOnlyFields('id', 'owner', 'createdAt', 'updatedAt'),
    ...fields,
    /** Whether everybody in the environment has it. */
    shared: z.boolean().default(false),
  })
  .openapi('SavedViewWish');
/** A view as it is answered. */
export const viewSchema = z
  .object({
    id: z.string(),
    ...fields,
    shared: z.boolean(),
    owner: z.object({ id: z.string(), displayName: z.string(), isYou: z.boolean() }),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .openapi('SavedView');
/** The same as a type. */
export type SavedView = z.infer<typeof viewSchema>;
type ViewWish = z.infer<typeof viewWishSchema>;

interface ViewRef {
  readonly at: EnvironmentRef;
  readonly id: string;
}

/** What the caller has kept and what others share, by name. */
export async function listViews(
  desk: Desk,
  actor: Actor,
  { at, page }: { readonly at: EnvironmentRef; readonly page: SavedView['page'] | undefined },
): Promise<readonly SavedView[]> {
  const rows = await listViewRows(
    desk.storage.db,
    { at, userId: actor.id },
    { page, limit: ownMax + sharedMax },
  );
  return rows.map((row) => view(row, actor));
}

/** One of them. Errors: request.not_found. */
export async function getView(desk: Desk, actor: Actor, ref: ViewRef): Promise<SavedView> {
  return view(await found(desk.storage.db, actor, ref), actor);
}

/** Keeps a search under a name. Errors: request.invalid for a name that he has for that list, and beyond the bounds. */
export function createView(
  desk: Desk,
  actor: Actor,
  { at, wish }: { readonly at: EnvironmentRef; readonly wish: ViewWish },
): Promise<SavedView> {
  return changeViews(desk, { actor, at }, async (now) => {
    if ((await countOwnViews(now.trx, { at, userId: actor.id })) >= ownMax)
      throw new Fault('request.invalid', {
        detail: `You can keep ${ownMax} searches in an environment; delete one first.`,
      });
    if (wish.shared) await demandRoom(now);
    const row: ViewRow = {
      ...at,
      id: randomUUID(),
      page: wish.page,
      ...columns(wish),
      owner: actor.id,
      created_at_ms: now.nowMs,
      updated_at_ms: now.nowMs,
    };
    await insertView(now.trx, row);
    await audit(now, 'SAVED_VIEW_CREATED', { after: row });
    return view({ ...row, owner_name: actor.displayName }, actor);
  });
}

/**
 * Writes a view anew, which its owner may.
 *
 * Errors: those of a creation, request.not_found, request.forbidden, request.precondition_failed.
 */
export function updateView(
  desk: Desk,
  actor: Actor,
  ref: ViewRef & { readonly wish: ViewWish; readonly ifMatch: string | undefined },
): Promise<SavedView> {
  const { at, wish } = ref;
  return changeViews(desk, { actor, at }, async (now) => {
    const { owner_name: _, ...row } = await found(now.trx, actor, ref);
    if (row.owner !== actor.id)
      throw new Fault('request.forbidden', { detail: 'Another person has kept this; keep it as your own.' });
    checkIfMatch(ref.ifMatch, row.updated_at_ms);
    if (wish.page !== row.page)
      throw new Fault('request.invalid', {
        details: [{ path: 'page', message: `is ${row.page}, which stays` }],
      });
    if (wish.shared && row.is_shared === 0) await demandRoom(now);
    const set = { ...columns(wish), updated_at_ms: laterThan(row.updated_at_ms, now.nowMs) };
    if (isAsBefore(row, set)) return view({ ...row, owner_name: actor.displayName }, actor);
    const after = await updateViewRow(now.trx, row, set);
    await audit(now, 'SAVED_VIEW_UPDATED', { before: row, after });
    return view({ ...after, owner_name: actor.displayName }, actor);
  });
}

/**
 * Removes a view: one's own, or, for who may delete dashboards, one that is shared.
 *
 * Errors: request.not_found, request.forbidden, request.precondition_failed.
 */
export function deleteView(
  desk: Desk,
  actor: Actor,
  ref: ViewRef & { readonly ifMatch: string | undefined },
): Promise<void> {
  const { at } = ref;
  return changeViews(desk, { actor, at }, async (now) => {
    const { owner_name: _, ...row } = await found(now.trx, actor, ref);
    if (row.owner !== actor.id && !can(actor, 'environment-dashboard:delete', at))
      throw new Fault('request.forbidden', { detail: 'Another person has kept this.' });
    checkIfMatch(ref.ifMatch, row.updated_at_ms);
    await deleteViewRow(now.trx, row);
    await audit(now, 'SAVED_VIEW_DELETED', { before: row });
  });
}

/** Who sees no APIs of the environment keeps nothing in it; a name is judged by the index, since two may write at once. */
async function changeViews<T>(
  desk: Desk,
  { actor, at }: { readonly actor: Actor; readonly at: EnvironmentRef },
  work: (now: Change) => Promise<T>,
): Promise<T> {
  authorize(actor, ['environment-api:read'], at);
  try {
    return await change(desk, { actor, at }, async (now) => {
      await lockInUse(now.trx, at);
      return work(now);
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw new Fault('request.invalid', {
      details: [{ path: 'name', message: 'is the name of another view that you keep of this list' }],
    });
  }
}

async function demandRoom(now: Change): Promise<void> {
  if ((await countSharedViews(now.trx, now.at)) >= sharedMax)
    throw new Fault('request.invalid', {
      details: [
        { path: 'shared', message: `cannot be true: ${sharedMax} are shared in the environment already` },
      ],
    });
}

const columns = ({ name, query, shared }: ViewWish) => ({
  name,
  name_key: name.toLowerCase(),
  query,
  is_shared: shared ? 1 : 0,
});

function view(row: OwnedViewRow, actor: Actor): SavedView {
  return {
    id: row.id,
    name: row.name,
    page: viewPageSchema.parse(row.page),
    query: row.query,
    shared: row.is_shared === 1,
    owner: { id: row.owner, displayName: row.owner_name ?? 'Unknown', isYou: row.owner === actor.id },
    createdAt: new Date(row.created_at_ms).toISOString(),
    updatedAt: new Date(row.updated_at_ms).toISOString(),
  };
}

async function found(db: Queries, actor: Actor, { at, id }: ViewRef): Promise<OwnedViewRow> {
  const row = await findView(db, { at, userId: actor.id, id });
  if (row === undefined)
    throw new Fault('request.not_found', { detail: `There is no view "${id}" for you here.` });
  return row;
}

function audit(now: Change, event: AuditEvent, told: Told<ViewRow>): Promise<void> {
  const object = { type: 'ENVIRONMENT', id: now.at.environment, ...told } as const;
  return now.audit(event, object, { SAVED_VIEW: toldRow(told).id });
}
