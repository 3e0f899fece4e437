import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { compileGiven } from '../../../proto/freemarker/template.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Trx } from '../../storage/storage.ts';
import type { Actor } from '../../access/actor.ts';
import { primaryOwners } from '../../access/memberships.store.ts';
import { lockInUse } from '../../publish/tenant-locks.ts';
import { type ApiRef, readableApi } from '../apis/api-gate.ts';
import type { AuditEvent } from '../audit/events.ts';
import { change, type Change, type Desk, isAsBefore, laterThan, type Told, toldRow } from '../desk.ts';
import { present, readOnlyFields } from '../fields.ts';
import {
  deleteHeaderRow,
  type HeaderRow,
  headersOf,
  insertHeader,
  updateHeaderRow,
} from './api-headers.store.ts';

/** Most headers of an environment, and characters of a template and of what it says. */
const headersMax = 50;
const templateCharsMax = 4_096;
const saidCharsMax = 4_096;

/** What a template is given. */
const given = {
  api: [
    'id',
    'name',
    'version',
    'description',
    'visibility',
    'state',
    'createdAt',
    'updatedAt',
    'deployedAt',
    'primaryOwner',
  ],
} as const;

const fields = {
  name: z.string().trim().min(1).max(128),
  /** A template of FreeMarker, e.g. `${api.version}`. */
  value: z
    .string()
    .min(1)
    .max(templateCharsMax)
    .superRefine((text, context) => {
      const compiled = compileGiven(text, { shape: given, output: 'text' });
      if ('kind' in compiled) context.addIssue({ code: 'custom', message: compiled.message });
    }),
};

/** What is said of every API of an environment as long as nobody says otherwise, in the reference's words. */
const defaults = [
  ['api.version', '${api.version}'],
  ['api.owner', '${api.primaryOwner.displayName}'],
  ['api.publishedAt', '${(api.deployedAt?date)!}'],
] as const;

/** Body of a creation, which comes last. */
export const newHeaderSchema = z
  .strictObject({ ...readOnlyFields('id', 'order', 'created_at', 'updated_at'), ...fields })
  .openapi('NewApiHeader');
/** Body of an update; `order` moves it among the others, which move on. */
export const updateHeaderSchema = z
  .strictObject({
    ...readOnlyFields('id', 'created_at', 'updated_at'),
    ...fields,
    order: z.int().min(1).max(headersMax),
  })
  .openapi('UpdateApiHeader');
/** A header as it is answered. */
export const headerSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    value: z.string(),
    order: z.int(),
    created_at: z.int(),
    updated_at: z.int(),
  })
  .openapi('ApiHeader');
/** What the headers say of an API. */
export const saidHeadersSchema = z.array(
  z
    .object({
      name: z.string(),
      value: z.string().optional(),
      /** Why there is no value. */
      problem: z.string().optional(),
    })
    .openapi('SaidApiHeader'),
);

type HeaderView = z.infer<typeof headerSchema>;

interface HeaderRef {
  readonly at: EnvironmentRef;
  readonly id: string;
}

/** Gives a new environment the headers that each begins with. */
export async function insertDefaultHeaders(trx: Trx, at: EnvironmentRef, nowMs: number): Promise<void> {
  for (const [n, [name, value]] of defaults.entries())
    await insertHeader(trx, {
      organization: at.organization,
      environment: at.environment,
      id: randomUUID(),
      name,
      value,
      position: n + 1,
      created_at_ms: nowMs,
      updated_at_ms: nowMs,
    });
}

/** All headers of an environment, in their order. */
export async function listHeaders(desk: Desk, at: EnvironmentRef): Promise<readonly HeaderView[]> {
  return (await headersOf(desk.storage.db, at)).map(view);
}

/** Adds one, which comes last. Errors: request.invalid. */
export function createHeader(
  desk: Desk,
  actor: Actor,
  { at, wish }: { readonly at: EnvironmentRef; readonly wish: z.infer<typeof newHeaderSchema> },
): Promise<HeaderView> {
  return change(desk, { actor, at }, async (now) => {
    await lockInUse(now.trx, at);
    const others = await headersOf(now.trx, at);
    if (others.length >= headersMax)
      throw new Fault('request.invalid', { detail: `There can be ${headersMax}; delete one first.` });
    const row: HeaderRow = {
      ...at,
      id: randomUUID(),
      name: wish.name,
      value: wish.value,
      position: others.length + 1,
      created_at_ms: now.nowMs,
      updated_at_ms: now.nowMs,
    };
    await insertHeader(now.trx, row);
    await audit(now, 'API_HEADER_CREATED', { after: row });
    return view(row);
  });
}

/** Replaces one, and moves it to its place among the others. Errors: apiHeader.notFound. */
export function updateHeader(
  desk: Desk,
  actor: Actor,
  { at, id, wish }: HeaderRef & { readonly wish: z.infer<typeof updateHeaderSchema> },
): Promise<HeaderView> {
  return change(desk, { actor, at }, async (now) => {
    await lockInUse(now.trx, at);
    const all = await headersOf(now.trx, at);
    const before = foundIn(all, id);
    const others = all.filter((row) => row.id !== id);
    const position = Math.min(wish.order, all.length);
    const row: HeaderRow = {
      ...before,
      name: wish.name,
      value: wish.value,
      position,
      updated_at_ms: laterThan(before.updated_at_ms, now.nowMs),
    };
    if (isAsBefore(before, row)) return view(before);
    await updateHeaderRow(now.trx, row);
    await renumber(now, others.toSpliced(position - 1, 0, row));
    await audit(now, 'API_HEADER_UPDATED', { before, after: row });
    return view(row);
  });
}

/** Removes one. Errors: apiHeader.notFound. */
export function deleteHeader(desk: Desk, actor: Actor, { at, id }: HeaderRef): Promise<void> {
  return change(desk, { actor, at }, async (now) => {
    await lockInUse(now.trx, at);
    const all = await headersOf(now.trx, at);
    const row = foundIn(all, id);
    await deleteHeaderRow(now.trx, row);
    await renumber(
      now,
      all.filter((other) => other.id !== id),
    );
    await audit(now, 'API_HEADER_DELETED', { before: row });
  });
}

/**
 * What the headers of the environment say of one API; of one that cannot be worked out, why. All of them are worked out with what one template may
 * cost: everybody who looks at the API waits for them, and everybody else's requests do.
 *
 * Errors: those of reading the API.
 */
export async function saidHeaders(
  desk: Desk,
  actor: Actor,
  ref: ApiRef,
): Promise<z.infer<typeof saidHeadersSchema>> {
  const { db } = desk.storage;
  const api = await readableApi(db, actor, ref);
  const owners = await primaryOwners(db, ref.at.organization, { scope: 'api', ids: [api.id] });
  const facts = Object.entries({
    id: api.id,
    name: api.name,
    version: api.api_version,
    description: api.description,
    visibility: api.visibility,
    state: api.state,
    createdAt: new Date(api.created_at_ms),
    updatedAt: new Date(api.updated_at_ms),
    deployedAt: api.deployed_at_ms === null ? undefined : new Date(api.deployed_at_ms),
    primaryOwner: new Map([['displayName', owners.get(api.id)?.displayName ?? '']]),
  });
  // What is not there is missing, which a template forgives by `!`.
  const known = new Map(
    facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])),
  );
  const budget = {};
  return (await headersOf(db, ref.at)).map(({ name, value }) => {
    const compiled = compileGiven(value, { shape: given, output: 'text' });
    if ('kind' in compiled) return { name, problem: compiled.message };
    const made = compiled.render(new Map([['api', known]]), desk.clock.now(), budget);
    if (made.kind === 'value' && made.value.length > saidCharsMax)
      return { name, problem: `It says more than ${saidCharsMax} characters.` };
    return present({
      name,
      value: made.kind === 'value' ? made.value : undefined,
      problem: made.kind === 'value' ? undefined : made.why,
    });
  });
}

async function renumber(now: Change, rows: readonly HeaderRow[]): Promise<void> {
  for (const [n, row] of rows.entries())
    if (row.position !== n + 1) await updateHeaderRow(now.trx, { ...row, position: n + 1 });
}

function foundIn(rows: readonly HeaderRow[], id: string): HeaderRow {
  const row = rows.find((one) => one.id === id);
  if (row === undefined) throw new Fault('apiHeader.notFound', { parameters: { apiHeader: id } });
  return row;
}

const view = (row: HeaderRow): HeaderView => ({
  id: row.id,
  name: row.name,
  value: row.value,
  order: row.position,
  created_at: row.created_at_ms,
  updated_at: row.updated_at_ms,
});

function audit(now: Change, event: AuditEvent, told: Told<HeaderRow>): Promise<void> {
  const object = { type: 'ENVIRONMENT', id: now.at.environment, ...told } as const;
  return now.audit(event, object, { API_HEADER: toldRow(told).id });
}
