import { createRequire } from 'node:module';
import { LRUCache } from 'lru-cache';
import type * as Yaml from 'yaml';

import type { FaultDetail } from '../../../faults/fault.ts';
import { isObject } from '../json-schema/copy.ts';
import type { SchemasTogether } from '../json-schema/together.ts';
import { memberOf, membersOf, type Placed, resolved } from './document.ts';
import { type OasOperation, operationsMax, operationsOf, type Reading } from './operations.ts';
import { PathTable } from './paths.ts';
import { OasSchemas } from './schemas.ts';

/** Characters of a document; of YAML, which takes a hundred times as long to read. */
export const oasCharsMax = 1_048_576;
export const oasYamlCharsMax = 262_144;

/** An OpenAPI document, as messages are held against it. */
export interface Oas {
  /** Operations by method, by path. */
  readonly paths: PathTable<ReadonlyMap<string, OasOperation>>;
  readonly schemas: SchemasTogether;
}

/** What came of reading one. */
export type ReadOas =
  | { readonly kind: 'oas'; readonly oas: Oas }
  | { readonly kind: 'faults'; readonly faults: readonly FaultDetail[] };

/** Steps of requests and of answers have the same document. */
const known = new LRUCache<string, ReadOas>({ max: 10 });
const faultsMax = 20;
const requireNow = createRequire(import.meta.url);

/**
 * Reads an OpenAPI document of version 3.0 or 3.1, JSON or YAML, once; its schemas are checked now and compiled when a message is first held against
 * them. Nothing outside of it is read: no other file, no address.
 *
 * Paths of faults are JSON pointers into it.
 */
export function readOas(text: string): ReadOas {
  const found = known.get(text);
  if (found !== undefined) return found;
  const read = readText(text);
  known.set(text, read);
  return read;
}

function readText(text: string): ReadOas {
  const isJson = /^\s*\{/.test(text);
  const charsMax = isJson ? oasCharsMax : oasYamlCharsMax;
  if (text.length > charsMax)
    return faulty('', `is longer than ${charsMax} characters${isJson ? '' : '; as JSON it may have more'}`);
  let document: unknown;
  try {
    document = isJson
      ? JSON.parse(text)
      : (requireNow('yaml') as typeof Yaml).parse(text, { maxAliasCount: 100 });
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error);
    if (why.startsWith('Maximum call stack size')) return faulty('', 'is nested too deeply');
    return faulty('', `is neither JSON nor YAML: ${why.slice(0, 300)}`);
  }
  return readDocument(document, looksTogether.test(text));
}

/** What a schema has looked at counts together with what it refers to. */
const looksTogether = /unevaluated(?:Properties|Items)/;

function readDocument(document: unknown, isOfOnePiece: boolean): ReadOas {
  if (!isObject(document)) return faulty('', 'must be an OpenAPI document: an object');
  if (document['swagger'] !== undefined)
    return faulty('/swagger', 'is 2.0; versions 3.0 and 3.1 are read, into which it can be converted');
  const version = typeof document['openapi'] === 'string' ? document['openapi'] : '';
  if (!/^3\.[01](\.|$)/.test(version)) return faulty('/openapi', 'must be 3.0 or 3.1');
  const isThreeOne = version.startsWith('3.1');
  const dialect = document['jsonSchemaDialect'];
  if (
    dialect !== undefined &&
    dialect !== 'https://spec.openapis.org/oas/3.1/dialect/base' &&
    dialect !== 'https://json-schema.org/draft/2020-12/schema'
  )
    return faulty('/jsonSchemaDialect', 'is not supported by this version; take it out');
  const reading: Reading = {
    document,
    schemas: new OasSchemas(document, { isThreeOne, isOfOnePiece }),
    faults: [],
    shapes: new Map(),
  };
  const paths = pathsOf({ value: document, at: '' }, reading);
  const schemas = reading.schemas.together();
  const all = [...reading.faults, ...schemas.faults].slice(0, faultsMax);
  if (all.length > 0) return { kind: 'faults', faults: all };
  return { kind: 'oas', oas: { paths: new PathTable(paths), schemas } };
}

function pathsOf(
  root: Placed,
  reading: Reading,
): readonly (readonly [string, ReadonlyMap<string, OasOperation>])[] {
  let count = 0;
  const paths = memberOf(root, 'paths');
  if (!isObject(paths.value)) {
    reading.faults.push({
      path: '/paths',
      message: 'is required: without it no request would be any of the document',
    });
    return [];
  }
  return membersOf(paths).flatMap(([path, written]) => {
    if (count > operationsMax || reading.faults.length >= faultsMax) return [];
    if (!path.startsWith('/')) {
      reading.faults.push({ path: written.at, message: 'must begin with /' });
      return [];
    }
    const item = resolved(reading.document, written);
    if (item === undefined || !isObject(item.value)) {
      reading.faults.push({
        path: written.at,
        message: 'must be an object, or refer to one in the document',
      });
      return [];
    }
    const operations = operationsOf(item, reading);
    count += operations.size;
    if (count > operationsMax)
      reading.faults.push({ path: '/paths', message: `has more than ${operationsMax} operations` });
    return [[path, operations] as const];
  });
}

const faulty = (path: string, message: string): ReadOas => ({ kind: 'faults', faults: [{ path, message }] });
