import { z } from '@hono/zod-openapi';
import { idSchema, idsParam, listParam } from '../fields.ts';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { resource } from '../route.ts';
import {
  apiSchema,
  apiVersionOf,
  createApiSchema,
  lifecycleStates,
  states,
  updateApiSchema,
  visibilities,
} from './api-shape.ts';
import { documentIn } from '../../../proto/definition/source.ts';
import type { FaultDetail } from '../../../proto/faults/fault.ts';
import { apiSorts } from './apis.store.ts';
import { createApi, deleteApi, getApi, listApis, startApi, stopApi, updateApi } from './apis.ts';

const define = resource({ tag: 'APIs', scope: 'environment' });
const page = pageSchema('ApisResponse', apiSchema);
// Accepted for clients of the reference; what they ask for is in every answer anyway.
const expands = { expands: z.string().max(256).optional(), manageOnly: z.enum(['true', 'false']).optional() };

/** A whole definition where the body of an API is wanted: there is a route that takes it. */
function mistaken(body: unknown, route: string): FaultDetail | undefined {
  const found = documentIn(body);
  const isForeign = found?.path === 'openapi' || found?.path === 'swagger';
  return found === undefined || isForeign
    ? found
    : { ...found, message: `${found.message}; ${route} takes it` };
}

/** The routes of APIs. */
export const apiRoutes = [
  define.get('/apis', {
    operationId: 'listApis',
    permission: 'environment-api',
    summary: 'Lists the APIs of an environment.',
    query: z.strictObject({
      ...pageQuery,
      ...expands,
      ids: idsParam.optional(),
      states: listParam(states).optional(),
      visibilities: listParam(visibilities).optional(),
      lifecycleStates: listParam(lifecycleStates).optional(),
      query: z.string().max(256).optional(),
      sortBy: z.enum(apiSorts).optional(),
    }),
    status: 200,
    answer: page,
    run: async ({ desk, actor, at, query, url }) =>
      pageOf(await listApis(desk, actor, { at, filter: query, sort: query.sortBy, page: query }), query, url),
  }),
  define.post('/apis/_search', {
    operationId: 'searchApis',
    permission: 'environment-api',
    action: 'read',
    summary: 'Searches the APIs of an environment.',
    query: z.strictObject({ ...pageQuery, ...expands, sortBy: z.enum(apiSorts).optional() }),
    body: z
      .strictObject({
        query: z.string().max(256).optional(),
        ids: z.array(idSchema).max(100).optional(),
        definitionVersion: z.literal('V4').optional(),
        statuses: z.array(z.enum(states)).max(8).optional(),
        visibilities: z.array(z.enum(visibilities)).max(8).optional(),
        published: z.array(z.enum(lifecycleStates)).max(8).optional(),
      })
      .openapi('ApiSearchQuery'),
    isBodyOptional: true,
    status: 200,
    answer: page,
    run: async ({ desk, actor, at, query, body, url }) =>
      pageOf(
        await listApis(desk, actor, {
          at,
          filter: { ...body, states: body.statuses, lifecycleStates: body.published },
          sort: query.sortBy,
          page: query,
        }),
        query,
        url,
      ),
  }),
  define.post('/apis', {
    operationId: 'createApi',
    permission: 'environment-api',
    summary: 'Creates an API, stopped and not deployed.',
    body: createApiSchema,
    mistaken: (body) => mistaken(body, 'POST .../apis/_import/definition'),
    answer: apiSchema,
    version: apiVersionOf,
    run: ({ desk, actor, at, body }) => createApi(desk, actor, { at, wish: body }),
  }),
  define.get('/apis/{apiId}', {
    operationId: 'getApi',
    permission: ['environment-api', 'api-definition'],
    summary: 'Gets an API.',
    answer: apiSchema,
    version: apiVersionOf,
    run: ({ desk, actor, at, params: { apiId } }) => getApi(desk, actor, { at, id: apiId }),
  }),
  define.put('/apis/{apiId}', {
    operationId: 'updateApi',
    permission: 'api-definition',
    summary: 'Replaces what can be written of an API; gateways follow with the next deployment.',
    body: updateApiSchema,
    mistaken: (body) => mistaken(body, 'PUT .../apis/{apiId}/_import/definition'),
    answer: apiSchema,
    version: apiVersionOf,
    run: ({ desk, actor, at, params: { apiId }, body, ifMatch }) =>
      updateApi(desk, actor, { at, id: apiId, wish: body, ifMatch }),
  }),
  define.delete('/apis/{apiId}', {
    operationId: 'deleteApi',
    permission: 'api-definition',
    summary: 'Deletes a stopped API.',
    query: z.strictObject({ closePlans: z.enum(['true', 'false']).optional() }),
    run: ({ desk, actor, at, params: { apiId }, query, ifMatch }) =>
      deleteApi(desk, actor, { at, id: apiId, closePlans: query.closePlans === 'true', ifMatch }),
  }),
  define.post('/apis/{apiId}/_start', {
    operationId: 'startApi',
    permission: 'api-definition',
    action: 'update',
    summary: 'Starts an API.',
    status: 204,
    run: ({ desk, actor, at, params: { apiId } }) => startApi(desk, actor, { at, id: apiId }),
  }),
  define.post('/apis/{apiId}/_stop', {
    operationId: 'stopApi',
    permission: 'api-definition',
    action: 'update',
    summary: 'Stops an API.',
    status: 204,
    run: ({ desk, actor, at, params: { apiId } }) => stopApi(desk, actor, { at, id: apiId }),
  }),
];
