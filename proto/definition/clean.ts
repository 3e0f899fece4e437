import { Fault, type FaultDetail } from '../faults/fault.ts';
import { apiLimits } from '../model/api-limits.ts';
import { isJson } from './opened.ts';

/**
 * The input without its nulls: writers of the reference spell "absent" as null, so a key with null is an absent key, and a null in a list
 * is not there.
 *
 * Errors: request.invalid for what is nested too deep, and for texts that are none.
 */
export function cleaned(input: unknown): unknown {
  const value = withoutNulls(input, 0);
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

function withoutNulls(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value ?? undefined;
  if (depth > apiLimits.depthMax)
    throw invalid([{ path: '', message: `is nested deeper than ${apiLimits.depthMax} levels` }]);
  if (Array.isArray(value))
    return value.filter((item) => item !== null).map((item) => withoutNulls(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null && item !== undefined)
      .map(([key, item]) => [key, withoutNulls(item, depth + 1)]),
  );
}
