import { z } from '@hono/zod-openapi';
import { idsParam, idSchema, listParam } from '../fields.ts';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { route } from '../route.ts';
import {
  apiSchema,
  apiVersionOf,
  createApiSchema,
  lifecycleStates,
  states,
  updateApiSchema,
  visibilities,
} from './api-shape.ts';
import { createApi, deleteApi, getApi, listApis, startApi, stopApi, updateApi } from './apis.ts';
import { apiSorts } from './apis.store.ts';

const tag = 'APIs';
const scope = 'environment';
const params = z.object({ apiId: idSchema });
const page = pageSchema('ApisResponse', apiSchema);
// Accepted for clients of the reference; what they ask for is in every answer anyway.
const expands = { expands: z.string().max(256).optional(), manageOnly: z.enum(['true', 'false']).optional() };

/** The routes of APIs. */
export const apiRoutes = [
  route({
    method: 'get',
    path: '/apis',
    scope,
    tag,
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
  route({
    method: 'post',
    path: '/apis/_search',
    scope,
    tag,
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
  route({
    method: 'post',
    path: '/apis',
    scope,
    tag,
    operationId: 'createApi',
    permission: 'environment-api',
    summary: 'Creates an API, stopped and not deployed.',
    body: createApiSchema,
    status: 201,
    answer: apiSchema,
    version: apiVersionOf,
    run: ({ desk, actor, at, body }) => createApi(desk, actor, { at, wish: body }),
  }),
  route({
    method: 'get',
    path: '/apis/{apiId}',
    scope,
    tag,
    operationId: 'getApi',
    permission: ['environment-api', 'api-definition'],
    summary: 'Gets an API.',
    params,
    status: 200,
    answer: apiSchema,
    version: apiVersionOf,
    run: ({ desk, actor, at, params: { apiId } }) => getApi(desk, actor, { at, id: apiId }),
  }),
  route({
    method: 'put',
    path: '/apis/{apiId}',
    scope,
    tag,
    operationId: 'updateApi',
    permission: 'api-definition',
    summary: 'Replaces what can be written of an API; gateways follow with the next deployment.',
    params,
    body: updateApiSchema,
    status: 200,
    answer: apiSchema,
    version: apiVersionOf,
    run: ({ desk, actor, at, params: { apiId }, body, ifMatch }) =>
      updateApi(desk, actor, { at, id: apiId, wish: body, ifMatch }),
  }),
  route({
    method: 'delete',
    path: '/apis/{apiId}',
    scope,
    tag,
    operationId: 'deleteApi',
    permission: 'api-definition',
    summary: 'Deletes a stopped API.',
    params,
    query: z.strictObject({ closePlans: z.enum(['true', 'false']).optional() }),
    status: 204,
    run: ({ desk, actor, at, params: { apiId }, query, ifMatch }) =>
      deleteApi(desk, actor, { at, id: apiId, closePlans: query.closePlans === 'true', ifMatch }),
  }),
  route({
    method: 'post',
    path: '/apis/{apiId}/_start',
    scope,
    tag,
    operationId: 'startApi',
    permission: 'api-definition',
    action: 'update',
    summary: 'Starts an API.',
    params,
    status: 204,
    run: ({ desk, actor, at, params: { apiId } }) => startApi(desk, actor, { at, id: apiId }),
  }),
  route({
    method: 'post',
    path: '/apis/{apiId}/_stop',
    scope,
    tag,
    operationId: 'stopApi',
    permission: 'api-definition',
    action: 'update',
    summary: 'Stops an API.',
    params,
    status: 204,
    run: ({ desk, actor, at, params: { apiId } }) => stopApi(desk, actor, { at, id: apiId }),
  }),
];
