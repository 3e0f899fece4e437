import { z } from '@hono/zod-openapi';
import { Fault, type FaultDetail } from '../../../proto/faults/fault.ts';
import { fetchFields, type FetchSource, transformationSchema } from '../../../proto/model/fetched/source.ts';
import type { WordBounds, Words } from '../../../proto/model/fetched/words.ts';
import { apiLimits } from '../../../proto/model/api-limits.ts';
import { wireLimits } from '../../../proto/wire/limits.ts';
import { idSchema, present, readOnlyFields, textSchema } from '../fields.ts';
import { fetchStateOf, fetchStateSchema, wordsOf } from '../fetches/fetches.ts';
import type { FetchedRow } from '../fetches/fetches.store.ts';
import type { DictionaryRow } from './dictionaries.store.ts';

/** What a dictionary may hold. */
export const dictionaryBounds: WordBounds = {
  wordsMax: wireLimits.dictionaryEntriesMax,
  keyCharsMax: 256,
  valueCharsMax: apiLimits.propertyCharsMax,
};

const dictionaryNameSchema = z.string().trim().min(3).max(256);
const typeSchema = z.enum(['MANUAL', 'DYNAMIC']);
const propertiesSchema = z
  .record(z.string().min(1).max(dictionaryBounds.keyCharsMax), z.string().max(dictionaryBounds.valueCharsMax))
  .refine(
    (words) => Object.keys(words).length <= dictionaryBounds.wordsMax,
    `at most ${dictionaryBounds.wordsMax} words`,
  );

const providerSchema = z
  .strictObject({
    type: z.literal('HTTP'),
    configuration: z.strictObject({
      ...fetchFields,
      specification: transformationSchema.default(''),
      // The way out is that of the process, whatever stands here.
      useSystemProxy: z.boolean().default(false),
    }),
  })
  .openapi('DictionaryProvider');

const unitMs = new Map([
  ['MILLISECONDS', 1],
  ['SECONDS', 1_000],
  ['MINUTES', 60_000],
  ['HOURS', 3_600_000],
  ['DAYS', 86_400_000],
]);
/** Who polls looks once a second. */
const everyMsMin = 1_000;
const everyMsMax = 366 * 86_400_000;

const triggerSchema = z
  .strictObject({
    rate: z.int().min(1).max(everyMsMax),
    unit: z.enum(['MILLISECONDS', 'SECONDS', 'MINUTES', 'HOURS', 'DAYS']),
  })
  .refine((trigger) => everyMs(trigger) >= everyMsMin && everyMs(trigger) <= everyMsMax, {
    path: ['rate'],
    message: 'must be a second at least, and a year at most',
  })
  .openapi('DictionaryTrigger');

const everyMs = ({ rate, unit }: { readonly rate: number; readonly unit: string }): number =>
  rate * (unitMs.get(unit) ?? 1);

const writableFields = {
  name: dictionaryNameSchema,
  type: typeSchema,
  description: textSchema.optional(),
  properties: propertiesSchema.optional(),
  provider: providerSchema.optional(),
  trigger: triggerSchema.optional(),
};

const wordsAreFetched = 'are fetched for a DYNAMIC dictionary: leave them out';

/** Says what an update would change and cannot: type, key, and words that were fetched. */
export function checkUnchanged(wish: DictionaryUpdate, row: DictionaryRow, fetched: Words | undefined): void {
  const details: FaultDetail[] = [];
  if (wish.type !== row.type) details.push({ path: 'type', message: `cannot change; it is ${row.type}` });
  if ((wish.key ?? row.key) !== row.key)
    details.push({ path: 'key', message: `cannot change; it is "${row.key}"` });
  const written = Object.entries(wish.properties ?? {});
  const isOfFetched =
    written.length === (fetched?.size ?? 0) && written.every(([key, value]) => fetched?.get(key) === value);
  if (row.type === 'DYNAMIC' && written.length > 0 && !isOfFetched)
    details.push({ path: 'properties', message: wordsAreFetched });
  if (details.length > 0) throw new Fault('request.invalid', { details });
}

/** Says what does not go together. */
function checkParts(
  wish: z.infer<typeof updateDictionarySchema>,
  say: (path: string, message: string) => void,
): void {
  for (const part of ['provider', 'trigger'] as const) {
    if (wish.type === 'DYNAMIC' && wish[part] === undefined) say(part, 'is required of a DYNAMIC dictionary');
    if (wish.type === 'MANUAL' && wish[part] !== undefined) say(part, 'is for a DYNAMIC dictionary only');
  }
}

function withParts<Schema extends z.ZodType<z.infer<typeof updateFields>>>(schema: Schema): Schema {
  return schema.superRefine((wish, context) =>
    checkParts(wish, (path, message) => context.addIssue({ code: 'custom', path: [path], message })),
  );
}

const updateFields = z.strictObject({
  ...readOnlyFields('id', 'state', 'created_at', 'updated_at', 'deployed_at', 'last_fetch'),
  key: z.string().max(256).optional(),
  ...writableFields,
});

/** Body of a creation. */
export const createDictionarySchema = withParts(
  z.strictObject({ key: idSchema.optional(), ...writableFields }),
)
  .refine(({ type, properties }) => type !== 'DYNAMIC' || Object.keys(properties ?? {}).length === 0, {
    path: ['properties'],
    message: wordsAreFetched,
  })
  .openapi('NewDictionary');

/** Body of an update; of key and of fetched words what was read may come back. */
export const updateDictionarySchema = withParts(updateFields).openapi('UpdateDictionary');

const dictionaryFields = {
  id: z.string(),
  key: z.string(),
  name: z.string(),
  description: z.string().optional(),
  type: typeSchema,
  state: z.enum(['STARTED', 'STOPPED']),
  trigger: triggerSchema.optional(),
  created_at: z.int(),
  updated_at: z.int(),
  deployed_at: z.int().optional(),
  last_fetch: fetchStateSchema.optional(),
};

/** A dictionary as it is answered. */
export const dictionarySchema = z
  .object({
    ...dictionaryFields,
    properties: z.record(z.string(), z.string()).optional(),
    provider: providerSchema.optional(),
  })
  .openapi('Dictionary');

/** A dictionary in a list: how many words it has, and what provides them. */
export const dictionaryItemSchema = z
  .object({ ...dictionaryFields, properties: z.int(), provider: z.literal('HTTP').optional() })
  .openapi('DictionaryListItem');

/** What a creation wants. */
export type DictionaryWish = z.infer<typeof createDictionarySchema>;
/** What an update wants. */
export type DictionaryUpdate = z.infer<typeof updateDictionarySchema>;
/** A dictionary as it is answered. */
export type DictionaryView = z.infer<typeof dictionarySchema>;

/** The dictionary for a reader, with what was fetched for it. */
export function dictionaryView(row: DictionaryRow, fetched: FetchedRow | undefined): DictionaryView {
  const words = wordsOf(fetched);
  return present({
    ...shared(row, fetched),
    properties:
      row.type === 'MANUAL'
        ? (JSON.parse(row.properties) as Record<string, string>)
        : words && Object.fromEntries(words),
    ...providerOf(row),
  });
}

/** The dictionary in a list. */
export function dictionaryItem(
  row: DictionaryRow,
  fetched: FetchedRow | undefined,
): z.infer<typeof dictionaryItemSchema> {
  return present({
    ...shared(row, fetched),
    properties:
      row.type === 'MANUAL'
        ? Object.keys(JSON.parse(row.properties) as object).length
        : (wordsOf(fetched)?.size ?? 0),
    provider: row.provider === null ? undefined : ('HTTP' as const),
  });
}

function shared(row: DictionaryRow, fetched: FetchedRow | undefined) {
  return {
    id: row.id,
    key: row.key,
    name: row.name,
    description: row.description === '' ? undefined : row.description,
    type: row.type as DictionaryView['type'],
    state: row.state as DictionaryView['state'],
    trigger: triggerOf(row),
    created_at: row.created_at_ms,
    updated_at: row.updated_at_ms,
    deployed_at: row.deployed_at_ms ?? undefined,
    last_fetch: fetchStateOf(fetched),
  };
}

function triggerOf(row: DictionaryRow): DictionaryView['trigger'] {
  return row.trigger === null ? undefined : (JSON.parse(row.trigger) as DictionaryView['trigger']);
}

/** Who provides the words of a dynamic dictionary, as it is kept. */
export function providerOf({
  provider,
}: Partial<Pick<DictionaryRow, 'provider'>>): Pick<DictionaryView, 'provider'> {
  return typeof provider === 'string'
    ? { provider: JSON.parse(provider) as DictionaryView['provider'] }
    : { provider: undefined };
}

/** What a dynamic dictionary asks for; its provider with its secrets open. */
export function sourceOf(
  row: DictionaryRow,
  { provider }: Pick<DictionaryView, 'provider'>,
): FetchSource | undefined {
  const trigger = triggerOf(row);
  if (provider === undefined || trigger === undefined) return undefined;
  const { configuration } = provider;
  return {
    ...configuration,
    transformation: configuration.specification,
    nextMs: (afterMs) => afterMs + everyMs(trigger),
  };
}

/** The key of a name: lower case, accents dropped, everything else a dash; '' when nothing is left. */
export function keyOfName(name: string): string {
  return name
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 64)
    .replaceAll(/^-+|-+$/g, '');
}
