import type { z } from 'zod';

import type { FaultDetail } from '../faults/fault.ts';

/** Turns a path's segments into the form of fault details: `listeners[0].paths[0].path`. */
function formatPath(segments: readonly PropertyKey[], at = ''): string {
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
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        path: formatPath([...issue.path, key], at),
        message: issue.message.startsWith('Unrecognized') ? 'is unknown' : issue.message,
      }));
    }
    // Of a union only its last branch, the full form, is worth reading.
    const last = issue.code === 'invalid_union' ? issue.errors.at(-1) : undefined;
    if (last !== undefined && last.length > 0) return detailsOf(last, formatPath(issue.path, at));
    // A key that is refused is the last part of the path; why stands one level deeper.
    const why = issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined;
    return [{ path: formatPath(issue.path, at), message: inWords(why ?? issue.message) }];
  });
}

function inWords(message: string): string {
  const type = /^Invalid input: expected (.+), received (.+)$/.exec(message);
  if (type === null) return message;
  return type[2] === 'undefined' ? `is required: ${type[1]}` : `must be ${type[1]}, not ${type[2]}`;
}
