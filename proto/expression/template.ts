import { z } from 'zod';

import { type Piece, piecesOf, shown } from './find.ts';
import { language as thisVersion } from './language.ts';
import type { ExpressionScope } from './scope.ts';
import { type FailedRendering, failedOf } from './failure.ts';
import { toText, type Value as ExpressionValue } from './values.ts';

/** A field of a definition that may hold expressions, compiled. */
export type Template<Value> = ConstantTemplate<Value> | VaryingTemplate<Value>;

/** Nothing of a request is in it: a policy works it out once, when the definition is compiled. */
export interface ConstantTemplate<Value> {
  readonly kind: 'constant';
  readonly value: Value;
  /** For whoever need not know the difference. */
  render(scope: ExpressionScope, judge?: JudgePieces): Rendered<Value>;
}

/** Each request has its own. */
export interface VaryingTemplate<Value> {
  readonly kind: 'varying';
  /** What rendering needs of the body of its phase; a hook that renders needs it too. */
  readonly needs: TemplateNeeds;
  /** judge: asked in the place of the one that it was compiled with. */
  render(scope: ExpressionScope, judge?: JudgePieces): Rendered<Value>;
}

/** `buffered` when an expression names the content. */
export type TemplateNeeds = 'head' | 'buffered';

/** What came of rendering. The policy says what it does where it failed, or came to nothing (the reference's null). */
export type Rendered<Value> =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'nothing' }
  | FailedRendering;

/** Reads the source of one expression, without its braces. places: names behind `#` that are known where it stands and nowhere else. */
export type Language = (
  source: string,
  places?: ReadonlySet<string>,
) => CompiledExpression | RefusedExpression;

/** One expression that cannot be read, or names what is not known. */
export interface RefusedExpression {
  readonly kind: 'refused';
  readonly message: string;
  /** Where in its source, counted in characters from 0. */
  readonly at: number;
}

/** What expressions name, as far as it can be told without a request. */
export interface ExpressionReads {
  /** Behind `#`, functions aside. */
  readonly roots: ReadonlySet<string>;
  /** Secrets whose path and key are written down. */
  readonly secrets: readonly SecretName[];
}

/** A secret as it is written: `/env/NAME`, `/file/path:key`, or path and key. */
export interface SecretName {
  readonly path: string;
  readonly key: string | undefined;
}

/** One expression, read and checked. */
export interface CompiledExpression {
  readonly kind: 'compiled';
  readonly needs: TemplateNeeds;
  /** Absent where a test brings its own language. */
  readonly reads?: ExpressionReads | undefined;
  /** Its value is the definition's, whatever a request brings. Absent: it is not. */
  readonly isOwn?: boolean | undefined;
  /** Of a text that is put together what of the definition it begins with. */
  readonly beginning?: ((scope: ExpressionScope) => Rendered<ExpressionValue>) | undefined;
  /** Its value with its type; null is nothing. */
  evaluate(scope: ExpressionScope): Rendered<ExpressionValue>;
}

/** Most characters of a text that several expressions make. */
const joinedCharsMax = 1_000_000;
/** A longer text is judged each time, so that nothing large is kept. */
const keptCharsMax = 4_096;

/** What its schema says of such a field, for the reference. */
const mayHoldExpressions = { mayHoldExpressions: true } as const;

/**
 * A field that may hold an expression; its value, written down or rendered, is what `value` says.
 *
 * Shape:  `template(z.string().max(64)).prefault('')`; in, a text; out, a Template of what `value` gives.
 *         places: names that are known in this field and nowhere else, e.g. `['group']`.
 * Errors: those of `value` for a text without expressions; an expression that the language does not know is named, with its place.
 */
export function template<Value>(value: z.ZodType<Value, string>, places?: readonly string[]) {
  return z
    .string()
    .meta(mayHoldExpressions)
    .transform((text, context): Template<Value> => {
      const compiled = compileTemplate(text, value, { places: new Set(places) });
      if (compiled.kind !== 'refused') return compiled;
      for (const message of compiled.messages) context.issues.push({ code: 'custom', message, input: text });
      return z.NEVER;
    });
}

/** A field whose value keeps its type, as attributes do: a text without expressions is itself. */
export interface TypedTemplate {
  readonly needs: TemplateNeeds;
  evaluate(scope: ExpressionScope, judge?: JudgePieces): Rendered<ExpressionValue>;
}

/** Such a field. charsMax: of the text as it is written; places: as in `template`. */
export function typedTemplate(charsMax: number, places?: readonly string[]) {
  return z
    .string()
    .max(charsMax)
    .meta(mayHoldExpressions)
    .transform((text, context): TypedTemplate => {
      const compiled = compileText(text, { places: new Set(places) });
      if (compiled.kind === 'varying') return compiled;
      if (compiled.kind === 'plain')
        return { needs: 'head', evaluate: () => ({ kind: 'value', value: text }) };
      context.issues.push({ code: 'custom', message: compiled.message, input: text });
      return z.NEVER;
    });
}

/** Says whether all of them are known when a definition is compiled. */
export function isConstant(templates: readonly Template<unknown>[]): boolean {
  return templates.every(({ kind }) => kind === 'constant');
}

/** What a hook that renders them all needs of the body of its phase. */
export function needsOf(templates: readonly (Template<unknown> | TypedTemplate)[]): TemplateNeeds {
  return templates.some((each) => 'needs' in each && each.needs === 'buffered') ? 'buffered' : 'head';
}

/** How expressions are read: by this version's language, unless a test brings its own. */
export interface Reading {
  readonly language?: Language | undefined;
  readonly places?: ReadonlySet<string> | undefined;
  readonly judge?: JudgePieces | undefined;
}

/** Says why a text that these pieces make may not be used; undefined when it may. */
export type JudgePieces = (pieces: readonly JoinedPiece[]) => string | undefined;

/** One piece of a text that is made for a request. */
export interface JoinedPiece {
  readonly text: string;
  /** It is the definition's: written down, or of an expression that reads nothing of the request. */
  readonly isOwn: boolean;
}

/** Compiles one, or says what is wrong with it. */
export function compileTemplate<Value>(
  text: string,
  value: z.ZodType<Value, string>,
  how: Reading = {},
): Template<Value> | { readonly kind: 'refused'; readonly messages: readonly string[] } {
  const compiled = compileText(text, how);
  if (compiled.kind === 'varying') return varying(compiled, value);
  if (compiled.kind === 'refused') return { kind: 'refused', messages: [compiled.message] };
  const parsed = value.safeParse(text);
  if (!parsed.success)
    return { kind: 'refused', messages: parsed.error.issues.map(({ message }) => message) };
  return constant(parsed.data);
}

/** A text with expressions in it. */
export interface VaryingText {
  readonly kind: 'varying';
  readonly needs: TemplateNeeds;
  readonly reads: ExpressionReads;
  /** An expression alone keeps the type of its value; among other texts it becomes one. */
  readonly evaluate: (scope: ExpressionScope, judge?: JudgePieces) => Rendered<ExpressionValue>;
}

/** Compiles a text whose value keeps its type; `plain` has no expression in it. */
export function compileText(
  text: string,
  { language = thisVersion, places, judge }: Reading = {},
): VaryingText | { readonly kind: 'plain' } | { readonly kind: 'refused'; readonly message: string } {
  const pieces = piecesOf(text);
  if (pieces.every((piece) => piece.kind === 'text')) return { kind: 'plain' };
  const parts: (string | CompiledExpression)[] = [];
  for (const piece of pieces) {
    const part =
      piece.kind === 'text' ? piece.text : piece.isClosed ? language(piece.source, places) : unclosed(piece);
    if (typeof part !== 'string' && part.kind === 'refused')
      return { kind: 'refused', message: refusalOf(piece, part) };
    parts.push(part);
  }
  const [only] = parts;
  const reads = readsOf(parts);
  // What is the definition's own may do anything.
  const isOwn = parts.every((part) => typeof part === 'string' || part.isOwn === true);
  const isBuffered = parts.some((part) => typeof part !== 'string' && part.needs === 'buffered');
  const needs = isBuffered ? 'buffered' : 'head';
  if (only !== undefined && typeof only !== 'string' && parts.length === 1)
    return {
      kind: 'varying',
      needs,
      reads,
      evaluate: (scope, asked = judge) =>
        asked === undefined || isOwn ? only.evaluate(scope) : judgedAlone(only, scope, asked),
    };
  return {
    kind: 'varying',
    needs,
    reads,
    evaluate: (scope, asked = judge) => join(parts, scope, isOwn ? undefined : asked),
  };
}

function readsOf(parts: readonly (string | CompiledExpression)[]): ExpressionReads {
  const all = parts.flatMap((part) => (typeof part === 'string' ? [] : (part.reads ?? [])));
  return {
    roots: new Set(all.flatMap(({ roots }) => [...roots])),
    secrets: all.flatMap(({ secrets }) => secrets),
  };
}

const unclosed = ({ source }: { readonly source: string }): RefusedExpression => ({
  kind: 'refused',
  message: 'its closing brace is missing',
  at: source.length,
});

function refusalOf(piece: Piece, { message, at }: RefusedExpression): string {
  const source = piece.kind === 'expression' ? piece.source : '';
  return `holds ${shown(source)}: ${message} (at its character ${at + 1})`;
}

function constant<Value>(value: Value): ConstantTemplate<Value> {
  const rendered = { kind: 'value', value } as const;
  return { kind: 'constant', value, render: () => rendered };
}

function varying<Value>(
  { needs, evaluate }: VaryingText,
  value: z.ZodType<Value, string>,
): VaryingTemplate<Value> {
  // Most make the same text again and again, and a schema costs more than all the rest.
  let last:
    | { readonly text: string; readonly rendered: { readonly kind: 'value'; readonly value: Value } }
    | undefined;
  return {
    kind: 'varying',
    needs,
    render(scope, judge) {
      const evaluated = evaluate(scope, judge);
      if (evaluated.kind !== 'value') return evaluated;
      const written = textOf(evaluated.value);
      if (written.kind !== 'value') return written;
      if (last?.text === written.value) return last.rendered;
      const judged = value.safeParse(written.value);
      if (judged.success) {
        const rendered = { kind: 'value', value: judged.data } as const;
        if (written.value.length <= keptCharsMax) last = { text: written.value, rendered };
        return rendered;
      }
      return { kind: 'failed', why: judged.error.issues[0]?.message ?? 'is not what the field takes' };
    },
  };
}

/** Among other texts nothing is an empty text. */
function join(
  parts: readonly (string | CompiledExpression)[],
  scope: ExpressionScope,
  judge: Reading['judge'],
): Rendered<string> {
  const pieces: JoinedPiece[] | undefined = judge === undefined ? undefined : [];
  let text = '';
  for (const part of parts) {
    if (typeof part === 'string') {
      text += part;
      pieces?.push({ text: part, isOwn: true });
      continue;
    }
    const evaluated = part.evaluate(scope);
    if (evaluated.kind === 'failed') return evaluated;
    if (evaluated.kind === 'nothing') continue;
    const written = textOf(evaluated.value);
    if (written.kind === 'failed') return written;
    if (written.kind === 'value') {
      text += written.value;
      pieces?.push(...piecesFrom(part, written.value, scope));
    }
    if (text.length > joinedCharsMax)
      return { kind: 'failed', why: `a text becomes longer than ${joinedCharsMax} characters` };
  }
  const why = pieces === undefined ? undefined : judge?.(pieces);
  return why === undefined ? { kind: 'value', value: text } : { kind: 'failed', why };
}

/** A value that stands alone keeps its type; only a text is judged. */
function judgedAlone(
  part: CompiledExpression,
  scope: ExpressionScope,
  judge: JudgePieces,
): Rendered<ExpressionValue> {
  const evaluated = part.evaluate(scope);
  if (evaluated.kind !== 'value') return evaluated;
  const written = textOf(evaluated.value);
  const why = written.kind === 'value' ? judge(piecesFrom(part, written.value, scope)) : undefined;
  return why === undefined ? evaluated : { kind: 'failed', why };
}

function piecesFrom(part: CompiledExpression, text: string, scope: ExpressionScope): readonly JoinedPiece[] {
  if (part.isOwn === true) return [{ text, isOwn: true }];
  const first = part.beginning?.(scope);
  const begun = first?.kind === 'value' ? textOf(first.value) : undefined;
  const own = begun?.kind === 'value' && text.startsWith(begun.value) ? begun.value : '';
  return [
    { text: own, isOwn: true },
    { text: text.slice(own.length), isOwn: false },
  ];
}

function textOf(value: ExpressionValue): Rendered<string> {
  try {
    const text = toText(value);
    return text === null ? { kind: 'nothing' } : { kind: 'value', value: text };
  } catch (error) {
    return failedOf(error);
  }
}
