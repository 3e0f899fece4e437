import type { Budget } from './budget.ts';
import { bySaying, matchPlain, type PlainKey, readPlainKey } from './keys.ts';
import { type OperationReader, readObject } from './operation.ts';
import { indexOf, type Tree } from './tree.ts';

/** A rule: what it is for, which goes unless there are rules for what is in it. */
interface Rule {
  readonly key: PlainKey;
  readonly inner: readonly Rule[] | undefined;
}

/** Takes away what the specification names; `*` and `name*` stand for every key that they match, in lists for indexes. */
export const readRemove: OperationReader = (spec, complain) =>
  readObject(spec, complain, (written) => {
    const rules = readRules(written);
    return { run: (input, budget) => without(input, rules, budget) };
  });

function readRules(spec: Map<string, Tree>): readonly Rule[] {
  return [...spec]
    .map(([written, inner]) => ({
      key: readPlainKey(written),
      inner: inner instanceof Map ? readRules(inner) : undefined,
    }))
    .toSorted(bySaying);
}

function without(tree: Tree | undefined, rules: readonly Rule[], budget: Budget): Tree {
  if (tree instanceof Map) {
    const made = new Map(tree);
    budget.makes(made.size);
    for (const { key, inner } of rules)
      for (const name of namesFor(key, made, budget)) {
        if (inner === undefined) made.delete(name);
        else made.set(name, without(made.get(name), inner, budget));
      }
    return made;
  }
  if (!Array.isArray(tree)) return tree ?? null;
  const made = [...tree];
  const gone = new Set<number>();
  budget.makes(made.length);
  for (const { key, inner } of rules)
    for (const index of indexesFor(key, made, budget)) {
      if (inner === undefined) gone.add(index);
      else made[index] = without(made[index], inner, budget);
    }
  return gone.size === 0 ? made : made.filter((_, index) => !gone.has(index));
}

function namesFor(key: PlainKey, of: Map<string, Tree>, budget: Budget): readonly string[] {
  if (key.hasStars) return [...of.keys()].filter((name) => matchPlain(key, name, budget) !== undefined);
  budget.spend(1);
  return of.has(key.text) ? [key.text] : [];
}

function indexesFor(key: PlainKey, of: readonly Tree[], budget: Budget): readonly number[] {
  if (key.hasStars)
    return [...of.keys()].filter((index) => matchPlain(key, String(index), budget) !== undefined);
  budget.spend(1);
  const index = indexOf(key.text);
  return index !== undefined && index < of.length ? [index] : [];
}
