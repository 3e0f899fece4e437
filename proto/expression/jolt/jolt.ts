import { Budget } from './budget.ts';
import { readDefaults } from './defaults.ts';
import { type Complain, readShift } from './shift.ts';
import { JoltFailure, jsonOf, type Tree, treeOf } from './tree.ts';

export { JoltFailure } from './tree.ts';

/** A transformation of JSON that was read once. */
export interface Jolt {
  /** Errors: JoltFailure when it takes too long, or what comes in or out of an operation is too deep or too much. */
  run(value: unknown): unknown;
}

/** Operations of JOLT that run here. */
const operations = new Map<
  string,
  (spec: Tree, complain: Complain) => { run(input: Tree, budget: Budget): Tree }
>([
  ['shift', readShift],
  ['default', readDefaults],
]);
const allowed = [...operations.keys()].join(', ');
const operationsMax = 50;

/**
 * Reads a JOLT specification: `[{"operation": "shift", "spec": {"*": {"$": "[#2].key", "@": "[#2].value"}}}]`, a list of operations or one
 * alone. Without a text what comes in goes out. Returns everything that is wrong with it, by its place.
 *
 * Of JOLT there are `shift` (`*`, `&`, `$`, `@`, `#`, `|`, lists) and `default` (without `[]`); others are refused by name.
 */
export function readJolt(text: string): Jolt | readonly string[] {
  if (text.trim() === '') return { run: (value) => value };
  let written;
  try {
    written = treeOf(JSON.parse(text));
  } catch (error) {
    return [error instanceof JoltFailure ? error.message : 'is no JSON'];
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
      complain([], `${name} not supported; allowed: ${allowed}`);
      return undefined;
    }
    return read(item.get('spec') ?? null, complain);
  });
  if (messages.length > 0) return messages;
  return {
    run: (value) => {
      const budget = new Budget();
      let tree = treeOf(value);
      for (const step of steps) {
        if (step === undefined) continue;
        tree = step.run(tree, budget);
        budget.judge(tree);
      }
      return jsonOf(tree);
    },
  };
}
