import type { Budget } from './budget.ts';
import type { Tree } from './tree.ts';

/** One operation of a transformation, read. */
export interface Operation {
  /** What comes in stays as it is. Errors: JoltFailure past the budget, and for what the operation cannot be done to. */
  run(input: Tree, budget: Budget): Tree;
}

/** Says what is wrong, and where below the specification. */
export type Complain = (path: readonly (string | number)[], message: string) => void;

/** Reads the specification of an operation. */
export type OperationReader = (spec: Tree, complain: Complain) => Operation;

/** Reads one that must be an object. */
export function readObject(
  spec: Tree,
  complain: Complain,
  read: (spec: Map<string, Tree>) => Operation,
): Operation {
  if (spec instanceof Map) return read(spec);
  complain([], 'must be an object');
  return { run: (input) => input };
}
