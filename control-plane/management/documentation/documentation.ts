import { randomUUID } from 'node:crypto';
import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { Actor } from '../../access/actor.ts';
import type { Queries } from '../../storage/storage.ts';
import { visibilities } from '../apis/api-shape.ts';
import { type ApiRef, foundApi, lockedApi } from '../apis/api-gate.ts';
import type { AuditEvent } from '../audit/events.ts';
import { type Change, change, type Desk, laterThan, type Told, toldRow } from '../desk.ts';
import { fetchText } from '../fetches/fetch-text.ts';
import { present } from '../fields.ts';
import { listPlansOf } from '../plans/plans.store.ts';
import {
  deletePage,
  findPage,
  insertPage,
  type PageHead,
  type PageRow,
  pagesOf,
  updatePage,
} from './documentation.store.ts';
import {
  keptFields,
  contentCharsMax,
  type DocumentationList,
  type DocumentationView,
  type newPageSchema,
  pageTypes,
  signs,
  type updatePageSchema,
} from './documentation-shape.ts';

/** Most pages and folders of an API. */
const pagesMax = 500;
/** How deep folders lie in one another. */
const foldersDeepMax = 8;
/** Which page of which API. */
export interface PageRef extends ApiRef {
  readonly pageId: string;
}

/** All pages of an API, or those of one folder (ROOT for the top) with the way to it; without contents. Errors: page.notFound. */
export async function listDocumentation(
  desk: Desk,
  ref: ApiRef & { readonly parentId: string | undefined },
): Promise<DocumentationList> {
  const { db } = desk.storage;
  await foundApi(db, ref);
  const shelf = await shelfOf(db, ref);
  if (ref.parentId === undefined) return { pages: shelf.pages.map((page) => view(shelf, page)) };
  const parentId = ref.parentId === 'ROOT' ? null : ref.parentId;
  if (parentId !== null) requirePage(shelf.byId.get(parentId), parentId);
  const pages = shelf.pages.filter((page) => page.parent_id === parentId).map((page) => view(shelf, page));
  const way = parentId === null ? [] : wayTo(shelf, parentId);
  return { pages, breadcrumb: way.map(({ id, name }, n) => ({ position: n + 1, id, name })) };
}

/** One page. Errors: page.notFound. */
export async function getDocumentation(desk: Desk, ref: PageRef): Promise<DocumentationView> {
  const { db } = desk.storage;
  await foundApi(db, ref);
  return oneView(db, ref);
}

/**
 * Writes a page, behind those of its folder, not published; one that names a source and has no content is fetched.
 *
 * Errors: request.invalid, page.folder.invalid, swagger.invalid.
 */
export async function createDocumentation(
  desk: Desk,
  actor: Actor,
  { wish, ...ref }: ApiRef & { readonly wish: z.infer<typeof newPageSchema> },
): Promise<DocumentationView> {
  if (wish.type === 'FOLDER' && wish.source !== undefined)
    throw invalid('source', 'is for pages: a folder has no content');
  const content = wish.content ?? (await contentAt(desk, wish.source));
  return change(desk, { actor, at: ref.at }, async (now) => {
    await lockedApi(now, ref.id);
    return oneView(now.trx, { ...ref, pageId: (await addPage(now, ref, { ...wish, content })).id });
  });
}

/** Fetches the content of a page anew from where it comes. Errors: page.notFound, request.invalid, swagger.invalid. */
export async function fetchDocumentation(desk: Desk, actor: Actor, ref: PageRef): Promise<DocumentationView> {
  const { source, type, name } = await getDocumentation(desk, ref);
  if (source === undefined) throw invalid('source', 'is not there: the page comes from nowhere');
  const content = await contentAt(desk, source);
  return changePage({ desk, actor, ref }, async (now, _shelf, page) => {
    const { content: checked } = columns({ name, type, content });
    await updatePage(now.trx, page, { content: checked });
    return 'PAGE_UPDATED';
  });
}

async function contentAt(desk: Desk, source: DocumentationView['source']): Promise<string | undefined> {
  if (source === undefined) return undefined;
  const { url } = source.configuration;
  return fetchText(desk, {
    url,
    accept: '*/*',
    bytesMax: contentCharsMax,
    path: 'source.configuration.url',
  });
}

/** Adds a page to an API whose row is locked. */
async function addPage(now: Change, ref: ApiRef, wish: z.infer<typeof newPageSchema>): Promise<PageRow> {
  const shelf = await shelfOf(now.trx, ref);
  if (shelf.pages.length >= pagesMax) throw invalid('', `there can be ${pagesMax} pages; delete one first`);
  const parentId = wish.parentId ?? null;
  if (parentId !== null) demandFolder(shelf, parentId);
  demandName(shelf, { ...wish, parentId });
  const row: PageRow = {
    ...ref.at,
    id: randomUUID(),
    api_id: ref.id,
    parent_id: parentId,
    type: wish.type,
    ...columns(wish),
    position: shelf.pages.filter((page) => page.parent_id === parentId).length,
    is_published: 0,
    is_homepage: 0,
    last_contributor: now.actor.id,
    updated_at_ms: now.nowMs,
  };
  await insertPage(now.trx, row);
  if (wish.homepage === true) await makeHomepage(now, shelf, row);
  await audit(now, 'PAGE_CREATED', { after: row });
  return row;
}

/**
 * Keeps the document that an API was imported from as a published page at the top; a page of that name and type takes it.
 *
 * The API's row is locked. Errors: request.invalid when it is longer than a page may be.
 */
export async function keepDescription(
  now: Change,
  ref: ApiRef,
  { name, content }: { readonly name: string; readonly content: string },
): Promise<void> {
  if (content.length > contentCharsMax)
    throw invalid(
      'withDocumentation',
      `the document has ${content.length} characters, a page has ${contentCharsMax} at most`,
    );
  const shelf = await shelfOf(now.trx, ref);
  const before = shelf.pages.find(
    (page) => page.parent_id === null && page.type === 'SWAGGER' && page.name === name,
  );
  if (before === undefined) {
    const page = await addPage(now, ref, { name, type: 'SWAGGER', visibility: 'PUBLIC', content });
    await updatePage(now.trx, page, { is_published: 1 });
    return;
  }
  await updatePage(now.trx, before, { content, last_contributor: now.actor.id, updated_at_ms: now.nowMs });
  await audit(now, 'PAGE_UPDATED', { before, after: { ...before, content } });
}

/** Replaces what can be written of a page; another order moves it among those of its folder. Errors: those of a creation, page.notFound. */
export function editDocumentation(
  desk: Desk,
  actor: Actor,
  { wish, ...ref }: PageRef & { readonly wish: z.infer<typeof updatePageSchema> },
): Promise<DocumentationView> {
  return changePage({ desk, actor, ref }, async (now, shelf, page) => {
    if (wish.type !== page.type) throw invalid('type', `cannot change; it is ${page.type}`);
    demandName(shelf, { ...wish, parentId: page.parent_id, id: page.id });
    const { content, ...set } = columns(wish);
    await updatePage(now.trx, page, {
      ...set,
      ...(wish.content !== undefined && { content }),
      ...(wish.homepage === false && { is_homepage: 0 }),
    });
    if (wish.homepage === true) await makeHomepage(now, shelf, page);
    if (wish.order !== undefined) await move(now, shelf, { page, order: wish.order });
    return 'PAGE_UPDATED';
  });
}

/** Publishes a page, or takes it back. Errors: page.notFound, page.used_as_general_condition. */
export function publishDocumentation(
  desk: Desk,
  actor: Actor,
  { isPublished, ...ref }: PageRef & { readonly isPublished: boolean },
): Promise<DocumentationView> {
  return changePage({ desk, actor, ref }, async (now, shelf, page) => {
    if (!isPublished) demandUnused(shelf, page, 'unpublish');
    await updatePage(now.trx, page, { is_published: isPublished ? 1 : 0 });
    return isPublished ? 'PAGE_PUBLISHED' : 'PAGE_UPDATED';
  });
}

/** Removes a page, or an empty folder. Errors: page.notFound, page.folder.invalid, page.used_as_general_condition. */
export function removeDocumentation(desk: Desk, actor: Actor, ref: PageRef): Promise<void> {
  return change(desk, { actor, at: ref.at }, async (now) => {
    await lockedApi(now, ref.id);
    const shelf = await shelfOf(now.trx, ref);
    const page = requirePage(shelf.byId.get(ref.pageId), ref.pageId);
    demandUnused(shelf, page, 'delete');
    if (shelf.pages.some((other) => other.parent_id === page.id))
      throw new Fault('page.folder.invalid', {
        detail: 'The folder is not empty.',
        hint: 'Delete what lies in it first.',
      });
    await deletePage(now.trx, page);
    await audit(now, 'PAGE_DELETED', { before: page });
  });
}

/** All pages of an API, and the plans whose conditions they are. */
interface Shelf {
  readonly pages: readonly PageHead[];
  readonly byId: ReadonlyMap<string, PageHead>;
  /** Names of open plans, by the page of their general conditions. */
  readonly conditions: ReadonlyMap<string, string>;
}

async function shelfOf(db: Queries, ref: ApiRef): Promise<Shelf> {
  const pages = await pagesOf(db, ref);
  const plans = (await listPlansOf(db, ref.at, ref.id)).filter(({ status }) => status !== 'CLOSED');
  const conditions = plans.flatMap(({ name, definition }) => {
    const { generalConditions } = JSON.parse(definition) as { readonly generalConditions?: string };
    return generalConditions === undefined ? [] : [[generalConditions, name] as const];
  });
  return { pages, byId: new Map(pages.map((page) => [page.id, page])), conditions: new Map(conditions) };
}

async function changePage(
  { desk, actor, ref }: { readonly desk: Desk; readonly actor: Actor; readonly ref: PageRef },
  work: (now: Change, shelf: Shelf, page: PageHead) => Promise<AuditEvent>,
): Promise<DocumentationView> {
  return change(desk, { actor, at: ref.at }, async (now) => {
    await lockedApi(now, ref.id);
    const shelf = await shelfOf(now.trx, ref);
    const page = requirePage(await findPage(now.trx, ref, ref.pageId), ref.pageId);
    const event = await work(now, shelf, page);
    const updatedAtMs = laterThan(page.updated_at_ms, now.nowMs);
    await updatePage(now.trx, page, { last_contributor: actor.id, updated_at_ms: updatedAtMs });
    const after = requirePage(await findPage(now.trx, ref, ref.pageId), ref.pageId);
    await audit(now, event, { before: page, after });
    return oneView(now.trx, ref);
  });
}

async function makeHomepage(now: Change, shelf: Shelf, page: PageHead): Promise<void> {
  if (page.type === 'FOLDER') throw invalid('homepage', 'cannot be a folder');
  for (const other of shelf.pages)
    if (other.is_homepage === 1) await updatePage(now.trx, other, { is_homepage: 0 });
  await updatePage(now.trx, page, { is_homepage: 1 });
}

async function move(
  now: Change,
  shelf: Shelf,
  { page, order }: { readonly page: PageHead; readonly order: number },
): Promise<void> {
  const siblings = shelf.pages.filter((other) => other.parent_id === page.parent_id && other.id !== page.id);
  const ordered = siblings.toSpliced(Math.min(order, siblings.length), 0, page);
  for (const [position, one] of ordered.entries())
    if (one.position !== position) await updatePage(now.trx, one, { position });
}

function demandFolder(shelf: Shelf, id: string): void {
  if (shelf.byId.get(id)?.type !== 'FOLDER')
    throw new Fault('page.folder.invalid', {
      details: [{ path: 'parentId', message: 'must be a folder of this API' }],
    });
  if (wayTo(shelf, id).length >= foldersDeepMax)
    throw new Fault('page.folder.invalid', {
      details: [{ path: 'parentId', message: `lies ${foldersDeepMax} folders deep, which is the most` }],
    });
}

function demandName(
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

function demandUnused({ conditions }: Shelf, { id, name }: PageHead, action: string): void {
  const planName = conditions.get(id);
  if (planName !== undefined)
    throw new Fault('page.used_as_general_condition', {
      detail: `The page is the general conditions of the plan "${planName}".`,
      parameters: { action, planName, pageName: name, pageId: id },
    });
}

function columns(wish: Omit<z.infer<typeof newPageSchema>, 'parentId'>) {
  const { type, content, name, visibility = 'PRIVATE' } = wish;
  if (type === 'FOLDER' && content !== undefined) throw invalid('content', 'is not for a folder');
  if (content !== undefined && content !== '' && signs.get(type)?.test(content) === false)
    throw new Fault('swagger.invalid', {
      details: [
        {
          path: 'content',
          message: `says nowhere that it is ${type === 'SWAGGER' ? 'OpenAPI' : 'AsyncAPI'}`,
        },
      ],
    });
  const { excludedAccessControls, accessControls, configuration, source } = wish;
  return {
    name,
    content: content ?? null,
    visibility,
    access: JSON.stringify({ excludedAccessControls, accessControls, configuration, source }),
  };
}

/** The folders from the top to one, with it; bounded, whatever stands in the rows. */
function wayTo({ byId }: Shelf, id: string): readonly PageHead[] {
  const way: PageHead[] = [];
  let at = byId.get(id);
  while (at !== undefined && way.length <= foldersDeepMax) {
    way.unshift(at);
    at = at.parent_id === null ? undefined : byId.get(at.parent_id);
  }
  return way;
}

async function oneView(db: Queries, ref: PageRef): Promise<DocumentationView> {
  const page = requirePage(await findPage(db, ref, ref.pageId), ref.pageId);
  return present({ ...view(await shelfOf(db, ref), page), content: page.content ?? undefined });
}

function view(shelf: Shelf, page: PageHead): DocumentationView {
  const way = page.parent_id === null ? [] : wayTo(shelf, page.parent_id);
  const isFolder = page.type === 'FOLDER';
  const access = z.object(keptFields).parse(JSON.parse(page.access));
  return present({
    id: page.id,
    name: page.name,
    type: z.enum(pageTypes).parse(page.type),
    visibility: z.enum(visibilities).parse(page.visibility),
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
    updatedAt: new Date(page.updated_at_ms).toISOString(),
    ...access,
  });
}

function requirePage<Row extends PageHead>(page: Row | undefined, id: string): Row {
  if (page === undefined) throw new Fault('page.notFound', { parameters: { page: id } });
  return page;
}

function invalid(path: string, message: string): Fault {
  return new Fault('request.invalid', { details: [{ path, message }] });
}

function audit(
  now: Change,
  event: AuditEvent,
  told: Told<PageHead & Partial<Pick<PageRow, 'content'>>>,
): Promise<void> {
  const { id, api_id: api } = toldRow(told);
  return now.audit(event, { type: 'API', id: api, ...told }, { PAGE: id });
}
