import { createRequire } from 'node:module';
import type * as Ajv7 from 'ajv';
import type * as Ajv2019 from 'ajv/dist/2019.js';
import type * as Ajv2020 from 'ajv/dist/2020.js';
import type AjvCore from 'ajv/dist/core.js';
import type * as Ajv4 from 'ajv-draft-04';
import type { FormatsPlugin } from 'ajv-formats';

import { patternOf } from '../../../expression/patterns.ts';
import { unionKeywords } from './unions.ts';
import { areUnique, spend, spendFor, type Weight } from './work.ts';

/** Versions of JSON Schema, by what `$schema` says without its `#`. */
export const dialectNames = {
  'http://json-schema.org/draft-04/schema': 'draft-04',
  'http://json-schema.org/draft-06/schema': 'draft-07',
  'http://json-schema.org/draft-07/schema': 'draft-07',
  'https://json-schema.org/draft/2019-09/schema': '2019-09',
  'https://json-schema.org/draft/2020-12/schema': '2020-12',
} as const;

/** A version of JSON Schema. */
export type Dialect = (typeof dialectNames)[keyof typeof dialectNames];

/** The keyword that pays for its subschema; no schema of a publisher has it, since it is unknown there. */
export const weightKeyword = '$weight';

/** Half a megabyte of code, which a gateway without schemas never loads. */
const requireNow = createRequire(import.meta.url);

const made = new Map<Dialect, AjvCore.default>();

/** What compiles schemas of a dialect; made with the first of them. */
export function compilerOf(dialect: Dialect): AjvCore.default {
  const known = made.get(dialect);
  if (known !== undefined) return known;
  const compiler = createCompiler(dialect);
  made.set(dialect, compiler);
  return compiler;
}

const options: Ajv7.Options = {
  // Each reference is a function of its own: written out in place they double with each level.
  inlineRefs: false,
  addUsedSchema: false,
  logger: false,
  allErrors: false,
  // What is not known is refused, so that a slip of the pen is not taken for a rule.
  strictSchema: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  allowUnionTypes: true,
  allowMatchingProperties: true,
  code: { regExp: Object.assign(linearPattern, { code: 'linearPattern' }) },
};

/** Makes a compiler for schemas that it will know as long as it is there. */
export function createCompiler(dialect: Dialect): AjvCore.default {
  const compiler = bare(dialect);
  const { default: addFormats } = requireNow('ajv-formats') as { default: FormatsPlugin };
  addFormats(compiler as Ajv7.Ajv);
  boundFormats(compiler);
  compiler.addKeyword({
    keyword: weightKeyword,
    errors: false,
    validate: (weight: Weight, value: unknown) => spendFor(weight, value),
  });
  // The library compares each item with each.
  compiler.removeKeyword('uniqueItems');
  compiler.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    error: { message: 'must NOT have duplicate items' },
    validate: (isWanted: boolean, list: readonly unknown[]) => !isWanted || areUnique(list),
  });
  for (const keyword of unionKeywords) {
    compiler.removeKeyword(keyword.keyword as string);
    compiler.addKeyword(keyword);
  }
  const notes = [
    'example',
    'examples',
    'deprecated',
    'readOnly',
    'writeOnly',
    'xml',
    'externalDocs',
    'discriminator',
  ];
  for (const note of [...notes, '$comment', 'contentMediaType', 'contentEncoding', 'contentSchema'])
    if (!knowsKeyword(compiler, note)) compiler.addKeyword(note);
  return compiler;
}

/** Says whether a keyword means something to a compiler, be it a note for people. */
export const knowsKeyword = ({ RULES }: AjvCore.default, keyword: string): boolean =>
  Object.hasOwn(RULES.keywords, keyword);

/** Says whether values are held against a format. */
export const knowsFormat = ({ formats }: AjvCore.default, format: string): boolean =>
  Object.hasOwn(formats, format);

function bare(dialect: Dialect): AjvCore.default {
  switch (dialect) {
    case 'draft-04': {
      const { default: Draft4 } = requireNow('ajv-draft-04') as { default: typeof Ajv4.default.default };
      return new Draft4(options);
    }
    case 'draft-07': {
      const { Ajv } = requireNow('ajv') as typeof Ajv7;
      const compiler = new Ajv(options);
      compiler.addMetaSchema(requireNow('ajv/dist/refs/json-schema-draft-06.json') as object);
      return compiler;
    }
    case '2019-09':
      return new (requireNow('ajv/dist/2019') as typeof Ajv2019).Ajv2019(options);
    case '2020-12':
      return new (requireNow('ajv/dist/2020') as typeof Ajv2020).Ajv2020(options);
  }
}

/** A pattern by the engine that takes linear time; the text that names it tells it apart. */
function linearPattern(pattern: string): { test(text: string): boolean; toString(): string } {
  const compiled = patternOf(pattern);
  return {
    test(text) {
      spend(1 + ((text.length * compiled.programSize()) >> 6));
      return compiled.test(text);
    },
    toString: () => `linear ${pattern}`,
  };
}

/** Longest text that is held against a format; a longer one is of none. Formats of any text have no bound. */
const formatCharsMax = 1_024;
const anyText: ReadonlySet<string> = new Set(['byte', 'binary', 'password']);

/** Some formats take time that grows with the square of a text. */
function boundFormats(compiler: AjvCore.default): void {
  for (const [name, format] of Object.entries(compiler.formats)) {
    if (anyText.has(name) || format === undefined || format === true) continue;
    const test = testOf(format);
    if (test === undefined) continue;
    compiler.addFormat(name, {
      type: 'string',
      validate(text: string) {
        if (text.length > formatCharsMax) return false;
        spend(1 + ((text.length * text.length) >> 6));
        return test(text);
      },
    });
  }
}

function testOf(format: Exclude<Ajv7.Format, string> | Ajv7.AsyncFormatDefinition<string> | true) {
  if (typeof format === 'function') return format;
  if (format instanceof RegExp) return (text: string) => format.test(text);
  if (typeof format !== 'object' || !('validate' in format) || ('type' in format && format.type === 'number'))
    return undefined;
  const { validate } = format;
  if (validate instanceof RegExp) return (text: string) => validate.test(text);
  return typeof validate === 'function' ? (validate as (text: string) => boolean) : undefined;
}
