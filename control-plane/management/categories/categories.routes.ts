import { z } from '@hono/zod-openapi';
import { invariant } from '../../../proto/faults/fault.ts';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { resource } from '../route.ts';
import {
  categoryApiSchema,
  categorySchema,
  type CategoryView,
  createCategory,
  editCategories,
  getCategories,
  getCategory,
  listApisOf,
  moveApi,
  newCategorySchema,
  removeCategory,
  updateCategoriesSchema,
  updateCategoryApiSchema,
  updateCategorySchema,
} from './categories.ts';

const v1 = resource({ tag: 'Categories', scope: 'v1-environment' });
const v2 = resource({ tag: 'Categories', scope: 'environment' });
const path = '/configuration/categories';
const onePath = '/configuration/categories/{categoryId}';
const permission = 'environment-category';
const version = ({ updatedAt }: CategoryView): number => updatedAt;

/** The routes of categories. */
export const categoryRoutes = [
  v1.get(path, {
    operationId: 'listCategories',
    permission: 'signed-in',
    summary: 'Lists categories in their order; hidden ones for who manages them.',
    query: z.strictObject({ include: z.string().max(64).optional() }),
    answer: z.array(categorySchema),
    run: ({ desk, actor, at, query }) =>
      getCategories(desk, actor, { at, withTotals: query.include === 'total-apis' }),
  }),
  v1.post(path, {
    operationId: 'createCategory',
    permission,
    summary: 'Makes a category; its key is made of the name.',
    body: newCategorySchema,
    status: 200,
    answer: categorySchema,
    run: ({ desk, actor, at, body }) => createCategory(desk, actor, { at, wish: body }),
  }),
  v1.put(path, {
    operationId: 'updateCategories',
    permission,
    summary: 'Replaces what can be written of several categories, such as their order.',
    body: updateCategoriesSchema,
    answer: z.array(categorySchema),
    run: ({ desk, actor, at, body }) => editCategories(desk, actor, { at, wishes: body }),
  }),
  v1.get(onePath, {
    operationId: 'getCategory',
    permission: 'signed-in',
    summary: 'Gets a category by its id or key.',
    answer: categorySchema,
    version,
    run: ({ desk, actor, at, params: { categoryId } }) =>
      getCategory(desk, actor, { at, category: categoryId }),
  }),
  v1.put(onePath, {
    operationId: 'updateCategory',
    permission,
    summary: 'Replaces what can be written of a category.',
    body: updateCategorySchema,
    answer: categorySchema,
    version,
    run: async ({ desk, actor, at, params: { categoryId }, body, ifMatch }) => {
      const { id } = await getCategory(desk, actor, { at, category: categoryId });
      const all = await editCategories(desk, actor, { at, wishes: [{ ...body, id }], ifMatch });
      const edited = all.find((one) => one.id === id);
      invariant(edited !== undefined, 'a category is listed after its edition');
      return edited;
    },
  }),
  v1.delete(onePath, {
    operationId: 'deleteCategory',
    permission,
    summary: 'Removes a category; APIs name it no more.',
    run: ({ desk, actor, at, params: { categoryId }, ifMatch }) =>
      removeCategory(desk, actor, { at, category: categoryId, ifMatch }),
  }),
  v2.get('/categories/{categoryId}/apis', {
    operationId: 'getCategoryApisPage',
    permission: 'environment-api',
    summary: 'Lists the APIs of a category in its order.',
    query: z.strictObject(pageQuery),
    answer: pageSchema('CategoryApisResponse', categoryApiSchema),
    run: async ({ desk, actor, at, params: { categoryId }, query, url }) =>
      pageOf(await listApisOf(desk, actor, { at, category: categoryId, page: query }), query, url),
  }),
  v2.post('/categories/{categoryId}/apis/{apiId}', {
    operationId: 'updateCategoryApi',
    permission,
    action: 'update',
    summary: 'Moves an API within a category.',
    body: updateCategoryApiSchema,
    status: 200,
    answer: categoryApiSchema,
    run: ({ desk, actor, at, params: { categoryId, apiId }, body }) =>
      moveApi(desk, actor, { at, category: categoryId, api: apiId, order: body.order }),
  }),
];
