import { createHash } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { detailsOf } from '../../../proto/faults/issues.ts';
import { withoutNulls } from '../../../proto/model/nulls.ts';
import { parseJson } from '../../../proto/process/json-text.ts';
import type { Actor } from '../../access/actor.ts';
import { apiOwner, type ApiRef, foundApi, lockedApi } from '../apis/api-gate.ts';
import { type ApiUpdate, updateApiSchema } from '../apis/api-shape.ts';
import type { ApiRow } from '../apis/apis.store.ts';
import { updateLocked } from '../apis/apis.ts';
import { type Change, change, type Desk, isAsBefore, laterThan } from '../desk.ts';
import { readOnlyFields } from '../fields.ts';
import { depthMax, firstUnkeepable, tooDeepWords } from '../keepable.ts';
import { checkIfMatch } from '../route.ts';
import { emptyDraft, plainText, readDraft, shownText, typedDraft, writeDraft } from './draft-content.ts';
import { deleteDraft, type DraftRow, findDraft, keepDraft } from './drafts.store.ts';

/*
 * What somebody is writing of an API is kept as it was typed, be it valid or not, until a deployment takes it over. It is the body of a PUT
 * of the API as text.
 */

/** Half of what a body may have, so that escapes fit in one. */
const contentCharsMax = 524_288;

/** Body that replaces a draft. */
export const draftUpdateSchema = z
  .strictObject({
    content: z.string().max(contentCharsMax),
    ...readOnlyFields('updatedAt', 'updatedBy', 'isOutdated'),
  })
  .openapi('UpdateApiDraft');

/** A draft as it is answered. */
export const draftSchema = z
  .object({
    content: z.string(),
    updatedAt: z.string(),
    updatedBy: z.string(),
    /** Whether the API was changed since by another way, so that no deployment takes the draft. */
    isOutdated: z.boolean(),
  })
  .openapi('ApiDraft');

type DraftView = z.infer<typeof draftSchema>;

/** The draft of an API, as it was typed but for its secrets, which are masked. Errors: request.not_found without one. */
export function getDraft(desk: Desk, actor: Actor, { at, id }: ApiRef): Promise<DraftView> {
  return change(desk, { actor, at }, async (now) => {
    const api = await foundApi(now.trx, { at, id });
    return draftView(now, api, await taggedDraft(now, requireDraft(await findDraft(now.trx, at, id))));
  });
}

/** Keeps a draft as it was typed, over the API as it is now; a mask with a tag stands for the secret of the draft that has it. Errors: request.precondition_failed. */
export function putDraft(
  desk: Desk,
  actor: Actor,
  { at, id, content, ifMatch }: ApiRef & { readonly content: string; readonly ifMatch: string | undefined },
): Promise<DraftView> {
  return change(desk, { actor, at }, async (now) => {
    const api = await lockedApi(now, id);
    const before = await findDraft(now.trx, at, id);
    checkIfMatch(ifMatch, before?.updated_at_ms ?? 0);
    const kept = before === undefined ? emptyDraft : await contentOf(now, before);
    const typed = writeDraft(typedDraft(content, kept));
    const by = { base: baseOf(api), user_id: actor.id };
    if (before !== undefined && isAsBefore(before, by) && typed === writeDraft(kept))
      return draftView(now, api, before);
    const row: DraftRow = {
      ...at,
      ...by,
      api_id: id,
      content: await now.secrets.sealWhole(typed, placeOf(id)),
      updated_at_ms: laterThan(before?.updated_at_ms ?? 0, now.nowMs),
    };
    await keepDraft(now.trx, row);
    // What is typed may be a secret wherever it stands: how much it is, is told.
    await now.audit('API_DRAFT_UPDATED', { type: 'API', id, after: { characters: content.length } });
    return draftView(now, api, row);
  });
}

/** Throws a draft away. Errors: request.not_found, request.precondition_failed. */
export function discardDraft(
  desk: Desk,
  actor: Actor,
  { at, id, ifMatch }: ApiRef & { readonly ifMatch: string | undefined },
): Promise<void> {
  return change(desk, { actor, at }, async (now) => {
    await lockedApi(now, id);
    checkIfMatch(ifMatch, requireDraft(await findDraft(now.trx, at, id)).updated_at_ms);
    await deleteDraft(now.trx, at, id);
    await now.audit('API_DRAFT_DELETED', { type: 'API', id });
  });
}

/**
 * Makes the draft of an API the API, if there is one; its row is locked.
 *
 * Errors: request.invalid with everything that is wrong with it, by its place; request.conflict when the API was changed since the draft was
 * written over it; api.listener.paths.path.exists.
 */
export async function takeDraft(now: Change, api: ApiRow): Promise<ApiRow> {
  const draft = await findDraft(now.trx, now.at, api.id);
  if (draft === undefined) return api;
  if (draft.base !== baseOf(api))
    throw new Fault('request.conflict', {
      detail: 'The API was changed since its draft was written.',
      hint: 'Write the draft anew over the API as it is now, or delete it.',
    });
  const after = await updateLocked(now, api, wishOf(plainText(await contentOf(now, draft))));
  await deleteDraft(now.trx, now.at, api.id);
  return after;
}

/**
 * Seals the draft of an API by the newest key, and keeps it a draft over that API, whose own texts were sealed anew just now and whose row is
 * locked; `before` is the row as it was. Says how many texts were written.
 */
export async function resealDraft(now: Change, before: ApiRow): Promise<number> {
  const { trx, at, secrets } = now;
  const draft = await findDraft(trx, at, before.id);
  if (draft === undefined) return 0;
  const content = await secrets.resealWhole(draft.content, placeOf(before.id));
  const isOver = draft.base === baseOf(before);
  const base = isOver ? baseOf(await foundApi(trx, { at, id: before.id })) : draft.base;
  if (content === draft.content && base === draft.base) return 0;
  await keepDraft(trx, { ...draft, content, base });
  return content === draft.content ? 0 : 1;
}

/** Number of the ETag of a draft. */
export function draftVersionOf({ updatedAt }: DraftView): number {
  return Date.parse(updatedAt);
}

const placeOf = (id: string) => ({ ...apiOwner(id), field: 'draft' }) as const;

async function contentOf({ secrets }: Change, { content, api_id }: DraftRow) {
  return readDraft(await secrets.openWhole(content, placeOf(api_id)));
}

/** A draft of an earlier version gets its tags when it is first shown, and keeps them. */
async function taggedDraft(now: Change, row: DraftRow): Promise<DraftRow> {
  const kept = await now.secrets.openWhole(row.content, placeOf(row.api_id));
  const tagged = writeDraft(readDraft(kept));
  if (tagged === kept) return row;
  const content = await now.secrets.sealWhole(tagged, placeOf(row.api_id));
  await keepDraft(now.trx, { ...row, content });
  return { ...row, content };
}

async function draftView(now: Change, api: ApiRow, row: DraftRow): Promise<DraftView> {
  return {
    content: shownText(await contentOf(now, row)),
    updatedAt: new Date(row.updated_at_ms).toISOString(),
    updatedBy: row.user_id,
    isOutdated: row.base !== baseOf(api),
  };
}

function requireDraft(row: DraftRow | undefined): DraftRow {
  if (row === undefined) throw new Fault('request.not_found', { detail: 'The API has no draft.' });
  return row;
}

/** What of an API its authors write, as a hash: starts, stops and deployments do not change it. */
function baseOf(api: ApiRow): string {
  const { name, api_version, description, definition, tags, visibility, lifecycle_state } = api;
  const written = [name, api_version, description, definition, tags, visibility, lifecycle_state];
  return createHash('sha256').update(JSON.stringify(written)).digest('hex');
}

/** What a draft wants, judged as the body of a PUT is. */
function wishOf(content: string): ApiUpdate {
  const invalid = (path: string, message: string): Fault =>
    new Fault('request.invalid', { detail: 'The draft is not valid.', details: [{ path, message }] });
  let value: unknown;
  try {
    value = parseJson(content);
  } catch (error) {
    throw invalid('', error instanceof Error ? error.message : String(error));
  }
  const unkeepable = firstUnkeepable(value);
  if (unkeepable !== undefined) throw invalid(unkeepable.path, unkeepable.message);
  const tooDeep = (): never => {
    throw invalid('', tooDeepWords);
  };
  const parsed = updateApiSchema.safeParse(withoutNulls(value, { depthMax, refuse: tooDeep }));
  if (parsed.success) return parsed.data;
  throw new Fault('request.invalid', {
    detail: 'The draft is not valid.',
    details: detailsOf(parsed.error.issues, ''),
  });
}
