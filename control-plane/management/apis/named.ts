import { Fault, type FaultDetail } from '../../../proto/faults/fault.ts';
import { listCategories } from '../categories/categories.store.ts';
import type { Change } from '../desk.ts';
import { unknownTenants } from '../gateway-tenants/gateway-tenants.ts';
import { demandTags } from '../tags/tags.ts';
import type { ApiUpdate, ApiWish } from './api-shape.ts';
import type { ApiRow } from './apis.store.ts';

/** What of an API names something that is kept beside it. */
type Naming = Pick<ApiWish | ApiUpdate, 'tags' | 'categories' | 'endpointGroups'>;

/**
 * Judges what an API names: its sharding tags, its categories and the tenants that its endpoints are kept for are there. What it named
 * before stays as it is: it may have gone since.
 *
 * Errors: tag.notAllowed; request.invalid with each word by its place.
 */
export async function demandNamed(now: Change, wish: Naming, before?: ApiRow): Promise<void> {
  const kept = before === undefined ? {} : (JSON.parse(before.definition) as Partial<Naming>);
  const heldTags = before === undefined ? [] : (JSON.parse(before.tags) as readonly string[]);
  await demandTags(now, { before: heldTags, after: wish.tags ?? [] });
  const categories = added((wish.categories ?? []).map(placed('categories')), kept.categories ?? []);
  const heldTenants = tenantsNamed(kept).map(({ word }) => word);
  const tenants = added(tenantsNamed(wish), heldTenants);
  const details = [
    ...(await unknownCategories(now, categories)),
    ...(await unknownTenants(now.trx, now.at.organization, tenants)),
  ];
  if (details.length > 0) throw new Fault('request.invalid', { details });
}

/** Of the categories that are named those that are here, by key: of an import nothing else is kept. */
export async function categoriesHere(now: Change, words: readonly string[]): Promise<string[]> {
  if (words.length === 0) return [];
  const known = new Set((await listCategories(now.trx, now.at)).map(({ key }) => key));
  return words.filter((word) => known.has(word));
}

async function unknownCategories(now: Change, named: readonly Placed[]): Promise<readonly FaultDetail[]> {
  const words = named.map(({ word }) => word);
  const here = await categoriesHere(now, words);
  return named.flatMap(({ path, word }) =>
    here.includes(word)
      ? []
      : [{ path, message: `There is no category "${word}" in the environment; write its key.` }],
  );
}

interface Placed {
  readonly path: string;
  readonly word: string;
}

const placed =
  (list: string) =>
  (word: string, index: number): Placed => ({ path: `${list}[${index}]`, word });

const added = (named: readonly Placed[], kept: readonly string[]): readonly Placed[] =>
  named.filter(({ word }) => !kept.includes(word));

function tenantsNamed({ endpointGroups = [] }: Partial<Naming>): readonly Placed[] {
  return endpointGroups.flatMap(({ endpoints = [] }, group) =>
    endpoints.flatMap(({ tenants = [] }, endpoint) =>
      tenants.map(placed(`endpointGroups[${group}].endpoints[${endpoint}].tenants`)),
    ),
  );
}
