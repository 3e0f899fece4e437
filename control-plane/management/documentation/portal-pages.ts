import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { type Actor, can } from '../../access/actor.ts';
import { groupsOfMember } from '../../access/groups.store.ts';
import { roleIdOf } from '../../access/roles.ts';
import type { Desk } from '../desk.ts';
import { idSchema, readOnlyFields } from '../fields.ts';
import type { Content } from '../route.ts';
import {
  createDocumentation,
  editDocumentation,
  getDocumentation,
  listDocumentation,
} from './documentation.ts';
import {
  documentationSchema,
  type DocumentationView,
  newPageSchema,
  pageTypes,
  writableFields,
} from './documentation-shape.ts';

/** A page of the environment as version 1 has it. */
export const portalPageSchema = documentationSchema
  .omit({ updatedAt: true, hidden: true })
  .extend({
    /** ms since the epoch. */
    lastModificationDate: z.int(),
  })
  .openapi('PageV1');
/** A page of the environment as it is answered. */
export type PortalPage = z.infer<typeof portalPageSchema>;

/** Body of a creation. */
export const newPortalPageSchema = newPageSchema
  .extend({ published: z.boolean().optional() })
  .openapi('NewPageV1');
/** Body of an update; type and folder stay. */
export const updatePortalPageSchema = z
  .strictObject({
    ...readOnlyFields(
      'id',
      'lastContributor',
      'lastModificationDate',
      'parentPath',
      'generalConditions',
      'contentType',
      'lastFetch',
    ),
    ...writableFields,
    parentId: idSchema.optional(),
    published: z.boolean().optional(),
    order: z.int().min(0).max(100_000).optional(),
  })
  .openapi('UpdatePageV1');

const yesNo = z.enum(['true', 'false']).optional();
/** What a list of pages may be narrowed by; of several conditions all hold. */
export const portalPagesQuery = z.strictObject({
  homepage: yesNo,
  published: yesNo,
  type: z.enum(pageTypes).optional(),
  /** Pages of one folder, or of the top (`root`). */
  parent: idSchema.optional(),
  root: yesNo,
  name: z.string().max(512).optional(),
});

/** Which page of which environment. */
export interface PortalPageRef {
  readonly at: EnvironmentRef;
  readonly pageId: string;
}

/**
 * The pages of an environment in their order, without contents: for whoever may write them all, for others those that are published and for them.
 *
 * Errors: page.notFound for a folder that is not there.
 */
export async function listPortalPages(
  desk: Desk,
  actor: Actor,
  { at, query }: { readonly at: EnvironmentRef; readonly query: z.output<typeof portalPagesQuery> },
): Promise<readonly PortalPage[]> {
  const { homepage, published, type, parent, root, name } = query;
  const parentId = root === 'true' ? 'ROOT' : parent;
  const { pages } = await listDocumentation(desk, { at, parentId });
  const isFor = await readerOf(desk, actor, at);
  const is = (wanted: 'true' | 'false' | undefined, has: boolean): boolean =>
    wanted === undefined || (wanted === 'true') === has;
  return pages
    .filter(
      (page) =>
        isFor(page) &&
        is(homepage, page.homepage) &&
        is(published, page.published) &&
        (type === undefined || page.type === type) &&
        (name === undefined || page.name === name),
    )
    .map(portalPage);
}

/** One page. Errors: page.notFound, also for one that is not for the actor. */
export async function getPortalPage(desk: Desk, actor: Actor, ref: PortalPageRef): Promise<PortalPage> {
  const page = await getDocumentation(desk, ref);
  const isFor = await readerOf(desk, actor, ref.at);
  if (!isFor(page)) throw new Fault('page.notFound', { parameters: { page: ref.pageId } });
  return portalPage(page);
}

/** What is written in one page, as a text that no browser takes for a page of ours. Errors: page.notFound, also for one that is not for the actor. */
export async function getPortalContent(desk: Desk, actor: Actor, ref: PortalPageRef): Promise<Content> {
  const { content = '' } = await getPortalPage(desk, actor, ref);
  return { type: 'text/plain; charset=utf-8', text: content };
}

/** Writes a page, behind those of its folder. Errors: those of createDocumentation. */
export async function createPortalPage(
  desk: Desk,
  actor: Actor,
  { at, wish }: { readonly at: EnvironmentRef; readonly wish: z.infer<typeof newPortalPageSchema> },
): Promise<PortalPage> {
  return portalPage(await createDocumentation(desk, actor, { at, wish }));
}

/** Replaces what can be written of a page. Errors: those of editDocumentation; request.invalid for another folder. */
export async function editPortalPage(
  desk: Desk,
  actor: Actor,
  {
    wish,
    ...ref
  }: PortalPageRef & {
    readonly wish: z.infer<typeof updatePortalPageSchema>;
    readonly ifMatch: string | undefined;
  },
): Promise<PortalPage> {
  const { parentId, published, ...rest } = wish;
  const before = await getDocumentation(desk, ref);
  if (parentId !== undefined && parentId !== before.parentId)
    throw new Fault('request.invalid', {
      details: [{ path: 'parentId', message: `cannot change; it is ${before.parentId ?? 'the top'}` }],
    });
  return portalPage(
    await editDocumentation(desk, actor, { ...ref, wish: { ...rest, isPublished: published } }),
  );
}

/** Says which pages are for the actor: all for who writes them, else those that are published and whose access rules let him in. */
async function readerOf(
  desk: Desk,
  actor: Actor,
  at: EnvironmentRef,
): Promise<(page: DocumentationView) => boolean> {
  if (can(actor, 'environment-documentation:update', at)) return () => true;
  const groups = await groupsOfMember(desk.storage.db, at, actor.id);
  const roles = new Set(actor.roles.map(({ scope, name }) => roleIdOf(scope, name)));
  return ({ published, accessControls = [], excludedAccessControls = false }) => {
    if (!published) return false;
    const isNamed = accessControls.some(({ referenceId = '', referenceType }) =>
      (referenceType === 'ROLE' ? roles : groups).has(referenceId),
    );
    return accessControls.length === 0 || isNamed !== excludedAccessControls;
  };
}

/** A page as version 1 has it. */
export function portalPage({ updatedAt, hidden: _hidden, ...page }: DocumentationView): PortalPage {
  return { ...page, lastModificationDate: Date.parse(updatedAt) };
}
