import { stringify } from 'yaml';
import type { Json } from '../../../proto/definition/opened.ts';
import { readForImport } from '../../../proto/definition/read.ts';
import { toResource } from '../../../proto/definition/write.ts';
import { Fault, type FaultDetail } from '../../../proto/faults/fault.ts';
import { mapSecrets } from '../../../proto/model/secrets/places.ts';
import { isMask, mask } from '../../../proto/trust/sealed-text.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Actor } from '../../access/actor.ts';
import { apiOwner, type ApiRef, apiViews, lockedApi, readableApi } from '../apis/api-gate.ts';
import type { ApiView, ApiWish } from '../apis/api-shape.ts';
import type { ApiRow } from '../apis/apis.store.ts';
import { addApi, ownView } from '../apis/apis.ts';
import { categoriesHere } from '../apis/named.ts';
import { type Change, change, type Desk } from '../desk.ts';
import { groupsHere } from '../groups/grouped.ts';
import type { Content } from '../route.ts';
import { type PlanWish, planView } from '../plans/plan-shape.ts';
import { isPageOf } from '../plans/conditions.ts';
import { addPlan, deprecateLocked } from '../plans/plans.ts';
import { listPlansOf, type PlanRow } from '../plans/plans.store.ts';
import { hyphened } from '../slug.ts';
import { keepImport } from './definitions.store.ts';
import { importWishOf, mapInDocument, type Wanted } from './wanted.ts';

/** What an import does besides, in its transaction. */
export type AlsoDone = (now: Change, api: ApiRow) => Promise<void>;

/**
 * Makes an API with its plans out of a definition in any form that proto/definition reads; closed plans stay behind.
 *
 * The API is stopped and has new ids, as one that was created by hand. Errors: request.invalid with everything that this version does not
 * run, by its place in the definition; api.listener.paths.path.exists. Groups are found by id or name; those and categories that are not here stay behind.
 */
export async function importDefinition(
  desk: Desk,
  actor: Actor,
  { at, document, also }: { readonly at: EnvironmentRef; readonly document: Json; readonly also?: AlsoDone },
): Promise<ApiView> {
  await refuseMasks(document);
  const { wanted, api: apiWish, plans } = importWishOf(document);
  return change(desk, { actor, at }, async (now) => {
    const row = await addApi(now, await wishHere(now, apiWish));
    const planIds = new Map<string, string>();
    for (const { plan, wish } of plans)
      planIds.set(String(plan['id']), (await addImported(now, row, { wish, status: plan['status'] })).id);
    await keepImport(now, row, { definition: await sealWanted(now, row.id, wanted), planIds });
    await also?.(now, row);
    // Published plans have touched it.
    return ownView(now, await lockedApi(now, row.id));
  });
}

/** What an import wants of an API, with the groups and categories that are here. */
export async function wishHere(now: Change, wish: ApiWish): Promise<ApiWish> {
  const groups = [...(await groupsHere(now, wish.groups ?? []))];
  const categories = wish.categories && (await categoriesHere(now, wish.categories));
  return { ...wish, groups, ...(categories && { categories }) };
}

/** What an import wants, with its secrets sealed. */
export async function sealWanted(now: Change, api: string, { api: fields, plans }: Wanted): Promise<Wanted> {
  const sealed = await now.secrets.seal({ ...fields, plans: plans ?? [] }, apiOwner(api));
  const { plans: sealedPlans, ...rest } = sealed;
  return { api: rest, plans: plans && sealedPlans };
}

/** What was exported shows masks, and nothing is kept that they could stand for. Errors: request.invalid with their places. */
async function refuseMasks(document: Json): Promise<void> {
  const details: FaultDetail[] = [];
  await mapInDocument(document, async (part, at) => {
    mapSecrets(part, (value, { path }) => {
      if (isMask(value))
        details.push({
          path: `${at}${path}`,
          message: `is ${mask}, the mask of a secret of the API that was exported; write the secret`,
        });
      return value;
    });
    return part;
  });
  if (details.length > 0) throw new Fault('request.invalid', { details });
}

/** Makes a plan of an API whose row is locked, of the status that it has in the import; conditions that are no page here stay behind. */
export async function addImported(
  now: Change,
  api: ApiRow,
  { wish, status }: { readonly wish: PlanWish; readonly status?: unknown },
): Promise<PlanRow> {
  const { generalConditions, ...rest } = wish;
  const areHere = generalConditions !== undefined && (await isPageOf(now.trx, api, generalConditions));
  const plan = await addPlan(now, api, areHere ? wish : rest);
  return status === 'DEPRECATED' ? deprecateLocked(now, { api, plan }) : plan;
}

/** The API with its plans as one document, which `importDefinition` and `isthmus gateway --local` take. */
export async function exportDefinition(
  desk: Desk,
  actor: Actor,
  { at, id, exclude = [] }: ApiRef & { readonly exclude?: readonly string[] | undefined },
): Promise<Json> {
  const { db } = desk.storage;
  const [api] = await apiViews(db, actor, [await readableApi(db, actor, { at, id })]);
  const plans = exclude.includes('plans') ? [] : await listPlansOf(db, at, id);
  return {
    export: { date: new Date(desk.clock.now()).toISOString() },
    api: exclude.includes('groups') ? { ...api, groups: undefined } : { ...api },
    members: [],
    metadata: [],
    pages: [],
    plans: plans.map((plan) => planView(plan, true)),
    apiMedia: [],
  };
}

/** The same as a custom resource of the reference's operator for Kubernetes, in YAML, which imports take too. Secrets are masks. */
export async function exportResource(desk: Desk, actor: Actor, ref: ApiRef): Promise<Content> {
  const document = await exportDefinition(desk, actor, ref);
  const { api, portal } = readForImport(document);
  const name = resourceName(api.name) || ref.id;
  return {
    type: 'application/yaml; charset=utf-8',
    text: stringify(toResource(api, { name, portal })),
    fileName: `${name}.yaml`,
  };
}

/** Kubernetes takes lower-case letters of ASCII, digits and hyphens between them, 63 at most wherever a name becomes a label. */
const resourceName = (name: string): string => hyphened(name).slice(0, 63).replace(/-$/, '');
