import { EvaluationFailure } from '../failure.ts';
import { readPath, type Step } from './json-path-reader.ts';

const kinds: ReadonlySet<Step['kind']> = new Set(['names', 'items', 'every', 'deep']);

/** Why a path names no places whose values could be replaced; undefined when it does. */
export function jsonPlaceFault(path: string): string | undefined {
  try {
    const { steps } = readPath(path);
    if (steps.length === 0 || steps.some(({ kind }) => !kinds.has(kind)))
      return 'names no place by members alone; allowed: $.a.b, $..a, $.a[*].b, $.a[0]';
    return steps.filter(({ kind }) => kind === 'deep').length > 1 ? 'has more than one ..' : undefined;
  } catch (error) {
    if (error instanceof EvaluationFailure) return error.message;
    throw error;
  }
}
