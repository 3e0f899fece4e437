import type { z } from 'zod';
import { glanceAt } from '../../../proto/definition/glance.ts';
import { isJson, type Json } from '../../../proto/definition/opened.ts';
import { readForImport } from '../../../proto/definition/read.ts';
import { toExport } from '../../../proto/definition/write.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import { detailsOf } from '../../../proto/faults/issues.ts';
import { type ApiWish, createApiSchema } from '../apis/api-shape.ts';
import { createPlanSchema, type PlanWish } from '../plans/plan-shape.ts';

/** An API with its plans in the management API's spelling, with the fields that a creation may have; plans have an id and a status too. */
export interface Wanted {
  readonly api: Json;
  /** Undefined when the document says nothing of plans, which is not that there are none. */
  readonly plans: readonly Json[] | undefined;
}

/** What a document wants. Errors: request.invalid with everything that this version does not run, by its place in the document. */
export function wantedOf(document: Json): Wanted {
  const glance = glanceAt(document);
  const { api, portal } = readForImport(glance.named({ id: glance.id ?? 'new', name: glance.name ?? '' }));
  if (api.engine !== undefined)
    throw new Fault('request.invalid', {
      details: [
        {
          path: 'execution_mode',
          message: `is ${api.engine}, which APIs of the management API do not have; migrate it first (isthmus convert --emulate)`,
        },
      ],
    });
  const written = toExport(api, portal);
  const plans = (Array.isArray(written['plans']) ? written['plans'] : []).filter(isJson);
  return {
    api: only(apiNames, withStatusCodes(written['api'])),
    plans: saysPlans(document) ? plans.map((plan) => only(planNames, plan)) : undefined,
  };
}

/** Changes the definition in a document, wherever its form has it: itself, or the part of an export or a custom resource, with its place. */
export async function mapInDocument(
  document: Json,
  change: (part: Json, at: string) => Promise<Json>,
): Promise<Json> {
  const own = await change(document, '');
  const { api, spec } = document;
  if (isJson(api)) return { ...own, api: await change(api, 'api.') };
  return isJson(spec) ? { ...own, spec: await change(spec, 'spec.') } : own;
}

/** Whether a document speaks of plans, in whatever form it comes. */
function saysPlans(document: Json): boolean {
  return [document, document['api'], document['spec']].some(
    (holder) => isJson(holder) && holder['plans'] !== undefined && holder['plans'] !== null,
  );
}

/** Names of the fields that an import sets of an API. */
export const apiNames: readonly string[] = Object.keys(createApiSchema.shape);
/** Names of the fields that an import sets of a plan, beside those by which it is known. */
export const planNames: readonly string[] = ['id', ...Object.keys(createPlanSchema.shape)];

/** Those of the fields that have one of the names. */
export function only(names: readonly string[], fields: unknown): Json {
  return Object.fromEntries(
    Object.entries(isJson(fields) ? fields : {}).filter(([name]) => names.includes(name)),
  );
}

/** The API as a creation by hand would have sent it. Errors: request.invalid. */
export function apiWishOf(wanted: Json): ApiWish {
  return wishOf(createApiSchema, wanted, 'api');
}

/** The plan as a creation by hand would have sent it; a deprecated one is published first. Errors: request.invalid, with paths below `at`. */
export function planWishOf({ id: _id, status, ...plan }: Json, at: string): PlanWish {
  return wishOf(createPlanSchema, { ...plan, status: status === 'STAGING' ? status : 'PUBLISHED' }, at);
}

function wishOf<Schema extends z.ZodObject>(schema: Schema, written: Json, at: string): z.output<Schema> {
  const parsed = schema.safeParse(written);
  if (!parsed.success) throw new Fault('request.invalid', { details: detailsOf(parsed.error.issues, at) });
  return parsed.data;
}

/** The management API has another name for the status of a template. */
function withStatusCodes(api: unknown): unknown {
  if (!isJson(api) || !isJson(api['responseTemplates'])) return api;
  const each = (value: unknown, change: (item: Json) => unknown): unknown =>
    isJson(value)
      ? Object.fromEntries(
          Object.entries(value).map(([key, item]) => [key, isJson(item) ? change(item) : item]),
        )
      : value;
  const responseTemplates = each(api['responseTemplates'], (byType) =>
    each(byType, ({ status, ...rest }) => ({ ...rest, ...(status !== undefined && { statusCode: status }) })),
  );
  return { ...api, responseTemplates };
}
