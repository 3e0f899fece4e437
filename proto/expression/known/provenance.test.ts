import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parse } from '../parse.ts';
import { isOwn, ownBeginning } from './provenance.ts';

test('what an expression comes to is the definition’s own when a request chooses at most which of its values it is', () => {
  for (const [source, own] of [
    ["'http://a'", true],
    ["#properties['a']", true],
    ['#api.properties.a', true],
    ["#dictionaries['a'][#request.headers['X'][0]]", true],
    ['#properties[#request.method]', true],
    ['#properties.get(#request.method)', true],
    ["#properties.getOrDefault(#request.method, 'b')", true],
    ['#properties.getOrDefault(#request.method, #request.path)', false],
    ["#request.method == 'GET' ? #endpoints['a'] : #endpoints['b']", true],
    ["#request.method == 'GET' ? #endpoints['a'] : #request.host", false],
    ["#properties['a'] ?: #request.host", false],
    ["#properties['a'].replace('x', #request.host)", false],
    ["#properties['a'] + #request.host", false],
    ["#properties['a'].concat('b')", true],
    ["T(String).valueOf(#properties['a'])", true],
    ['T(String).valueOf(#request.host)', false],
    ["#jsonPath(#properties['a'], '$.b')", true],
    ["#jsonPath(#request.content, '$.b')", false],
    ["{'http://a', 'http://b'}[#request.params['n'][0].length()]", true],
    ["{'http://a', #request.host}[0]", false],
    ["#properties['a'].split(',').?[#this == #request.host]", true],
    ["#properties['a'].split(',').![#request.host]", false],
    ["#context.attributes['a']", false],
    ["#subscription.metadata['a']", false],
    ["#secrets.get('/env/A')", true],
  ] as const)
    assert.equal(isOwn(parse(source)), own, source);
});

test('of texts that are put together the beginning is own as far as no request says it', () => {
  const at = (source: string): number | undefined => ownBeginning(parse(source))?.at;
  assert.equal(at("'a' + #request.path + 'b'"), 0);
  assert.equal(at("#request.path + 'b'"), undefined);
  assert.equal(ownBeginning(parse("#properties['a'] + '/' + #request.path"))?.kind, 'binary');
});
