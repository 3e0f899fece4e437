import type { z } from 'zod';

import type { FaultDetail } from './fault.ts';
import './words.ts';

/** Writes the place of a value as people do: `listeners[0].paths[0].path`. */
export function pathText(segments: readonly PropertyKey[], at = ''): string {
  let path = at;
  for (const segment of segments) {
    if (typeof segment === 'number') path += `[${segment}]`;
    else path += path === '' ? String(segment) : `.${String(segment)}`;
  }
  return path;
}

/** One detail per fault that a schema found; an unknown key is named by its own path. */
export function detailsOf(issues: readonly z.core.$ZodIssue[], at = ''): readonly FaultDetail[] {
  return issues.flatMap((issue): readonly FaultDetail[] => {
    const path = pathText(issue.path, at);
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ path: pathText([key], path), message: issue.message }));
    // Of forms of the kind that was sent only the last, the full one, is worth reading; of no kind that is taken, one sentence names all.
    const last = issue.code === 'invalid_union' ? issue.errors.findLast(isOfKind) : undefined;
    if (last !== undefined) return detailsOf(last, path);
    return [{ path, message: issue.message }];
  });
}

/** Whether what a form found is about what is in the value, and not that it is another kind of value. */
function isOfKind(issues: readonly z.core.$ZodIssue[]): boolean {
  return issues.some((inner) => inner.path.length > 0 || inner.code !== 'invalid_type');
}
