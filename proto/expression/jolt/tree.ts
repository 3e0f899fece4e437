import type { Budget } from './budget.ts';

/** A JSON value whose objects are Maps: names in it are foreign. A bigint is a whole number that no other number is exactly. */
export type Tree = null | boolean | number | bigint | string | Tree[] | Map<string, Tree>;

/** Why a transformation did not come to an end. */
export class JoltFailure extends Error {}

/** How deep a value may be, and a path into one. */
export const depthMax = 64;

/** Longest list that is made by an index. */
export const listMax = 100_000;

/** Makes a tree out of what JSON.parse gave. Errors: JoltFailure for a value that is too deep. */
export function treeOf(value: unknown, depth = 0): Tree {
  if (depth > depthMax) throw new JoltFailure(`is deeper than ${depthMax} levels`);
  if (Array.isArray(value)) return value.map((item) => treeOf(item, depth + 1));
  if (typeof value === 'object' && value !== null)
    return new Map(Object.entries(value).map(([key, item]) => [key, treeOf(item, depth + 1)]));
  const isPlain = typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
  return isPlain || typeof value === 'string' ? value : null;
}

/** The tree as what JSON.stringify takes. */
export function jsonOf(tree: Tree): unknown {
  if (Array.isArray(tree)) return tree.map(jsonOf);
  if (tree instanceof Map) return Object.fromEntries([...tree].map(([key, item]) => [key, jsonOf(item)]));
  return typeof tree === 'bigint' ? Number(tree) : tree;
}

/** The tree as JSON, its names in their order and its whole numbers with all of their digits. */
export function textOfTree(tree: Tree): string {
  if (Array.isArray(tree)) return `[${tree.map(textOfTree).join(',')}]`;
  if (tree instanceof Map)
    return `{${[...tree].map(([key, item]) => `${JSON.stringify(key)}:${textOfTree(item)}`).join(',')}}`;
  return typeof tree === 'bigint' ? tree.toString() : JSON.stringify(tree);
}

/** A copy that shares nothing with it, paid for. Errors: JoltFailure for one that is too deep. */
export function copyOf(tree: Tree, budget: Budget, depth = 0): Tree {
  if (typeof tree !== 'object' || tree === null) return tree;
  if (depth > depthMax) throw new JoltFailure(`is deeper than ${depthMax} levels`);
  budget.makes(Array.isArray(tree) ? tree.length : tree.size);
  if (Array.isArray(tree)) return tree.map((item) => copyOf(item, budget, depth + 1));
  return new Map([...tree].map(([key, item]) => [key, copyOf(item, budget, depth + 1)]));
}

/** What stands under a key of an object or an index of a list; undefined where nothing does. */
export function childOf(tree: Tree | undefined, key: string): Tree | undefined {
  if (tree instanceof Map) return tree.get(key);
  const index = Array.isArray(tree) ? indexOf(key) : undefined;
  return index === undefined ? undefined : (tree as readonly Tree[])[index];
}

/** The index that a key is; undefined for one that is none. */
export function indexOf(key: string): number | undefined {
  return /^\d{1,9}$/.test(key) ? Number(key) : undefined;
}

/** Keys and values of an object or a list; a scalar is its own only key, which leads to nothing. */
export function entriesOf(tree: Tree | undefined): readonly (readonly [string, Tree | undefined])[] {
  if (tree instanceof Map) return [...tree];
  if (Array.isArray(tree)) return tree.map((item, index) => [String(index), item]);
  return tree === undefined || tree === null ? [] : [[String(tree), undefined]];
}
