import { z } from '@hono/zod-openapi';
import { Fault } from '../../../proto/faults/fault.ts';
import { type Condition, isDimension } from '../../analytics/questions/conditions.ts';
import type { Desk } from '../desk.ts';
import { present } from '../fields.ts';
import { boundsOf, type PageWish } from '../pages.ts';
import { ofApisWith } from './analytics.ts';
import { apiNames, filterOf, filters } from './catalogue.ts';
import type { Asking } from './document-figures.ts';
import { figuresOf, namesOfKeys } from './figures.ts';
import { nameCharsMax } from './log-filters.ts';

/** Ids of which names are wanted, by filter. */
export const resolveSchema = z
  .strictObject({
    entries: z
      .array(
        z.strictObject({
          filterName: z.string().max(nameCharsMax),
          ids: z.array(z.string().max(256)).max(100),
        }),
      )
      .max(10),
  })
  .openapi('ResolveFilterLabelsRequest');
/** Their names. */
export const resolvedSchema = z
  .object({
    entries: z.array(z.object({ filterName: z.string(), labels: z.record(z.string(), z.string()) })),
  })
  .openapi('ResolveFilterLabelsResponse');

const named = new Set(['API', 'APPLICATION', 'PLAN']);

/**
 * Names of what ids of filters stand for. Of an API, application or plan only when requests that the caller may read figures of name it:
 * what somebody does not see, he learns no name of.
 */
export async function labelsOf(
  desk: Desk,
  { actor, at }: Asking,
  { entries }: z.infer<typeof resolveSchema>,
): Promise<z.infer<typeof resolvedSchema>> {
  const mine = await ofApisWith(desk, { actor, at }, 'api-analytics:read');
  const resolved = [];
  for (const { filterName, ids } of entries) {
    if (filterOf(filterName) === undefined) throw unknown('entries', filterName);
    const labels = new Map<string, string>();
    if (named.has(filterName) && isDimension(filterName)) {
      const keys = await known(desk, { at, mine }, { by: filterName, operator: 'IN', values: ids });
      const nameOf = await namesOfKeys(desk, { at, by: filterName }, keys);
      for (const key of keys) if (!nameOf(key).isGone) labels.set(key, nameOf(key).name);
    } else for (const id of ids) labels.set(id, id);
    resolved.push({ filterName, labels: Object.fromEntries(labels) });
  }
  return { entries: resolved };
}

const monthMs = 30 * 86_400_000;

/** Which of some ids the caller may know: of his APIs, or whatever requests of theirs of the last 30 days name. */
async function known(
  desk: Desk,
  { at, mine }: { readonly at: Asking['at']; readonly mine: readonly Condition[] },
  asked: Condition,
): Promise<readonly string[]> {
  const [apis] = mine;
  if (apis === undefined) return asked.values;
  if (asked.by === 'API') return asked.values.filter((id) => apis.values.includes(id));
  const fromMs = Math.max(0, desk.clock.now() - monthMs);
  const { groups } = await figuresOf(
    desk,
    { at, fromMs, toMs: undefined, conditions: [...mine, asked] },
    { figures: [{ of: 'requests', measure: 'COUNT' }], groupings: [{ by: asked.by }] },
  );
  return groups.flatMap(({ key }) => (key === undefined ? [] : [key]));
}

/** Values of one filter. */
export async function valuesOf(
  desk: Desk,
  wish: Asking &
    PageWish & {
      readonly filter: string;
      readonly from?: number | undefined;
      readonly to?: number | undefined;
      readonly query?: string | undefined;
    },
): Promise<{ readonly data: readonly { value: string; id?: string | undefined }[]; readonly total: number }> {
  const { at, actor, filter } = wish;
  const spec = filterOf(filter);
  if (spec === undefined) throw unknown('filterName', filter);
  const isAsked = (text: string): boolean => text.toLowerCase().includes((wish.query ?? '').toLowerCase());
  const { limit, offset } = boundsOf(wish);
  const page = (all: readonly { value: string; id?: string | undefined }[]) => ({
    data: all.slice(offset, offset + limit),
    total: all.length,
  });
  if (spec.enumValues !== undefined) return page(spec.enumValues.filter(isAsked).map((value) => ({ value })));
  if (spec.type !== 'KEYWORD' || !isDimension(filter))
    throw new Fault('request.invalid', {
      details: [{ path: 'filterName', message: `values of ${filter} cannot be listed` }],
    });
  const conditions = await ofApisWith(desk, { actor, at }, 'api-analytics:read');
  const { groups } = await figuresOf(
    desk,
    { at, fromMs: wish.from, toMs: wish.to, conditions },
    { figures: [{ of: 'requests', measure: 'COUNT' }], groupings: [{ by: filter }] },
  );
  const keys = groups.flatMap(({ key }) => (key === undefined ? [] : [key]));
  const nameOf = await namesOfKeys(desk, { at, by: filter }, keys);
  return page(
    keys
      .map((key) => ({ value: nameOf(key).name, key }))
      .filter(({ value }) => isAsked(value))
      .map(({ value, key }) => present({ value, id: named.has(filter) ? key : undefined })),
  );
}

/** A type of API. Errors: request.invalid for one that there is not. */
export function apiNameOf(name: string): (typeof apiNames)[number] {
  const found = apiNames.find((one) => one === name);
  if (found === undefined) throw unknown('apiName', name, apiNames);
  return found;
}

function unknown(
  path: string,
  name: string,
  of: readonly string[] = filters.map((filter) => filter.name),
): Fault {
  return new Fault('request.invalid', {
    details: [{ path, message: `${name} is none of ${of.join(', ')}` }],
  });
}
