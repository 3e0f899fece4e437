import { z } from '@hono/zod-openapi';
import { idSchema, integerParam, momentParam, readOnlyFields, wordsParam } from '../fields.ts';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { resource } from '../route.ts';
import { eventSchema, getApiEvent, listApiEvents } from './api-events.ts';
import {
  diffRevision,
  getRevision,
  labelCharsMax,
  labelRevision,
  labelVersionOf,
  listRevisions,
  revisionDiffSchema,
  revisionSchema,
  rollbackApi,
  wholeRevisionSchema,
} from './revisions.ts';

const define = resource({ tag: 'API Events', scope: 'environment' });
const path = '/apis/{apiId}/deployments';
const onePath = '/apis/{apiId}/deployments/{number}';
const inside = 'api-gateway-definition';

/** The routes of what an API was when it was deployed. */
export const revisionRoutes = [
  define.get(path, {
    operationId: 'listApiDeployments',
    permission: 'api-definition',
    summary: 'Lists the deployments of an API, newest first.',
    query: z.strictObject(pageQuery),
    answer: pageSchema('ApiRevisionsResponse', revisionSchema),
    run: async ({ desk, at, params: { apiId }, query, url }) =>
      pageOf(await listRevisions(desk, { at, id: apiId, page: query }), query, url),
  }),
  define.get(onePath, {
    operationId: 'getApiDeployment',
    permission: inside,
    summary: 'Gets a deployment with what gateways got.',
    answer: wholeRevisionSchema,
    version: labelVersionOf,
    run: ({ desk, at, params: { apiId, number } }) => getRevision(desk, { at, id: apiId, number }),
  }),
  define.put(onePath, {
    operationId: 'labelApiDeployment',
    permission: 'api-definition',
    summary: 'Gives a deployment a label, or takes it away.',
    body: z
      .strictObject({
        ...readOnlyFields('number', 'deployedAt', 'deployedBy', 'isCurrent', 'tags', 'definition'),
        label: z.string().trim().min(1).max(labelCharsMax).optional(),
      })
      .openapi('LabelApiDeployment'),
    answer: wholeRevisionSchema,
    version: labelVersionOf,
    run: ({ desk, actor, at, params: { apiId, number }, body, ifMatch }) =>
      labelRevision(desk, actor, { at, id: apiId, number, label: body.label, ifMatch }),
  }),
  define.get(`${onePath}/_diff`, {
    operationId: 'diffApiDeployment',
    permission: inside,
    summary: 'Says what another deployment, or what would be deployed now, has otherwise.',
    query: z.strictObject({
      against: z
        .union([z.literal('current'), integerParam({ min: 1, max: 999_999_999 }).transform(String)])
        .optional(),
    }),
    answer: revisionDiffSchema,
    run: ({ desk, actor, at, params: { apiId, number }, query }) =>
      diffRevision(desk, actor, { at, id: apiId, number, against: query.against ?? 'current' }),
  }),
  define.post('/apis/{apiId}/_rollback', {
    operationId: 'rollbackApi',
    permission: 'api-definition',
    action: 'update',
    summary: 'Writes an API as it was when it was deployed; gateways follow with the next deployment.',
    body: z.strictObject({ eventId: idSchema.optional() }).openapi('ApiRollback'),
    status: 204,
    run: ({ desk, actor, at, params: { apiId }, body }) =>
      rollbackApi(desk, actor, { at, id: apiId, eventId: body.eventId ?? '' }),
  }),
  define.get('/apis/{apiId}/events', {
    operationId: 'getApiEvents',
    permission: 'api-event',
    summary: 'Lists deployments, starts and stops of an API as events, newest first, without their payload.',
    query: z.strictObject({
      ...pageQuery,
      from: momentParam,
      to: momentParam,
      types: wordsParam(/^[A-Z_]{1,64}$/, 'must be a type of event, e.g. PUBLISH_API').optional(),
    }),
    answer: pageSchema('EventsResponse', eventSchema),
    run: async ({ desk, at, params: { apiId }, query, url }) => {
      const { types, from, to } = query;
      const found = await listApiEvents(desk, { at, id: apiId, page: query, types, from, to });
      return pageOf(found, query, url);
    },
  }),
  define.get('/apis/{apiId}/events/{eventId}', {
    operationId: 'getApiEventById',
    permission: 'api-event',
    summary: 'Gets a deployment, a start or a stop of an API as an event, with what gateways were to have.',
    answer: eventSchema,
    run: ({ desk, at, params: { apiId, eventId } }) => getApiEvent(desk, { at, id: apiId, eventId }),
  }),
];
