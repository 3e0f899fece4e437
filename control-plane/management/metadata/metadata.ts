import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Actor } from '../../access/actor.ts';
import { lockInUse } from '../../publish/tenant-locks.ts';
import type { Queries } from '../../storage/storage.ts';
import { foundApi, lockedApi } from '../apis/api-gate.ts';
import { foundApplication, lockedApplication } from '../applications/applications.ts';
import type { AuditEvent } from '../audit/events.ts';
import {
  type AuditedObject,
  change,
  type Change,
  type Desk,
  isAsBefore,
  type Told,
  toldRow,
} from '../desk.ts';
import { idSchema, nameSchema, present, readOnlyFields } from '../fields.ts';
import { checkIfMatch, contentVersionOf } from '../route.ts';
import { slugOf } from '../slug.ts';
import {
  deleteMetadata,
  insertMetadata,
  metadataOf,
  type MetadataOwner,
  type MetadataRow,
  type MetadataScope,
  updateMetadata,
} from './metadata.store.ts';

/** Most fields of one object. */
const fieldsMax = 200;

const formats = ['STRING', 'NUMERIC', 'BOOLEAN', 'DATE', 'MAIL', 'URL'] as const;
const formatSchema = z.enum(formats);

/** What a value of a format looks like. */
const valueSchemas: Readonly<Record<(typeof formats)[number], z.ZodType>> = {
  STRING: z.string(),
  NUMERIC: z.string().regex(/^-?\d{1,20}(\.\d{1,20})?$/, 'must be a number'),
  BOOLEAN: z.enum(['true', 'false']),
  DATE: z.iso.date(),
  MAIL: z.email(),
  URL: z.url({ protocol: /^https?$/ }),
};

const writableFields = {
  name: nameSchema,
  format: z.enum(formats).optional(),
  value: z.string().max(4_096).optional(),
};

/** Body of a creation; its key is made of the name. */
export const newMetadataSchema = z
  .strictObject({ ...readOnlyFields('defaultValue'), ...writableFields })
  .openapi('NewMetadata');
/** Body of an update. */
export const updateMetadataSchema = z
  .strictObject({ ...readOnlyFields('key', 'defaultValue', 'apiId', 'applicationId'), ...writableFields })
  .openapi('UpdateMetadata');

/** The same for a path that does not name the key. */
export const keyedMetadataSchema = updateMetadataSchema
  .extend({ key: idSchema })
  .openapi('UpdateKeyedMetadata');

/** A field as it is answered. */
export const metadataSchema = z
  .object({
    key: z.string(),
    name: z.string(),
    format: z.enum(formats),
    value: z.string().optional(),
    defaultValue: z.string().optional(),
    apiId: z.string().optional(),
    applicationId: z.string().optional(),
  })
  .openapi('Metadata');

type MetadataWish = z.infer<typeof newMetadataSchema>;
/** A field as it is answered. */
export type MetadataView = z.infer<typeof metadataSchema>;

/** All fields of an object; of an API or application also those of its environment, whose value is what counts without one of its own. */
export async function listMetadata(desk: Desk, owner: MetadataOwner): Promise<readonly MetadataView[]> {
  const { db } = desk.storage;
  await demandOwner(db, owner);
  const own = await metadataOf(db, owner);
  if (owner.scope === 'environment') return own.map((row) => view(row, undefined));
  const defaults = await metadataOf(db, environmentOwner(owner.at));
  const byKey = new Map(defaults.map((row) => [row.key, row]));
  const taken = new Set(own.map((row) => row.key));
  const inherited = defaults.filter((row) => !taken.has(row.key));
  return [
    ...own.map((row) => view(row, byKey.get(row.key))),
    ...inherited.map((row) => inheritedView(owner, row)),
  ].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** A field of the environment, as an API or application has it without a value of its own. */
const inheritedView = ({ scope, id }: MetadataOwner, row: MetadataRow): MetadataView =>
  present({ ...view({ ...row, scope, reference: id }, row), value: undefined });

/** One field. Errors: metadata.notFound, api.metadata.notFound, application.metadata.notFound. */
export async function getMetadata(desk: Desk, owner: MetadataOwner, key: string): Promise<MetadataView> {
  const found = (await listMetadata(desk, owner)).find((one) => one.key === key);
  if (found === undefined) throw notFound(owner, key);
  return found;
}

/** Notes a field. Errors: metadata.exists; request.invalid for a value that is not of its format. */
export function createMetadata(
  desk: Desk,
  actor: Actor,
  { owner, wish }: { readonly owner: MetadataOwner; readonly wish: MetadataWish },
): Promise<MetadataView> {
  return change(desk, { actor, at: owner.at }, async (now) => {
    await lockOwner(now, owner);
    if ((await metadataOf(now.trx, owner)).length >= fieldsMax)
      throw new Fault('request.invalid', {
        detail: `There can be ${fieldsMax} fields at most; delete one first.`,
      });
    const key = slugOf(wish.name);
    const { at, scope, id: reference } = owner;
    const row: MetadataRow = { ...at, scope, reference, key, ...columns(wish) };
    if (!(await insertMetadata(now.trx, row)))
      throw new Fault('metadata.exists', { parameters: { metadata: wish.name } });
    await audit(now, 'METADATA_CREATED', { owner, after: row });
    return view(row, await defaultOf(now, owner, key));
  });
}

/** Replaces a field; of an API or application one of the environment gets a value of its own. Errors: as of the creation, and those of getMetadata. */
export function editMetadata(
  desk: Desk,
  actor: Actor,
  {
    owner,
    key,
    wish,
    ifMatch,
  }: {
    readonly owner: MetadataOwner;
    readonly key: string;
    readonly wish: MetadataWish;
    readonly ifMatch?: string | undefined;
  },
): Promise<MetadataView> {
  return change(desk, { actor, at: owner.at }, async (now) => {
    await lockOwner(now, owner);
    const before = (await metadataOf(now.trx, owner)).find((row) => row.key === key);
    const inherited = await defaultOf(now, owner, key);
    const seen =
      before === undefined ? inherited && inheritedView(owner, inherited) : view(before, inherited);
    if (seen === undefined) throw notFound(owner, key);
    checkIfMatch(ifMatch, contentVersionOf(seen));
    const { at, scope, id: reference } = owner;
    const row: MetadataRow = { ...at, scope, reference, key, ...columns(wish) };
    if (before !== undefined && isAsBefore(before, row)) return view(before, inherited);
    if (before === undefined) await insertMetadata(now.trx, row);
    else await updateMetadata(now.trx, before, columns(wish));
    await audit(now, 'METADATA_UPDATED', { owner, before, after: row });
    return view(row, inherited);
  });
}

/** Removes a field. Errors: those of getMetadata. */
export function removeMetadata(
  desk: Desk,
  actor: Actor,
  {
    owner,
    key,
    ifMatch,
  }: { readonly owner: MetadataOwner; readonly key: string; readonly ifMatch?: string | undefined },
): Promise<void> {
  return change(desk, { actor, at: owner.at }, async (now) => {
    await lockOwner(now, owner);
    const before = (await metadataOf(now.trx, owner)).find((row) => row.key === key);
    if (before === undefined) throw notFound(owner, key);
    checkIfMatch(ifMatch, contentVersionOf(view(before, await defaultOf(now, owner, key))));
    await deleteMetadata(now.trx, owner, key);
    await audit(now, 'METADATA_DELETED', { owner, before });
  });
}

/** The environment as what has metadata. */
export function environmentOwner(at: EnvironmentRef): MetadataOwner {
  return { at, scope: 'environment', id: at.environment };
}

async function defaultOf(
  now: Change,
  { at, scope }: MetadataOwner,
  key: string,
): Promise<MetadataRow | undefined> {
  if (scope === 'environment') return undefined;
  return (await metadataOf(now.trx, environmentOwner(at))).find((row) => row.key === key);
}

async function demandOwner(db: Queries, { at, scope, id }: MetadataOwner): Promise<void> {
  if (scope === 'api') await foundApi(db, { at, id });
  if (scope === 'application') await foundApplication(db, { at, id });
}

/** Two changes of one object's fields wait for each other, and for whoever deletes it. Errors: request.not_found. */
async function lockOwner(now: Change, { at, scope, id }: MetadataOwner): Promise<void> {
  if (scope === 'api') await lockedApi(now, id);
  else if (scope === 'application') await lockedApplication(now, id);
  else await lockInUse(now.trx, at);
}

function columns({ name, format = 'STRING', value = '' }: MetadataWish) {
  const parsed = valueSchemas[format].safeParse(value);
  if (value !== '' && !parsed.success)
    throw new Fault('request.invalid', {
      details: [
        {
          path: 'value',
          message: `is not of the format ${format}: ${parsed.error.issues[0]?.message ?? ''}`,
        },
      ],
    });
  return { name, format, value };
}

function view(row: MetadataRow, inherited: MetadataRow | undefined): MetadataView {
  return present({
    key: row.key,
    name: row.name,
    format: formatSchema.parse(row.format),
    value: row.value === '' ? undefined : row.value,
    defaultValue: inherited === undefined || inherited.value === '' ? undefined : inherited.value,
    apiId: row.scope === 'api' ? row.reference : undefined,
    applicationId: row.scope === 'application' ? row.reference : undefined,
  });
}

const notFoundCodes = {
  environment: 'metadata.notFound',
  api: 'api.metadata.notFound',
  application: 'application.metadata.notFound',
} as const satisfies Readonly<Record<MetadataScope, string>>;

function notFound({ scope, id }: MetadataOwner, key: string): Fault {
  const of = scope === 'environment' ? {} : { [scope]: id };
  return new Fault(notFoundCodes[scope], { parameters: { ...of, metadata: key } });
}

const objects = {
  environment: 'ENVIRONMENT',
  api: 'API',
  application: 'APPLICATION',
} as const satisfies Readonly<Record<MetadataScope, AuditedObject['type']>>;

function audit(
  now: Change,
  event: AuditEvent,
  { owner, ...told }: Told<MetadataRow> & { readonly owner: MetadataOwner },
): Promise<void> {
  const object = { type: objects[owner.scope], id: owner.id, ...told };
  return now.audit(event, object, { METADATA: toldRow<MetadataRow>(told).key });
}
