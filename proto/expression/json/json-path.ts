import { LRUCache } from 'lru-cache';
import { type Filter, type Operand, type Path, readPath, type Step } from './json-path-reader.ts';
import { readJson } from './json.ts';
import { bounded } from '../methods.ts';
import { spend } from '../work.ts';
import { matchesWhole } from '../patterns.ts';
import { EvaluationFailure, fail } from '../failure.ts';
import {
  compare,
  isEqual,
  isList,
  isMap,
  isNumber,
  kindOf,
  Real,
  toNumber,
  toText,
  type Value,
} from '../values.ts';

/**
 * JSONPath in the reference's dialect (Jayway with DEFAULT_PATH_LEAF_TO_NULL): `$.a.b`, `['a']`, `[n]`, `[-1]`, `[0,1]`, `[0:2]`, `[*]`,
 * `..`, filters and functions at the end.
 */

/** Paths that were read before. */
const knownMax = 500;
const known = new LRUCache<string, Path>({ max: knownMax });

/** Evaluates a path on JSON text or on an object. Errors: EvaluationFailure. */
export function jsonPath(of: Value, path: string): Value {
  const read = known.get(path) ?? readPath(path);
  known.set(path, read);
  const root = rootOf(of);
  return new Evaluation(root).value(read, root);
}

function rootOf(of: Value): Value {
  if (of === null) return fail('there is no JSON');
  if (isMap(of) || isList(of)) return of;
  const read = readJson(toText(of) ?? '');
  return read === undefined ? fail('this is no JSON') : read;
}

/** Says whether a path names one place at most; others make lists. */
function isDefinite({ steps }: Path): boolean {
  return steps.every(
    (step) =>
      (step.kind === 'names' && step.names.length === 1) ||
      (step.kind === 'items' && step.items.length === 1) ||
      step.kind === 'call',
  );
}

class Evaluation {
  readonly #root: Value;

  constructor(root: Value) {
    this.#root = root;
  }

  value(path: Path, here: Value): Value {
    const start = path.from === '$' ? this.#root : here;
    const last = path.steps.at(-1);
    if (last?.kind === 'call') {
      const before: Path = { from: path.from, steps: path.steps.slice(0, -1) };
      return this.#called(last, this.value(before, here), here);
    }
    if (isDefinite(path))
      return path.steps.reduce(
        (value, step, index) => this.#one(value, step, index === path.steps.length - 1),
        start,
      );
    return this.#many(path.steps, [start]);
  }

  /** The last member may be missing, the others may not. */
  #one(value: Value, step: Step, isLast: boolean): Value {
    if (step.kind === 'names') {
      const [name = ''] = step.names;
      if (!isMap(value)) return fail(`${kindOf(value)} has no member ${name}`);
      if (!value.has(name) && !isLast) return fail(`there is no member ${name}`);
      return value.get(name) ?? null;
    }
    const index = step.kind === 'items' ? (step.items[0] ?? 0) : 0;
    if (!isList(value)) return fail(`${kindOf(value)} has no item ${index}`);
    const found = value.at(index);
    return found === undefined ? fail(`there is no item ${index}`) : found;
  }

  #many(steps: readonly Step[], from: readonly Value[]): readonly Value[] {
    let values = from;
    steps.forEach((step, index) => {
      const isLast = index === steps.length - 1;
      values = values.flatMap((value) => this.#step(value, step, isLast));
      spend(values.length);
    });
    return values;
  }

  #step(value: Value, step: Step, isLast: boolean): readonly Value[] {
    spend(8);
    switch (step.kind) {
      case 'names':
        if (!isMap(value)) return [];
        return step.names.flatMap((name) => (value.has(name) || isLast ? [value.get(name) ?? null] : []));
      case 'items':
        return isList(value)
          ? step.items.flatMap((at) => (value.at(at) === undefined ? [] : [value.at(at) ?? null]))
          : [];
      case 'slice':
        return isList(value) ? sliced(value, step) : [];
      case 'every':
        return isList(value) ? value : isMap(value) ? [...value.values()] : [];
      case 'deep':
        return this.#all(value);
      case 'filter': {
        const items = isList(value) ? value : isMap(value) ? [value] : [];
        return items.filter((item) => this.#holds(step.filter, item));
      }
      case 'call':
        return [this.#called(step, value, value)];
    }
  }

  /** The value and all within it that hold something. */
  #all(value: Value): readonly Value[] {
    spend(8);
    const within = isList(value) ? value : isMap(value) ? [...value.values()] : [];
    return isList(value) || isMap(value) ? [value, ...within.flatMap((each) => this.#all(each))] : [];
  }

  #holds(filter: Filter, item: Value): boolean {
    spend(8);
    switch (filter.kind) {
      case 'and':
        return filter.of.every((each) => this.#holds(each, item));
      case 'or':
        return filter.of.some((each) => this.#holds(each, item));
      case 'not':
        return !this.#holds(filter.of, item);
      case 'exists':
        return this.#found(filter.path, item, true) !== undefined;
      case 'compares':
        return this.#compares(filter, item);
    }
  }

  /** Undefined where there is nothing at that place. */
  #found(path: Path, item: Value, isStrict = false): Value | undefined {
    try {
      const value = this.value(path, item);
      if (!isDefinite(path)) return isList(value) && value.length === 0 ? undefined : value;
      if (value !== null || !isStrict) return value;
      const last = path.steps.at(-1);
      const parent = this.value({ from: path.from, steps: path.steps.slice(0, -1) }, item);
      const [name = ''] = last?.kind === 'names' ? last.names : [];
      return isMap(parent) && !parent.has(name) ? undefined : value;
    } catch (error) {
      if (error instanceof EvaluationFailure) return undefined;
      throw error;
    }
  }

  #compares({ left, by, right }: Extract<Filter, { kind: 'compares' }>, item: Value): boolean {
    const a = this.#operand(left, item);
    if (right.kind === 'pattern') return typeof a === 'string' && matchesWhole(a, right.pattern);
    const b = this.#operand(right, item);
    if (by === '==' || by === '!=') return isEqual(a ?? null, b ?? null) === (by === '==');
    if (a === undefined || b === undefined) return false;
    if (by === 'in' || by === 'nin') {
      if (!isList(b)) return false;
      spend(b.length);
      return b.some((each) => isEqual(each, a)) === (by === 'in');
    }
    if (by === 'size') return (isList(a) || typeof a === 'string') && isEqual(a.length, b);
    if (by === 'empty') return (isList(a) || typeof a === 'string') && (a.length === 0) === b;
    const isOrdered = (isNumber(a) && isNumber(b)) || (typeof a === 'string' && typeof b === 'string');
    if (!isOrdered) return false;
    const order = compare(a, b);
    return by === '<' ? order < 0 : by === '<=' ? order <= 0 : by === '>' ? order > 0 : order >= 0;
  }

  #operand(operand: Operand, item: Value): Value | undefined {
    if (operand.kind === 'value') return operand.value;
    return operand.kind === 'path' ? this.#found(operand.path, item) : undefined;
  }

  #called({ name, args }: Extract<Step, { kind: 'call' }>, of: Value, here: Value): Value {
    if (name === 'length' || name === 'size') {
      if (isList(of) || typeof of === 'string') return of.length;
      return isMap(of) ? of.size : fail(`${kindOf(of)} has no length`);
    }
    if (name === 'keys') return isMap(of) ? [...of.keys()] : fail(`${kindOf(of)} has no keys`);
    const given = args.flatMap((arg): readonly Value[] => {
      const value = isPath(arg) ? this.value(arg, here) : arg;
      if (isList(value)) spend(value.length * 4);
      return isList(value) ? value : [value];
    });
    if (name === 'concat') return bounded(given.map((each) => toText(each) ?? '').join(''));
    const numbers = (args.length === 0 && isList(of) ? of : given).filter(isNumber).map(toNumber);
    if (numbers.length === 0) return fail(`${name}() of no number`);
    return new Real(aggregated(name, numbers));
  }
}

function isPath(arg: Path | Value): arg is Path {
  return typeof arg === 'object' && arg !== null && 'steps' in arg;
}

function aggregated(name: string, numbers: readonly number[]): number {
  const sum = numbers.reduce((all, each) => all + each, 0);
  const mean = sum / numbers.length;
  if (name === 'sum') return sum;
  if (name === 'avg') return mean;
  if (name === 'min') return numbers.reduce((least, each) => Math.min(least, each));
  if (name === 'max') return numbers.reduce((most, each) => Math.max(most, each));
  return Math.sqrt(numbers.reduce((all, each) => all + (each - mean) ** 2, 0) / numbers.length);
}

function sliced(
  list: readonly Value[],
  { from, to, by }: Extract<Step, { kind: 'slice' }>,
): readonly Value[] {
  return list.slice(from ?? 0, to ?? list.length).filter((_, index) => index % by === 0);
}
