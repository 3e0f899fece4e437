import { z } from '@hono/zod-openapi';
import { idSchema, idsParam, listParam, wordsSchema } from '../fields.ts';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { patchQuery, patchSchema } from '../patch.ts';
import { deployWarning } from '../deployments/warnings.ts';
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
import { type ApiFilter, apiSorts } from './api-search.store.ts';
import { createApi, deleteApi, getApi, listApis, startApi, stopApi, updateApi } from './apis.ts';
import { patchApi } from './patching.ts';
import {
  verifiedSchema,
  verifyHosts,
  verifyHostsSchema,
  verifyPaths,
  verifyPathsSchema,
} from './verify-places.ts';

const define = resource({ tag: 'APIs', scope: 'environment' });
const page = pageSchema('ApisResponse', apiSchema);
// What the reference has is in every answer anyway; `sync` is ours and costs queries of its own.
const expands = { expands: z.string().max(256).optional() };
const versions = z.enum(['V1', 'V2', 'V4', 'FEDERATED', 'FEDERATED_AGENT']);

const searchSchema = z
  .strictObject({
    query: z.string().max(256).optional(),
    ids: z.array(idSchema).max(100).optional(),
    definitionVersion: versions.optional(),
    definitionVersions: z.array(versions).max(8).optional(),
    apiTypes: z.array(z.string().max(64)).max(16).optional(),
    statuses: z.array(z.enum(states)).max(8).optional(),
    tags: wordsSchema.optional(),
    categories: wordsSchema.optional(),
    published: z.array(z.enum(lifecycleStates)).max(8).optional(),
    visibilities: z.array(z.enum(visibilities)).max(8).optional(),
    allowedInApiProducts: z.boolean().optional(),
    hasOpenApiDocumentation: z.boolean().optional(),
  })
  .openapi('ApiSearchQuery');

/** The filter of a search. Every API here is of version 4 from its import on. */
function filterOf(body: z.infer<typeof searchSchema>): ApiFilter {
  const { definitionVersion, definitionVersions, apiTypes, statuses, published, allowedInApiProducts } = body;
  const versionsAsked = definitionVersions ?? (definitionVersion === undefined ? [] : [definitionVersion]);
  // No API has pages yet, so none has one of OpenAPI.
  const isNone =
    (versionsAsked.length > 0 && !versionsAsked.includes('V4')) || body.hasOpenApiDocumentation === true;
  return {
    query: body.query,
    ids: body.ids,
    isNone,
    types: apiTypes,
    states: statuses,
    visibilities: body.visibilities,
    lifecycleStates: published,
    tags: body.tags,
    categories: body.categories,
    isForProducts: allowedInApiProducts,
  };
}

function asksForSync({ expands: asked = '' }: { readonly expands?: string | undefined }): boolean {
  return asked.split(',').includes('sync');
}

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
      manageOnly: z.enum(['true', 'false']).optional(),
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
      pageOf(
        await listApis(desk, actor, {
          at,
          filter: query,
          manageOnly: query.manageOnly === 'true',
          withSync: asksForSync(query),
          sort: query.sortBy,
          page: query,
        }),
        query,
        url,
      ),
  }),
  define.post('/apis/_search', {
    operationId: 'searchApis',
    permission: 'environment-api',
    action: 'read',
    summary: 'Searches the APIs of an environment.',
    query: z.strictObject({
      ...pageQuery,
      ...expands,
      sortBy: z.enum(apiSorts).optional(),
      manageOnly: z.enum(['true', 'false']).optional(),
    }),
    body: searchSchema,
    isBodyOptional: true,
    status: 200,
    answer: page,
    run: async ({ desk, actor, at, query, body, url }) =>
      pageOf(
        await listApis(desk, actor, {
          at,
          filter: filterOf(body),
          manageOnly: query.manageOnly !== 'false',
          withSync: asksForSync(query),
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
    headers: ({ desk, actor, at }, { id }) => deployWarning(desk, actor, { at, id }),
  }),
  define.post('/apis/_verify/paths', {
    operationId: 'verifyPaths',
    permission: 'environment-api',
    action: 'read',
    summary: 'Says whether an API could have these hosts and paths.',
    body: verifyPathsSchema,
    status: 200,
    answer: verifiedSchema.openapi('VerifyApiPathsResponse'),
    run: ({ desk, actor, at, body }) => verifyPaths(desk, actor, { at, wish: body }),
  }),
  define.post('/apis/_verify/hosts', {
    operationId: 'verifyHosts',
    permission: 'environment-api',
    action: 'read',
    summary: 'Says whether a TCP or Kafka API could have these hosts.',
    body: verifyHostsSchema,
    status: 200,
    answer: verifiedSchema.openapi('VerifyApiHostsResponse'),
    run: ({ desk, actor, at, body }) => verifyHosts(desk, actor, { at, wish: body }),
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
    headers: ({ desk, actor, at }, { id }) => deployWarning(desk, actor, { at, id }),
  }),
  define.patch('/apis/{apiId}', {
    operationId: 'patchApi',
    permission: 'api-definition',
    summary: 'Changes parts of an API, by a merge patch or a list of operations.',
    query: patchQuery,
    body: patchSchema,
    answer: apiSchema,
    version: apiVersionOf,
    run: ({ desk, actor, at, params: { apiId }, query, body, ifMatch }) =>
      patchApi(desk, actor, { at, id: apiId, patch: body, isDryRun: query.dryRun === 'true', ifMatch }),
    // What is written is judged, which a dry run leaves as it was.
    headers: async ({ desk, actor, at, query }, { id }) =>
      query.dryRun === 'true' ? {} : deployWarning(desk, actor, { at, id }),
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
