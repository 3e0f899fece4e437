import type { z } from 'zod';
import { namedToRead } from '../../../proto/definition/glance.ts';
import { isJson, type Json } from '../../../proto/definition/opened.ts';
import { placesIn, readForImport } from '../../../proto/definition/read.ts';
import { refuseUnusableStores } from '../../../proto/definition/stores.ts';
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
  const named = namedToRead(document);
  const { api, portal } = readForImport(named);
  if (api.engine !== undefined)
    throw new Fault('request.invalid', {
      details: [
        {
          path: 'execution_mode',
          message: `is ${api.engine}, which APIs of the management API do not have; migrate it first (isthmus convert --emulate)`,
        },
      ],
    });
  refuseUnusableStores(api, placesIn(named));
  const written = toExport(api, portal);
  const plans = (Array.isArray(written['plans']) ? written['plans'] : []).filter(isJson);
  return {
    api: only(apiNames, withStatusCodes(written['api'])),
    plans: saysPlans(document) ? plans.map((plan) => only(planNames, plan)) : undefined,
  };
}

/** What an import makes. */
export interface ImportWish {
  readonly wanted: Wanted;
  readonly api: ApiWish;
  /** Closed ones stay behind. */
  readonly plans: readonly { readonly plan: Json; readonly wish: PlanWish }[];
}

/** What the import of a document would make; pure. Errors: request.invalid with everything that this version does not run. */
export function importWishOf(document: Json): ImportWish {
  const wanted = wantedOf(document);
  const pathOf = placesIn(namedToRead(document));
  const plans = (wanted.plans ?? []).flatMap((plan, index) =>
    plan['status'] === 'CLOSED'
      ? []
      : [{ plan, wish: planWishOf(plan, (path) => pathOf(`plans[${index}].${path}`)) }],
  );
  refuseSecondKeyless(
    plans.map(({ plan }) => plan),
    wanted.plans ?? [],
    pathOf,
  );
  return { wanted, api: apiWishOf(wanted.api, pathOf), plans };
}

/** As publishing a plan does: one that is deprecated is published first. */
function refuseSecondKeyless(plans: readonly Json[], all: readonly Json[], pathOf: PathOf): void {
  const isKeyless = ({ security }: Json): boolean => isJson(security) && security['type'] === 'KEY_LESS';
  const served = plans.filter((plan) => isKeyless(plan) && plan['status'] !== 'STAGING');
  const first = served.findIndex(({ status }) => status !== 'DEPRECATED');
  const [second] = first === -1 ? [] : served.slice(first + 1);
  if (second === undefined) return;
  throw new Fault('request.invalid', {
    details: [
      {
        path: pathOf(`plans[${all.indexOf(second)}]`),
        message: `is keyless as the published plan "${String(served[first]?.['name'])}" is; of an API one keyless plan can be published, allowed: STAGING`,
      },
    ],
  });
}

/** Changes the definition in a document, wherever its form has it: itself, or the part of an export or a custom resource, with its place. */
export async function mapInDocument(
  document: Json,
  change: (part: Json, at: string) => Promise<Json>,
): Promise<Json> {
  const name = ['api', 'spec'].find((each) => isJson(document[each]));
  if (name === undefined) return change(document, '');
  const { [name]: part, ...rest } = document;
  return { ...(await change(rest, '')), [name]: await change(isJson(part) ? part : {}, `${name}.`) };
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

/** Where a field of the API or of a plan stands in what was sent. */
type PathOf = (path: string) => string;

/** The API as a creation by hand would have sent it. Errors: request.invalid. */
export function apiWishOf(wanted: Json, pathOf: PathOf = (path) => path): ApiWish {
  return wishOf(createApiSchema, wanted, pathOf);
}

/** The plan as a creation by hand would have sent it; a deprecated one is published first. Errors: request.invalid. */
export function planWishOf({ id: _id, status, ...plan }: Json, pathOf: PathOf): PlanWish {
  return wishOf(createPlanSchema, { ...plan, status: status === 'STAGING' ? status : 'PUBLISHED' }, pathOf);
}

function wishOf<Schema extends z.ZodObject>(schema: Schema, written: Json, pathOf: PathOf): z.output<Schema> {
  const parsed = schema.safeParse(written);
  if (parsed.success) return parsed.data;
  const details = detailsOf(parsed.error.issues).map(({ path, message }) => ({
    path: pathOf(path),
    message,
  }));
  throw new Fault('request.invalid', { details });
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
