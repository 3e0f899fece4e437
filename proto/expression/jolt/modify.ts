import type { Budget } from './budget.ts';
import { bySaying, isStarAlone, matchPlain, type PlainKey, readPlainKey, splitUnescaped } from './keys.ts';
import { type Complain, type OperationReader, readObject } from './operation.ts';
import type { Level } from './paths.ts';
import { copyOf, indexOf, listMax, type Tree } from './tree.ts';
import { readValues, type Values } from './values.ts';

/** When a value is written: always, where there is nothing or null, or where there is nothing. */
type Mode = 'overwrite' | 'default' | 'define';
const modesBySign: ReadonlyMap<string, Mode> = new Map([
  ['+', 'overwrite'],
  ['~', 'default'],
  ['_', 'define'],
]);

interface Rule {
  readonly key: PlainKey | { readonly index: number };
  readonly mode: Mode;
  /** A `?` behind its key: nothing is made that was not there. */
  readonly isOfThere: boolean;
  readonly to: Values | Node;
}

/** Rules for the entries of an object, or of a list. */
interface Node {
  readonly kind: 'node';
  readonly shape: 'object' | 'list' | 'any';
  readonly words: readonly Rule[];
  readonly stars: readonly StarRule[];
  /** Length that a list has at least. */
  readonly length: number;
  /** A star is not for entries that have a rule of their own. */
  readonly isStarForOthers: boolean;
}

type StarRule = Rule & { readonly key: PlainKey };

/** Where a value stands. */
interface Place {
  readonly in: Map<string, Tree> | Tree[];
  readonly key: string;
  /** Of a list, before it was made longer. */
  readonly lengthBefore: number;
}

/** Writes values that are written down, found elsewhere, or worked out by functions. */
export function readModify(mode: Mode): OperationReader {
  return (spec, complain) =>
    readObject(spec, complain, (written) => {
      const root = readNode(written, { mode, path: [], complain });
      return { run: (input, budget) => new Run(budget).all(root, copyOf(input, budget)) };
    });
}

interface Reading {
  readonly mode: Mode;
  readonly path: readonly string[];
  readonly complain: Complain;
}

function readNode(spec: Map<string, Tree>, { mode, path, complain }: Reading): Node {
  if (spec.size === 0 && path.length > 0) complain(path, 'holds no rules');
  const rules = [...spec].flatMap(([written, to]) => {
    const at = [...path, written];
    return splitUnescaped(written, '|').map((key) => readRule(key, to, { mode, path: at, complain }));
  });
  const stars = rules.filter(isStar);
  const words = rules.filter((rule) => !isStar(rule));
  const indexes = words.flatMap(({ key, isOfThere }) => ('index' in key ? [{ ...key, isOfThere }] : []));
  const isList = indexes.length > 0;
  const isObject = rules.some(({ key }) => !('index' in key) && !isStarAlone(key));
  if (isList && isObject) complain(path, 'mixes names of an object with indexes of a list');
  const length = Math.max(0, ...indexes.map(({ index, isOfThere }) => (isOfThere ? 0 : index + 1)));
  return {
    kind: 'node',
    shape: isList ? 'list' : isObject ? 'object' : 'any',
    words,
    stars: stars.toSorted(bySaying),
    length,
    isStarForOthers: isList && mode === 'define',
  };
}

const isStar = (rule: Rule): rule is StarRule => !('index' in rule.key) && rule.key.hasStars;

function readRule(written: string, to: Tree, { mode: outer, path, complain }: Reading): Rule {
  const sign = modesBySign.get(written[0] ?? '');
  const mode = sign ?? outer;
  const isOfThere = /[^\\]\?$/.test(written);
  const key = written.slice(sign === undefined ? 0 : 1, isOfThere ? -1 : undefined);
  const [, index] = /^\[(.*)\]$/.exec(key) ?? [];
  if (/^[&@$#]/.test(key)) complain(path, 'refers to something; allowed: a name, *, name*, [0]');
  const at = indexOf(index ?? '');
  if (index !== undefined && at === undefined) complain(path, `[${index}] is no index; allowed: a number`);
  if (at !== undefined && at >= listMax) complain(path, `makes a list of more than ${listMax} items`);
  return {
    key: index === undefined ? readPlainKey(key) : { index: Math.min(at ?? 0, listMax) },
    mode,
    isOfThere,
    to:
      to instanceof Map
        ? readNode(to, { mode, path, complain })
        : readValues(to, (message) => complain(path, message)),
  };
}

/** One run over a tree of our own. */
class Run {
  readonly #way: Level[] = [];
  readonly #budget: Budget;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  all(root: Node, tree: Tree): Tree {
    if (fits(tree, root)) this.#within(tree, { captures: ['root'], node: root });
    return tree;
  }

  /** Applies the rules of a node to an object or a list that is there. */
  #within(
    tree: Map<string, Tree> | Tree[],
    { captures, node }: { readonly captures: readonly string[]; readonly node: Node },
  ): void {
    const lengthBefore = Array.isArray(tree) ? tree.length : 0;
    if (Array.isArray(tree) && tree.length < node.length) {
      this.#budget.makes(node.length - tree.length);
      while (tree.length < node.length) tree.push(null);
    }
    this.#way.push({ captures, value: tree, matches: 0 });
    for (const rule of node.words) {
      const key = 'index' in rule.key ? String(rule.key.index) : rule.key.text;
      this.#apply(rule, [key], { in: tree, key, lengthBefore });
    }
    if (node.stars.length > 0) this.#stars(tree, node, lengthBefore);
    this.#way.pop();
  }

  #stars(tree: Map<string, Tree> | Tree[], node: Node, lengthBefore: number): void {
    const taken = new Set<string>();
    if (node.isStarForOthers)
      for (const { key } of node.words) taken.add('index' in key ? String(key.index) : key.text);
    const keys = Array.isArray(tree) ? tree.map((_, index) => String(index)) : [...tree.keys()];
    for (const key of keys) {
      if (taken.has(key)) continue;
      for (const rule of node.stars) {
        const captures = matchPlain(rule.key, key, this.#budget);
        if (captures === undefined) continue;
        this.#apply(rule, captures, { in: tree, key, lengthBefore });
        break;
      }
    }
  }

  #apply({ to, mode, isOfThere }: Rule, captures: readonly string[], place: Place): void {
    this.#budget.spend(1);
    const value = at(place);
    if (isOfThere && value === undefined) return;
    if (to.kind === 'node') return this.#inner(to, captures, { value, mode, place });
    this.#way.push({ captures, value, matches: 0 });
    const made = to.first(value, this.#way, this.#budget);
    this.#way.pop();
    if (made !== undefined && mayWrite(mode, place)) write(place, copyOf(made, this.#budget));
  }

  #inner(
    node: Node,
    captures: readonly string[],
    { value, mode, place }: { readonly value: Tree | undefined; readonly mode: Mode; readonly place: Place },
  ): void {
    let tree = value ?? null;
    if (tree === null) {
      if (node.shape === 'any' || !mayWrite(mode, place)) return;
      this.#budget.makes(0);
      tree = node.shape === 'list' ? [] : new Map();
      write(place, tree);
    }
    if (fits(tree, node)) this.#within(tree, { captures, node });
  }
}

function fits(tree: Tree, { shape }: Node): tree is Map<string, Tree> | Tree[] {
  if (Array.isArray(tree)) return shape !== 'object';
  return tree instanceof Map && shape !== 'list';
}

function at(place: Place): Tree | undefined {
  return place.in instanceof Map ? place.in.get(place.key) : place.in[Number(place.key)];
}

function mayWrite(mode: Mode, place: Place): boolean {
  const there = at(place);
  if (Array.isArray(place.in) && Number(place.key) >= place.in.length) return false;
  if (mode === 'overwrite') return true;
  if (mode === 'default' || there === undefined) return (there ?? null) === null;
  return Array.isArray(place.in) && Number(place.key) >= place.lengthBefore && there === null;
}

function write(place: Place, value: Tree): void {
  if (place.in instanceof Map) place.in.set(place.key, value);
  else place.in.splice(Number(place.key), 1, value);
}
