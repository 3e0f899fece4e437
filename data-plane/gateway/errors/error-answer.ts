import type { ApiDefinition, ResponseTemplate } from '../../../proto/model/api.ts';
import type { Rejection } from '../../policies/policy.ts';
import type { EngineRules } from '../compile/engine.ts';
import { isAccepted, parseAccept } from './accept.ts';

/** An error as it goes out. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** Writes refusals in the words that an API's publisher chose, or in the reference's. */
export type ErrorWriter = (refusal: Rejection, accept: string | undefined) => ErrorAnswer;

type Templates = ReadonlyMap<string, readonly CompiledTemplate[]>;

interface CompiledTemplate {
  /** Lower case, without parameters. */
  readonly type: string;
  readonly status: number | undefined;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
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
  return (refusal, accept) => {
    const { key, parent } = refusal;
    const keys = parent === undefined || !hasParentTemplates ? [key, 'DEFAULT'] : [key, parent, 'DEFAULT'];
    const template = find(compiled, keys, accept);
    if (template === undefined) return writePlainError(refusal, accept);
    return {
      status: template.status ?? refusal.status,
      headers: [...refusal.headers, ...template.headers],
      body: template.body,
    };
  };
}

/** The reference's words: text without Accept, JSON when JSON or anything is accepted. */
export function writePlainError(refusal: Rejection, accept: string | undefined): ErrorAnswer {
  const isJson =
    accept !== undefined && parseAccept(accept).some(({ type }) => isAccepted(type, 'application/json'));
  const body = isJson
    ? JSON.stringify({ message: refusal.message, http_status_code: refusal.status })
    : refusal.message;
  return {
    status: refusal.status,
    headers: [...refusal.headers, ['Content-Type', isJson ? 'application/json' : 'text/plain']],
    body,
  };
}

function compileTemplate([type, template]: [string, ResponseTemplate]): CompiledTemplate {
  const headers: (readonly [string, string])[] = Object.entries(template.headers);
  const media = (type.split(';')[0] ?? '').trim().toLowerCase();
  const hasType = headers.some(([name]) => name.toLowerCase() === 'content-type');
  if (!hasType && template.body !== '') {
    headers.push(['Content-Type', media.includes('*') ? guessType(template.body) : type]);
  }
  return { type: media, status: template.status, headers, body: template.body };
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
