import type { z } from 'zod';

/** What a schema is made of, as far as a mark may stand in it. */
interface Parts {
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly out?: z.ZodType;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly left?: z.ZodType;
  readonly right?: z.ZodType;
  readonly shape?: Readonly<Record<string, z.ZodType>>;
}

/** Keys from the schema on; `[]` is each item of a list, `*` each value of a map. Says whether that is what was looked for. */
type Look = (path: readonly string[], mark: object) => boolean;

/** Goes through all fields of a schema with what is said of them (`meta`), but not into those that were looked for. */
export function lookForMarks(schema: z.ZodType, look: Look, path: readonly string[] = []): void {
  if (look(path, schema.meta() ?? {})) return;
  const { innerType, in: input, out, element, valueType, options, left, right, shape } = schema.def as Parts;
  for (const [name, field] of Object.entries(shape ?? {})) lookForMarks(field, look, [...path, name]);
  if (element !== undefined) lookForMarks(element, look, [...path, '[]']);
  if (valueType !== undefined) lookForMarks(valueType, look, [...path, '*']);
  for (const inside of [innerType, input, out, left, right, ...(options ?? [])])
    if (inside !== undefined) lookForMarks(inside, look, path);
}
