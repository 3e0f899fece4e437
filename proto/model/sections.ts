import { z } from 'zod';

import { compileTemplate } from '../expression/template.ts';
import { nearest, unknownNames } from '../faults/nearest.ts';
import { apiLimits } from './api-limits.ts';

/**
 * Pieces that the schemas of definitions are made of.
 *
 * They share one purpose: a definition says nothing that is silently ignored, and what is refused names what is allowed.
 */

const notSupported = 'not supported by this version';

/** A strict object whose unknown keys are named together with those that are allowed (but for unspoken ones). */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape, unspoken: object = {}) {
  const allowed = Object.keys(shape).filter((key) => !Object.hasOwn(unspoken, key));
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? unknownNames(issue['keys'] as readonly string[], allowed)
        : undefined,
  });
}

/** One of several words in any spelling (ROUND_ROBIN, round_robin, round-robin), made lower case with dashes. */
export function choice<const Word extends string>(
  words: readonly [Word, ...Word[]],
  ...known: readonly string[]
) {
  return z.preprocess(
    (value) => (typeof value === 'string' ? value.toLowerCase().replaceAll('_', '-') : value),
    z.enum(words, { error: (issue) => unsupportedWord(issue.input, known, words) }),
  );
}

function unsupportedWord(input: unknown, known: readonly string[], words: readonly string[]): string {
  const allowed = `allowed: ${words.join(', ')}`;
  if (input === undefined) return `is required; ${allowed}`;
  if (typeof input !== 'string') return `is not one of them; ${allowed}`;
  if (known.includes(input)) return `"${input}" is ${notSupported}; ${allowed}`;
  const near = nearest(input, words);
  return `"${input}" is not one of them; ${near === undefined ? '' : `did you mean ${near}? `}${allowed}`;
}

/** A part of the reference's definition that this version does not run: accepted where it is off or empty, then dropped. */
export function off(allowed = 'enabled: false') {
  return z
    .unknown()
    .refine(isOff, `is ${notSupported}; allowed: ${allowed}`)
    .transform((): undefined => undefined)
    .optional()
    .meta({ offOnly: allowed });
}

/** Says whether a value asks for nothing: false, empty, or not enabled. */
export function isOff(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return true;
  if (typeof value === 'string') return value.trim() === '';
  if (Array.isArray(value)) return value.every(isOff);
  if (typeof value !== 'object') return false;
  if ('enabled' in value) return value.enabled === false;
  return Object.values(value).every(isOff);
}

/** A value that belongs to the console and the portal, not to a gateway: accepted whatever it is and dropped. */
export function elsewhere() {
  return z
    .unknown()
    .transform((): undefined => undefined)
    .optional()
    .meta({ isElsewhere: true });
}

/** Sharding tags, tenants and other names of the same kind. */
export function names() {
  return z.array(z.string().min(1).max(128)).max(apiLimits.tagsMax).default([]);
}

/**
 * A text that may hold expressions, as it is written; who runs it compiles it again. What comes out of them is judged by `value` then.
 *
 * charsMax: of the text as it is written. places: names behind `#` that are known in this field and nowhere else. Without `readsBody` an
 * expression that names the body is refused.
 */
export function withExpressions(
  value: z.ZodType<string, string>,
  {
    charsMax,
    places = [],
    readsBody,
  }: { readonly charsMax: number; readonly places?: readonly string[]; readonly readsBody: boolean },
) {
  return z
    .string()
    .max(charsMax)
    .transform((text, context) => {
      const compiled = compileTemplate(text, value, { places: new Set(places) });
      if (compiled.kind === 'constant') return compiled.value;
      const messages =
        compiled.kind === 'refused'
          ? compiled.messages
          : compiled.needs === 'buffered' && !readsBody
            ? ['reads a body, which is on its way by then; a step may keep what it reads in an attribute']
            : [];
      for (const message of messages) context.addIssue({ code: 'custom', message });
      return text;
    });
}

/** A number of milliseconds. */
export function milliseconds(max: number, otherwise: number) {
  return z.int().min(0).max(max).default(otherwise).meta({ unit: 'ms' });
}

/** An object, or the JSON text of one, as some payloads carry their configurations. */
export function orJsonText<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((value) => {
    if (typeof value !== 'string') return value;
    try {
      return value.trim() === '' ? {} : (JSON.parse(value) as unknown);
    } catch {
      return value;
    }
  }, schema);
}
