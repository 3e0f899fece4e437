import { z } from 'zod';

/** The types that a column of the lake has; plain ones, so that any engine can read them. */
export type ColumnType = 'text' | 'integer' | 'timestampMs';

/** What of a line's values comes into the lake: a line is foreign, and where only certain values mean something no others come in. */
export type Meaning =
  /** One of these, else `otherwise`. */
  | { readonly kind: 'among'; readonly values: readonly string[]; readonly otherwise: string }
  /** What this pattern (linear time, whole text) matches, else `otherwise`, or nothing without one. */
  | { readonly kind: 'pattern'; readonly pattern: string; readonly otherwise?: string }
  /** A JSON object of so many bytes at most, with a list of so many items at most at this name, else nothing. */
  | { readonly kind: 'list'; readonly at: string; readonly itemsMax: number; readonly bytesMax: number }
  /** A number in one of these spans, both ends inclusive, else nothing. */
  | { readonly kind: 'between'; readonly spans: readonly (readonly [min: number, max: number])[] };

/**
 * A field of a record: how it stands in a line, and which column of the lake it becomes.
 *
 * Fields are only added, never renamed or given another meaning; a reader ignores what it does not know, and an absent field is null.
 */
export interface RecordField<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema;
  /** Absent for what stands in lines only. */
  readonly column?: ColumnType;
  readonly meaning?: Meaning;
}

/** The fields of a record by name, in the order in which they stand in a line: flat, snake_case. */
export type RecordFields = Readonly<Record<string, RecordField>>;

/** A text. */
export const text = { schema: z.string(), column: 'text' } as const;
/** A text that not every line has. */
export const maybeText = { schema: z.string().optional(), column: 'text' } as const;
/** A whole number. */
export const integer = { schema: z.number().int(), column: 'integer' } as const;
/** A whole number that not every line has. */
export const maybeInteger = { schema: z.number().int().optional(), column: 'integer' } as const;
/** Something that stands in a line and has no column. */
export const inLineOnly = <Schema extends z.ZodType>(schema: Schema): { readonly schema: Schema } => ({
  schema,
});

/** What every record has, whatever its type: whose it is and from when, ms since the epoch. */
export const tenantFields = { org_id: text, env_id: text, gateway_id: text } as const;
/** See {@link tenantFields}; 2000 to 2100: beyond, a clock was wrong or somebody lied. */
export const timestamp = {
  schema: z.number().int(),
  column: 'timestampMs',
  meaning: { kind: 'between', spans: [[946_684_800_000, 4_102_444_800_000]] },
} as const;

/** The field that says which table a record belongs to. */
export const typeOf = <const Type extends string>(type: Type) =>
  ({ schema: z.literal(type), column: 'text' }) as const;

/** The schema of a line with such fields. */
export function lineSchema<Fields extends RecordFields>(
  fields: Fields,
): z.ZodObject<{ [Name in keyof Fields]: Fields[Name]['schema'] }> {
  const shape = Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, schema]));
  return z.object(shape) as z.ZodObject<{ [Name in keyof Fields]: Fields[Name]['schema'] }>;
}
