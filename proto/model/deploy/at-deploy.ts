import { z } from 'zod';

import { hasExpression } from '../../expression/find.ts';
import { noCall, type Surroundings } from '../../expression/scope.ts';
import { secretAt } from '../../expression/secrets.ts';
import { compileTemplate, compileText } from '../../expression/template.ts';

/**
 * Texts of a definition that are worked out once, when the API is deployed on a gateway: there is no request then, and what they come to is
 * judged as if it had been written down.
 */

/** What there is behind `#` when an API is deployed. */
const rootsAtDeploy: ReadonlySet<string> = new Set(['api', 'properties', 'dictionaries', 'node', 'secrets']);

/** What a schema says of such a field. */
export interface DeployMark {
  readonly isKnownAtDeploy: true;
}
const mark: DeployMark = { isKnownAtDeploy: true };

/**
 * A field that may hold such expressions; a text without them is judged by `value`. charsMax: of a text that holds some.
 *
 * Shape: `secret(atDeploy(z.string().max(256)))`; in and out, a text. Whoever runs it finds no expression in it any more.
 */
export function atDeploy(value: z.ZodType<string, string>, charsMax = 8_192) {
  return z
    .string()
    .transform((text, context) => {
      if (!hasExpression(text)) {
        const judged = value.safeParse(text);
        if (judged.success) return judged.data;
        for (const { message } of judged.error.issues) context.addIssue({ code: 'custom', message });
        return text;
      }
      const why = text.length > charsMax ? `has more than ${charsMax} characters` : whyNotAtDeploy(text);
      if (why !== undefined) context.addIssue({ code: 'custom', message: why });
      return text;
    })
    .meta({ ...mark });
}

/** Marks a field whose texts {@link whyNotAtDeploy} judges elsewhere, since they count only beside others. */
export function markAtDeploy<Schema extends z.ZodType>(schema: Schema): Schema {
  return schema.meta({ ...mark });
}

/** What is wrong with the expressions of a text, if they are to be worked out when the API is deployed; undefined where nothing is, or it has none. */
export function whyNotAtDeploy(text: string): string | undefined {
  const compiled = compileText(text);
  if (compiled.kind === 'plain') return undefined;
  if (compiled.kind === 'refused') return compiled.message;
  const unknown = [...compiled.reads.roots].find((root) => !rootsAtDeploy.has(root));
  if (unknown === undefined) return undefined;
  const known = [...rootsAtDeploy].map((root) => `#${root}`).join(', ');
  return `names #${unknown}, but is worked out once, when the API is deployed; allowed: ${known}`;
}

/** What such a text comes to, or why it comes to nothing; the reason holds no secret. */
export function workOut(
  text: string,
  surroundings: Surroundings,
): { readonly value: string } | { readonly why: string } {
  const compiled = compileTemplate(text, z.string());
  if (compiled.kind === 'refused') return { why: compiled.messages.join('; ') };
  // The API alone: nobody calls.
  const rendered = compiled.render({ ...noCall, surroundings });
  if (rendered.kind === 'value') return { value: rendered.value };
  if (rendered.kind === 'nothing') return { why: 'comes to nothing' };
  // What fails may quote what it was given.
  const missing = missingSecretIn(text, surroundings);
  if (missing !== undefined) return { why: missing };
  return {
    why: text.includes('#secrets') ? 'cannot be worked out' : `cannot be worked out: ${rendered.why}`,
  };
}

/** Why a secret that a text names is not there; undefined where all are, or the text does not say which. Names that places know count as known. */
export function missingSecretIn(
  text: string,
  { secrets }: Pick<Surroundings, 'secrets'>,
): string | undefined {
  if (!text.includes('#secrets')) return undefined;
  const compiled = compileText(text, { places });
  if (compiled.kind !== 'varying') return undefined;
  for (const { path, key } of compiled.reads.secrets) {
    const found = secretAt(path, key, secrets);
    if ('why' in found) return found.why;
  }
  return undefined;
}

const places: ReadonlySet<string> = new Set(['error', 'parameters', 'group', 'groupName', 'responseTime']);
