import { z } from '@hono/zod-openapi';
import { type CheckedAs, checkExpressions, knownRoots } from '../../../proto/expression/check.ts';
import { typeNames, typeOf } from '../../../proto/expression/java/types.ts';
import { attributeWords } from '../../../proto/expression/known/attributes.ts';
import { kindsByPath, kindWords, methodResults } from '../../../proto/expression/known/kinds.ts';
import { methodNamesOf } from '../../../proto/expression/methods.ts';

/** Roots that are known in one place of a definition alone. */
const placed = knownRoots().flatMap(({ name, place }) => (place === undefined ? [] : [name]));

/** What is to be checked: a text that may hold expressions, a condition of a step or flow, the selection rule of a plan. */
export const checkSchema = z
  .strictObject({
    text: z.string().max(65_536),
    kind: z.enum(['TEMPLATE', 'CONDITION', 'SELECTION_RULE']),
    phase: z.enum(['REQUEST', 'RESPONSE']).default('REQUEST'),
    /** Roots that are known where a TEMPLATE stands and nowhere else. */
    places: z.array(z.enum(placed)).max(placed.length).optional(),
  })
  .openapi('ExpressionCheck');

const faultSchema = z
  .object({
    message: z.string(),
    /** Where in the text, counted in characters from 0. */
    at: z.int(),
  })
  .openapi('ExpressionFault');

/** What is said of it. */
export const checkedSchema = z
  .object({
    ok: z.boolean(),
    /** What a definition with it is refused for. */
    faults: z.array(faultSchema),
    /** What is accepted, and fails in that phase. */
    warnings: z.array(faultSchema),
    /** Whether it waits for the body. */
    needsBody: z.boolean(),
    /** What it names behind `#`. */
    roots: z.array(z.string()),
  })
  .openapi('ExpressionChecked');

/** What an expression may name behind `#`. */
export const knownSchema = z
  .array(
    z
      .object({
        name: z.string(),
        isFunction: z.boolean(),
        /** Absent where any name may stand behind it, or none. */
        members: z.array(z.string()).optional(),
        /** The one place where it is known. */
        place: z.string().optional(),
      })
      .openapi('ExpressionRoot'),
  )
  .openapi('ExpressionRoots');

/** What an editor offers while an expression is written. */
export const wordsSchema = z
  .object({
    /** What can be named behind `#`, by path, and of what kind it is; `[]` stands for what is in it. */
    kinds: z.record(z.string(), z.string()),
    /** The methods of each kind. */
    methods: z.record(z.string(), z.array(z.string())),
    /** The kind of what a method gives, where it is always the same. */
    results: z.record(z.string(), z.string()),
    /** What may stand in `T(...)`, and what it can do. */
    types: z.record(z.string(), z.array(z.string())),
    /** Attributes that gateways set, and what each of them is. */
    attributes: z.record(z.string(), z.string()),
  })
  .openapi('ExpressionWords');

const kinds: Readonly<Record<z.infer<typeof checkSchema>['kind'], CheckedAs>> = {
  TEMPLATE: 'text',
  CONDITION: 'condition',
  SELECTION_RULE: 'rule',
};

/** Judges a text as a definition that holds it would be. */
export function checked({
  text,
  kind,
  phase,
  places,
}: z.output<typeof checkSchema>): z.infer<typeof checkedSchema> {
  const { faults, warnings, needs, roots } = checkExpressions(text, {
    as: kinds[kind],
    phase: phase === 'REQUEST' ? 'request' : 'response',
    ...(places && { places: new Set(places) }),
  });
  return {
    ok: faults.length === 0,
    faults: [...faults],
    warnings: [...warnings],
    needsBody: needs === 'buffered',
    roots: [...roots],
  };
}

/** All that can stand behind `#` in this version. */
export const known = (): z.infer<typeof knownSchema> =>
  knownRoots().map(({ members, ...root }) => ({ ...root, ...(members && { members: [...members] }) }));

/** Everything that can be written in this version behind a root. */
export const words = (): z.infer<typeof wordsSchema> => ({
  kinds: Object.fromEntries(kindsByPath()),
  methods: Object.fromEntries(
    Object.keys(kindWords).map((kind) => [kind, [...methodNamesOf(kind)].toSorted()]),
  ),
  results: Object.fromEntries(methodResults),
  types: Object.fromEntries(
    // As it is written: what is of java.lang needs no package.
    typeNames().map((name) => [
      name.replace(/^java\.lang\./, ''),
      [...(typeOf(name)?.keys() ?? [])].toSorted(),
    ]),
  ),
  attributes: Object.fromEntries(attributeWords),
});
