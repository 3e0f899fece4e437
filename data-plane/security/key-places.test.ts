import assert from 'node:assert/strict';
import { test } from 'node:test';

import { headersOf } from '../../test/kit/engine/headers.ts';
import { presentedKey, withoutKey } from './key-places.ts';

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
