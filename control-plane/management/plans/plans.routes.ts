import { z } from '@hono/zod-openapi';
import { planSecurityTypes, planStatuses } from '../../../proto/model/plan.ts';
import { idSchema, listParam } from '../fields.ts';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { route } from '../route.ts';
import { createPlanSchema, planSchema, planVersionOf, updatePlanSchema } from './plan-shape.ts';
import {
  closePlan,
  createPlan,
  deletePlan,
  deprecatePlan,
  editPlan,
  getPlan,
  listPlans,
  publishPlan,
} from './plans.ts';

const tag = 'API Plans';
const scope = 'environment';
const path = '/apis/{apiId}/plans';
const onePath = '/apis/{apiId}/plans/{planId}';
const apiParams = z.object({ apiId: idSchema });
const params = z.object({ apiId: idSchema, planId: idSchema });
const answer = planSchema;
const version = planVersionOf;

/** The routes of plans. */
export const planRoutes = [
  route({
    method: 'get',
    path,
    scope,
    tag,
    operationId: 'listApiPlans',
    permission: ['environment-api', 'api-plan'],
    summary: 'Lists the plans of an API; published ones unless asked otherwise.',
    params: apiParams,
    query: z.strictObject({
      ...pageQuery,
      statuses: listParam(planStatuses).optional(),
      securities: listParam(planSecurityTypes).optional(),
    }),
    status: 200,
    answer: pageSchema('PlansResponse', planSchema),
    run: async ({ desk, actor, at, params: { apiId }, query, url }) =>
      pageOf(
        await listPlans(desk, actor, {
          at,
          id: apiId,
          statuses: query.statuses ?? ['PUBLISHED'],
          securities: query.securities,
          page: query,
        }),
        query,
        url,
      ),
  }),
  route({
    method: 'post',
    path,
    scope,
    tag,
    operationId: 'createApiPlan',
    permission: 'api-plan',
    summary: 'Creates a plan.',
    params: apiParams,
    body: createPlanSchema,
    status: 201,
    answer,
    version,
    run: ({ desk, actor, at, params: { apiId }, body }) =>
      createPlan(desk, actor, { at, id: apiId, wish: body }),
  }),
  route({
    method: 'get',
    path: onePath,
    scope,
    tag,
    operationId: 'getApiPlan',
    permission: ['environment-api', 'api-plan'],
    summary: 'Gets a plan.',
    params,
    status: 200,
    answer,
    version,
    run: ({ desk, actor, at, params: { apiId, planId } }) => getPlan(desk, actor, { at, id: apiId, planId }),
  }),
  route({
    method: 'put',
    path: onePath,
    scope,
    tag,
    operationId: 'updateApiPlan',
    permission: 'api-plan',
    summary: 'Replaces what can be written of a plan.',
    params,
    body: updatePlanSchema,
    status: 200,
    answer,
    version,
    run: ({ desk, actor, at, params: { apiId, planId }, body, ifMatch }) =>
      editPlan(desk, actor, { at, id: apiId, planId, wish: body, ifMatch }),
  }),
  route({
    method: 'delete',
    path: onePath,
    scope,
    tag,
    operationId: 'deleteApiPlan',
    permission: 'api-plan',
    summary: 'Deletes a plan that is still in STAGING.',
    params,
    status: 204,
    run: ({ desk, actor, at, params: { apiId, planId }, ifMatch }) =>
      deletePlan(desk, actor, { at, id: apiId, planId, ifMatch }),
  }),
  ...(
    [
      ['_publish', 'publishApiPlan', 'Publishes a plan.', publishPlan],
      ['_deprecate', 'deprecateApiPlan', 'Deprecates a plan.', deprecatePlan],
      ['_close', 'closeApiPlan', 'Closes a plan and its subscriptions.', closePlan],
    ] as const
  ).map(([verb, operationId, summary, operation]) =>
    route({
      method: 'post',
      path: `${onePath}/${verb}`,
      scope,
      tag,
      operationId,
      permission: 'api-plan',
      action: 'update',
      summary,
      params,
      status: 200,
      answer,
      version,
      run: ({ desk, actor, at, params: { apiId, planId } }) =>
        operation(desk, actor, { at, id: apiId, planId }),
    }),
  ),
];
