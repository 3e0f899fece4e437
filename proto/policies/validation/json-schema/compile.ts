import type { ErrorObject, ValidateFunction } from 'ajv';
import { LRUCache } from 'lru-cache';

import type { FaultDetail } from '../../../faults/fault.ts';
import { copySchema, isObject } from './copy.ts';
import { compilerOf, type Dialect, dialectNames, knowsKeyword } from './dialects.ts';
import { beginWork, TooMuchWork } from './work.ts';

/** Says of a value why it does not fit; undefined when it does. Never throws. */
export type JsonJudge = (value: unknown) => string | undefined;

/** What came of compiling one. */
export type CompiledSchema =
  | { readonly kind: 'schema'; readonly judge: JsonJudge }
  | { readonly kind: 'faults'; readonly faults: readonly FaultDetail[] };

/** Characters of a schema. */
export const schemaCharsMax = 262_144;
const known = new LRUCache<string, CompiledSchema>({ max: 200 });

/**
 * Compiles a schema out of its text, once; nothing outside of it is read: no other file, no address.
 *
 * Paths of faults are JSON pointers into it.
 */
export function compileSchema(text: string): CompiledSchema {
  const found = known.get(text);
  if (found !== undefined) return found;
  const compiled = compileText(text);
  known.set(text, compiled);
  return compiled;
}

function compileText(text: string): CompiledSchema {
  if (text.length > schemaCharsMax) return faulty('', `is longer than ${schemaCharsMax} characters`);
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch (error) {
    return faulty('', `is no JSON: ${messageOf(error)}`);
  }
  const dialect = dialectOf(schema);
  if (dialect === undefined)
    return faulty('/$schema', `is not known here; allowed: ${Object.keys(dialectNames).join(', ')}`);
  const compiler = compilerOf(dialect);
  const idKeyword = dialect === 'draft-04' ? 'id' : '$id';
  const ownId =
    isObject(schema) && typeof schema[idKeyword] === 'string'
      ? schema[idKeyword].replace(/#$/, '')
      : undefined;
  const wish = {
    isKnown: (keyword: string) => knowsKeyword(compiler, keyword),
    ownId: ownId === '' ? undefined : ownId,
  };
  const { copy, faults } = copySchema(schema, wish, idKeyword);
  return faults.length > 0 ? { kind: 'faults', faults } : compileCopy(copy, dialect);
}

function compileCopy(copied: object | boolean, dialect: Dialect): CompiledSchema {
  const compiler = compilerOf(dialect);
  beginWork();
  try {
    const validate = compiler.compile(copied);
    return { kind: 'schema', judge: judgeBy(validate) };
  } catch (error) {
    const missing =
      isObject(error) && typeof error['missingRef'] === 'string' ? error['missingRef'] : undefined;
    if (missing !== undefined)
      return faulty(
        '',
        `refers to ${JSON.stringify(missing)}, which is not in the schema; nothing outside of it is read`,
      );
    return faulty(
      '',
      error instanceof RangeError ? 'has more branches than can be compiled' : messageOf(error),
    );
  } finally {
    // It would keep each of them for ever.
    if (typeof copied === 'object') compiler.removeSchema(copied);
  }
}

function judgeBy(validate: ValidateFunction): JsonJudge {
  return (value) => {
    beginWork();
    try {
      return validate(value) ? undefined : wordsOf(validate.errors);
    } catch (error) {
      if (error instanceof TooMuchWork) return error.message;
      // A value that is nested deeper than the stack: it fits nothing.
      if (error instanceof RangeError) return 'is nested too deep to be judged';
      throw error;
    }
  };
}

/** Longest text about a fault. */
const saidCharsMax = 500;

/** The first of the reasons why a value does not fit. */
export function wordsOf(errors: readonly ErrorObject[] | null | undefined): string {
  const [first] = errors ?? [];
  if (first === undefined) return 'does not fit the schema';
  const { instancePath, message = 'does not fit', params } = first;
  const name: unknown = params['additionalProperty'] ?? params['unevaluatedProperty'];
  const more = typeof name === 'string' ? ` (${JSON.stringify(name)})` : '';
  return `${instancePath === '' ? '/' : instancePath} ${message}${more}`.slice(0, saidCharsMax);
}

/**
 * Without `$schema` it is draft-07; draft-04, which the reference takes it for, where it says what means something else there: `id`, and
 * `exclusiveMinimum` or `exclusiveMaximum` that are true or false.
 */
function dialectOf(schema: unknown): Dialect | undefined {
  const named = isObject(schema) ? schema['$schema'] : undefined;
  if (named === undefined) return saysDraft4(schema) ? 'draft-04' : 'draft-07';
  const name = typeof named === 'string' ? named.replace(/#$/, '') : '';
  return Object.hasOwn(dialectNames, name) ? dialectNames[name as keyof typeof dialectNames] : undefined;
}

function saysDraft4(schema: unknown): boolean {
  if (isObject(schema) && typeof schema['id'] === 'string') return true;
  const pending: unknown[] = [schema];
  for (let each = pending.pop(); each !== undefined; each = pending.pop()) {
    if (typeof each !== 'object' || each === null) continue;
    for (const [name, value] of Object.entries(each)) {
      if (/^exclusiveM(?:in|ax)imum$/.test(name) && typeof value === 'boolean') return true;
      pending.push(value);
    }
  }
  return false;
}

const faulty = (path: string, message: string): CompiledSchema => ({
  kind: 'faults',
  faults: [{ path, message }],
});
const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, saidCharsMax);
