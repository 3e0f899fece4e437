import { z } from '@hono/zod-openapi';
import { integerParam, momentParam } from '../fields.ts';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { resource } from '../route.ts';
import {
  getInstance,
  getV1Instance,
  instanceApiSchema,
  instanceSchema,
  listInstanceApis,
  listInstances,
  monitoringSchema,
  monitorInstance,
  v1InstanceSchema,
  v1InstancesSchema,
} from './instances.ts';

const v1 = resource({ tag: 'Gateway Instances', scope: 'v1-environment' });
const v2 = resource({ tag: 'Instances', scope: 'environment' });
const permission = 'environment-instance';

/** The routes of gateways as the reference has them; fleets say more. */
export const instanceRoutes = [
  v1.get('/instances', {
    operationId: 'listInstances',
    permission,
    summary: 'Lists the gateways of the fleets of an environment; pages count from 0.',
    query: z.strictObject({
      includeStopped: z.enum(['true', 'false']).optional(),
      from: momentParam,
      to: momentParam,
      page: integerParam({ min: 0, max: 1_000_000 }).optional(),
      size: integerParam({ min: 1, max: 100 }).optional(),
    }),
    answer: v1InstancesSchema,
    run: async ({ desk, at, query: { includeStopped, from = 0, to = 0, page = 0, size } }) => ({
      ...(await listInstances(desk, {
        at,
        includeStopped: includeStopped === 'true',
        fromMs: from,
        toMs: to,
        page: { page: page + 1, perPage: size },
      })),
      pageNumber: page,
    }),
  }),
  v1.get('/instances/{instanceId}', {
    operationId: 'getV1Instance',
    permission,
    summary:
      'Gets a gateway with what it serves and refuses of the environment, and the figures it told last.',
    answer: v1InstanceSchema,
    run: ({ desk, at, params }) => getV1Instance(desk, at, params.instanceId),
  }),
  v1.get('/instances/{instanceId}/monitoring/{monitoredId}', {
    operationId: 'monitorInstance',
    permission: 'environment-platform',
    summary: 'Says what the process of a gateway told of itself last; the gateway is named twice.',
    answer: monitoringSchema,
    run: ({ desk, at, params }) => monitorInstance(desk, at, params.instanceId),
  }),
  v2.get('/instances/{instanceId}', {
    operationId: 'getInstanceById',
    permission,
    summary: 'Gets a gateway of a fleet of the environment.',
    answer: instanceSchema,
    run: ({ desk, at, params }) => getInstance(desk, at, params.instanceId),
  }),
  v2.get('/instances/{instanceId}/apis', {
    operationId: 'listInstanceApis',
    permission,
    summary: 'Lists the published APIs of the environment, each with what the gateway makes of it.',
    query: z.strictObject(pageQuery),
    answer: pageSchema('InstanceApisResponse', instanceApiSchema),
    run: async ({ desk, at, params: { instanceId: id }, query: page, url }) =>
      pageOf(await listInstanceApis(desk, at, { id, page }), page, url),
  }),
];
