import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { apiLimits } from '../../../proto/model/api-limits.ts';
import type { Actor } from '../../access/actor.ts';
import { lockOrganization } from '../../publish/tenant-locks.ts';
import type { Queries } from '../../storage/storage.ts';
import { type ApiRef, readableApi } from '../apis/api-gate.ts';
import type { DraftDefinition } from '../apis/definition.ts';
import { pathsOf } from '../apis/paths.ts';
import type { AuditEvent } from '../audit/events.ts';
import {
  changeOrganization,
  type Desk,
  isAsBefore,
  type OrganizationChange,
  type Told,
  toldRow,
} from '../desk.ts';
import { idSchema, present, wordsUpTo } from '../fields.ts';
import { tagsOf } from '../tags/tags.store.ts';
import { unknownTags } from '../tags/tags.ts';
import { environmentIds as environmentIdsOf } from '../tenants/tenants.store.ts';
import {
  deleteEntrypoint,
  type EntrypointRow,
  entrypointsOf,
  insertEntrypoint,
  updateEntrypoint,
} from './entrypoints.store.ts';

/** Most entrypoints of an organization. */
const entrypointsMax = 500;

const fields = {
  target: z.enum(['HTTP', 'TCP', 'KAFKA']),
  value: z.string().trim().min(1).max(512),
  tags: wordsUpTo(apiLimits.tagsMax).min(1),
  environmentIds: z.array(idSchema).max(100).optional(),
};

/** Body of a creation. */
export const newEntrypointSchema = z.strictObject(fields).openapi('NewEntrypoint');
/** Body of an update, which names the entrypoint. */
export const updateEntrypointSchema = z.strictObject({ id: idSchema, ...fields }).openapi('UpdateEntrypoint');
/** An entrypoint as it is answered. */
export const entrypointSchema = z.object({ id: z.string(), ...fields }).openapi('Entrypoint');
/** Where an API is reached. */
export const exposedSchema = z.array(z.object({ value: z.string() }).openapi('ExposedEntrypoint'));

type EntrypointView = z.infer<typeof entrypointSchema>;
type EntrypointWish = z.infer<typeof newEntrypointSchema>;

/** All entrypoints of an organization, oldest first. */
export async function listEntrypoints(desk: Desk, organization: string): Promise<readonly EntrypointView[]> {
  return (await entrypointsOf(desk.storage.db, organization)).map(view);
}

/** One entrypoint. Errors: entrypoint.notFound. */
export async function getEntrypoint(desk: Desk, organization: string, id: string): Promise<EntrypointView> {
  return view(await found(desk.storage.db, organization, id));
}

/** Says where gateways of those tags are reached. Errors: entrypoint.tags.exists; request.invalid for a value that is not of its target, or a tag or environment that is not there. */
export function createEntrypoint(
  desk: Desk,
  actor: Actor,
  { organization, wish }: { readonly organization: string; readonly wish: EntrypointWish },
): Promise<EntrypointView> {
  return changeOrganization(desk, { actor, organization }, async (now) => {
    await lockOrganization(now.trx, organization);
    const others = await entrypointsOf(now.trx, organization);
    if (others.length >= entrypointsMax)
      throw new Fault('request.invalid', { detail: `There can be ${entrypointsMax}; delete one first.` });
    const row = { id: randomUUID(), organization, ...columns(wish), created_at_ms: now.nowMs };
    demandNew(others, row);
    await demandNamed(now, wish);
    await insertEntrypoint(now.trx, row);
    await audit(now, 'ENTRYPOINT_CREATED', { after: row });
    return view(row);
  });
}

/** Replaces an entrypoint. Errors: those of a creation, entrypoint.notFound. */
export function editEntrypoint(
  desk: Desk,
  actor: Actor,
  {
    organization,
    wish,
  }: { readonly organization: string; readonly wish: EntrypointWish & { readonly id: string } },
): Promise<EntrypointView> {
  return changeOrganization(desk, { actor, organization }, async (now) => {
    await lockOrganization(now.trx, organization);
    const before = await found(now.trx, organization, wish.id);
    const row = { ...before, ...columns(wish) };
    demandNew(await entrypointsOf(now.trx, organization), row);
    await demandNamed(now, wish, view(before));
    if (isAsBefore(before, row)) return view(before);
    await updateEntrypoint(now.trx, row);
    await audit(now, 'ENTRYPOINT_UPDATED', { before, after: row });
    return view(row);
  });
}

/** Removes an entrypoint. Errors: entrypoint.notFound. */
export function removeEntrypoint(
  desk: Desk,
  actor: Actor,
  { organization, id }: { readonly organization: string; readonly id: string },
): Promise<void> {
  return changeOrganization(desk, { actor, organization }, async (now) => {
    await lockOrganization(now.trx, organization);
    const row = await found(now.trx, organization, id);
    await deleteEntrypoint(now.trx, row);
    await audit(now, 'ENTRYPOINT_DELETED', { before: row });
  });
}

/**
 * Where an API is reached: each of its paths at each entrypoint of its tags in its environment; one with a host of its own at that host, by
 * the scheme of the entrypoint, or by https without one. Where no entrypoint is of its tags, a path without host is reached where the settings
 * say that gateways are, and has no place while they do not.
 *
 * Errors: request.not_found, request.forbidden.
 */
export async function exposedEntrypoints(
  desk: Desk,
  actor: Actor,
  ref: ApiRef,
): Promise<z.infer<typeof exposedSchema>> {
  const { db } = desk.storage;
  const api = await readableApi(db, actor, ref);
  const tags = JSON.parse(api.tags) as readonly string[];
  const rows = (await entrypointsOf(db, ref.at.organization)).filter((row) => {
    const { environmentIds = [], ...one } = view(row);
    const isHere = environmentIds.length === 0 || environmentIds.includes(ref.at.environment);
    return isHere && one.target === 'HTTP' && one.tags.some((tag) => tags.includes(tag));
  });
  const named = rows.map(({ value }) => value);
  const origins = named.length > 0 || desk.gatewaysUrl === undefined ? named : [desk.gatewaysUrl];
  const definition = JSON.parse(api.definition) as Pick<DraftDefinition, 'listeners'>;
  const values = pathsOf(definition).flatMap(({ host, path }) => {
    if (host === '') return origins.map((value) => `${value.replace(/\/+$/, '')}${path}`);
    const schemes = rows.length === 0 ? ['https:'] : rows.map(({ value }) => new URL(value).protocol);
    return schemes.map((scheme) => `${scheme}//${host}${path}`);
  });
  return [...new Set(values)].map((value) => ({ value }));
}

function columns(wish: EntrypointWish) {
  const isUrl = z.url({ protocol: /^https?$/ }).safeParse(wish.value).success;
  const isHost = /^[A-Za-z0-9.{}_-]{1,255}(:\d{1,5})?$/.test(wish.value);
  if (wish.target === 'HTTP' ? !isUrl : !isHost)
    throw new Fault('request.invalid', {
      details: [
        {
          path: 'value',
          message: wish.target === 'HTTP' ? 'must be an http or https URL' : 'must be a host',
        },
      ],
    });
  return {
    target: wish.target,
    value: wish.value,
    tags: JSON.stringify(wish.tags.toSorted()),
    environments: JSON.stringify(wish.environmentIds ?? []),
  };
}

/** Its tags and environments are there; those that it had before may have gone since. Errors: request.invalid with each by its place. */
async function demandNamed(
  { trx, organization }: OrganizationChange,
  { tags, environmentIds = [] }: EntrypointWish,
  before?: EntrypointView,
): Promise<void> {
  const known = new Set(await environmentIdsOf(trx, organization));
  const details = [
    ...unknownTags(await tagsOf(trx, organization), { before: before?.tags ?? [], after: tags }),
    ...environmentIds.flatMap((id, index) =>
      known.has(id) || before?.environmentIds?.includes(id) === true
        ? []
        : [{ path: `environmentIds[${index}]`, message: `There is no environment "${id}"; write its id.` }],
    ),
  ];
  if (details.length > 0) throw new Fault('request.invalid', { details });
}

function demandNew(others: readonly EntrypointRow[], row: EntrypointRow): void {
  const isTaken = others.some(
    ({ id, target, tags }) => id !== row.id && target === row.target && tags === row.tags,
  );
  if (isTaken) throw new Fault('entrypoint.tags.exists');
}

async function found(db: Queries, organization: string, id: string): Promise<EntrypointRow> {
  const row = (await entrypointsOf(db, organization)).find((one) => one.id === id);
  if (row === undefined) throw new Fault('entrypoint.notFound', { parameters: { entrypoint: id } });
  return row;
}

function view(row: EntrypointRow): EntrypointView {
  const environmentIds = JSON.parse(row.environments) as string[];
  return present({
    id: row.id,
    target: fields.target.parse(row.target),
    value: row.value,
    tags: JSON.parse(row.tags) as string[],
    environmentIds: environmentIds.length === 0 ? undefined : environmentIds,
  });
}

function audit(now: OrganizationChange, event: AuditEvent, told: Told<EntrypointRow>): Promise<void> {
  const { organization, id } = toldRow(told);
  return now.audit(event, { type: 'ORGANIZATION', id: organization, ...told }, { ENTRYPOINT: id });
}
