import { createRequire } from 'node:module';
import { LRUCache } from 'lru-cache';
import type * as Patterns from 're2js';

import { fail } from './values.ts';

/** Most characters of a pattern, as the reference's. */
const patternCharsMax = 1_000;
const patternsMax = 500;

/** A quarter of a megabyte of code, which a gateway without patterns never loads. */
const requireNow = createRequire(import.meta.url);
const known = new LRUCache<string, Patterns.RE2JS>({ max: patternsMax });

/**
 * A pattern of Java's syntax that is matched in time that grows with the text: no looking around, no references back.
 *
 * Errors: an EvaluationFailure that says why it cannot be one.
 */
export function patternOf(pattern: string): Patterns.RE2JS {
  const found = known.get(pattern);
  if (found !== undefined) return found;
  if (pattern.length > patternCharsMax) return fail(`a pattern is longer than ${patternCharsMax} characters`);
  const { RE2JS: engine } = requireNow('re2js') as typeof Patterns;
  try {
    const made = engine.compile(pattern);
    known.set(pattern, made);
    return made;
  } catch (error) {
    return fail(
      `the pattern ${JSON.stringify(pattern)} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Says whether the whole text is one. */
export function matchesWhole(text: string, pattern: string): boolean {
  return patternOf(pattern).matches(text);
}

/** As Java's replaceAll and replaceFirst: `$1` is a group. */
export function replaceMatches(
  text: string,
  { pattern, by, which }: { readonly pattern: string; readonly by: string; readonly which: 'all' | 'first' },
): string {
  const matcher = patternOf(pattern).matcher(text);
  try {
    return which === 'all' ? matcher.replaceAll(by) : matcher.replaceFirst(by);
  } catch (error) {
    return fail(
      `the replacement ${JSON.stringify(by)} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** As Java's split: empty texts at the end are dropped unless a limit is given. */
export function splitBy(text: string, pattern: string, limit: number): readonly string[] {
  const matcher = patternOf(pattern).matcher(text);
  const parts: string[] = [];
  let from = 0;
  while ((limit <= 0 || parts.length < limit - 1) && matcher.find()) {
    // A match without characters at the beginning leaves no empty text before it.
    if (matcher.end() === 0) continue;
    parts.push(text.slice(from, matcher.start()));
    from = matcher.end();
  }
  parts.push(text.slice(from));
  while (limit === 0 && parts.length > 1 && parts.at(-1) === '') parts.pop();
  return parts;
}
