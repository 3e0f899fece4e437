import { createRequire } from 'node:module';
import { LRUCache } from 'lru-cache';
import type * as Patterns from 're2js';

import { EvaluationFailure, fail } from './failure.ts';
import { textCharsMax } from './values.ts';
import { beginWork, endWork, spend, type Work } from './work.ts';

/** Most characters of a pattern, as the reference's. */
const patternCharsMax = 1_000;
const patternsMax = 500;
/** Most instructions that a pattern may be compiled to. */
const programMax = 5_000;
const matchesMsMax = 100;
const partsMax = 100_000;

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
    if (made.programSize() > programMax) return fail(`it repeats too much`);
    known.set(pattern, made);
    return made;
  } catch (error) {
    return fail(`the pattern ${JSON.stringify(pattern)} cannot be used: ${whyNone(pattern, error)}`);
  }
}

/** What engines of Java have and one that takes linear time cannot, and what to write. */
const insteadOf: readonly (readonly [sign: RegExp, words: string])[] = [
  [/\(\?<?[=!]/, 'it cannot look around, since patterns take linear time'],
  [/\(\?>/, 'write (?: in place of (?>'],
  [/[*+?}]\+/, 'write a repeat without the + behind it'],
  [/\\[1-9]|\\k</, 'it cannot refer back to a group, since patterns take linear time'],
];

function whyNone(pattern: string, error: unknown): string {
  const said = (error instanceof Error ? error.message : String(error)).replace(
    /^error parsing regexp: /,
    '',
  );
  const instead = insteadOf.find(([sign]) => sign.test(pattern))?.[1];
  return instead === undefined ? said : `${said}; ${instead}`;
}

/** Why a text cannot be a pattern; undefined when it can. */
export function patternFault(pattern: string): string | undefined {
  try {
    patternOf(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof EvaluationFailure) return error.message;
    throw error;
  }
}

/** Says whether the whole text is one. */
export function matchesWhole(text: string, pattern: string): boolean {
  const compiled = patternOf(pattern);
  judgeWork(text, compiled);
  return compiled.matches(text);
}

/**
 * Says whether a pattern is found anywhere in a text, on the budget of the request's expressions.
 *
 * Errors: an EvaluationFailure for a pattern that cannot be used, or past the budget.
 */
export function findsIn(request: { work?: Work | undefined }, text: string, pattern: string): boolean {
  const compiled = patternOf(pattern);
  beginWork(request);
  try {
    judgeWork(text, compiled);
    return compiled.test(text);
  } finally {
    endWork();
  }
}

/** What the groups of a pattern hold, by place and by name. */
export interface MatchedGroups {
  readonly all: readonly string[];
  readonly named: ReadonlyMap<string, string>;
}

/** Of every pattern that has none. */
export const noGroups: MatchedGroups = { all: [], named: new Map() };

/**
 * What the groups of a pattern hold when the whole text is one; undefined when it is not. It works on the budget of the request's expressions.
 *
 * Errors: an EvaluationFailure for a pattern that cannot be used, or past the budget.
 */
export function matchGroups(
  request: { work?: Work | undefined },
  text: string,
  pattern: string,
): MatchedGroups | undefined {
  const compiled = patternOf(pattern);
  beginWork(request);
  try {
    judgeWork(text, compiled);
    // Whoever wants no groups is told in a fraction of the time.
    if (compiled.groupCount() === 0) return compiled.testExact(text) ? noGroups : undefined;
    const match = compiled.matcher(text);
    if (!match.matches()) return undefined;
    const group = (at: number): string => match.group(at) ?? '';
    return {
      all: Array.from({ length: match.groupCount() }, (_, index) => group(index + 1)),
      named: new Map(Object.entries(compiled.namedGroups()).map(([name, at]) => [name, group(at)])),
    };
  } finally {
    endWork();
  }
}

/** As Java's replaceAll and replaceFirst: `$1` is a group, a backslash takes the meaning of what follows away. */
export function replaceMatches(
  text: string,
  { pattern, by, which }: { readonly pattern: string; readonly by: string; readonly which: 'all' | 'first' },
): string {
  const pieces = replacementOf(by);
  let made = '';
  let from = 0;
  eachMatch(text, pattern, (match) => {
    made += text.slice(from, match.start());
    for (const piece of pieces) made += typeof piece === 'string' ? piece : groupOf(match, piece.group);
    from = match.end();
    return which === 'all' && made.length <= textCharsMax;
  });
  return made + text.slice(from);
}

/** As Java's split: empty texts at the end are dropped unless a limit is given. */
export function splitBy(text: string, pattern: string, limit: number): readonly string[] {
  const parts: string[] = [];
  let from = 0;
  eachMatch(text, pattern, (match) => {
    if (limit > 0 && parts.length >= limit - 1) return false;
    // A match without characters at the beginning leaves no empty text before it.
    if (match.end() === 0) return true;
    if (parts.length >= partsMax) fail(`a text is split into more than ${partsMax}`);
    parts.push(text.slice(from, match.start()));
    from = match.end();
    return true;
  });
  parts.push(text.slice(from));
  while (limit === 0 && parts.length > 1 && parts.at(-1) === '') parts.pop();
  return parts;
}

/** Calls back for each match until that says no. Linear in the text for each match; what many of them take is bounded by the clock. */
export function eachMatch(text: string, pattern: string, take: (match: Patterns.Matcher) => boolean): void {
  const compiled = patternOf(pattern);
  judgeWork(text, compiled);
  const matcher = compiled.matcher(text);
  const startedAtMs = performance.now();
  while (matcher.find() && take(matcher))
    if (performance.now() - startedAtMs > matchesMsMax)
      fail(`matches of a pattern take longer than ${matchesMsMax} ms`);
}

/** A step for each character and each instruction of the pattern, at most. */
function judgeWork(text: string, pattern: Patterns.RE2JS): void {
  spend(text.length * pattern.programSize());
}

function groupOf(match: Patterns.Matcher, group: number): string {
  if (group > match.groupCount()) return fail(`the pattern has no group ${group}`);
  return match.group(group) ?? '';
}

function replacementOf(by: string): readonly (string | { readonly group: number })[] {
  return [...by.matchAll(/\\([^])|\$(\d)|([^\\$]+)|([^])/g)].map(([, literal, group, plain, wrong]) => {
    if (wrong !== undefined)
      return fail(
        `the replacement ${JSON.stringify(by.slice(0, 80))} ends in, or holds, a ${wrong} without a meaning`,
      );
    return group === undefined ? (literal ?? plain ?? '') : { group: Number(group) };
  });
}
