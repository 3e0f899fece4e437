import type { Budget } from './budget.ts';
import type { OperationReader } from './operation.ts';
import type { Tree } from './tree.ts';

/** Puts the names of every object in their order, those that begin with `~` first. It has no specification. */
export const readSort: OperationReader = () => ({ run: sorted });

function sorted(tree: Tree, budget: Budget): Tree {
  if (Array.isArray(tree)) {
    budget.makes(tree.length);
    return tree.map((item) => sorted(item, budget));
  }
  if (!(tree instanceof Map)) return tree;
  budget.makes(tree.size * Math.ceil(Math.log2(tree.size + 1)));
  const keys = [...tree.keys()].toSorted(byName);
  return new Map(keys.map((key) => [key, sorted(tree.get(key) ?? null, budget)]));
}

function byName(one: string, other: string): number {
  const [first, second] = [one.startsWith('~'), other.startsWith('~')];
  if (first !== second) return first ? -1 : 1;
  return one < other ? -1 : one > other ? 1 : 0;
}
