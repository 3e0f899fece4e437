import { z } from '@hono/zod-openapi';
import { resource } from '../route.ts';
import {
  createView,
  deleteView,
  getView,
  listViews,
  type SavedView,
  updateView,
  viewPageSchema,
  viewSchema,
  viewWishSchema,
} from './views.ts';

const define = resource({ tag: 'Saved views', scope: 'environment' });
const path = '/views';
const onePath = '/views/{viewId}';
const answer = viewSchema;
const version = ({ updatedAt }: SavedView): number => Date.parse(updatedAt);

/** The routes of searches that people keep. What is everybody's own is changed by who has signed in, as far as he sees the environment. */
export const viewRoutes = [
  define.get(path, {
    operationId: 'listViews',
    permission: 'environment-api',
    summary: 'Lists the searches that you keep, and those that others share, by name.',
    query: z.strictObject({ page: viewPageSchema.optional() }),
    answer: z.array(viewSchema),
    run: ({ desk, actor, at, query: { page } }) => listViews(desk, actor, { at, page }),
  }),
  define.post(path, {
    operationId: 'createView',
    permission: 'signed-in',
    summary: 'Keeps the search of a list under a name, for yourself or for everybody in the environment.',
    body: viewWishSchema,
    answer,
    version,
    run: ({ desk, actor, at, body }) => createView(desk, actor, { at, wish: body }),
  }),
  define.get(onePath, {
    operationId: 'getView',
    permission: 'environment-api',
    summary: 'Gets a search that you keep or that is shared.',
    answer,
    version,
    run: ({ desk, actor, at, params: { viewId } }) => getView(desk, actor, { at, id: viewId }),
  }),
  define.put(onePath, {
    operationId: 'updateView',
    permission: 'signed-in',
    summary: 'Writes a search that you keep anew.',
    body: viewWishSchema,
    answer,
    version,
    run: ({ desk, actor, at, params: { viewId }, body, ifMatch }) =>
      updateView(desk, actor, { at, id: viewId, wish: body, ifMatch }),
  }),
  define.delete(onePath, {
    operationId: 'deleteView',
    permission: 'signed-in',
    summary: 'Removes a search that you keep, or, for who may delete dashboards, one that is shared.',
    run: ({ desk, actor, at, params: { viewId }, ifMatch }) =>
      deleteView(desk, actor, { at, id: viewId, ifMatch }),
  }),
];
