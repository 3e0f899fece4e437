import type { Budget } from './budget.ts';
import { bySaying, matchPlain, type PlainKey, readPlainKey } from './keys.ts';
import { type Complain, type OperationReader, readObject } from './operation.ts';
import { entriesOf, type Tree } from './tree.ts';

/** Whether something is to be one, or a list. */
type Cardinality = 'ONE' | 'MANY';

/** What becomes of an entry, and of what is in it. */
interface Level {
  /** Of the entry itself, before what is in it is looked at. */
  readonly own: Cardinality | undefined;
  readonly words: ReadonlyMap<string, Rule>;
  readonly stars: readonly Rule[];
}

interface Rule {
  readonly key: PlainKey;
  readonly to: Cardinality | Level;
}

/** Makes one out of a list (`ONE`, its first item) or a list out of one (`MANY`); `@` says it of what the other rules are for. */
export const readCardinality: OperationReader = (spec, complain) =>
  readObject(spec, complain, (written) => {
    if (written.has('@')) complain(['@'], 'has no effect: the whole has no key under which it stands');
    const level = readLevel(written, [], complain);
    return { run: (input, budget) => within(input, level, budget) };
  });

function readLevel(spec: Map<string, Tree>, path: readonly string[], complain: Complain): Level {
  if (spec.size === 0) complain(path, 'holds no rules');
  const rules: Rule[] = [];
  let own: Cardinality | undefined;
  for (const [written, to] of spec) {
    const at = [...path, written];
    if (written === '@' && to instanceof Map) complain(at, 'can have no rules below it');
    if (/^[&$#]|^@./.test(written)) complain(at, 'refers to something; allowed: a name, *, name*, @');
    if (to instanceof Map) rules.push({ key: readPlainKey(written), to: readLevel(to, at, complain) });
    else if (to !== 'ONE' && to !== 'MANY') complain(at, 'must be ONE, MANY or rules');
    else if (written === '@') own = to;
    else rules.push({ key: readPlainKey(written), to });
  }
  const words = rules.filter(({ key }) => !key.hasStars);
  return {
    own,
    words: new Map(words.map((rule) => [rule.key.text, rule])),
    stars: rules.filter(({ key }) => key.hasStars).toSorted(bySaying),
  };
}

function within(tree: Tree, level: Level, budget: Budget): Tree {
  if (typeof tree !== 'object' || tree === null) return tree;
  const made = Array.isArray(tree) ? [...tree] : new Map(tree);
  budget.makes(Array.isArray(tree) ? tree.length : tree.size);
  for (const [key, value = null] of entriesOf(tree)) {
    const rule =
      level.words.get(key) ?? level.stars.find((star) => matchPlain(star.key, key, budget) !== undefined);
    if (rule === undefined) continue;
    const as = typeof rule.to === 'string' ? rule.to : rule.to.own;
    const own = as === undefined ? value : counted(value, as, budget);
    const changed = typeof rule.to === 'string' ? own : within(own, rule.to, budget);
    if (Array.isArray(made)) made.splice(Number(key), 1, changed);
    else made.set(key, changed);
  }
  return made;
}

function counted(tree: Tree, as: Cardinality, budget: Budget): Tree {
  if (as === 'ONE') return Array.isArray(tree) ? (tree[0] ?? null) : tree;
  if (Array.isArray(tree)) return tree;
  budget.makes(1);
  return tree === null ? [] : [tree];
}
