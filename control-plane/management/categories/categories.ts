import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { type Actor, can, visible } from '../../access/actor.ts';
import { lockInUse } from '../../publish/tenant-locks.ts';
import { lockedApi } from '../apis/api-gate.ts';
import { updateApi } from '../apis/apis.store.ts';
import type { AuditEvent } from '../audit/events.ts';
import { change, type Change, type Desk, isAsBefore, laterThan, type Told, toldRow } from '../desk.ts';
import { idSchema, nameSchema, readOnlyFields, textSchema } from '../fields.ts';
import { checkIfMatch } from '../route.ts';
import { slugOf } from '../slug.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import {
  apisIn,
  type CategoryRow,
  countApis,
  deleteCategory,
  insertCategory,
  listCategories,
  listCategoryApis,
  orderApis,
  pathsByApi,
  updateCategory,
} from './categories.store.ts';

/** Most categories of an environment. */
const categoriesMax = 1_000;
const orderMax = 1_000_000;

const writableFields = {
  name: nameSchema,
  description: textSchema.optional(),
  hidden: z.boolean().optional(),
  order: z.int().min(0).max(orderMax).optional(),
};

/** Body of a creation; its key is made of the name. */
export const newCategorySchema = z.strictObject(writableFields).openapi('NewCategory');
/** Body of an update; the key stays, since APIs name the category by it. */
export const updateCategorySchema = z
  .strictObject({ ...readOnlyFields('id', 'key', 'totalApis', 'createdAt', 'updatedAt'), ...writableFields })
  .openapi('UpdateCategory');
/** Body of an update of several, each named by its id. */
export const updateCategoriesSchema = z
  .array(updateCategorySchema.extend({ id: idSchema }))
  .max(categoriesMax)
  .openapi('UpdateCategories');

/** A category as it is answered. */
export const categorySchema = z
  .object({
    id: z.string(),
    key: z.string(),
    name: z.string(),
    description: z.string(),
    hidden: z.boolean(),
    order: z.int(),
    totalApis: z.int().optional(),
    createdAt: z.int(),
    updatedAt: z.int(),
  })
  .openapi('Category');

/** Where in a category an API is to stand. */
export const updateCategoryApiSchema = z
  .strictObject({ order: z.int().min(0).max(orderMax) })
  .openapi('UpdateCategoryApi');
/** An API as its category lists it. */
export const categoryApiSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string().optional(),
    apiVersion: z.string(),
    definitionVersion: z.literal('V4'),
    order: z.int(),
    accessPaths: z.array(z.string()),
  })
  .openapi('CategoryApi');

/** A category as it is answered. */
export type CategoryView = z.infer<typeof categorySchema>;
type CategoryApiView = z.infer<typeof categoryApiSchema>;
type CategoryUpdate = z.infer<typeof updateCategorySchema>;

/** Which category, by its id or key. */
export interface CategoryRef {
  readonly at: EnvironmentRef;
  readonly category: string;
}

/** All categories that the actor may see, in their order. */
export async function getCategories(
  desk: Desk,
  actor: Actor,
  { at, withTotals }: { readonly at: EnvironmentRef; readonly withTotals: boolean },
): Promise<readonly CategoryView[]> {
  const { db } = desk.storage;
  const rows = (await listCategories(db, at)).filter((row) => isVisible(actor, row));
  const totals = withTotals ? await countApis(db, at) : undefined;
  return rows.map((row) => view(row, totals && (totals.get(row.key) ?? 0)));
}

/** One category. Errors: request.not_found. */
export async function getCategory(desk: Desk, actor: Actor, ref: CategoryRef): Promise<CategoryView> {
  const rows = await listCategories(desk.storage.db, ref.at);
  return view(
    requireCategory(
      rows.filter((row) => isVisible(actor, row)),
      ref,
    ),
  );
}

/** Makes a category. Errors: category.exists. */
export function createCategory(
  desk: Desk,
  actor: Actor,
  { at, wish }: { readonly at: EnvironmentRef; readonly wish: z.infer<typeof newCategorySchema> },
): Promise<CategoryView> {
  return change(desk, { actor, at }, async (now) => {
    await lockInUse(now.trx, at);
    const others = await listCategories(now.trx, at);
    if (others.length >= categoriesMax)
      throw new Fault('request.invalid', {
        detail: `There can be ${categoriesMax} categories; delete one first.`,
      });
    const row: CategoryRow = {
      ...at,
      id: randomUUID(),
      key: slugOf(wish.name),
      name: wish.name,
      description: wish.description ?? '',
      is_hidden: wish.hidden === true ? 1 : 0,
      position: wish.order ?? others.length,
      created_at_ms: now.nowMs,
      updated_at_ms: now.nowMs,
    };
    if (!(await insertCategory(now.trx, row)))
      throw new Fault('category.exists', { parameters: { category: wish.name } });
    await audit(now, 'CATEGORY_CREATED', { after: row });
    return view(row);
  });
}

/** Replaces what can be written of categories, all or none. Errors: request.not_found. */
export function editCategories(
  desk: Desk,
  actor: Actor,
  {
    at,
    wishes,
    ifMatch,
  }: {
    readonly at: EnvironmentRef;
    readonly wishes: readonly (CategoryUpdate & { readonly id: string })[];
    readonly ifMatch?: string | undefined;
  },
): Promise<readonly CategoryView[]> {
  return change(desk, { actor, at }, async (now) => {
    await lockInUse(now.trx, at);
    const rows = await listCategories(now.trx, at);
    for (const wish of wishes) {
      const row = requireCategory(rows, { at, category: wish.id });
      checkIfMatch(ifMatch, row.updated_at_ms);
      const set = {
        name: wish.name,
        description: wish.description ?? '',
        is_hidden: wish.hidden === true ? 1 : 0,
        position: wish.order ?? row.position,
        updated_at_ms: laterThan(row.updated_at_ms, now.nowMs),
      };
      if (isAsBefore(row, set)) continue;
      const after = await updateCategory(now.trx, row, set);
      await audit(now, 'CATEGORY_UPDATED', { before: row, after });
    }
    return (await listCategories(now.trx, at)).map((row) => view(row));
  });
}

/** Removes a category; APIs name it no more. Errors: request.not_found. */
export function removeCategory(
  desk: Desk,
  actor: Actor,
  ref: CategoryRef & { readonly ifMatch?: string | undefined },
): Promise<void> {
  return change(desk, { actor, at: ref.at }, async (now) => {
    const named = requireCategory(await listCategories(now.trx, ref.at), ref);
    // In the order of their ids, as whoever locks several.
    for (const id of (await apisIn(now.trx, named)).toSorted()) {
      const api = await lockedApi(now, id);
      const { categories = [], ...rest } = JSON.parse(api.definition) as {
        readonly categories?: readonly string[];
      };
      const definition = JSON.stringify({
        ...rest,
        categories: categories.filter((key) => key !== named.key),
      });
      await updateApi(now.trx, api, { definition, updated_at_ms: laterThan(api.updated_at_ms, now.nowMs) });
    }
    // APIs are locked before the environment; somebody else may have deleted or changed it meanwhile.
    await lockInUse(now.trx, ref.at);
    const row = requireCategory(await listCategories(now.trx, ref.at), { at: ref.at, category: named.id });
    checkIfMatch(ref.ifMatch, row.updated_at_ms);
    await deleteCategory(now.trx, row);
    await audit(now, 'CATEGORY_DELETED', { before: row });
  });
}

/** A page of the APIs of a category that the actor may see, in its order. Errors: request.not_found. */
export async function listApisOf(
  desk: Desk,
  actor: Actor,
  ref: CategoryRef & { readonly page: PageWish },
): Promise<{ readonly data: readonly CategoryApiView[]; readonly total: number }> {
  const { db } = desk.storage;
  const categories = (await listCategories(db, ref.at)).filter((row) => isVisible(actor, row));
  const category = requireCategory(categories, ref);
  const bounds = boundsOf(ref.page);
  const { rows, total } = await listCategoryApis(desk.storage, category, {
    visible: visible(actor, ref.at),
    bounds,
  });
  const ids = rows.map(({ id }) => id);
  const paths = await pathsByApi(db, ref.at, ids);
  const data = rows.map(({ id, name, description, api_version: apiVersion }, n) => ({
    id,
    name,
    description,
    apiVersion,
    definitionVersion: 'V4' as const,
    order: bounds.offset + n,
    accessPaths: [...(paths.get(id) ?? [])],
  }));
  return { data, total };
}

/** Moves an API within a category; the others keep their order. Errors: request.not_found, also for an API that does not name it. */
export function moveApi(
  desk: Desk,
  actor: Actor,
  ref: CategoryRef & { readonly api: string; readonly order: number },
): Promise<CategoryApiView> {
  return change(desk, { actor, at: ref.at }, async (now) => {
    const api = await lockedApi(now, ref.api);
    await lockInUse(now.trx, ref.at);
    const category = requireCategory(await listCategories(now.trx, ref.at), ref);
    const ids = await apisIn(now.trx, category);
    if (!ids.includes(api.id))
      throw new Fault('request.not_found', { detail: 'The API is not in this category.' });
    const others = ids.filter((id) => id !== api.id);
    const order = Math.min(ref.order, others.length);
    const moved = others.toSpliced(order, 0, api.id);
    await orderApis(now.trx, category, moved);
    const rows = { before: { ...category, apis: ids }, after: { ...category, apis: moved } };
    await audit(now, 'CATEGORY_UPDATED', rows);
    const { name, description, api_version: apiVersion } = api;
    const accessPaths = [...((await pathsByApi(now.trx, ref.at, [api.id])).get(api.id) ?? [])];
    return {
      id: api.id,
      name,
      description,
      apiVersion,
      definitionVersion: 'V4' as const,
      order,
      accessPaths,
    };
  });
}

function requireCategory(rows: readonly CategoryRow[], { category }: CategoryRef): CategoryRow {
  const found = rows.find(({ id, key }) => id === category || key === category);
  if (found === undefined)
    throw new Fault('request.not_found', { detail: `There is no category "${category}" here.` });
  return found;
}

function isVisible(actor: Actor, { organization, environment, is_hidden: isHidden }: CategoryRow): boolean {
  const writes = [
    'environment-category:create',
    'environment-category:update',
    'environment-category:delete',
  ] as const;
  return isHidden === 0 || writes.some((right) => can(actor, right, { organization, environment }));
}

function view(row: CategoryRow, totalApis?: number): CategoryView {
  return {
    id: row.id,
    key: row.key,
    name: row.name,
    description: row.description,
    hidden: row.is_hidden === 1,
    order: row.position,
    ...(totalApis !== undefined && { totalApis }),
    createdAt: row.created_at_ms,
    updatedAt: row.updated_at_ms,
  };
}

function audit(now: Change, event: AuditEvent, told: Told<CategoryRow>): Promise<void> {
  const { environment, id } = toldRow(told);
  return now.audit(event, { type: 'ENVIRONMENT', id: environment, ...told }, { CATEGORY: id });
}
