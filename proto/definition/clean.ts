import { Fault, type FaultDetail } from '../faults/fault.ts';
import { apiLimits } from '../model/api-limits.ts';
import { withoutNulls } from '../model/nulls.ts';
import { isJson } from './opened.ts';

/**
 * The input without its nulls.
 *
 * Errors: request.invalid for what is nested too deep, and for texts that are none.
 */
export function cleaned(input: unknown): unknown {
  const value = withoutNulls(input, { depthMax: apiLimits.depthMax, refuse: tooDeep });
  const halves = illFormedPaths(value, '');
  if (halves.length > 0) throw invalid(halves.map((path) => ({ path, message: illFormedMessage })));
  return value;
}

/** What is said of a definition that does not load, with everything that is wrong with it. */
export function invalid(details: readonly FaultDetail[]): Fault {
  return new Fault('request.invalid', {
    detail: `The API definition is not valid: ${details.length} ${details.length === 1 ? 'fault' : 'faults'}.`,
    details,
  });
}

const illFormedMessage =
  'holds half a character (a lone surrogate), which is no text: it cannot be written in UTF-8';

/** Paths of all texts and keys that are no text, though JSON can spell them: `\\ud800`. */
function illFormedPaths(value: unknown, at: string): readonly string[] {
  if (typeof value === 'string') return value.isWellFormed() ? [] : [at];
  if (Array.isArray(value)) return value.flatMap((item, index) => illFormedPaths(item, `${at}[${index}]`));
  if (!isJson(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const path = at === '' ? key : `${at}.${key}`;
    return key.isWellFormed() ? illFormedPaths(item, path) : [path];
  });
}

function tooDeep(): never {
  throw invalid([{ path: '', message: `is nested deeper than ${apiLimits.depthMax} levels` }]);
}
