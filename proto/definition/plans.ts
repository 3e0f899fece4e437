import { isJson, type Json, type SourceApi } from './opened.ts';

/** A plan with an id, and where it stands in its input. */
export interface OpenedPlan {
  readonly plan: unknown;
  readonly path: string;
}

/**
 * The plans of an API in their order, each with an id.
 *
 * Exports say the order in a field; those without it keep theirs. In a map the key is the id of a plan that has none. Where nothing else
 * gives one it is made from the name (`With a key` becomes `with-a-key`), so that it is the same whenever the file is read.
 */
export function plansInOrder({
  plans,
  plansAt,
}: Pick<SourceApi, 'plans' | 'plansAt'>): readonly OpenedPlan[] {
  if (plans === undefined) return [];
  if (!Array.isArray(plans) && !isJson(plans)) return [{ plan: plans, path: plansAt }];
  const found = Array.isArray(plans)
    ? plans.map((plan: unknown, index) => ({ plan, path: `${plansAt}[${index}]` }))
    : Object.entries(plans).map(([id, plan]) => ({
        plan: isJson(plan) ? { id, ...plan } : plan,
        path: `${plansAt}.${id}`,
      }));
  const ordered = found.toSorted((a, b) => placeOf(a.plan) - placeOf(b.plan));
  const taken = new Set(ordered.flatMap(({ plan }) => (isJson(plan) ? [plan['id']] : [])));
  return ordered.map(({ plan, path }) => {
    if (!isJson(plan) || plan['id'] !== undefined) return { plan, path };
    const id = freeId(plan, taken);
    taken.add(id);
    return { plan: { ...plan, id }, path };
  });
}

function placeOf(plan: unknown): number {
  return isJson(plan) && typeof plan['order'] === 'number' ? plan['order'] : Number.MAX_SAFE_INTEGER;
}

function freeId(plan: Json, taken: ReadonlySet<unknown>): string {
  const name = typeof plan['name'] === 'string' ? slugOf(plan['name']) : '';
  const first = name === '' ? 'plan' : name;
  let id = first;
  for (let count = 2; taken.has(id); count += 1) id = `${first}-${count}`;
  return id;
}

/** A name as an id: `Where is it? (v2)` becomes `where-is-it-v2`. */
export function slugOf(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 100);
}
