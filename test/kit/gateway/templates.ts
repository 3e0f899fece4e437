import { z } from 'zod';

import { compileTemplate, type Rendered, type VaryingTemplate } from '../../../proto/expression/template.ts';
import { type Value as ExpressionValue, valueOf } from '../../../proto/expression/values.ts';

/** A template that renders an attribute of the request: nothing where there is none, a failure where it is an Error. */
export function attributeTemplate<Value>(
  name: string,
  value: z.ZodType<Value, string>,
  needs: 'head' | 'buffered' = 'head',
): VaryingTemplate<Value> {
  const evaluate = (attributes: Pick<ReadonlyMap<string, unknown>, 'get'>): Rendered<ExpressionValue> => {
    const found = attributes.get(name);
    if (found instanceof Error) return { kind: 'failed', why: found.message };
    return found === undefined ? { kind: 'nothing' } : { kind: 'value', value: valueOf(found) };
  };
  const made = compileTemplate(`{#${name}}`, value, {
    language: () => ({
      kind: 'compiled',
      needs,
      evaluate: ({ attributes }) => evaluate(attributes),
    }),
  });
  if (made.kind !== 'varying') throw new Error('it does not vary');
  return made;
}

/** A whole number, as limits are. */
export const numberText = z.string().regex(/^\d+$/).transform(Number);
