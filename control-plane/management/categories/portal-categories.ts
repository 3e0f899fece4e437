import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { type Actor, can } from '../../access/actor.ts';
import type { Desk } from '../desk.ts';
import { nameSchema, present, textSchema } from '../fields.ts';
import { createCategory, editCategories } from './categories.ts';
import { type CategoryRow, listCategories } from './categories.store.ts';

/** A category as whoever writes the portal names it. */
export const portalCategoryWishSchema = z
  .strictObject({
    title: nameSchema,
    description: textSchema.optional(),
    visible: z.boolean().default(true),
  })
  .openapi('PortalCategoryWish');
/** A category as it is answered there. */
export const portalCategorySchema = z
  .object({
    id: z.string(),
    title: z.string(),
    description: z.string().optional(),
    visible: z.boolean(),
  })
  .openapi('PortalCategory');

type Wish = z.infer<typeof portalCategoryWishSchema>;
type View = z.infer<typeof portalCategorySchema>;

/** All categories by their title; hidden ones for who writes the portal. */
export async function listPortalCategories(
  desk: Desk,
  actor: Actor,
  at: EnvironmentRef,
): Promise<readonly View[]> {
  const seesAll = can(actor, 'environment-documentation:update', at);
  const rows = await listCategories(desk.storage.db, at);
  return rows
    .filter((row) => seesAll || row.is_hidden === 0)
    .map(view)
    .toSorted((a, b) => a.title.localeCompare(b.title, 'en') || (a.id < b.id ? -1 : 1));
}

/** Makes a category, last in the order. Errors: request.conflict for a title that there is. */
export async function createPortalCategory(
  desk: Desk,
  actor: Actor,
  { at, wish }: { readonly at: EnvironmentRef; readonly wish: Wish },
): Promise<View> {
  await demandFree(desk, at, wish);
  try {
    const { id } = await createCategory(desk, actor, { at, wish: categoryOf(wish) });
    return oneView(desk, at, id);
  } catch (error) {
    // Another title may have the same key.
    if (error instanceof Fault && error.code === 'category.exists') throw taken(wish);
    throw error;
  }
}

/** Replaces what can be written; its order and its key stay. Errors: request.not_found; request.conflict for a title that another one has. */
export async function editPortalCategory(
  desk: Desk,
  actor: Actor,
  { at, id, wish }: { readonly at: EnvironmentRef; readonly id: string; readonly wish: Wish },
): Promise<View> {
  await demandFree(desk, at, { ...wish, id });
  await editCategories(desk, actor, { at, wishes: [{ ...categoryOf(wish), id }] });
  return oneView(desk, at, id);
}

async function demandFree(
  desk: Desk,
  at: EnvironmentRef,
  wish: Wish & { readonly id?: string },
): Promise<void> {
  const rows = await listCategories(desk.storage.db, at);
  if (rows.some(({ id, name }) => name === wish.title && id !== wish.id)) throw taken(wish);
}

function taken({ title }: Wish): Fault {
  return new Fault('request.conflict', { detail: `There is a category "${title}" already.` });
}

async function oneView(desk: Desk, at: EnvironmentRef, id: string): Promise<View> {
  const row = (await listCategories(desk.storage.db, at)).find((one) => one.id === id);
  if (row === undefined) throw new Fault('request.not_found');
  return view(row);
}

const categoryOf = ({ title, description, visible }: Wish) => ({
  name: title,
  description,
  hidden: !visible,
});

function view({ id, name, description, is_hidden: isHidden }: CategoryRow): View {
  return present({
    id,
    title: name,
    description: description === '' ? undefined : description,
    visible: isHidden === 0,
  });
}
