import { Budget } from './budget.ts';
import { readCardinality } from './cardinality.ts';
import { readDefaults } from './defaults.ts';
import { readModify } from './modify.ts';
import type { Complain, OperationReader } from './operation.ts';
import { readRemove } from './remove.ts';
import { readShift } from './shift.ts';
import { readSort } from './sort.ts';
import { depthMax, JoltFailure, jsonOf, textOfTree, type Tree, treeOf } from './tree.ts';
import { parseExact } from '../json/exact.ts';
import { isNestedDeeper } from '../json/levels.ts';

export { JoltFailure } from './tree.ts';

/** A transformation of JSON that was read once. */
export interface Jolt {
  /** Errors: JoltFailure when it takes too long, or what comes in or out of an operation is too deep or too much. */
  run(value: unknown): unknown;
  /** The same of JSON as it is written: whole numbers keep their digits, names their order. Errors: JoltFailure, for what is no JSON too. */
  rewrite(json: string): string;
}

/** Operations of JOLT, all of them. */
const operations = new Map<string, OperationReader>([
  ['shift', readShift],
  ['default', readDefaults],
  ['remove', readRemove],
  ['sort', readSort],
  ['cardinality', readCardinality],
  ['modify-overwrite-beta', readModify('overwrite')],
  ['modify-default-beta', readModify('default')],
  ['modify-define-beta', readModify('define')],
]);
const allowed = [...operations.keys()].join(', ');
const operationsMax = 50;

/**
 * Reads a JOLT specification: `[{"operation": "shift", "spec": {"*": {"$": "[#2].key", "@": "[#2].value"}}}]`, a list of operations or one
 * alone. Without a text what comes in goes out. Returns everything that is wrong with it, by its place.
 *
 * Operations that are classes of Java are refused by name. `constructs/` says what of each operation there is.
 */
export function readJolt(text: string): Jolt | readonly string[] {
  if (text.trim() === '') return { run: (value) => value, rewrite: (json) => json };
  let written;
  try {
    written = treeOf(JSON.parse(text));
  } catch (error) {
    if (error instanceof JoltFailure) return [error.message];
    return [error instanceof Error ? `is no JSON: ${error.message}` : 'is no JSON'];
  }
  const messages: string[] = [];
  const list = Array.isArray(written) ? written : [written];
  if (list.length > operationsMax) return [`holds more than ${operationsMax} operations`];
  const steps = list.map((item, index) => {
    const complain: Complain = (path, message) => {
      const place = path.map((part) => `[${JSON.stringify(part)}]`).join('');
      messages.push(`operation ${index + 1}${place === '' ? '' : ` at ${place}`} ${message}`);
    };
    const operation = item instanceof Map ? item.get('operation') : undefined;
    const read = typeof operation === 'string' ? operations.get(operation) : undefined;
    if (!(item instanceof Map) || read === undefined) {
      const name = typeof operation === 'string' ? `"${operation}" is` : 'without a name is';
      const why = typeof operation === 'string' && operation.includes('.') ? ': classes are not loaded' : '';
      complain([], `${name} not supported${why}; allowed: ${allowed}`);
      return undefined;
    }
    return read(item.get('spec') ?? null, complain);
  });
  if (messages.length > 0) return messages;
  const transformed = (input: Tree): Tree => {
    const budget = new Budget();
    let tree = input;
    for (const step of steps) {
      if (step === undefined) continue;
      tree = step.run(tree, budget);
      budget.judge(tree);
    }
    return tree;
  };
  return {
    run: (value) => jsonOf(transformed(treeOf(value))),
    rewrite: (json) => textOfTree(transformed(readTree(json))),
  };
}

/** Reads JSON whose whole numbers keep their digits. Errors: JoltFailure for what is none, or too deep. */
function readTree(json: string): Tree {
  if (isNestedDeeper(json, depthMax)) throw new JoltFailure(`is deeper than ${depthMax} levels`);
  try {
    return treeOf(parseExact(json));
  } catch (error) {
    if (error instanceof SyntaxError) throw new JoltFailure('is no JSON');
    throw error;
  }
}
