import { z } from 'zod';

import type { ConditionScope } from '../../../proto/expression/condition.ts';
import { type ExpressionScope, withVariables } from '../../../proto/expression/scope.ts';
import { compileTemplate as compileText, type Template } from '../../../proto/expression/template.ts';
import { invariant } from '../../../proto/faults/fault.ts';
import { type ApiDefinition, errorPlaces, type ResponseTemplate } from '../../../proto/model/api.ts';
import { headerValueSchema } from '../../../proto/model/head-text.ts';
import type { Rejection } from '../../policies/policy.ts';
import type { EngineRules } from '../compile/engine.ts';
import { isAccepted, parseAccept } from './accept.ts';
import { connectionErrorKey } from './refusals.ts';

/** Longest body that the expressions of a template may make. */
const bodyCharsMax = 1_000_000;

/** An error as it goes out. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** Writes refusals in the words that an API's publisher chose, or in the reference's. */
export type ErrorWriter = (
  refusal: Rejection,
  accept: string | undefined,
  asked?: AskedInVain,
) => ErrorAnswer;

/** The request that is refused, for expressions. */
export interface AskedInVain {
  readonly scope: ConditionScope;
  /** What the backend, or the gateway, knows of the cause. */
  readonly cause: string | undefined;
}

type Templates = ReadonlyMap<string, readonly CompiledTemplate[]>;

interface CompiledTemplate {
  /** Lower case, without parameters. */
  readonly type: string;
  readonly status: number | undefined;
  readonly headers: readonly (readonly [name: string, value: Template<string>])[];
  readonly body: Template<string>;
}

/**
 * Compiles response templates: the refusal's key, its parent key, then DEFAULT; of the first that has one, the template for
 * the accepted type, then the one for any type.
 */
export function createErrorWriter(
  templates: ApiDefinition['responseTemplates'],
  { hasParentTemplates }: EngineRules,
): ErrorWriter {
  const compiled: Templates = new Map(
    Object.entries(templates).map(([key, byType]) => [key, Object.entries(byType).map(compileTemplate)]),
  );
  if (compiled.size === 0) return writePlainError;
  return (refusal, accept, asked) => {
    const { key, parent } = refusal;
    const keys = parent === undefined || !hasParentTemplates ? [key, 'DEFAULT'] : [key, parent, 'DEFAULT'];
    const template = find(compiled, keys, accept);
    if (template === undefined) return writePlainError(refusal, accept);
    const status = template.status ?? refusal.status;
    const render = rendererOf(refusal, asked);
    const headers = template.headers.flatMap(([name, value]) => {
      const text = render(value);
      return text === undefined ? [] : [[name, text] as const];
    });
    return { status, headers: [...refusal.headers, ...headers], body: render(template.body) ?? '' };
  };
}

/** The refusal's own content, or the reference's words: text without Accept, JSON when JSON or anything is accepted. */
export function writePlainError(refusal: Rejection, accept: string | undefined): ErrorAnswer {
  const { status, content } = refusal;
  if (content !== undefined)
    return { status, headers: [...refusal.headers, ['Content-Type', content.type]], body: content.body };
  const isJson =
    accept !== undefined && parseAccept(accept).some(({ type }) => isAccepted(type, 'application/json'));
  const body = isJson
    ? JSON.stringify({ message: refusal.message, http_status_code: status })
    : refusal.message;
  return {
    status,
    headers: [...refusal.headers, ['Content-Type', isJson ? 'application/json' : 'text/plain']],
    body,
  };
}

function compileTemplate([type, template]: [string, ResponseTemplate]): CompiledTemplate {
  const headers = Object.entries(template.headers).map(
    ([name, value]) => [name, templateOf(value, headerValueSchema)] as const,
  );
  const media = (type.split(';')[0] ?? '').trim().toLowerCase();
  const hasType = headers.some(([name]) => name.toLowerCase() === 'content-type');
  if (!hasType && template.body !== '') {
    const own = media.includes('*') ? guessType(template.body) : type;
    headers.push(['Content-Type', templateOf(own, headerValueSchema)]);
  }
  return { type: media, status: template.status, headers, body: templateOf(template.body, bodyText) };
}

const bodyText = z.string().max(bodyCharsMax);
const places: ReadonlySet<string> = new Set(errorPlaces);

/** What was judged when the definition was read. */
function templateOf(text: string, value: z.ZodType<string, string>): Template<string> {
  const compiled = compileText(text, value, { places });
  invariant(compiled.kind !== 'refused', 'a template was judged when it was read');
  return compiled;
}

/** A header that fails or comes to nothing is left out, a body is empty then, as in the reference. */
function rendererOf(
  refusal: Rejection,
  asked: AskedInVain | undefined,
): (template: Template<string>) => string | undefined {
  let scope: ExpressionScope | undefined;
  return (template) => {
    if (template.kind === 'constant') return template.value;
    if (asked === undefined) return undefined;
    scope ??= withVariables(
      asked.scope,
      new Map<string, unknown>([
        [
          'error',
          {
            // Of what went wrong, whatever status the template answers with.
            statusCode: refusal.status,
            key: refusal.key,
            // A connection that failed has a cause and no message, as in the reference.
            message: refusal.parent === connectionErrorKey ? '' : refusal.message,
            cause: asked.cause ?? refusal.message,
          },
        ],
        ['parameters', refusal.parameters],
      ]),
    );
    const rendered = template.render(scope);
    if (rendered.kind === 'failed') asked.scope.warn('EXPRESSION_EVALUATION_ERROR', rendered.why);
    return rendered.kind === 'value' ? rendered.value : undefined;
  };
}

/** A template for a range of types does not say which it is. */
function guessType(body: string): string {
  return /^\s*[[{]/.test(body) ? 'application/json' : 'text/plain';
}

function find(
  templates: Templates,
  keys: readonly string[],
  accept: string | undefined,
): CompiledTemplate | undefined {
  for (const candidate of keys) {
    const byType = templates.get(candidate);
    const template = byType === undefined ? undefined : choose(byType, accept);
    if (template !== undefined) return template;
  }
  return undefined;
}

function choose(
  byType: readonly CompiledTemplate[],
  accept: string | undefined,
): CompiledTemplate | undefined {
  for (const { type } of accept === undefined ? [] : parseAccept(accept)) {
    const exact = type === '*/*' ? undefined : byType.find((template) => isAccepted(type, template.type));
    if (exact !== undefined) return exact;
    if (type === '*/*') break;
  }
  return byType.find((template) => template.type === '*/*') ?? firstForAny(byType, accept);
}

/** Who takes anything gets the first template there is; who says nothing only one for any type. */
function firstForAny(
  byType: readonly CompiledTemplate[],
  accept: string | undefined,
): CompiledTemplate | undefined {
  return accept !== undefined && parseAccept(accept).some(({ type }) => type === '*/*')
    ? byType[0]
    : undefined;
}
