import { z } from '@hono/zod-openapi';

/** An id in a path: a generated one, or a human-readable one such as DEFAULT. */
export const idSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, 'must be an id: at most 64 letters, digits, - and _');

/** A name for people. */
export const nameSchema = z.string().trim().min(1).max(256);
/** A longer text for people. */
export const textSchema = z.string().max(4_096);
/** A sharding tag, a label, a group: one line. */
const wordSchema = z.string().trim().min(1).max(128);
/** Configuration of a plugin: checked when the API is deployed, by the plugin's own schema. */
export const configurationSchema = z.record(z.string(), z.unknown());

/** A list of words without repetition. */
export const wordsUpTo = (max: number) =>
  z
    .array(wordSchema)
    .max(max)
    .refine((words) => new Set(words).size === words.length, 'must not repeat a value');
/** The same, of any ordinary length. */
export const wordsSchema = wordsUpTo(256);

/** A moment, e.g. 2026-11-24T12:00:00Z. */
export const momentSchema = z.iso.datetime({ offset: true });

/** A whole number in a query. */
export function integerParam(bounds: { min: number; max: number }) {
  const words = `must be a whole number from ${bounds.min} to ${bounds.max}`;
  return z
    .string()
    .regex(/^\d{1,15}$/, words)
    .transform(Number)
    .pipe(z.number().min(bounds.min, words).max(bounds.max, words))
    .openapi({ type: 'integer', minimum: bounds.min, maximum: bounds.max });
}

/** A moment in a query, ms since the epoch. */
export const momentParam = integerParam({ min: 0, max: 99_999_999_999_999 }).optional();

/** A comma-separated list of values of an enumeration in a query, as the reference spells lists. */
export function listParam<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z
    .string()
    .max(1_024)
    .transform((text) => text.split(',').filter((value) => value !== ''))
    .pipe(z.array(z.enum(values)).max(32))
    .openapi({ type: 'array', items: { type: 'string', enum: [...values] } });
}

/** A comma-separated list of words of one form in a query. */
export const wordsParam = (form: RegExp, words: string) =>
  z
    .string()
    .max(4_096)
    .transform((text) => text.split(',').filter((value) => value !== ''))
    .pipe(z.array(z.string().regex(form, words)).max(100))
    .openapi({ type: 'array', items: { type: 'string' } });

/** A comma-separated list of ids in a query. */
export const idsParam = z
  .string()
  .max(8_192)
  .transform((text) => text.split(',').filter((value) => value !== ''))
  .pipe(z.array(idSchema).max(100))
  .openapi({ type: 'array', items: { type: 'string' } });

/** ISO 8601 for the wire, absent for null. */
export function momentText(ms: number | null): string | undefined {
  return ms === null ? undefined : new Date(ms).toISOString();
}

/** The moment in ms, null when absent. */
export function momentMs(text: string | undefined): number | null {
  return text === undefined ? null : Date.parse(text);
}

/** Leaves out what is undefined, so that answers carry no empty fields. */
export function present<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

/**
 * Fields that only answers have, for the schema of a PUT: what a reader got may come back unchanged, so that "get, edit, put" works; they are
 * never taken over.
 */
export function readOnlyFields(
  ...names: readonly string[]
): Readonly<Record<string, z.ZodOptional<z.ZodUnknown>>> {
  return Object.fromEntries(names.map((name) => [name, z.unknown().optional()]));
}

/**
 * An object of which some fields are demanded by name, though they may be left out of the document: what the reference documents as optional,
 * and cannot do without either, stays optional for clients that were generated from its documents.
 */
export function demanding<Shape extends z.ZodRawShape>(
  object: z.ZodObject<Shape, z.core.$strict>,
  ...names: readonly (keyof Shape & string)[]
): z.ZodObject<Shape, z.core.$strict> {
  const lenient = object.partial(Object.fromEntries(names.map((name) => [name, true])) as never);
  const checked = lenient.superRefine((fields, context) => {
    for (const name of names)
      if (!Object.hasOwn(fields, name) || (fields as Readonly<Record<string, unknown>>)[name] === undefined)
        context.addIssue({ code: 'custom', path: [name], message: 'is required' });
  });
  // What passes has them all.
  return checked as unknown as z.ZodObject<Shape, z.core.$strict>;
}

/**
 * A choice of which this version runs some words; what else the reference has is in the document, and refused by name.
 */
export function choiceOf<const Run extends string>(
  run: readonly Run[],
  notRun: readonly string[],
): z.ZodEnum<{ [Word in Run]: Word }> {
  const isRun = (word: string): boolean => (run as readonly string[]).includes(word);
  const checked = z
    .enum([...run, ...notRun])
    .refine(isRun, `is not supported by this version; allowed: ${run.join(', ')}`);
  // What passes is one of those.
  return checked as unknown as z.ZodEnum<{ [Word in Run]: Word }>;
}

/** Fields of what this version does not run: in the document, and refused by name with these words. */
export function refusedFields(schema: z.ZodType, words: string, ...names: readonly string[]) {
  const refused = schema.optional().refine((value) => value === undefined, words);
  return Object.fromEntries(names.map((name) => [name, refused]));
}
