import { z } from '@hono/zod-openapi';
import { Fault, type FaultDetail } from '../../../proto/faults/fault.ts';
import { type Actor, isAdmin } from '../../access/actor.ts';
import { lockOrganization } from '../../publish/tenant-locks.ts';
import { isUniqueViolation, type Queries, type Trx } from '../../storage/storage.ts';
import type { AuditEvent } from '../audit/events.ts';
import {
  type Change,
  changeOrganization,
  type Desk,
  isAsBefore,
  type OrganizationChange,
  type Told,
  toldRow,
} from '../desk.ts';
import { entrypointsOf } from '../entrypoints/entrypoints.store.ts';
import { idSchema, present, readOnlyFields, textSchema } from '../fields.ts';
import { checkIfMatch, contentVersionOf } from '../route.ts';
import { groupIdsOfMember, groupsOfMember, knownGroups } from '../groups/groups.store.ts';
import {
  apiWithTag,
  deleteTagRow,
  fleetWithTag,
  insertTag,
  namesTag,
  planWithTag,
  type TagRef,
  type TagRow,
  tagsOf,
  updateTagRow,
} from './tags.store.ts';

/** Most tags of an organization, and groups that one is kept for. */
const tagsMax = 500;
const groupsMax = 100;

const fields = {
  name: z.string().trim().min(1).max(64),
  description: textSchema.optional(),
  restricted_groups: z
    .array(idSchema)
    .max(groupsMax)
    .refine((ids) => new Set(ids).size === ids.length, 'must not repeat a value')
    .optional(),
};

/** Body of a creation. */
export const newTagSchema = z
  .strictObject({ ...readOnlyFields('id'), key: idSchema, ...fields })
  .openapi('NewTag');
/** Body of an update; the key stays. */
export const updateTagSchema = z
  .strictObject({ ...readOnlyFields('id', 'key'), ...fields })
  .openapi('UpdateTag');
/** A tag as it is answered; `id` is the key again, as clients of the reference ask for it. */
export const tagSchema = z.object({ id: z.string(), key: z.string(), ...fields }).openapi('Tag');

type TagView = z.infer<typeof tagSchema>;
type TagWish = z.infer<typeof updateTagSchema>;

/** All tags of an organization, by name. */
export async function listTags(desk: Desk, organization: string): Promise<readonly TagView[]> {
  return (await tagsOf(desk.storage.db, organization)).map(view);
}

/** One tag. Errors: tag.notFound. */
export async function getTag(desk: Desk, ref: TagRef): Promise<TagView> {
  return view(await found(desk.storage.db, ref));
}

/** Makes a tag. Errors: tag.exists; request.invalid for a group that is not there. */
export async function createTag(
  desk: Desk,
  actor: Actor,
  { organization, wish }: { readonly organization: string; readonly wish: z.infer<typeof newTagSchema> },
): Promise<TagView> {
  const { key } = wish;
  try {
    return await changeOrganization(desk, { actor, organization }, async (now) => {
      await lockOrganization(now.trx, organization);
      const others = await tagsOf(now.trx, organization);
      if (others.length >= tagsMax)
        throw new Fault('request.invalid', { detail: `There can be ${tagsMax}; delete one first.` });
      const row = { organization, key, ...(await columns(now, wish)), created_at_ms: now.nowMs };
      await insertTag(now.trx, row);
      await audit(now, 'TAG_CREATED', { after: row });
      return view(row);
    });
  } catch (error) {
    if (isUniqueViolation(error)) throw new Fault('tag.exists', { parameters: { tag: key } });
    throw error;
  }
}

/** Replaces name, description and groups of a tag. Errors: tag.notFound; request.invalid for a group that is not there. */
export function updateTag(
  desk: Desk,
  actor: Actor,
  { wish, ifMatch, ...ref }: TagRef & { readonly wish: TagWish; readonly ifMatch?: string | undefined },
): Promise<TagView> {
  return changeOrganization(desk, { actor, organization: ref.organization }, async (now) => {
    await lockOrganization(now.trx, ref.organization);
    const before = await found(now.trx, ref);
    checkIfMatch(ifMatch, contentVersionOf(view(before)));
    const row = { ...before, ...(await columns(now, wish)) };
    if (isAsBefore(before, row)) return view(before);
    await updateTagRow(now.trx, row);
    await audit(now, 'TAG_UPDATED', { before, after: row });
    return view(row);
  });
}

/** Removes a tag that nobody uses. Errors: tag.notFound; tag.inUse while an API, a plan, a fleet or an entrypoint names it. */
export function deleteTag(
  desk: Desk,
  actor: Actor,
  { ifMatch, ...ref }: TagRef & { readonly ifMatch?: string | undefined },
): Promise<void> {
  return changeOrganization(desk, { actor, organization: ref.organization }, async (now) => {
    await lockOrganization(now.trx, ref.organization);
    const row = await found(now.trx, ref);
    checkIfMatch(ifMatch, contentVersionOf(view(row)));
    const user = await userOf(now.trx, ref);
    if (user !== undefined)
      throw new Fault('tag.inUse', { detail: `${user} names it.`, parameters: { tag: ref.key } });
    await deleteTagRow(now.trx, row);
    await audit(now, 'TAG_DELETED', { before: row });
  });
}

/** Keys of the tags that the caller may give to APIs in some environment. */
export async function listOwnTags(desk: Desk, actor: Actor): Promise<readonly string[]> {
  const { db } = desk.storage;
  const rows = await tagsOf(db, actor.organization);
  const held = await groupIdsOfMember(db, actor.organization, actor.id);
  const isFree = isAdmin(actor, 'organization', actor.organization);
  return rows.filter((row) => isFree || isFor(row, held)).map(({ key }) => key);
}

/** What something was sharded by, which stays though it may have gone since, and what it is to be. */
interface NamedTags {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/**
 * Judges a change of what an API is sharded by: what it gets is a tag of the organization, and one that is kept for groups is given and taken
 * by their members, and by an ADMIN.
 *
 * Errors: tag.notAllowed.
 */
export async function demandTags({ trx, actor, at }: Change, { before, after }: NamedTags): Promise<void> {
  const changed = new Set(before).symmetricDifference(new Set(after));
  if (changed.size === 0) return;
  const all = await tagsOf(trx, at.organization);
  refuseUnknown(all, { before, after });
  const isFree =
    isAdmin(actor, 'organization', at.organization) || isAdmin(actor, 'environment', at.environment);
  if (isFree) return;
  const rows = all.filter(({ key, restricted_groups: groups }) => changed.has(key) && groups !== '[]');
  if (rows.length === 0) return;
  const held = new Set((await groupsOfMember(trx, at, actor.id)).map(({ id }) => id));
  const refused = rows.filter((row) => !isFor(row, held)).map(({ key }) => key);
  if (refused.length > 0) throw new Fault('tag.notAllowed', { parameters: { tags: refused.join(', ') } });
}

/**
 * Judges what a plan or another part of an API is sharded by, whoever gives it.
 *
 * Errors: tag.notAllowed for a tag that is not there, as of an API.
 */
export async function demandTagsThere(trx: Trx, organization: string, words: NamedTags): Promise<void> {
  if (words.after.some((word) => !words.before.includes(word)))
    refuseUnknown(await tagsOf(trx, organization), words);
}

/** The places of the words that are no tags of the organization, where those that were named before are not asked for. */
export function unknownTags(all: readonly TagRow[], { before, after }: NamedTags): readonly FaultDetail[] {
  const known = new Set(all.map(({ key }) => key));
  return after.flatMap((word, index) =>
    known.has(word) || before.includes(word)
      ? []
      : [{ path: `tags[${index}]`, message: `There is no sharding tag "${word}" in the organization.` }],
  );
}

function refuseUnknown(all: readonly TagRow[], words: NamedTags): void {
  const details = unknownTags(all, words);
  if (details.length === 0) return;
  const known = new Set([...words.before, ...all.map(({ key }) => key)]);
  throw new Fault('tag.notAllowed', {
    detail: 'An API has sharding tags of its organization; make the tag first.',
    parameters: { tags: words.after.filter((word) => !known.has(word)).join(', ') },
    details,
  });
}

const isFor = ({ restricted_groups: groups }: TagRow, held: ReadonlySet<string>): boolean => {
  const kept = JSON.parse(groups) as readonly string[];
  return kept.length === 0 || kept.some((id) => held.has(id));
};

/** What names a tag, in words; undefined when nothing does. */
async function userOf(trx: Trx, ref: TagRef): Promise<string | undefined> {
  const api = await apiWithTag(trx, ref);
  if (api !== undefined) return `The API "${api}"`;
  const plan = await planWithTag(trx, ref);
  if (plan !== undefined) return `The plan "${plan}"`;
  const fleet = await fleetWithTag(trx, ref);
  if (fleet !== undefined) return `The fleet "${fleet}"`;
  const entrypoints = await entrypointsOf(trx, ref.organization);
  const entrypoint = entrypoints.find(({ tags }) => namesTag(tags, ref.key));
  return entrypoint === undefined ? undefined : `The entrypoint ${entrypoint.value}`;
}

async function columns(now: OrganizationChange, wish: TagWish) {
  const groups = (wish.restricted_groups ?? []).toSorted();
  const known = await knownGroups(now.trx, now.organization, groups);
  const at = (wish.restricted_groups ?? []).findIndex((id) => !known.has(id));
  if (at !== -1)
    throw new Fault('request.invalid', {
      details: [{ path: `restricted_groups[${at}]`, message: 'is no group of the organization' }],
    });
  return {
    name: wish.name,
    description: wish.description ?? '',
    restricted_groups: JSON.stringify(groups),
  };
}

function view(row: TagRow): TagView {
  const groups = JSON.parse(row.restricted_groups) as string[];
  return present({
    id: row.key,
    key: row.key,
    name: row.name,
    description: row.description === '' ? undefined : row.description,
    restricted_groups: groups.length === 0 ? undefined : groups,
  });
}

async function found(db: Queries, { organization, key }: TagRef): Promise<TagRow> {
  const row = (await tagsOf(db, organization)).find((one) => one.key === key);
  if (row === undefined) throw new Fault('tag.notFound', { parameters: { tag: key } });
  return row;
}

function audit(now: OrganizationChange, event: AuditEvent, told: Told<TagRow>): Promise<void> {
  const { organization, key } = toldRow(told);
  return now.audit(event, { type: 'ORGANIZATION', id: organization, ...told }, { TAG: key });
}
