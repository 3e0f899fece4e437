import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import type { z } from 'zod';

import { Fault, type FaultDetail } from '../faults/fault.ts';
import { nearest } from '../faults/nearest.ts';
import type { ConfigOptions, Layer } from './config.ts';
import { isPlain, unwrap } from './settings.ts';
import { systemWords } from './system-words.ts';

/** Names of the processes as they are sections of a file and prefixes of variables. */
export const processNames = ['control-plane', 'bridge', 'gateway', 'shipper', 'up'] as const;

const camel = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

const sectionNames: readonly string[] = [...processNames, ...processNames.map(camel)];
const isSection = (key: string): boolean => sectionNames.includes(key);

/** The layer of the file; faults of its outer form are added to `faults`. Errors: config.unreadable. */
export function fileLayer(schema: z.ZodObject, options: ConfigOptions, faults: FaultDetail[]): Layer {
  const file = options.file;
  if (file === undefined) return { values: {}, sourceOf: () => 'default' };
  const sourceOf = (): string => `file ${file}`;
  const content = readFile(file);
  if (content === undefined) return { values: {}, sourceOf };
  if (options.isSectioned !== true && !hasSections(content, schema)) {
    const slip = Object.keys(content).find(
      (key) => !Object.hasOwn(schema.shape, key) && isPlain(content[key]),
    );
    const meant = slip === undefined ? undefined : nearest(slip, processNames);
    if (slip === undefined || meant === undefined || nearest(slip, Object.keys(schema.shape)) !== undefined)
      return { values: content, sourceOf };
    faults.push(unknownKey(slip, [meant], sourceOf()));
    return { values: {}, sourceOf };
  }

  for (const key of Object.keys(content)) {
    if (!isSection(key) && key !== 'dataDir')
      faults.push(unknownKey(key, [...processNames, 'dataDir'], sourceOf()));
  }
  const own = content[options.process] ?? content[camel(options.process)] ?? {};
  if (!isPlain(own))
    faults.push({ path: options.process, message: `must be a group of keys (${sourceOf()})` });
  const forAll = 'dataDir' in content && 'dataDir' in schema.shape ? { dataDir: content['dataDir'] } : {};
  return { values: isPlain(own) ? { ...forAll, ...own } : forAll, sourceOf };
}

/**
 * Whether a file holds a section per process, and not the keys of the one process whose schema this is. Errors: config.unreadable.
 */
export function isSectionedFile(file: string, schema: z.ZodObject): boolean {
  const content = readFile(file);
  return content !== undefined && hasSections(content, schema);
}

/**
 * The processes that a file has a section for; undefined when it holds the keys of one process, whose schema this may be. Errors:
 * config.unreadable.
 */
export function sectionsOf(file: string, schema: z.ZodObject): readonly string[] | undefined {
  const content = readFile(file);
  if (content === undefined || !hasSections(content, schema)) return undefined;
  return processNames.filter((name) => Object.hasOwn(content, name) || Object.hasOwn(content, camel(name)));
}

/** A group `bridge` is also a setting of the gateway: it is a section beside one that can be nothing else, or when it holds what only that may. */
function hasSections(content: Readonly<Record<string, unknown>>, schema: z.ZodObject): boolean {
  const shape = schema.shape as Record<string, z.ZodType>;
  return Object.entries(content).some(
    ([key, value]) =>
      isSection(key) && (!Object.hasOwn(shape, key) || isSectionContent(value, shape[key] as z.ZodType)),
  );
}

/** Sections hold groups and lists, groups hold single values: a misspelt one among them is still a fault of the group. */
function isSectionContent(value: unknown, group: z.ZodType): boolean {
  const inner = unwrap(group);
  if (!isPlain(value) || !('shape' in inner)) return false;
  const own = Object.keys(inner.shape as object);
  const entries = Object.entries(value);
  if (entries.some(([key]) => own.includes(key))) return false;
  return entries.some(([, item]) => isPlain(item) || Array.isArray(item));
}

/** The rest of it quotes the file, secrets included. */
const firstLine = (message: string): string => message.split('\n')[0]?.replace(/:$/, '') ?? '';

/** The keys of a file; undefined when it is empty. */
function readFile(file: string): Readonly<Record<string, unknown>> | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new Fault('config.unreadable', {
      detail: `The configuration file ${file} ${systemWords(error)}.`,
      hint: 'Check --config for a slip, and whether the user of this process may read the file.',
      cause: error,
    });
  }
  let content: unknown;
  try {
    content = parseYaml(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new Fault('config.unreadable', {
      detail: `The configuration file ${file} cannot be read: ${error instanceof Error ? firstLine(error.message) : ''}`,
      hint: 'It is YAML in UTF-8; the place says where it is not.',
      cause: error,
    });
  }
  if (content === undefined || content === null) return undefined;
  if (!isPlain(content))
    throw new Fault('config.unreadable', { detail: `${file} holds no keys.`, internal: typeof content });
  return content;
}

/** Says that there is no such setting, and which one was meant. */
export function unknownKey(path: string, candidates: Iterable<string>, source: string): FaultDetail {
  const names = [...candidates];
  const near = nearest(path, names);
  const allowed =
    near === undefined
      ? names.length <= 12
        ? `; there are: ${names.join(', ')}`
        : ''
      : `; did you mean ${near}?`;
  return { path, message: `is not a setting${allowed} (${source})` };
}

const requireNow = createRequire(import.meta.url);

/**
 * Reads a YAML document, of which JSON is a part. The library is loaded with the first one: most gateways never see any.
 *
 * `maxAliasCount` bounds what a few lines can unfold to. Errors: Error with what the library says when it is none, with line and column.
 */
export function parseYaml(text: string, options: { readonly maxAliasCount?: number } = {}): unknown {
  // A `require`, since a configuration is read in one go.
  const { parse } = requireNow('yaml') as typeof Yaml;
  // Its warnings would go to standard error with the whole line in which something is.
  return withoutSource(() => parse(text, { ...options, logLevel: 'error' }));
}

/** What the library says of a text that is no YAML, with line and column, and without what stands there: that may be a secret. */
function withoutSource<Read>(read: () => Read): Read {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // Of brackets in brackets the library says that the stack has no more room, in an error of its own.
    if (error.message.startsWith('Maximum call stack size')) throw new RangeError('it is nested too deeply');
    const [what = ''] = firstLine(error.message).split(/: (?=.)|:$| at line \d/);
    const [place] = 'linePos' in error ? ((error as Yaml.YAMLParseError).linePos ?? []) : [];
    throw new Error(place === undefined ? what : `${what} at line ${place.line}, column ${place.col}`);
  }
}

/**
 * All documents of a YAML file, as `kubectl apply` takes them; empty ones are none.
 *
 * `maxAliasCount` bounds what a few lines can unfold to. Errors: that of the first document that is not YAML.
 */
export function parseYamlDocuments(
  text: string,
  options: { readonly maxAliasCount: number },
): readonly unknown[] {
  const { parseAllDocuments } = requireNow('yaml') as typeof Yaml;
  return withoutSource(() =>
    [...parseAllDocuments(text)].flatMap((document): readonly unknown[] => {
      const [error] = document.errors;
      if (error !== undefined) throw error;
      const content: unknown = document.toJS(options);
      return content === null || content === undefined ? [] : [content];
    }),
  );
}
