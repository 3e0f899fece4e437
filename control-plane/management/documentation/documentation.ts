import { randomUUID } from 'node:crypto';
import type { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { Actor } from '../../access/actor.ts';
import { lockEnvironment } from '../../publish/tenant-locks.ts';
import type { Queries } from '../../storage/storage.ts';
import { type ApiRef, foundApi, lockedApi } from '../apis/api-gate.ts';
import type { AuditEvent } from '../audit/events.ts';
import { listCategories } from '../categories/categories.store.ts';
import { type Change, change, type Desk, isAsBefore, laterThan, type Told, toldRow } from '../desk.ts';
import { isPlainUrl } from '../fetches/fetch-text.ts';
import { checkIfMatch } from '../route.ts';
import {
  deletePage,
  findPage,
  insertPage,
  type PageHead,
  type PageOwner,
  type PageRow,
  updatePage,
} from './documentation.store.ts';
import {
  type DocumentationList,
  type DocumentationView,
  type newPageSchema,
  signs,
  type updatePageSchema,
} from './documentation-shape.ts';
import { contentCharsMax } from './page-fetchers.ts';
import { contentAt, endFetches, noteFetched, scheduleFetches, scheduleOf } from './page-fetches.ts';
import { demandReaders } from './page-readers.ts';
import { accessOf, openedSource } from './page-source.ts';
import {
  demandFolder,
  demandName,
  demandUnused,
  invalid,
  oneView,
  type PageRef,
  requirePage,
  type Shelf,
  shelfOf,
  view,
  wayTo,
  wholeView,
} from './shelf.ts';

/** Most pages and folders of an API, or of an environment. */
const pagesMax = 500;
/** All pages of an owner, or those of one folder (ROOT for the top) with the way to it; without contents. Errors: page.notFound. */
export async function listDocumentation(
  desk: Desk,
  ref: PageOwner & { readonly parentId: string | undefined },
): Promise<DocumentationList> {
  const { db } = desk.storage;
  await foundOwner(db, ref);
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
  await foundOwner(db, ref);
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
  { wish, ...ref }: PageOwner & { readonly wish: NewPage },
): Promise<DocumentationView> {
  if (wish.type === 'FOLDER' && wish.source !== undefined)
    throw invalid('source', 'is for pages: a folder has no content');
  scheduleOf(wish.source);
  const content = wish.content ?? (wish.source && (await contentAt(desk, wish.source)));
  return change(desk, { actor, at: ref.at }, async (now) => {
    await lockedOwner(now, ref);
    return oneView(now.trx, { ...ref, pageId: (await addPage(now, ref, { ...wish, content })).id });
  });
}

/** Fetches the content of a page anew from where it comes. Errors: page.notFound, request.invalid, swagger.invalid, those of openedSource. */
export async function fetchDocumentation(desk: Desk, actor: Actor, ref: PageRef): Promise<DocumentationView> {
  const { type, name } = await getDocumentation(desk, ref);
  const source = await change(desk, { actor, at: ref.at }, async (now) =>
    openedSource(now, requirePage(await findPage(now.trx, ref, ref.pageId), ref.pageId)),
  );
  if (source === undefined) throw invalid('source', 'is not there: the page comes from nowhere');
  const content = await contentAt(desk, source);
  return changePage({ desk, actor, ref }, async (now, _shelf, page) => {
    const { content: checked } = columns({ name, type, content });
    await updatePage(now.trx, page, { content: checked });
    await noteFetched(now, page);
    return 'PAGE_UPDATED';
  });
}

/** What is to be written; whoever asks by version 1 says at once whether it is published. */
type NewPage = z.infer<typeof newPageSchema> & { readonly published?: boolean | undefined };
type PageUpdate = z.infer<typeof updatePageSchema> & { readonly isPublished?: boolean | undefined };

/** Errors: request.not_found. */
async function foundOwner(db: Queries, { at, id }: PageOwner): Promise<void> {
  if (id !== undefined) await foundApi(db, { at, id });
}

/** Two changes of one owner's pages wait for each other. Errors: request.not_found. */
export async function lockedOwner(now: Change, { at, id }: PageOwner): Promise<void> {
  if (id === undefined) await lockEnvironment(now.trx, at, 0);
  else await lockedApi(now, id);
}

/** Adds a page to an owner that is locked. */
async function addPage(now: Change, ref: PageOwner, wish: NewPage): Promise<PageRow> {
  const shelf = await shelfOf(now.trx, ref);
  if (shelf.pages.length >= pagesMax) throw invalid('', `there can be ${pagesMax} pages; delete one first`);
  const parentId = wish.parentId ?? null;
  if (parentId !== null) demandFolder(shelf, parentId);
  demandName(shelf, { ...wish, parentId });
  await demandTarget(now, shelf, wish);
  await demandReaders(now, wish);
  const id = randomUUID();
  const row: PageRow = {
    ...ref.at,
    id,
    api_id: ref.id ?? null,
    parent_id: parentId,
    type: wish.type,
    ...columns(wish),
    access: await accessOf(now, wish, { id }),
    position: shelf.pages.filter((page) => page.parent_id === parentId).length,
    is_published: wish.published === true ? 1 : 0,
    is_homepage: 0,
    last_contributor: now.actor.id,
    updated_at_ms: now.nowMs,
  };
  await insertPage(now.trx, row);
  now.admit('pages');
  await scheduleFetches(now, row);
  if (wish.homepage === true) await makeHomepage(now, shelf, row);
  await auditPage(now, 'PAGE_CREATED', { after: row });
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
  await auditPage(now, 'PAGE_UPDATED', { before, after: { ...before, content } });
}

/** Replaces what can be written of a page; another order moves it among those of its folder. Errors: those of a creation, page.notFound. */
export function editDocumentation(
  desk: Desk,
  actor: Actor,
  { wish, ifMatch, ...ref }: PageRef & { readonly wish: PageUpdate; readonly ifMatch?: string | undefined },
): Promise<DocumentationView> {
  return changePage({ desk, actor, ref }, async (now, shelf, page) => {
    checkIfMatch(ifMatch, page.updated_at_ms);
    if (wish.type !== page.type) throw invalid('type', `cannot change; it is ${page.type}`);
    demandName(shelf, { ...wish, parentId: page.parent_id, id: page.id });
    await demandTarget(now, shelf, { ...wish, content: wish.content ?? page.content ?? undefined });
    await demandReaders(now, wish, page);
    scheduleOf(wish.source);
    const { content, ...set } = columns(wish);
    const access = await accessOf(now, wish, { id: page.id, before: page });
    await updatePage(now.trx, page, {
      ...set,
      access,
      ...(wish.content !== undefined && { content }),
      ...(wish.homepage === false && { is_homepage: 0 }),
    });
    if (access !== page.access) await scheduleFetches(now, { ...page, access });
    if (wish.homepage === true) await makeHomepage(now, shelf, page);
    if (wish.order !== undefined) await move(now, shelf, { page, order: wish.order });
    if (wish.isPublished === undefined || wish.isPublished === (page.is_published === 1))
      return 'PAGE_UPDATED';
    return setPublished(now, shelf, { page, isPublished: wish.isPublished });
  });
}

/** Publishes a page, or takes it back. Errors: page.notFound, page.used_as_general_condition. */
export function publishDocumentation(
  desk: Desk,
  actor: Actor,
  { isPublished, ...ref }: PageRef & { readonly isPublished: boolean },
): Promise<DocumentationView> {
  return changePage({ desk, actor, ref }, (now, shelf, page) =>
    setPublished(now, shelf, { page, isPublished }),
  );
}

async function setPublished(
  now: Change,
  shelf: Shelf,
  { page, isPublished }: { readonly page: PageHead; readonly isPublished: boolean },
): Promise<AuditEvent> {
  if (!isPublished) demandUnused(shelf, page, 'unpublish');
  await updatePage(now.trx, page, { is_published: isPublished ? 1 : 0 });
  return isPublished ? 'PAGE_PUBLISHED' : 'PAGE_UPDATED';
}

/** Removes a page, or an empty folder. Errors: page.notFound, page.folder.invalid, page.used_as_general_condition. */
export function removeDocumentation(
  desk: Desk,
  actor: Actor,
  { ifMatch, ...ref }: PageRef & { readonly ifMatch?: string | undefined },
): Promise<void> {
  return change(desk, { actor, at: ref.at }, async (now) => {
    await lockedOwner(now, ref);
    const shelf = await shelfOf(now.trx, ref);
    const page = requirePage(shelf.byId.get(ref.pageId), ref.pageId);
    checkIfMatch(ifMatch, page.updated_at_ms);
    demandUnused(shelf, page, 'delete');
    if (shelf.pages.some((other) => other.parent_id === page.id))
      throw new Fault('page.folder.invalid', {
        detail: 'The folder is not empty.',
        hint: 'Delete what lies in it first.',
      });
    await deletePage(now.trx, page);
    await endFetches(now, page);
    await auditPage(now, 'PAGE_DELETED', { before: page });
  });
}

async function changePage(
  { desk, actor, ref }: { readonly desk: Desk; readonly actor: Actor; readonly ref: PageRef },
  work: (now: Change, shelf: Shelf, page: PageRow) => Promise<AuditEvent>,
): Promise<DocumentationView> {
  return change(desk, { actor, at: ref.at }, async (now) => {
    await lockedOwner(now, ref);
    const shelf = await shelfOf(now.trx, ref);
    const page = requirePage(await findPage(now.trx, ref, ref.pageId), ref.pageId);
    const event = await work(now, shelf, page);
    const written = requirePage(await findPage(now.trx, ref, ref.pageId), ref.pageId);
    if (isAsBefore(page, written)) return wholeView(now.trx, ref, page);
    const by = { last_contributor: actor.id, updated_at_ms: laterThan(page.updated_at_ms, now.nowMs) };
    await updatePage(now.trx, page, by);
    const after = { ...written, ...by };
    await auditPage(now, event, { before: page, after });
    return wholeView(now.trx, ref, after);
  });
}

/** Errors: page.LINK.invalid for a link that leads nowhere. */
async function demandTarget(
  { trx, at }: Change,
  shelf: Shelf,
  { type, content = '', configuration = {} }: Pick<NewPage, 'type' | 'content' | 'configuration'>,
): Promise<void> {
  if (type !== 'LINK') return;
  const kind = configuration['resourceType'] ?? 'external';
  const isThere = {
    external: () => isPlainUrl(content),
    page: () => shelf.byId.has(content),
    category: async () => (await listCategories(trx, at)).some(({ id }) => id === content),
  };
  const wanted = { external: 'an http or https URL', page: 'a page of it', category: 'a category' };
  const problem = !(kind === 'external' || kind === 'page' || kind === 'category')
    ? { path: 'configuration.resourceType', message: 'must be external, page or category' }
    : !(await isThere[kind]())
      ? { path: 'content', message: `must be where the link leads: ${wanted[kind]}` }
      : undefined;
  if (problem !== undefined) throw new Fault('page.LINK.invalid', { details: [problem] });
}

async function makeHomepage(now: Change, shelf: Shelf, page: PageHead): Promise<void> {
  if (page.type === 'FOLDER') throw invalid('homepage', 'cannot be a folder');
  for (const other of shelf.pages)
    if (other.is_homepage === 1 && other.id !== page.id)
      await updatePage(now.trx, other, {
        is_homepage: 0,
        updated_at_ms: laterThan(other.updated_at_ms, now.nowMs),
      });
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

/** Content and name as they are kept. Errors: swagger.invalid, request.invalid. */
export function columns(wish: Pick<NewPage, 'content' | 'name' | 'visibility'> & { readonly type: string }) {
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
  return { name, content: content ?? null, visibility };
}

/** Tells what became of a page. */
export function auditPage(
  now: Change,
  event: AuditEvent,
  told: Told<PageHead & Partial<Pick<PageRow, 'content'>>>,
): Promise<void> {
  const { id, api_id: api } = toldRow(told);
  const object =
    api === null
      ? ({ type: 'ENVIRONMENT', id: now.at.environment } as const)
      : ({ type: 'API', id: api } as const);
  return now.audit(event, { ...object, ...told }, { PAGE: id });
}
