import type { z } from 'zod';

import { type Condition, compileCondition } from '../../../proto/expression/condition.ts';
import { compileTemplate, type Reading, type Template } from '../../../proto/expression/template.ts';
import { invariant } from '../../../proto/faults/fault.ts';
import {
  assertionPlaces,
  checkBodySchema,
  checkTargetSchema,
  type HealthCheckDefinition,
} from '../../../proto/model/api.ts';
import { headerValueSchema } from '../../../proto/model/head-text.ts';

/** What of a check is worked out once. */
export interface CompiledCheck {
  readonly target: Template<string>;
  readonly headers: readonly { readonly name: string; readonly value: Template<string> }[];
  readonly body: Template<string>;
  readonly assertion: Condition;
}

/** Compiles a check that was judged when its definition was read. */
export function compileCheck({ target, headers, body, assertion }: HealthCheckDefinition): CompiledCheck {
  const condition = compileCondition(assertion, assertionPlaces);
  invariant(!('kind' in condition), 'an assertion was judged when it was read');
  return {
    target: templateOf(target, checkTargetSchema),
    headers: headers.map(({ name, value }) => ({ name, value: templateOf(value, headerValueSchema) })),
    body: templateOf(body, checkBodySchema),
    assertion: condition,
  };
}

/** A field that may hold expressions, of a definition that was judged. */
export function templateOf(text: string, value: z.ZodType<string, string>, how?: Reading): Template<string> {
  const compiled = compileTemplate(text, value, how);
  invariant(compiled.kind !== 'refused', 'a definition was judged when it was read');
  return compiled;
}
