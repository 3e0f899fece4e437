import { z } from '@hono/zod-openapi';
import { resource } from '../route.ts';
import { fetchDocumentation, removeDocumentation } from './documentation.ts';
import {
  createPortalPage,
  editPortalPage,
  getPortalContent,
  getPortalPage,
  listPortalPages,
  newPortalPageSchema,
  type PortalPage,
  portalPage,
  portalPageSchema,
  portalPagesQuery,
  updatePortalPageSchema,
} from './portal-pages.ts';

const define = resource({ tag: 'Portal Pages', scope: 'v1-environment' });
const path = '/portal/pages';
const onePath = '/portal/pages/{pageId}';
const permission = 'environment-documentation';
const answer = portalPageSchema;
const version = ({ lastModificationDate }: PortalPage): number => lastModificationDate;

/** The routes of documentation of an environment itself. */
export const portalPageRoutes = [
  define.get(path, {
    operationId: 'listPortalPages',
    permission,
    summary:
      'Lists the pages of the environment, without their contents: for who may not write them, those that are published and for them.',
    query: portalPagesQuery,
    answer: z.array(portalPageSchema),
    run: ({ desk, actor, at, query }) => listPortalPages(desk, actor, { at, query }),
  }),
  define.post(path, {
    operationId: 'createPortalPage',
    permission,
    summary: 'Writes a page of the environment, or makes a folder.',
    body: newPortalPageSchema,
    answer,
    version,
    run: ({ desk, actor, at, body }) => createPortalPage(desk, actor, { at, wish: body }),
  }),
  define.get(onePath, {
    operationId: 'getPortalPage',
    permission,
    summary: 'Gets a page of the environment.',
    answer,
    version,
    run: ({ desk, actor, at, params: { pageId } }) => getPortalPage(desk, actor, { at, pageId }),
  }),
  define.get(`${onePath}/content`, {
    operationId: 'getPortalPageContent',
    permission,
    summary: 'Gets what is written in a page of the environment.',
    contentTypes: ['text/plain'],
    run: ({ desk, actor, at, params: { pageId } }) => getPortalContent(desk, actor, { at, pageId }),
  }),
  define.put(onePath, {
    operationId: 'updatePortalPage',
    permission,
    summary: 'Replaces what can be written of a page of the environment.',
    body: updatePortalPageSchema,
    answer,
    version,
    run: ({ desk, actor, at, params: { pageId }, body, ifMatch }) =>
      editPortalPage(desk, actor, { at, pageId, wish: body, ifMatch }),
  }),
  define.delete(onePath, {
    operationId: 'deletePortalPage',
    permission,
    summary: 'Removes a page of the environment, or an empty folder.',
    run: ({ desk, actor, at, params: { pageId }, ifMatch }) =>
      removeDocumentation(desk, actor, { at, pageId, ifMatch }),
  }),
  define.post(`${onePath}/_fetch`, {
    operationId: 'fetchPortalPage',
    permission,
    action: 'update',
    summary: 'Fetches the content of a page of the environment anew from its source.',
    status: 200,
    answer,
    version,
    run: async ({ desk, actor, at, params: { pageId } }) =>
      portalPage(await fetchDocumentation(desk, actor, { at, pageId })),
  }),
];
