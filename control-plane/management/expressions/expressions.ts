import { z } from '@hono/zod-openapi';
import { type CheckedAs, checkExpressions, knownRoots } from '../../../proto/expression/check.ts';

/** What is to be checked: a text that may hold expressions, a condition of a step or flow, the selection rule of a plan. */
export const checkSchema = z
  .strictObject({
    text: z.string().max(65_536),
    kind: z.enum(['TEMPLATE', 'CONDITION', 'SELECTION_RULE']),
    phase: z.enum(['REQUEST', 'RESPONSE']).default('REQUEST'),
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

const kinds: Readonly<Record<z.infer<typeof checkSchema>['kind'], CheckedAs>> = {
  TEMPLATE: 'text',
  CONDITION: 'condition',
  SELECTION_RULE: 'rule',
};

/** Judges a text as a definition that holds it would be. */
export function checked({ text, kind, phase }: z.output<typeof checkSchema>): z.infer<typeof checkedSchema> {
  const { faults, warnings, needs, roots } = checkExpressions(text, {
    as: kinds[kind],
    phase: phase === 'REQUEST' ? 'request' : 'response',
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
