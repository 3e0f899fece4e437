import { z } from '@hono/zod-openapi';
import { apiLimits } from '../../../proto/model/api-limits.ts';
import {
  planModeSchema,
  planSecurityTypeSchema,
  planStatusSchema,
  planTypeSchema,
  planValidationSchema,
} from '../../../proto/model/plan.ts';
import { definitionNameSchema, flowsSchema } from '../apis/definition.ts';
import {
  configurationSchema,
  demanding,
  momentText,
  present,
  readOnlyFields,
  refusedFields,
  textSchema,
  wordsSchema,
  wordsUpTo,
} from '../fields.ts';
import type { PlanRow } from './plans.store.ts';

const securitySchema = z.strictObject({
  type: planSecurityTypeSchema,
  configuration: configurationSchema.optional(),
});

const writableFields = {
  definitionVersion: z.literal('V4'),
  name: definitionNameSchema,
  description: textSchema.optional(),
  crossId: z.string().max(64).optional(),
  characteristics: wordsSchema.optional(),
  commentMessage: textSchema.optional(),
  commentRequired: z.boolean().optional(),
  excludedGroups: wordsSchema.optional(),
  generalConditions: z.string().max(64).optional(),
  order: z.int().min(0).max(100_000).optional(),
  selectionRule: z.string().max(apiLimits.conditionCharsMax).optional(),
  tags: wordsUpTo(apiLimits.tagsMax).optional(),
  validation: planValidationSchema.optional(),
  flows: flowsSchema.optional(),
};

/** Where callers of native APIs reach brokers. */
const ofNativeApis = refusedFields(
  z.int(),
  'is of native Kafka APIs, which this version does not run; leave it out',
  'bootstrapPort',
  'brokerRangeStart',
  'brokerRangeEnd',
);

/** Body of a creation. */
export const createPlanSchema = demanding(
  z.strictObject({
    ...writableFields,
    ...ofNativeApis,
    mode: planModeSchema.optional(),
    type: planTypeSchema.optional(),
    status: z.enum(['STAGING', 'PUBLISHED']).optional(),
    security: securitySchema,
  }),
  'name',
  'security',
).openapi('CreatePlanV4');

/** Body of an update; mode, type and the kind of security cannot change. */
export const updatePlanSchema = demanding(
  z.strictObject({
    ...readOnlyFields(
      'id',
      'apiId',
      'status',
      'mode',
      'type',
      'createdAt',
      'updatedAt',
      'publishedAt',
      'closedAt',
    ),
    ...writableFields,
    ...ofNativeApis,
    security: z
      .strictObject({
        type: planSecurityTypeSchema.optional(),
        configuration: configurationSchema.optional(),
      })
      .optional(),
  }),
  'name',
).openapi('UpdatePlanV4');

/** What of a plan gateways are told, beside its name and status. */
export const deployedPlanFields = ['flows', 'security', 'tags', 'selectionRule', 'order'];

/** A plan as it is answered. */
export const planSchema = z
  .object({
    id: z.string(),
    apiId: z.string(),
    ...writableFields,
    security: securitySchema,
    mode: planModeSchema,
    type: planTypeSchema,
    status: planStatusSchema,
    createdAt: z.string(),
    updatedAt: z.string(),
    publishedAt: z.string().optional(),
    closedAt: z.string().optional(),
  })
  .openapi('PlanV4');

/** What a creation wants. */
export type PlanWish = z.infer<typeof createPlanSchema>;
/** What an update wants. */
export type PlanUpdate = z.infer<typeof updatePlanSchema>;
/** A plan as it is answered. */
export type PlanView = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly updatedAt: string;
};

const definitionNames = [
  'crossId',
  'characteristics',
  'commentMessage',
  'commentRequired',
  'excludedGroups',
  'generalConditions',
  'selectionRule',
  'tags',
  'flows',
] as const;

/** What stands in the JSON column of a plan, once its secrets are sealed: what its author sets beside the columns. */
export function planDefinition(
  wish: PlanWish | PlanUpdate,
  security: PlanWish['security'],
): Readonly<Record<string, unknown>> {
  const kept = definitionNames.filter((name) => wish[name] !== undefined).map((name) => [name, wish[name]]);
  return { ...Object.fromEntries(kept), security };
}

/** The plan for a reader; flows only for those who manage the API. */
export function planView(row: PlanRow, isInside: boolean): PlanView {
  const { flows, ...definition } = JSON.parse(row.definition) as Record<string, unknown>;
  return present({
    id: row.id,
    apiId: row.api_id,
    name: row.name,
    description: row.description,
    definitionVersion: 'V4',
    ...definition,
    ...(isInside ? { flows: flows ?? [] } : {}),
    mode: row.mode,
    type: 'API',
    validation: row.validation,
    status: row.status,
    order: row.plan_order,
    createdAt: new Date(row.created_at_ms).toISOString(),
    updatedAt: new Date(row.updated_at_ms).toISOString(),
    publishedAt: momentText(row.published_at_ms),
    closedAt: momentText(row.closed_at_ms),
  });
}

/** The number that the ETag of a plan is made of. */
export function planVersionOf(view: PlanView): number {
  return Date.parse(view.updatedAt);
}
