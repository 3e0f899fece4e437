import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTarget as read, type TargetSettings } from './target.ts';

const asTheyCome: TargetSettings = { mergeSlashes: false, encodedSlash: 'keep' };
const readTarget = (raw: string, method: string, settings = asTheyCome) => read(raw, method, settings);

const paths: readonly (readonly [raw: string, path: string, query?: string])[] = [
  ['/', '/'],
  ['/a/b', '/a/b'],
  ['/a?x=%20&y', '/a', 'x=%20&y'],
  ['/a?', '/a', ''],
  ['/a??b', '/a', '?b'],
  ['/%41%7e', '/A~'],
  ['/a%2Fb', '/a%2Fb'],
  ['/a%2fb', '/a%2fb'],
  ['/a%3Bb', '/a%3Bb'],
  ['/a/./b', '/a/b'],
  ['/a/%2e/b', '/a/b'],
  ['/a/../b', '/b'],
  ['/a/%2E%2e/b', '/b'],
  ['/a/.%2e', '/'],
  ['/a/b/..', '/a/'],
  ['/a/b/.', '/a/b/'],
  ['/../../a', '/a'],
  ['/a/..%2fb', '/a/..%2fb'],
  ['/.well-known', '/.well-known'],
  ['/a/...', '/a/...'],
  ['//evil/a', '//evil/a'],
  ['/a/', '/a/'],
  ['/%2525', '/%2525'],
];

for (const [raw, path, query] of paths) {
  test(`${raw} is routed and forwarded as ${path}`, () => {
    assert.deepEqual(readTarget(raw, 'GET'), { path, query, authority: undefined });
  });
}

test('absolute-form gives its authority', () => {
  assert.deepEqual(readTarget('http://a:8080/b?c', 'GET'), { path: '/b', query: 'c', authority: 'a:8080' });
  assert.deepEqual(readTarget('HTTP://a', 'GET'), { path: '/', query: undefined, authority: 'a' });
});

test('asterisk-form is for OPTIONS', () => {
  assert.deepEqual(readTarget('*', 'OPTIONS'), { path: '*', query: undefined, authority: undefined });
  assert.deepEqual(readTarget('*', 'GET'), 'target-form');
});

for (const raw of ['/a%', '/a%2', '/a%zz', '/a%00', 'a', 'ftp://a/', '']) {
  test(`${JSON.stringify(raw)} is refused`, () => {
    assert.equal(typeof readTarget(raw, 'GET'), 'string');
  });
}
