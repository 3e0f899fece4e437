import assert from 'node:assert/strict';
import { test } from 'node:test';

import { headersOf } from '../../test/kit/engine/headers.ts';
import { keysDiffer, presentedKey, withoutKey } from './key-places.ts';

const places = { header: 'x-key', parameter: 'api-key' };

test('a key in the query is found and taken away however the name of its parameter is escaped', () => {
  for (const query of [
    'api-key=secret',
    'a=1&api%2Dkey=secret',
    '%61pi-key=secret&b=2',
    'api%2dkey=secret',
  ]) {
    const headers = headersOf({});
    assert.equal(presentedKey({ headers, query }, places), 'secret', query);
    assert.doesNotMatch(withoutKey(headers, query, places) ?? '', /secret/);
  }
  assert.equal(presentedKey({ headers: headersOf({}), query: 'api_key=secret&x=%61' }, places), undefined);
});

test('keys that differ are no key, wherever they stand; the same one twice is one', () => {
  const one = { 'X-Key': 'secret' };
  const rows: readonly (readonly [
    headers: Record<string, string | readonly string[]>,
    query: string | undefined,
    key: unknown,
  ])[] = [
    [{ 'X-Key': ['secret', 'other'] }, undefined, keysDiffer],
    [{ 'X-Key': ['secret', ''] }, undefined, keysDiffer],
    [{ 'X-Key': ['secret', 'secret'] }, undefined, 'secret'],
    [one, 'api-key=other', keysDiffer],
    [one, 'api%2Dkey=other', keysDiffer],
    [one, 'api-key=', keysDiffer],
    [one, 'a=1&api-key=secret', 'secret'],
    [one, 'api-key=secret&api-key=other', keysDiffer],
    [{}, 'api-key=secret&api-key=other', keysDiffer],
    [{}, 'api-key=secret&%61pi-key=s%65cret', 'secret'],
    [{}, 'api-key&api-key=secret', keysDiffer],
    [one, 'apikey=other', 'secret'],
    [{}, 'a=b', undefined],
  ];
  for (const [given, query, expected] of rows) {
    const headers = headersOf({});
    for (const [name, value] of Object.entries(given))
      for (const line of [value].flat()) headers.append(name, line);
    assert.equal(presentedKey({ headers, query }, places), expected, JSON.stringify([given, query]));
  }
});
