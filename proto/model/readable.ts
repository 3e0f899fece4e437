import type { z } from 'zod';

/** What of a value has the right form. */
export interface Readable<T> {
  /** As if the faulty fields had not been there; undefined when it cannot do without them. */
  readonly value: T | undefined;
  /** Names of fields that a schema refuses, unknown ones too. */
  readonly faulty: ReadonlySet<string>;
}

/** Reads a value without the fields in which something is wrong, so that what else is wrong can be told in the same breath. */
export function readable<T>(schema: z.ZodType<T>, input: unknown): Readable<T> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return { value: parsed.data, faulty: new Set() };
  const faulty = new Set(
    parsed.error.issues.flatMap((issue) =>
      issue.path.length === 0 && issue.code === 'unrecognized_keys' ? issue.keys : String(issue.path[0]),
    ),
  );
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return { value: undefined, faulty };
  const rest = Object.entries(input).filter(([name]) => !faulty.has(name));
  return { value: schema.safeParse(Object.fromEntries(rest)).data, faulty };
}
