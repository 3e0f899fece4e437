import assert from 'node:assert/strict';
import { test } from 'node:test';

import { parseJson } from './json-text.ts';

test('a name twice in one object is an error, however it is spelled; in two objects, or as a value, it is none', () => {
  for (const text of [
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '[{"x":[{"a":{},"b":"a","a":[]}]}]',
    '{"__proto__":1, "__proto__" : 2}',
    '{"\\"":1,"\\"":2}',
  ])
    assert.throws(() => parseJson(text), /^SyntaxError: ".+" is there twice in one object$/, text);
  for (const text of [
    '{"a":{"a":"a"},"b":["a","a",{"a":1},{"a":2}]}',
    '{"a":"\\"a\\":1,{","b":"}:\\\\","c":1}',
    '[{"a":1},{"a":1}]',
    '"a:a"',
    '[]',
    '1e3',
  ])
    assert.deepEqual(parseJson(text), JSON.parse(text), text);
  assert.throws(() => parseJson('{"a":1,'), SyntaxError);
});

test('what is no JSON is told with its place and without what stands there, which may be a secret', () => {
  const told: Readonly<Record<string, string>> = {
    '{"password": hunter2, "a": "and so on"}':
      "Unexpected token 'h' in JSON at position 13 (line 1 column 14)",
    '{\n  "first": "a",\n  "password": hunter2,\n  "a": 1\n}':
      "Unexpected token 'h' in JSON at position 32 (line 3 column 15)",
    '{"p":hunter2}': "Unexpected token 'h' in JSON",
    hunter2: "Unexpected token 'h' in JSON",
    '["hunter2", "hunter2" "hunter2"]':
      "Expected ',' or ']' after array element in JSON at position 22 (line 1 column 23)",
  };
  for (const [text, message] of Object.entries(told)) {
    assert.throws(() => parseJson(text), { name: 'SyntaxError', message });
    for (let end = 1; end < text.length; end += 1)
      assert.throws(
        () => parseJson(text.slice(0, end)),
        (error) => !/hunter2/.test(String(error)),
      );
  }
});

test('a megabyte of one text, of brackets or of names is read', () => {
  // Compared without looking into them: that would overflow the stack.
  for (const text of [
    `{"a":"${'x\\n'.repeat(350_000)}"}`,
    `${'['.repeat(1_000)}${'[],'.repeat(100_000)}1${']'.repeat(1_000)}`.slice(1, -1),
    `{${Array.from({ length: 100_000 }, (_, at) => `"${at}":1`).join(',')}}`,
  ])
    assert.equal(typeof parseJson(text), 'object');
});

test('JSON is read to a thousand levels and no deeper', () => {
  const nested = (levels: number): string => `${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`;
  assert.equal(typeof parseJson(nested(1_000)), 'object');
  assert.throws(() => parseJson(nested(1_002)), /^SyntaxError: it is nested more than 1000 levels deep$/);
});
