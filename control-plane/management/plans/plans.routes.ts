import { z } from '@hono/zod-openapi';
import { planModeSchema, planSecurityTypes, planStatuses } from '../../../proto/model/plan.ts';
import { idSchema, listParam } from '../fields.ts';
import { pageOf, pageQuery, pageSchema } from '../pages.ts';
import { patchQuery, patchSchema } from '../patch.ts';
import { resource } from '../route.ts';
import { patchPlan } from './patching.ts';
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

const define = resource({ tag: 'API Plans', scope: 'environment' });
const path = '/apis/{apiId}/plans';
const onePath = '/apis/{apiId}/plans/{planId}';
const answer = planSchema;
const version = planVersionOf;

/** The routes of plans. */
export const planRoutes = [
  define.get(path, {
    operationId: 'listApiPlans',
    permission: ['environment-api', 'api-plan'],
    summary: 'Lists the plans of an API; published ones unless asked otherwise.',
    query: z.strictObject({
      ...pageQuery,
      statuses: listParam(planStatuses).optional(),
      securities: listParam(planSecurityTypes).optional(),
      mode: planModeSchema.optional(),
      subscribableBy: idSchema.optional(),
      fields: listParam(['flow', '-flow']).optional(),
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
          mode: query.mode,
          subscribableBy: query.subscribableBy,
          withFlows: query.fields?.includes('-flow') !== true,
          page: query,
        }),
        query,
        url,
      ),
  }),
  define.post(path, {
    operationId: 'createApiPlan',
    permission: 'api-plan',
    summary: 'Creates a plan.',
    body: createPlanSchema,
    answer,
    version,
    run: ({ desk, actor, at, params: { apiId }, body }) =>
      createPlan(desk, actor, { at, id: apiId, wish: body }),
  }),
  define.get(onePath, {
    operationId: 'getApiPlan',
    permission: ['environment-api', 'api-plan'],
    summary: 'Gets a plan.',
    answer,
    version,
    run: ({ desk, actor, at, params: { apiId, planId } }) => getPlan(desk, actor, { at, id: apiId, planId }),
  }),
  define.put(onePath, {
    operationId: 'updateApiPlan',
    permission: 'api-plan',
    summary: 'Replaces what can be written of a plan.',
    body: updatePlanSchema,
    answer,
    version,
    run: ({ desk, actor, at, params: { apiId, planId }, body, ifMatch }) =>
      editPlan(desk, actor, { at, id: apiId, planId, wish: body, ifMatch }),
  }),
  define.patch(onePath, {
    operationId: 'patchApiPlan',
    permission: 'api-plan',
    summary: 'Changes parts of a plan, by a merge patch or a list of operations.',
    query: patchQuery,
    body: patchSchema,
    answer,
    version,
    run: ({ desk, actor, at, params: { apiId, planId }, query, body, ifMatch }) =>
      patchPlan(desk, actor, {
        at,
        id: apiId,
        planId,
        patch: body,
        isDryRun: query.dryRun === 'true',
        ifMatch,
      }),
  }),
  define.delete(onePath, {
    operationId: 'deleteApiPlan',
    permission: 'api-plan',
    summary: 'Deletes a plan that is still in STAGING.',
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
    define.post(`${onePath}/${verb}`, {
      operationId,
      permission: 'api-plan',
      action: 'update',
      summary,
      status: 200,
      answer,
      version,
      run: ({ desk, actor, at, params: { apiId, planId } }) =>
        operation(desk, actor, { at, id: apiId, planId }),
    }),
  ),
];
