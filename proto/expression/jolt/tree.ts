/** A JSON value whose objects are Maps: names in it are foreign. */
export type Tree = null | boolean | number | string | Tree[] | Map<string, Tree>;

/** Why a transformation did not come to an end. */
export class JoltFailure extends Error {}

/** How deep a value may be, and a path into one. */
export const depthMax = 64;

/** Makes a tree out of what JSON.parse gave. Errors: JoltFailure for a value that is too deep. */
export function treeOf(value: unknown, depth = 0): Tree {
  if (depth > depthMax) throw new JoltFailure(`is deeper than ${depthMax} levels`);
  if (Array.isArray(value)) return value.map((item) => treeOf(item, depth + 1));
  if (typeof value === 'object' && value !== null)
    return new Map(Object.entries(value).map(([key, item]) => [key, treeOf(item, depth + 1)]));
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

/** The tree as what JSON.stringify takes. */
export function jsonOf(tree: Tree): unknown {
  if (Array.isArray(tree)) return tree.map(jsonOf);
  if (tree instanceof Map) return Object.fromEntries([...tree].map(([key, item]) => [key, jsonOf(item)]));
  return tree;
}

/** What stands under a key of an object or an index of a list; undefined where nothing does. */
export function childOf(tree: Tree | undefined, key: string): Tree | undefined {
  if (tree instanceof Map) return tree.get(key);
  if (Array.isArray(tree) && /^\d{1,9}$/.test(key)) return tree[Number(key)];
  return undefined;
}

/** Keys and values of an object or a list; a scalar is its own only key, which leads to nothing. */
export function entriesOf(tree: Tree | undefined): readonly (readonly [string, Tree | undefined])[] {
  if (tree instanceof Map) return [...tree];
  if (Array.isArray(tree)) return tree.map((item, index) => [String(index), item]);
  return tree === undefined ? [] : [[String(tree), undefined]];
}
