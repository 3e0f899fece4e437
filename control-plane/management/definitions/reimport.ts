import { align } from '../../../proto/definition/align.ts';
import { isJson, type Json } from '../../../proto/definition/opened.ts';
import {
  type Conflict,
  type Difference,
  differencesOf,
  mergeReimport,
} from '../../../proto/definition/merge.ts';
import { Fault } from '../../../proto/faults/fault.ts';
import { withoutSecrets } from '../../../proto/model/secrets/scrub.ts';
import type { Actor } from '../../access/actor.ts';
import { apiGroups, apiOwner, type ApiRef, lockedApi } from '../apis/api-gate.ts';
import { apiView, type ApiView } from '../apis/api-shape.ts';
import type { ApiRow } from '../apis/apis.store.ts';
import { oneView, updateLocked } from '../apis/apis.ts';
import { type Change, change, type Desk } from '../desk.ts';
import { planView } from '../plans/plan-shape.ts';
import { closeLocked, deleteLocked, deprecateLocked, editLocked, publishLocked } from '../plans/plans.ts';
import { listPlansOf, type PlanRow } from '../plans/plans.store.ts';
import { checkIfMatch } from '../route.ts';
import { openSubscriptions } from '../subscriptions/subscriptions.store.ts';
import { addImported, type AlsoDone, sealWanted, wishHere } from './definitions.ts';
import { findImport, keepImport, type LastImport } from './definitions.store.ts';
import {
  apiNames,
  apiWishOf,
  mapInDocument,
  only,
  planNames,
  planWishOf,
  type Wanted,
  wantedOf,
} from './wanted.ts';

/** What an import does to an API. */
export interface ImportEffect {
  /** What becomes otherwise, by place. */
  readonly differences: readonly Difference[];
  /** Where import and API do not agree, and whose word stands. */
  readonly conflicts: readonly Conflict[];
}

/**
 * Imports a definition into an API that is there: what only the import changed since the last one is taken over, what was changed here
 * stays, and plans with subscriptions, flows of plans and ids are never lost.
 *
 * A dry run does all of it and takes it back; its answer is the same as that of the run. Errors: request.invalid, api.listener.paths.path.exists.
 */
export async function reimportDefinition(
  desk: Desk,
  actor: Actor,
  input: ApiRef & {
    readonly document: Json;
    readonly isDryRun: boolean;
    readonly ifMatch?: string | undefined;
    readonly also?: AlsoDone;
  },
): Promise<{ readonly effect: ImportEffect; readonly api: ApiView }> {
  const { at, id, document, isDryRun } = input;
  return change(desk, { actor, at, isDryRun }, async (now) => {
    const before = await lockedApi(now, id);
    checkIfMatch(input.ifMatch, before.updated_at_ms);
    const effect = await merge(now, before, document);
    await input.also?.(now, before);
    return { effect, api: await oneView(now.trx, actor, await lockedApi(now, id)) };
  });
}

/**
 * What a document wants, sealed: a mask stands for what is kept in its place, and a secret that is the same as one that is kept has the same
 * sealed text, so that merging compares texts and nothing is open in what it tells.
 */
async function sealedWish(
  now: Change,
  api: ApiRow,
  { document, last }: { readonly document: Json; readonly last: LastImport | undefined },
): Promise<Wanted> {
  const kept = await sideHere(now, api);
  const owner = apiOwner(api.id);
  const { secrets } = await now.secrets.open(kept, owner);
  // Opened as well: what is the same as then has the text that it had.
  if (last !== undefined) await now.secrets.open(sideOf(last.definition), owner);
  const plain = await mapInDocument(document, (part) => now.secrets.unmask(part, owner, kept));
  return sealWanted(
    now,
    api.id,
    withoutSecrets(secrets, () => wantedOf(plain)),
  );
}

async function merge(now: Change, api: ApiRow, document: Json): Promise<ImportEffect> {
  const last = await findImport(now.trx, api);
  const asked = await sealedWish(now, api, { document, last });
  // What says nothing of plans changes nothing of them.
  const wanted = { ...asked, plans: asked.plans ?? last?.definition.plans };
  const sides = {
    base: last && sideOf(last.definition, last.planIds),
    ours: await filledHere(now, api),
    theirs: sideOf(wanted, last?.planIds),
  };
  const open = await openSubscriptions(now.trx, now.at, { column: 'api_id', id: api.id });
  const { merged, conflicts } = mergeReimport(sides, {
    subscribedPlans: new Set(open.map((subscription) => subscription.plan_id)),
  });
  const { plans: _plans, ...fields } = merged;
  const { plans: _ours, ...before } = sides.ours;
  const isChanged = differencesOf(before, fields).length > 0;
  const after = isChanged ? await updateLocked(now, api, await wishHere(now, apiWishOf(fields))) : api;
  const plans = new PlanMerge(now, after, sides.ours.plans);
  await plans.apply(plansOf(merged));
  await keepImport(now, api, { definition: wanted, planIds: plans.idsOf(sides, wanted) });
  const differences = differencesOf(sides.ours, await filledHere(now, await lockedApi(now, api.id)));
  return { differences, conflicts: [...conflicts, ...plans.conflicts] };
}

/** An API with its plans as one object, as `mergeReimport` takes it. */
type Side = Json & { readonly plans: readonly Json[] };

/** What an API and a plan of it have when nobody says otherwise: an import that leaves it out means the same. */
const apiDefaults = { description: '', visibility: 'PRIVATE', tags: [], groups: [] };
const planDefaults = { description: '', mode: 'STANDARD', type: 'API', validation: 'MANUAL', flows: [] };

function sideOf({ api, plans }: Wanted, planIds: ReadonlyMap<string, string> = new Map()): Side {
  const here = (plan: Json): Json => ({ ...plan, id: planIds.get(String(plan['id'])) ?? plan['id'] });
  return { ...apiDefaults, ...api, plans: (plans ?? []).map((plan) => ({ ...planDefaults, ...here(plan) })) };
}

/** What became of it here; closed plans are gone. */
async function sideHere(now: Change, api: ApiRow): Promise<Side> {
  const plans = await openPlans(now, api);
  const groups = (await apiGroups(now.trx, [api])).get(api.id);
  return {
    ...only(apiNames, apiView(api, { owner: undefined, isInside: true, groups })),
    plans: plans.map((plan) => only(planNames, planView(plan, true))),
  };
}

/**
 * The same with everything that reading fills in, as an import has it: what somebody left out and its default are no difference.
 * What does not read, as a draft may not, is as it stands.
 */
async function filledHere(now: Change, api: ApiRow): Promise<Side> {
  const side = await sideHere(now, api);
  const { definition } = await now.secrets.open(side, apiOwner(api.id));
  const { plans, ...fields } = definition;
  const filled = readable({ api: fields, plans });
  if (filled === undefined) return side;
  const sealed = sideOf(await sealWanted(now, api.id, filled));
  const own = new Map(side.plans.map((plan) => [plan['id'], plan]));
  return { ...side, ...sealed, plans: sealed.plans.map((plan) => ({ ...own.get(plan['id']), ...plan })) };
}

function readable(document: Json): Wanted | undefined {
  try {
    return wantedOf(document);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return undefined;
  }
}

async function openPlans(now: Change, api: ApiRow): Promise<readonly PlanRow[]> {
  return (await listPlansOf(now.trx, now.at, api.id)).filter(({ status }) => status !== 'CLOSED');
}

const plansOf = ({ plans }: Json): readonly Json[] => (Array.isArray(plans) ? plans.filter(isJson) : []);

/** Makes the plans of an API what a merge says. */
class PlanMerge {
  readonly conflicts: Conflict[] = [];
  readonly #now: Change;
  readonly #api: ApiRow;
  /** What the merge found here, by id. */
  readonly #found: ReadonlyMap<unknown, Json>;
  /** Ids as they stand in the merge, with those of the rows that were made for them. */
  readonly #made = new Map<string, string>();

  constructor(now: Change, api: ApiRow, found: readonly Json[]) {
    this.#now = now;
    this.#api = api;
    this.#found = new Map(found.map((plan) => [plan['id'], plan]));
  }

  async apply(plans: readonly Json[]): Promise<void> {
    const rows = new Map((await openPlans(this.#now, this.#api)).map((row) => [row.id, row]));
    const kept = plans.map((plan) => ({ plan, row: rowOf(rows, plan) }));
    // First what goes: there is one published keyless plan at most.
    for (const row of rows.values()) if (!kept.some((one) => one.row === row)) await this.#remove(row);
    for (const [index, { plan, row }] of kept.entries()) {
      if (row !== undefined) await this.#change(row, plan, `plans[${index}]`);
      else if (plan['status'] !== 'CLOSED') await this.#add(plan, `plans[${index}]`);
    }
  }

  /** The ids of plans in the import, with those that they have here. */
  idsOf(
    sides: { readonly base: Side | undefined; readonly ours: Side; readonly theirs: Side },
    wanted: Wanted,
  ) {
    const { base, ours, theirs } = sides;
    const [, own, other] = align('plans', [base?.plans ?? [], ours.plans, theirs.plans]) ?? [];
    const ids = new Map<string, string>();
    [...(other ?? [])].forEach(([key, plan], index) => {
      const mine = own?.get(key);
      const id = String((isJson(mine) ? mine : isJson(plan) ? plan : {})['id']);
      ids.set(String(wanted.plans?.[index]?.['id']), this.#made.get(id) ?? id);
    });
    return ids;
  }

  async #add(plan: Json, path: string): Promise<void> {
    const made = await addImported(this.#now, this.#api, {
      wish: planWishOf(plan, (field) => `${path}.${field}`),
      status: plan['status'],
    });
    this.#made.set(String(plan['id']), made.id);
  }

  async #remove(row: PlanRow): Promise<void> {
    if (row.status === 'STAGING') await deleteLocked(this.#now, row);
    else await closeLocked(this.#now, { api: this.#api, plan: row });
  }

  async #change(row: PlanRow, merged: Json, path: string): Promise<void> {
    const { status = row.status, ...before } = this.#found.get(row.id) ?? {};
    const { status: wanted, ...fields } = merged;
    const plan = { ...fields, mode: this.#fixed(merged, row.mode, `${path}.mode`) };
    if (differencesOf(before, plan).length > 0)
      await editLocked(this.#now, {
        api: this.#api,
        plan: row,
        wish: planWishOf({ ...plan, status }, (field) => `${path}.${field}`),
      });
    if (status !== wanted) await this.#move(row, String(wanted), `${path}.status`);
  }

  async #move(plan: PlanRow, status: string, path: string): Promise<void> {
    const at = { api: this.#api, plan };
    if (status === 'CLOSED') await this.#remove(plan);
    else if (plan.status === 'STAGING') {
      const published = await publishLocked(this.#now, at);
      if (status === 'DEPRECATED') await deprecateLocked(this.#now, { ...at, plan: published });
    } else if (status === 'DEPRECATED') await deprecateLocked(this.#now, at);
    else
      this.conflicts.push({
        path,
        stands: 'ours',
        reason: `a plan that is ${plan.status} cannot become ${status} again`,
      });
  }

  #fixed(plan: Json, mode: string, path: string): string {
    if (plan['mode'] !== undefined && plan['mode'] !== mode)
      this.conflicts.push({
        path,
        stands: 'ours',
        reason: `the mode of a plan cannot change; it is ${mode}`,
      });
    return mode;
  }
}

/** The row of a plan; not the one whose kind of security is another, since that cannot change. */
function rowOf(rows: ReadonlyMap<string, PlanRow>, { id, security }: Json): PlanRow | undefined {
  const row = rows.get(String(id));
  return row !== undefined && isJson(security) && security['type'] !== row.security_type ? undefined : row;
}
