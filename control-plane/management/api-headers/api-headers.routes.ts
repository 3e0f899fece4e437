import { z } from '@hono/zod-openapi';
import { resource } from '../route.ts';
import {
  createHeader,
  deleteHeader,
  headerSchema,
  listHeaders,
  newHeaderSchema,
  saidHeaders,
  saidHeadersSchema,
  updateHeader,
  updateHeaderSchema,
} from './api-headers.ts';

const define = resource({ tag: 'Headers of APIs', scope: 'v1-environment' });
const path = '/configuration/apiheaders';
const onePath = '/configuration/apiheaders/{headerId}';
const permission = 'environment-api-header';
const answer = headerSchema;

/** The routes of what a portal says of every API. */
export const apiHeaderRoutes = [
  define.get(path, {
    operationId: 'listApiHeaders',
    permission,
    summary: 'Lists what a portal says of every API, in order.',
    answer: z.array(headerSchema),
    run: ({ desk, at }) => listHeaders(desk, at),
  }),
  define.post(path, {
    operationId: 'createApiHeader',
    permission,
    summary: 'Adds something that a portal says of every API, by a template over the API.',
    body: newHeaderSchema,
    status: 200,
    answer,
    run: ({ desk, actor, at, body }) => createHeader(desk, actor, { at, wish: body }),
  }),
  define.put(onePath, {
    operationId: 'updateApiHeader',
    permission,
    summary: 'Replaces it; its order moves it among the others.',
    body: updateHeaderSchema,
    answer,
    run: ({ desk, actor, at, params: { headerId }, body }) =>
      updateHeader(desk, actor, { at, id: headerId, wish: body }),
  }),
  define.delete(onePath, {
    operationId: 'deleteApiHeader',
    permission,
    summary: 'Removes it.',
    run: ({ desk, actor, at, params: { headerId } }) => deleteHeader(desk, actor, { at, id: headerId }),
  }),
  define.get('/apis/{apiId}/headers', {
    operationId: 'listHeadersOfApi',
    permission: ['environment-api', 'api-definition'],
    summary: 'Says what the headers of the environment say of an API.',
    answer: saidHeadersSchema,
    run: ({ desk, actor, at, params: { apiId } }) => saidHeaders(desk, actor, { at, id: apiId }),
  }),
];
