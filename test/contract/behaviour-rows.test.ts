import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { test } from 'node:test';

import { readApi } from '../../proto/definition/read.ts';
import type { Json, RowPlace } from '../behaviour/row.ts';
import { fileOf, placed } from '../behaviour/stage.ts';
import { subjects } from '../behaviour/subjects.ts';
import { fieldFates, onePlace } from './definition-fields.ts';

/** A value in a definition, and a copy of it without that value. */
interface Leaf {
  readonly place: string;
  without(): unknown;
}

const pair = { cert: 'c', key: 'k' };
const rest: Omit<RowPlace, 'id'> = {
  targets: ['http://a:1', 'http://b:2', 'http://c:3', 'http://d:4'],
  http2: 'http://e',
  tls: 'https://127.0.0.1',
  consul: 'http://g',
  checked: 'http://f',
  proxyPort: 1,
  trust: {
    ca: 'a',
    backend: pair,
    gateway: pair,
    trustStore: 't',
    keyStore: 's',
    password: 'p',
    files: { ca: '/a', cert: '/c', key: '/k', trustStore: '/t', keyStore: '/s' },
  },
};

const isMap = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** Objects whose names are the definition's own. */
const maps = /^api\.(?:plans|responseTemplates(?:\{\})?)$/;

/** Every value of a definition of version 4. */
function* leavesOf(definition: Json): Generator<Leaf> {
  function* walk(value: unknown, place: string, path: readonly string[]): Generator<Leaf> {
    if (Array.isArray(value)) {
      for (const [at, each] of value.entries()) yield* walk(each, `${place}[]`, [...path, String(at)]);
      return;
    }
    const isConfiguration = /(?:resources\[\]|security|\.re\w+\[\])\.configuration$/.test(place);
    if (!isMap(value) || isConfiguration || (place.endsWith('.headers') && place.includes('Templates')))
      return yield {
        place: onePlace(isMap(value) ? `${place}{}` : place),
        without: () => withoutPath(definition, path),
      };
    for (const [name, each] of Object.entries(value)) {
      const below = maps.test(place) ? (place === 'api.plans' ? '[]' : '{}') : `.${name}`;
      yield* walk(each, place + below, [...path, name]);
    }
  }
  yield* walk(definition, 'api', []);
}

function withoutPath(definition: Json, path: readonly string[]): unknown {
  const copy = structuredClone(definition);
  let at = copy as Record<string, unknown>;
  for (const step of path.slice(0, -1)) at = at[step] as Record<string, unknown>;
  const last = path.at(-1) ?? '';
  if (Array.isArray(at)) at.splice(Number(last), 1);
  else Reflect.deleteProperty(at, last);
  return copy;
}

/** What is read of a definition; its faults where it is none. */
function readingOf(definition: unknown): unknown {
  try {
    return readApi(definition);
  } catch (error) {
    return (error as { readonly details?: unknown }).details ?? String(error);
  }
}

/**
 * Fields that rows cannot show: `execution_mode` of version 2 says the engine; the state decides whether an API is served at all, before
 * it is read; discovery asks a registry, of which a stage has none; dynamic properties are fetched, and properties encrypted, by the control
 * plane.
 */
const elsewhere =
  /^api\.(?:engine|state|properties\[\]\.encrypted|services\.dynamicProperty\..*|.*\.services\.discovery\..*)$/;
const rows = subjects.flatMap(placed);

test('the table of behaviour has at least 400 rows, none of which says what another one says', () => {
  assert.ok(rows.length >= 400, `${rows.length} rows`);
  const said = rows.map(({ name }) => name);
  assert.deepEqual(
    said.filter((name, at) => said.indexOf(name) !== at),
    [],
  );
});

test('every field of a definition that a test sees has a row that says something else than its default', () => {
  const wanted = new Set(
    [...fieldFates].flatMap(([place, { kind }]) =>
      kind === 'observed' && place.startsWith('api.') && !elsewhere.test(place) ? [place] : [],
    ),
  );
  for (const each of rows) {
    if (wanted.size === 0) break;
    const file = fileOf(each, rest);
    // Rows of other versions have other fields.
    if (typeof file === 'string' || file['proxy'] !== undefined || file['kind'] !== undefined) continue;
    const definition: Json = isMap(file['api']) ? { ...file['api'], plans: file['plans'] } : file;
    let reading: unknown;
    for (const { place, without } of leavesOf(definition)) {
      if (!wanted.has(place)) continue;
      reading ??= readingOf(definition);
      if (!isDeepStrictEqual(reading, readingOf(without()))) wanted.delete(place);
    }
  }
  assert.deepEqual([...wanted], [], 'add rows to test/behaviour/subjects');
});
