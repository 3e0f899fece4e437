import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { maskSealed } from '../../../proto/model/secrets/sealed-values.ts';
import type { Queries } from '../../storage/storage.ts';
import { visibilities } from '../apis/api-shape.ts';
import { present } from '../fields.ts';
import { listPlansOf } from '../plans/plans.store.ts';
import { type FetchedRow } from '../fetches/fetches.store.ts';
import { findPage, type PageHead, type PageOwner, type PageRow, pagesOf } from './documentation.store.ts';
import { type DocumentationView, keptFields, pageTypes } from './documentation-shape.ts';
import { fetchesOf, pageFetchOf } from './page-fetches.ts';

/* What stands in a row. A schema is compiled when it is first used: one for each page would cost more than all the rest of a list. */
const keptSchema = z.object(keptFields);
const typeSchema = z.enum(pageTypes);
const visibilitySchema = z.enum(visibilities);

/** How deep folders lie in one another. */
const foldersDeepMax = 8;

/** Which page of whose. */
export interface PageRef extends PageOwner {
  readonly pageId: string;
}

/** All pages of an owner, and the plans whose conditions they are. */
export interface Shelf {
  readonly pages: readonly PageHead[];
  readonly byId: ReadonlyMap<string, PageHead>;
  /** Names of open plans, by the page of their general conditions. */
  readonly conditions: ReadonlyMap<string, string>;
  /** How fetching goes of those that are fetched by a schedule, by id. */
  readonly fetches: ReadonlyMap<string, FetchedRow>;
}

/** Reads all of them, without contents. */
export async function shelfOf(db: Queries, owner: PageOwner): Promise<Shelf> {
  const pages = await pagesOf(db, owner);
  const ofApi = owner.id === undefined ? [] : await listPlansOf(db, owner.at, owner.id);
  const plans = ofApi.filter(({ status }) => status !== 'CLOSED');
  const conditions = plans.flatMap(({ name, definition }) => {
    const { generalConditions } = JSON.parse(definition) as { readonly generalConditions?: string };
    return generalConditions === undefined ? [] : [[generalConditions, name] as const];
  });
  return {
    pages,
    byId: new Map(pages.map((page) => [page.id, page])),
    conditions: new Map(conditions),
    fetches: await fetchesOf(db, owner.at, pages),
  };
}

/** Errors: page.folder.invalid unless it is a folder of this owner in which something may lie. */
export function demandFolder(shelf: Shelf, id: string): void {
  if (shelf.byId.get(id)?.type !== 'FOLDER')
    throw new Fault('page.folder.invalid', {
      details: [{ path: 'parentId', message: 'must be a folder of the same documentation' }],
    });
  if (wayTo(shelf, id).length >= foldersDeepMax)
    throw new Fault('page.folder.invalid', {
      details: [{ path: 'parentId', message: `lies ${foldersDeepMax} folders deep, which is the most` }],
    });
}

/** Errors: request.invalid for a name that another page of the type has in the folder. */
export function demandName(
  shelf: Shelf,
  {
    id,
    name,
    type,
    parentId,
  }: Pick<PageHead, 'name' | 'type'> & { readonly id?: string; readonly parentId: string | null },
): void {
  const isTaken = shelf.pages.some(
    (page) => page.id !== id && page.name === name && page.type === type && page.parent_id === parentId,
  );
  if (isTaken) throw invalid('name', 'is the name of another page of this type in the folder');
}

/** Errors: page.used_as_general_condition. */
export function demandUnused({ conditions }: Shelf, { id, name }: PageHead, action: string): void {
  const planName = conditions.get(id);
  if (planName !== undefined)
    throw new Fault('page.used_as_general_condition', {
      detail: `The page is the general conditions of the plan "${planName}".`,
      parameters: { action, planName, pageName: name, pageId: id },
    });
}

/** The folders from the top to one, with it; bounded, whatever stands in the rows. */
export function wayTo({ byId }: Shelf, id: string): readonly PageHead[] {
  const way: PageHead[] = [];
  let at = byId.get(id);
  while (at !== undefined && way.length <= foldersDeepMax) {
    way.unshift(at);
    at = at.parent_id === null ? undefined : byId.get(at.parent_id);
  }
  return way;
}

/** A page with its content. Errors: page.notFound. */
export async function oneView(db: Queries, ref: PageRef): Promise<DocumentationView> {
  return wholeView(db, ref, requirePage(await findPage(db, ref, ref.pageId), ref.pageId));
}

/** The same of a page that was read. */
export async function wholeView(db: Queries, owner: PageOwner, page: PageRow): Promise<DocumentationView> {
  return present({ ...view(await shelfOf(db, owner), page), content: page.content ?? undefined });
}

/** A page as it is answered, without its content. */
export function view(shelf: Shelf, page: PageHead): DocumentationView {
  const way = page.parent_id === null ? [] : wayTo(shelf, page.parent_id);
  const isFolder = page.type === 'FOLDER';
  const access = keptSchema.parse(maskSealed(JSON.parse(page.access)));
  return present({
    id: page.id,
    name: page.name,
    type: typeSchema.parse(page.type),
    visibility: visibilitySchema.parse(page.visibility),
    order: page.position,
    published: page.is_published === 1,
    homepage: page.is_homepage === 1,
    parentId: page.parent_id ?? undefined,
    parentPath: `/${way.map(({ name }) => name).join('/')}`,
    hidden: isFolder
      ? !shelf.pages.some((one) => one.parent_id === page.id && one.is_published === 1)
      : undefined,
    generalConditions: shelf.conditions.has(page.id),
    lastContributor: page.last_contributor,
    lastFetch: pageFetchOf(shelf.fetches.get(page.id)),
    updatedAt: new Date(page.updated_at_ms).toISOString(),
    ...access,
  });
}

/** Errors: page.notFound. */
export function requirePage<Row extends PageHead>(page: Row | undefined, id: string): Row {
  if (page === undefined) throw new Fault('page.notFound', { parameters: { page: id } });
  return page;
}

/** A fault of one field. */
export function invalid(path: string, message: string): Fault {
  return new Fault('request.invalid', { details: [{ path, message }] });
}
