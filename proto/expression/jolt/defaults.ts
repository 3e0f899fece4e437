import type { Budget } from './budget.ts';
import { type Complain, type Operation, type OperationReader, readObject } from './operation.ts';
import { copyOf, indexOf, JoltFailure, listMax, type Tree } from './tree.ts';

/** A rule: which entries it is for, and what stands there unless something does. */
interface Rule {
  /** Names or indexes; undefined for all that are there. */
  readonly keys: readonly string[] | undefined;
  /** Only for entries that are there: `*` and `a|b`. */
  readonly isOfThere: boolean;
  /** A value, or rules for what is in it. */
  readonly value: Tree;
  readonly inner: Level | undefined;
}

/** Rules for the entries of an object, or of a list. */
interface Level {
  readonly isList: boolean;
  readonly rules: readonly Rule[];
  /** Length that the list has at least. */
  readonly length: number;
}

/**
 * Reads the specification of defaults: what is absent or null is taken from it. `*` stands for every entry that is there, `a|b` for those of
 * them that are there, `photos[]` for a list, whose keys are indexes.
 */
export const readDefaults: OperationReader = (spec, complain) =>
  readObject(spec, complain, (written) => defaultsOf(written, complain));

function defaultsOf(spec: Map<string, Tree>, complain: Complain): Operation {
  const root = readLevel(spec, { isList: false, path: [], complain });
  const keys = [...spec.keys()];
  // A list at the top is one whose keys are written as those of any other.
  const isForLists = keys.every((key) => partsOf(key).words.every((word) => indexOf(word) !== undefined));
  const list = isForLists
    ? readLevel(spec, { isList: true, path: [], complain: () => undefined })
    : undefined;
  return {
    run: (input, budget) => {
      const tree = copyOf(input ?? new Map(), budget);
      if (!Array.isArray(tree)) fill(tree, root, budget);
      else if (list !== undefined) fill(tree, list, budget);
      else throw new JoltFailure('gives names to the entries of a list');
      return tree;
    },
  };
}

/** A key in its parts: is it for a list, what words stand between `|`, and is it `*`. */
function partsOf(written: string): {
  readonly isList: boolean;
  readonly isStar: boolean;
  readonly words: readonly string[];
} {
  const isList = written.endsWith('[]');
  const key = isList ? written.slice(0, -2) : written;
  return { isList, isStar: key === '*', words: key === '*' ? [] : key.split('|') };
}

function readLevel(
  spec: Map<string, Tree>,
  {
    isList,
    path,
    complain,
  }: { readonly isList: boolean; readonly path: readonly string[]; readonly complain: Complain },
): Level {
  let length = 0;
  const rules = [...spec].map(([written, value]): Rule => {
    const at = [...path, written];
    const { words, ...key } = partsOf(written);
    if (words.some((word) => word.includes('*'))) complain(at, 'holds a star beside other characters');
    if (key.isList && !(value instanceof Map)) complain(at, 'stands for a list: its defaults are an object');
    for (const word of isList ? words : []) {
      const index = indexOf(word);
      if (index === undefined) complain(at, 'is no index; allowed: a number, *, 0|1');
      else if (index >= listMax) complain(at, `makes a list of more than ${listMax} items`);
      else length = Math.max(length, index + 1);
    }
    const inner =
      value instanceof Map ? readLevel(value, { isList: key.isList, path: at, complain }) : undefined;
    return {
      keys: key.isStar ? undefined : words,
      isOfThere: key.isStar || words.length > 1,
      value,
      inner,
    };
  });
  return { isList, rules: rules.toSorted(byPrecedence), length };
}

/** Words first, then those that name few, then the star. */
function byPrecedence(one: Rule, other: Rule): number {
  const rank = ({ keys }: Rule): number => keys?.length ?? Infinity;
  const [first, second] = [rank(one), rank(other)];
  return first === second ? 0 : first - second;
}

/** Fills an object or a list of our own; anything else, and the one where the other is meant, stays as it is. */
function fill(tree: Tree, level: Level, budget: Budget): void {
  budget.spend(1);
  if (level.isList ? !Array.isArray(tree) : !(tree instanceof Map)) return;
  if (Array.isArray(tree)) {
    budget.spend(Math.max(0, level.length - tree.length));
    while (tree.length < level.length) tree.push(null);
  }
  for (const rule of level.rules)
    for (const key of rule.keys ?? keysOf(tree)) {
      budget.spend(1);
      fillOne(tree, key, { rule, budget });
    }
}

function keysOf(tree: Tree): readonly string[] {
  if (tree instanceof Map) return [...tree.keys()];
  return Array.isArray(tree) ? tree.map((_, index) => String(index)) : [];
}

function fillOne(
  tree: Tree,
  key: string,
  { rule, budget }: { readonly rule: Rule; readonly budget: Budget },
): void {
  const index = Array.isArray(tree) ? (indexOf(key) ?? -1) : -1;
  const there = tree instanceof Map ? tree.get(key) : Array.isArray(tree) ? tree[index] : undefined;
  if (there === undefined && (rule.isOfThere || Array.isArray(tree))) return;
  let value = there ?? null;
  if (value === null) {
    value = rule.inner === undefined ? copyOf(rule.value, budget) : rule.inner.isList ? [] : new Map();
    if (tree instanceof Map) tree.set(key, value);
    if (Array.isArray(tree)) tree[index] = value;
  }
  if (rule.inner !== undefined) fill(value, rule.inner, budget);
}
