import { align, type Aligned, interleaved } from './align.ts';
import { isEmpty, isJson, type Json } from './opened.ts';

/** A definition three times, in one spelling, with its plans as a list and whatever else belongs to it. */
export interface MergeSides {
  /** What was imported the last time; undefined when nobody knows any more. */
  readonly base: Json | undefined;
  /** What has become of it here. */
  readonly ours: Json;
  /** What is imported now. */
  readonly theirs: Json;
}

/** What may not be lost whatever an import says. */
export interface MergeOptions {
  /** Ids of plans of ours that have subscriptions. */
  readonly subscribedPlans: ReadonlySet<string>;
}

/** A definition in which nothing of either side is lost in silence. */
export interface Merged {
  readonly merged: Json;
  /** Places at which both sides changed the same thing, or something was kept although the import takes it away. */
  readonly conflicts: readonly Conflict[];
}

/** A place where the two sides do not agree, and whose word stands now. */
export interface Conflict {
  readonly path: string;
  readonly stands: 'ours' | 'theirs';
  readonly reason: string;
}

/**
 * Joins a definition that is imported again with what has become of it here.
 *
 * What only one side changed is as that side has it; where both did, the import's word stands and is told of. Items of lists are known
 * again by id, cross id, name or path, so that a renamed path or a new order loses nothing. Kept whatever the import says: ids, plans that
 * have subscriptions together with their kind of security, and flows of plans of which the import has none. Without a base nothing is
 * taken away.
 */
export function mergeReimport({ base, ours, theirs }: MergeSides, options: MergeOptions): Merged {
  const merger = new Merger(options);
  const merged = merger.objects({ base, ours, theirs }, { path: '', name: '', plan: undefined });
  return { merged, conflicts: merger.conflicts };
}

interface Sides<Value> {
  readonly base: Value | undefined;
  readonly ours: Value;
  readonly theirs: Value;
}

interface Place {
  readonly path: string;
  /** Of the field that holds it. */
  readonly name: string;
  /** Id of the plan of ours that it belongs to. */
  readonly plan: string | undefined;
}

const idFields: ReadonlySet<string> = new Set(['id', 'crossId', 'hrid']);

class Merger {
  readonly conflicts: Conflict[] = [];
  readonly #options: MergeOptions;

  constructor(options: MergeOptions) {
    this.#options = options;
  }

  objects({ base, ours, theirs }: Sides<Json>, at: Place): Json {
    const names = interleaved(Object.keys(ours), Object.keys(theirs));
    const entries = names.map((name) => {
      const path = at.path === '' ? name : `${at.path}.${name}`;
      const sides = { base: base?.[name], ours: ours[name], theirs: theirs[name] };
      return [name, this.#field(sides, { ...at, path, name }, base !== undefined)] as const;
    });
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  }

  #field({ base, ours, theirs }: Sides<unknown>, at: Place, hasBase: boolean): unknown {
    if (ours === undefined) return hasBase && isSame(base, theirs) ? undefined : theirs;
    if (idFields.has(at.name)) return ours;
    if (isSame(ours, theirs)) return ours;
    if (at.name === 'flows' && at.plan !== undefined && isEmpty(theirs))
      return this.#kept(ours, at, 'the import has no flows for this plan');
    if (theirs === undefined) {
      if (!hasBase || !isSame(base, ours)) return ours;
      return undefined;
    }
    if (hasBase && isSame(base, theirs)) return ours;
    if (at.name === 'security' && this.#isSubscribed(at.plan) && kindOf(ours) !== kindOf(theirs))
      return this.#kept(ours, at, 'subscriptions of this plan would be of another kind');
    if (at.name === 'status' && this.#isSubscribed(at.plan) && isClosed(theirs))
      return this.#kept(ours, at, 'the import closes a plan that has subscriptions');
    if (isJson(ours) && isJson(theirs))
      return this.objects({ base: isJson(base) ? base : hasBase ? {} : undefined, ours, theirs }, at);
    if (Array.isArray(ours) && Array.isArray(theirs)) {
      const list = this.#list({ base: Array.isArray(base) ? base : undefined, ours, theirs }, at);
      if (list !== undefined) return list;
    }
    if (hasBase && !isSame(base, ours))
      this.conflicts.push({ path: at.path, stands: 'theirs', reason: 'both sides changed it' });
    return theirs;
  }

  /** Undefined when the items cannot be told apart. */
  #list({ base, ours, theirs }: Sides<readonly unknown[]>, at: Place): readonly unknown[] | undefined {
    const aligned = align(at.name, [base ?? [], ours, theirs]);
    if (aligned === undefined) return undefined;
    const [before, own, other] = aligned as readonly [Aligned, Aligned, Aligned];
    const order = isReordered(before, other)
      ? interleaved([...other.keys()], [...own.keys()])
      : interleaved([...own.keys()], [...other.keys()]);
    const items: unknown[] = [];
    for (const key of order) {
      const item = this.#item(
        { base: before.get(key), ours: own.get(key), theirs: other.get(key) },
        { ...at, path: `${at.path}[${items.length}]` },
        base !== undefined,
      );
      if (item !== undefined) items.push(item);
    }
    return items;
  }

  #item({ base, ours, theirs }: Sides<unknown>, at: Place, hasBase: boolean): unknown {
    if (theirs === undefined) {
      if (!hasBase || base === undefined) return ours;
      if (at.name === 'plans' && isJson(ours) && this.#isSubscribed(idOf(ours)))
        return this.#kept(ours, at, 'the import has no such plan, but it has subscriptions');
      return isSame(base, ours)
        ? undefined
        : this.#kept(ours, at, 'the import takes away what was changed here');
    }
    if (ours === undefined) {
      if (base === undefined) return theirs;
      if (isSame(base, theirs)) return undefined;
      this.conflicts.push({
        path: at.path,
        stands: 'theirs',
        reason: 'the import changed what was taken away here',
      });
      return theirs;
    }
    if (!isJson(ours) || !isJson(theirs)) return theirs;
    const plan = at.name === 'plans' ? idOf(ours) : at.plan;
    const known = isJson(base) ? base : hasBase ? {} : undefined;
    return this.objects({ base: known, ours, theirs }, { ...at, plan });
  }

  #isSubscribed(plan: string | undefined): boolean {
    return plan !== undefined && this.#options.subscribedPlans.has(plan);
  }

  #kept(ours: unknown, at: Place, reason: string): unknown {
    this.conflicts.push({ path: at.path, stands: 'ours', reason });
    return ours;
  }
}

const idOf = (item: Json): string => (typeof item['id'] === 'string' ? item['id'] : '');

const isClosed = (status: unknown): boolean =>
  typeof status === 'string' && status.toLowerCase() === 'closed';

const kindOf = (security: unknown): unknown => (isJson(security) ? security['type'] : undefined);

/** Whether the import has its items in another order than before. */
function isReordered(before: Aligned, other: Aligned): boolean {
  const shared = [...before.keys()].filter((key) => other.has(key));
  const now = [...other.keys()].filter((key) => before.has(key));
  return shared.some((key, index) => key !== now[index]);
}

/** One value that differs between two definitions. */
export interface Difference {
  readonly path: string;
  /** Absent when it was not there. */
  readonly before?: unknown;
  /** Absent when it is gone. */
  readonly after?: unknown;
}

/** Everything that differs between two definitions, by place; items of lists by their place in the second, of those that are gone in the first. */
export function differencesOf(
  before: unknown,
  after: unknown,
  { path, name }: Pick<Place, 'path' | 'name'> = { path: '', name: '' },
): readonly Difference[] {
  if (isSame(before, after)) return [];
  if (isJson(before) && isJson(after)) {
    return interleaved(Object.keys(before), Object.keys(after)).flatMap((key) =>
      differencesOf(before[key], after[key], { path: path === '' ? key : `${path}.${key}`, name: key }),
    );
  }
  const aligned = Array.isArray(before) && Array.isArray(after) ? align(name, [before, after]) : undefined;
  if (aligned !== undefined) {
    const [old, now] = aligned as readonly [Aligned, Aligned];
    const [oldKeys, nowKeys] = [[...old.keys()], [...now.keys()]];
    const inside = interleaved(nowKeys, oldKeys).flatMap((key) => {
      const place = now.has(key) ? nowKeys.indexOf(key) : oldKeys.indexOf(key);
      return differencesOf(old.get(key), now.get(key), { path: `${path}[${place}]`, name: '' });
    });
    if (inside.length > 0) return inside;
  }
  return [{ path, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }];
}

/** The same JSON, in whatever order its keys stand. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one))
    return (
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((item, index) => isSame(item, other[index]))
    );
  if (!isJson(one) || !isJson(other)) return false;
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].every((name) => isSame(one[name], other[name]));
}
