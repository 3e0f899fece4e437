import type { Budget } from './budget.ts';
import type { Complain } from './shift.ts';
import type { Tree } from './tree.ts';

/** Reads the specification of defaults: what is absent or null is taken from it; `*` means every key that is there, `a|b` both. */
export function readDefaults(spec: Tree, complain: Complain): { run(input: Tree, budget: Budget): Tree } {
  if (!(spec instanceof Map)) complain([], 'must be an object');
  else check(spec, [], complain);
  return { run: (input, budget) => (spec instanceof Map ? filled(input, spec, budget) : input) };
}

function check(spec: Map<string, Tree>, path: readonly string[], complain: Complain): void {
  for (const [key, value] of spec) {
    if (key.endsWith('[]')) complain([...path, key], 'stands for a list, whose defaults are not supported');
    if (value instanceof Map) check(value, [...path, key], complain);
  }
}

function filled(input: Tree | undefined, spec: Map<string, Tree>, budget: Budget): Tree {
  budget.makes(input instanceof Map ? input.size : 0);
  const object = new Map(input instanceof Map ? input : []);
  if (input !== undefined && input !== null && !(input instanceof Map)) return input;
  for (const [written, otherwise] of spec) {
    budget.reads(written.length);
    for (const key of written === '*' ? [...object.keys()] : written.split('|')) {
      budget.spend(1);
      const there = object.get(key) ?? undefined;
      if (otherwise instanceof Map) object.set(key, filled(there, otherwise, budget));
      else if (there === undefined) object.set(key, otherwise);
    }
  }
  return object;
}
