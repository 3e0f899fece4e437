import { z } from 'zod';

import { SyntaxFault } from '../expression/tokens.ts';
import type { ExpressionScope } from '../expression/scope.ts';
import type { Rendered } from '../expression/template.ts';
import { beginWork, endWork } from '../expression/work.ts';
import { callFunction, execute } from './execute.ts';
import { modelOf } from './model.ts';
import { checkNames } from './names.ts';
import { readTemplate, templateCharsMax } from './reader.ts';
import { isFailure, Run } from './run.ts';
import type { Node } from './tree.ts';
import { type Told, valueOf } from './values.ts';

/** A template, read and checked. */
export interface ContentTemplate {
  /** `buffered` when it may ask for the body of its phase. */
  readonly needs: 'head' | 'buffered';
  /** Why it cannot stand where there is no answer yet, which it names; undefined when it can. */
  readonly needsAnswer: string | undefined;
  /** What it makes for a request; never `nothing`. */
  render(scope: ExpressionScope): Rendered<string>;
}

/** What cannot be read, or is not supported, and where: a line and a character, both from 1. */
export interface RefusedTemplate {
  readonly kind: 'refused';
  readonly message: string;
}

/** A field that is a template of FreeMarker. Errors: what in it cannot be read, or is not supported, with line and character. */
export function contentTemplate() {
  return z
    .string()
    .max(templateCharsMax)
    .transform((text, context): ContentTemplate => {
      const compiled = compileContent(text);
      if (!('kind' in compiled)) return compiled;
      context.issues.push({ code: 'custom', message: compiled.message, input: text });
      return z.NEVER;
    });
}

/** Reads a template. */
export function compileContent(text: string): ContentTemplate | RefusedTemplate {
  try {
    const { body, definitions, readsContent } = readTemplate(text);
    const answerAt = checkNames({ body, definitions });
    return {
      needs: readsContent ? 'buffered' : 'head',
      needsAnswer:
        answerAt === undefined
          ? undefined
          : `${placeOf(text, answerAt)}: response is there in the response phase alone; (response.status)!"none" forgives that it is missing`,
      render(scope) {
        beginWork(scope);
        try {
          const run = new Run(modelOf(scope), { definitions, nowMs: scope.startedAtMs, callFunction });
          execute(body, run);
          return { kind: 'value', value: run.output };
        } catch (error) {
          if (isFailure(error)) return { kind: 'failed', why: error.message };
          throw error;
        } finally {
          endWork();
        }
      },
    };
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    return { kind: 'refused', message: `${placeOf(text, error.at)}: ${error.message}` };
  }
}

function placeOf(text: string, at: number): string {
  const before = text.slice(0, at).split(/\r\n|\n|\r/);
  return `line ${before.length}, character ${(before.at(-1)?.length ?? 0) + 1}`;
}

/** What a template is given by name: members for what has some, none for a text. */
export type GivenShape = Readonly<Record<string, readonly string[]>>;

/** What several renderings may do together: `{}` before the first. */
type SharedBudget = Parameters<typeof beginWork>[0];

/** A template over what its maker gives it, read and checked. */
export interface GivenTemplate {
  /** Fails where something is missing that it does not forgive, and past the bounds of this room; those that are handed one `budget` share it. */
  render(
    given: ReadonlyMap<string, Told>,
    nowMs: number,
    budget?: SharedBudget,
  ): { readonly kind: 'value'; readonly value: string } | { readonly kind: 'failed'; readonly why: string };
}

/**
 * Reads a template whose names are not those of a request. `html`: what it writes is escaped, as FreeMarker does for that output format,
 * but for what passes `?html` itself or stands in `<#noescape>`.
 */
export function compileGiven(
  text: string,
  { shape, output }: { readonly shape: GivenShape; readonly output: 'html' | 'text' },
): GivenTemplate | RefusedTemplate {
  try {
    const { body, definitions } = readTemplate(text, output === 'html' ? [inHtml] : []);
    const members = Object.entries(shape).map(([name, known]) => [name, () => known] as const);
    checkNames({ body, definitions }, new Map(members));
    return {
      render(given, nowMs, budget = {}) {
        beginWork(budget);
        try {
          const model = new Map([...given].map(([name, value]) => [name, valueOf(value)] as const));
          const run = new Run(model, { definitions, nowMs, callFunction });
          execute(body, run);
          return { kind: 'value', value: run.output };
        } catch (error) {
          if (isFailure(error)) return { kind: 'failed', why: error.message };
          throw error;
        } finally {
          endWork();
        }
      },
    };
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    return { kind: 'refused', message: `${placeOf(text, error.at)}: ${error.message}` };
  }
}

const inHtml = (of: Node): Node =>
  of.kind === 'built-in' && of.name === 'html'
    ? of
    : { kind: 'built-in', of, name: 'html', args: [], at: of.at };
