import type { z } from 'zod';
import { glanceAt } from '../../../proto/definition/glance.ts';
import { isJson, type Json } from '../../../proto/definition/opened.ts';
import { readForImport } from '../../../proto/definition/read.ts';
import { toExport } from '../../../proto/definition/write.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import { detailsOf } from '../../../proto/faults/issues.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Actor } from '../../access/actor.ts';
import { type ApiRef, apiViews, lockedApi, readableApi } from '../apis/api-gate.ts';
import { type ApiView, createApiSchema } from '../apis/api-shape.ts';
import { addApi, ownView } from '../apis/apis.ts';
import { change, type Desk } from '../desk.ts';
import { createPlanSchema, planView } from '../plans/plan-shape.ts';
import { addPlan, deprecateLocked } from '../plans/plans.ts';
import { listPlansOf } from '../plans/plans.store.ts';

/**
 * Makes an API with its plans out of a definition in any form that proto/definition reads; closed plans stay behind.
 *
 * The API is stopped and has new ids, as one that was created by hand. Errors: request.invalid with everything that this version does not
 * run, by its place in the definition; api.path_taken.
 */
export async function importDefinition(
  desk: Desk,
  actor: Actor,
  { at, document }: { readonly at: EnvironmentRef; readonly document: Json },
): Promise<ApiView> {
  const glance = glanceAt(document);
  const { api, portal } = readForImport(glance.named({ id: glance.id ?? 'new', name: glance.name ?? '' }));
  if (api.engine !== undefined)
    throw new Fault('request.invalid', {
      details: [
        {
          path: 'execution_mode',
          message: `is ${api.engine}, which APIs of the management API do not have; migrate it first (isthmus convert)`,
        },
      ],
    });
  const written = toExport(api, portal);
  const wish = wishOf(createApiSchema, withStatusCodes(written['api']), 'api');
  const plans = (Array.isArray(written['plans']) ? written['plans'] : []).filter(isJson);
  const plansWanted = plans
    .filter(({ status }) => status !== 'CLOSED')
    .map((plan, index) => ({
      isDeprecated: plan['status'] === 'DEPRECATED',
      wish: wishOf(
        createPlanSchema,
        { ...plan, ...(plan['status'] === 'DEPRECATED' && { status: 'PUBLISHED' }) },
        `plans[${index}]`,
      ),
    }));
  return change(desk, { actor, at }, async (now) => {
    const row = await addApi(now, wish);
    for (const wanted of plansWanted) {
      const plan = await addPlan(now, row, wanted.wish);
      if (wanted.isDeprecated) await deprecateLocked(now, row, plan);
    }
    // Published plans have touched it.
    return ownView(actor, await lockedApi(now, row.id));
  });
}

/** The API with its plans as one document, which `importDefinition` and `isthmus gateway --local` take. */
export async function exportDefinition(desk: Desk, actor: Actor, { at, id }: ApiRef): Promise<Json> {
  const { db } = desk.storage;
  const [api] = await apiViews(db, actor, [await readableApi(db, actor, { at, id })]);
  const plans = await listPlansOf(db, at, id);
  return {
    export: { date: new Date(desk.clock.now()).toISOString() },
    api: { ...api },
    members: [],
    metadata: [],
    pages: [],
    plans: plans.map((plan) => planView(plan, true)),
    apiMedia: [],
  };
}

/** What a creation by hand would have sent: the fields that it may have. */
function wishOf<Schema extends z.ZodObject>(schema: Schema, written: unknown, at: string): z.output<Schema> {
  const fields = Object.entries(isJson(written) ? written : {});
  const parsed = schema.safeParse(
    Object.fromEntries(fields.filter(([name]) => Object.hasOwn(schema.shape, name))),
  );
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
