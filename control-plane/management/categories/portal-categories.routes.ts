import { z } from '@hono/zod-openapi';
import { resource } from '../route.ts';
import { removeCategory } from './categories.ts';
import {
  createPortalCategory,
  editPortalCategory,
  listPortalCategories,
  portalCategorySchema,
  portalCategoryWishSchema,
} from './portal-categories.ts';

const define = resource({ tag: 'Portal Categories', scope: 'environment' });
const path = '/portal-categories';
const onePath = '/portal-categories/{categoryId}';
const permission = 'environment-documentation';
const answer = portalCategorySchema;

/** The routes by which whoever writes the portal keeps its categories; they are those of the environment. */
export const portalCategoryRoutes = [
  define.get(path, {
    operationId: 'getPortalCategories',
    permission,
    summary: 'Lists the categories of the environment by their title; hidden ones for who may write them.',
    answer: z.array(portalCategorySchema),
    run: ({ desk, actor, at }) => listPortalCategories(desk, actor, at),
  }),
  define.post(path, {
    operationId: 'createPortalCategory',
    permission,
    summary: 'Makes a category, last in the order.',
    body: portalCategoryWishSchema,
    answer,
    run: ({ desk, actor, at, body }) => createPortalCategory(desk, actor, { at, wish: body }),
  }),
  define.put(onePath, {
    operationId: 'updatePortalCategory',
    permission,
    summary: 'Replaces what can be written of a category; its order and its key stay.',
    body: portalCategoryWishSchema,
    answer,
    run: ({ desk, actor, at, params: { categoryId }, body }) =>
      editPortalCategory(desk, actor, { at, id: categoryId, wish: body }),
  }),
  define.delete(onePath, {
    operationId: 'deletePortalCategory',
    permission,
    summary: 'Removes a category; APIs name it no more.',
    run: ({ desk, actor, at, params: { categoryId } }) =>
      removeCategory(desk, actor, { at, category: categoryId }),
  }),
];
