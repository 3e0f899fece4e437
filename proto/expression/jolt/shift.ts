import type { Budget } from './budget.ts';
import { hasStars, matchStars, readPatterns, wordsOf } from './keys.ts';
import { type Complain, type OperationReader, readObject } from './operation.ts';
import { type Level, type PathStep, type Piece, readPath, referenceOf, textOf, valueAt } from './paths.ts';
import { childOf, entriesOf, JoltFailure, listMax, type Tree } from './tree.ts';

/** A rule: what keys it is for, and what becomes of the value there. */
interface Rule {
  readonly key: Key;
  /** Where the value goes; or rules for what is in it. */
  readonly to: readonly (readonly PathStep[])[] | readonly Rule[];
  readonly isLeaf: boolean;
}

/** Keys that a rule is for: words of one pattern each; or a value that is made where the rule stands. */
type Key =
  | {
      readonly kind: 'match';
      readonly patterns: readonly (readonly Piece[])[];
      /** What the patterns are when they are words. */
      readonly words: readonly string[] | undefined;
    }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'name'; readonly up: number; readonly capture: number }
  | { readonly kind: 'value'; readonly up: number; readonly path: readonly PathStep[] };

/** Moves values of what came in to where the specification says. */
export const readShift: OperationReader = (spec, complain) =>
  readObject(spec, complain, (written) => {
    const rules = readRules(written, [], complain);
    return { run: (input, budget) => new Run(budget).all(rules, input) };
  });

function readRules(spec: Map<string, Tree>, path: readonly string[], complain: Complain): readonly Rule[] {
  return [...spec]
    .map(([written, to]): Rule => {
      const at = [...path, written];
      const key = keyOf(written);
      if (typeof key === 'string') complain(at, key);
      const known: Key = typeof key === 'string' ? { kind: 'text', text: '' } : key;
      const isPlace = known.kind === 'match' || (known.kind === 'value' && written !== '@');
      if (to instanceof Map && !isPlace) complain(at, 'makes a value, and can have no rules below it');
      if (to instanceof Map) return { key: known, to: readRules(to, at, complain), isLeaf: false };
      const texts = (Array.isArray(to) ? to : [to]).filter((one) => one !== null);
      const paths = texts.map((text) => {
        const read = typeof text === 'string' ? readPath(text) : 'must be a path, a list of paths, or rules';
        if (typeof read === 'string') complain(at, read);
        return typeof read === 'string' ? [] : read;
      });
      return { key: known, to: paths, isLeaf: true };
    })
    .toSorted((one, other) => rankOf(one) - rankOf(other));
}

/** A word wins over a pattern, and the pattern that says more over one that says less. */
function rankOf({ key }: Rule): number {
  if (key.kind !== 'match' || key.words !== undefined) return 0;
  const written = key.patterns
    .flat()
    .reduce((sum, piece) => sum + (piece.kind === 'text' ? piece.text.length : 0), 0);
  return 1_000_000 - written;
}

function keyOf(written: string): Key | string {
  const [first = '', inner] = [written[0], /^.\((.*)\)$/.exec(written)?.[1] ?? written.slice(1)];
  if (first === '#') return { kind: 'text', text: written.slice(1) };
  if (first === '$' || first === '@') {
    const reference = referenceOf(first === '$' ? '&' : '@', inner);
    if (typeof reference === 'string') return reference;
    if (reference?.kind === 'key') return { ...reference, kind: 'name' };
    if (reference?.kind === 'value') return reference;
    return `is no reference; allowed: $, $1, $(1,2), @, @(1,name.inner)`;
  }
  const patterns = readPatterns(written);
  if (typeof patterns === 'string') return patterns;
  if (patterns.flat().some(({ kind }) => kind === 'count')) return 'counts with #, which only a path may';
  return { kind: 'match', patterns, words: wordsOf(patterns) };
}

/** One run over one value. */
class Run {
  #output: Tree | undefined;
  readonly #way: Level[] = [];
  /** Lists and objects of this run's own. */
  readonly #made = new WeakSet<object>();
  readonly #budget: Budget;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  all(rules: readonly Rule[], input: Tree): Tree {
    this.#way.push({ captures: ['root'], value: input, matches: 0 });
    this.#children(rules, input);
    return this.#output ?? null;
  }

  #children(rules: readonly Rule[], value: Tree | undefined): void {
    this.#budget.spend(rules.length);
    // What is made on the spot keeps nothing else from matching.
    for (const rule of rules) if (rule.key.kind !== 'match') this.#makes(rule, rule.key);
    const matching = rules.filter(({ key }) => key.kind === 'match');
    if (matching.length === 0) return;
    // Where all of them are words they are taken in the order of the rules, which makes lists in that order.
    if (
      typeof value === 'object' &&
      matching.every(({ key }) => key.kind === 'match' && key.words !== undefined)
    )
      return this.#words(matching, value);
    for (const [key, child] of entriesOf(value)) {
      for (const rule of matching) {
        const captures = this.#match(rule.key, key);
        if (captures === undefined) continue;
        this.#matched(rule, captures, child);
        break;
      }
    }
  }

  #words(rules: readonly Rule[], value: Tree): void {
    for (const rule of rules)
      for (const word of (rule.key.kind === 'match' ? rule.key.words : undefined) ?? []) {
        this.#budget.spend(1);
        const child = childOf(value, word);
        if (child !== undefined) this.#matched(rule, [word], child);
      }
  }

  #matched(rule: Rule, captures: readonly string[], value: Tree | undefined): void {
    this.#apply(rule, { captures, value, matches: 0 });
    const parent = this.#way.at(-1);
    if (parent !== undefined) parent.matches += 1;
  }

  #makes(rule: Rule, key: Exclude<Key, { kind: 'match' }>): void {
    const value =
      key.kind === 'text'
        ? key.text
        : key.kind === 'name'
          ? textOf([{ ...key, kind: 'key' }], this.#way, this.#budget)
          : valueAt(this.#way, key, this.#budget);
    if (value !== undefined)
      this.#apply(rule, { captures: [typeof value === 'string' ? value : '@'], value, matches: 0 });
  }

  #apply({ to, isLeaf }: Rule, level: Level): void {
    this.#budget.spend(1);
    this.#way.push(level);
    if (isLeaf) for (const path of to as readonly (readonly PathStep[])[]) this.#write(path, level.value);
    else this.#children(to as readonly Rule[], level.value);
    this.#way.pop();
  }

  #match(key: Key, text: string): readonly string[] | undefined {
    if (key.kind !== 'match') return undefined;
    for (const pieces of key.patterns) {
      this.#budget.spend(1);
      const pattern = textOf(pieces, this.#way, this.#budget);
      if (pattern !== undefined && hasStars(pattern)) this.#budget.reads(pattern.length + text.length);
      const captures = pattern === undefined ? undefined : matchStars(pattern, text);
      if (captures !== undefined) return captures;
    }
    return undefined;
  }

  #write(path: readonly PathStep[], value: Tree | undefined): void {
    this.#budget.spend(path.length);
    const keys = path.map(({ into, pieces }) => ({ into, text: textOf(pieces, this.#way, this.#budget) }));
    // A reference to what is not there writes nothing.
    if (value === undefined || keys.some(({ text }) => text === undefined)) return;
    this.#output = this.#put(this.#output, keys as readonly WrittenStep[], value);
  }

  /** Puts a value where the path leads; who finds one there makes a list of both. */
  #put(into: Tree | undefined, [step, ...rest]: readonly WrittenStep[], value: Tree): Tree {
    if (step === undefined) {
      if (into === undefined || into === null) return value;
      const both = this.#list(into);
      both.push(value);
      return both;
    }
    if (step.into === 'object') {
      const object = this.#object(into);
      object.set(step.text, this.#put(object.get(step.text), rest, value));
      return object;
    }
    const list = this.#list(Array.isArray(into) ? into : []);
    const index = step.text === '' ? list.length : Number(step.text);
    if (!Number.isInteger(index) || index < 0) return list;
    if (index >= listMax) throw new JoltFailure(`makes a list of more than ${listMax} items`);
    this.#budget.spend(Math.max(1, index - list.length));
    while (list.length <= index) list.push(null);
    list[index] = this.#put(list[index], rest, value);
    return list;
  }

  /** A list to add to: what came in may stand in several places, and stays as it is. */
  #list(tree: Tree): Tree[] {
    if (Array.isArray(tree) && this.#made.has(tree)) return tree;
    this.#budget.makes(Array.isArray(tree) ? tree.length : 1);
    const list = Array.isArray(tree) ? [...tree] : [tree];
    this.#made.add(list);
    return list;
  }

  #object(tree: Tree | undefined): Map<string, Tree> {
    if (tree instanceof Map && this.#made.has(tree)) return tree;
    this.#budget.makes(tree instanceof Map ? tree.size : 0);
    const object = new Map(tree instanceof Map ? tree : []);
    this.#made.add(object);
    return object;
  }
}

interface WrittenStep {
  readonly into: PathStep['into'];
  readonly text: string;
}
