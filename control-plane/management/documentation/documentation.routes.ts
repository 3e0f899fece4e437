import { z } from '@hono/zod-openapi';
import { idSchema } from '../fields.ts';
import { resource } from '../route.ts';
import {
  createDocumentation,
  editDocumentation,
  fetchDocumentation,
  getDocumentation,
  listDocumentation,
  publishDocumentation,
  removeDocumentation,
} from './documentation.ts';
import {
  documentationListSchema,
  documentationSchema,
  type DocumentationView,
  newPageSchema,
  updatePageSchema,
} from './documentation-shape.ts';

const define = resource({ tag: 'API Documentation', scope: 'environment' });
const path = '/apis/{apiId}/pages';
const onePath = '/apis/{apiId}/pages/{pageId}';
const permission = 'api-documentation';
const answer = documentationSchema;
const version = ({ updatedAt }: DocumentationView): number => Date.parse(updatedAt);

/** The routes of documentation. */
export const documentationRoutes = [
  define.get(path, {
    operationId: 'getApiPages',
    permission,
    summary: 'Lists the pages of an API, or of one folder (ROOT for the top), without their contents.',
    query: z.strictObject({ parentId: idSchema.optional() }),
    answer: documentationListSchema,
    run: ({ desk, at, params: { apiId }, query }) =>
      listDocumentation(desk, { at, id: apiId, parentId: query.parentId }),
  }),
  define.post(path, {
    operationId: 'createDocumentationPage',
    permission,
    summary: 'Writes a page or makes a folder.',
    body: newPageSchema,
    answer,
    version,
    run: ({ desk, actor, at, params: { apiId }, body }) =>
      createDocumentation(desk, actor, { at, id: apiId, wish: body }),
  }),
  define.get(onePath, {
    operationId: 'getApiPage',
    permission,
    summary: 'Gets a page.',
    answer,
    version,
    run: ({ desk, at, params: { apiId, pageId } }) => getDocumentation(desk, { at, id: apiId, pageId }),
  }),
  define.put(onePath, {
    operationId: 'updateDocumentationPage',
    permission,
    summary: 'Replaces what can be written of a page.',
    body: updatePageSchema,
    answer,
    version,
    run: ({ desk, actor, at, params: { apiId, pageId }, body, ifMatch }) =>
      editDocumentation(desk, actor, { at, id: apiId, pageId, wish: body, ifMatch }),
  }),
  define.delete(onePath, {
    operationId: 'deleteDocumentationPage',
    permission,
    summary: 'Removes a page, or an empty folder.',
    run: ({ desk, actor, at, params: { apiId, pageId }, ifMatch }) =>
      removeDocumentation(desk, actor, { at, id: apiId, pageId, ifMatch }),
  }),
  define.post(`${onePath}/_fetch`, {
    operationId: 'fetchDocumentationPage',
    permission,
    action: 'update',
    summary: 'Fetches the content of a page anew from its source.',
    status: 200,
    answer,
    version,
    run: ({ desk, actor, at, params: { apiId, pageId } }) =>
      fetchDocumentation(desk, actor, { at, id: apiId, pageId }),
  }),
  ...(
    [
      ['_publish', 'publishDocumentationPage', 'Publishes a page.', true],
      ['_unpublish', 'unpublishDocumentationPage', 'Takes a published page back.', false],
    ] as const
  ).map(([verb, operationId, summary, isPublished]) =>
    define.post(`${onePath}/${verb}`, {
      operationId,
      permission,
      action: 'update',
      summary,
      status: 200,
      answer,
      version,
      run: ({ desk, actor, at, params: { apiId, pageId } }) =>
        publishDocumentation(desk, actor, { at, id: apiId, pageId, isPublished }),
    }),
  ),
];
