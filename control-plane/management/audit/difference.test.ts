import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDataKey, mask, sealText } from '../../../proto/trust/sealed-text.ts';
import { differenceOf, patchCharsMax } from './difference.ts';

test('a difference names what was added, removed and replaced, inside of JSON too, and nothing when nothing was', () => {
  const before = { name: 'a', definition: '{"flows":[1],"labels":["x"],"a/b":{"~":1}}', updated_at_ms: 1 };
  const after = { name: 'b', definition: '{"flows":[1,2],"a/b":{"~":2},"__proto__":3}', updated_at_ms: 2 };
  assert.deepEqual(JSON.parse(differenceOf(before, after) ?? ''), [
    { op: 'replace', path: '/name', value: 'b' },
    { op: 'replace', path: '/definition/flows', value: [1, 2] },
    { op: 'remove', path: '/definition/labels' },
    { op: 'replace', path: '/definition/a~1b/~0', value: 2 },
    { op: 'add', path: '/definition/__proto__', value: 3 },
  ]);
  assert.equal(differenceOf(before, { ...before, updated_at_ms: 9 }), undefined);
  assert.deepEqual(JSON.parse(differenceOf({}, { name: 'a' }) ?? ''), [
    { op: 'add', path: '/name', value: 'a' },
  ]);
});

test('a long difference tells the places, and stays short', () => {
  const at = (length: number): string => differenceOf({}, { text: 'x'.repeat(length) }) ?? '';
  const frame = at(0).length;
  assert.equal(at(patchCharsMax - frame).length, patchCharsMax);
  assert.deepEqual(JSON.parse(at(patchCharsMax - frame + 1)), [{ op: 'add', path: '/text', value: '...' }]);
  const many = Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`${'k'.repeat(100)}${n}`, n]));
  assert.ok((differenceOf({}, many) ?? '').length <= patchCharsMax);
});

test('of a text that differs in its spaces, or in the order of its names, the whole is told, and no secret in it', () => {
  const told = (before: string, after: string): unknown =>
    JSON.parse(differenceOf({ description: before }, { description: after }) ?? '[]');
  const wide = '{ "a": 1, "b": [2] }';
  const value = [{ op: 'replace', path: '/description', value: wide }];
  assert.deepEqual(told('{"a":1,"b":[2]}', wide), value);
  assert.deepEqual(told('{"b":[2],"a":1}', wide), value);
  assert.deepEqual(told(wide, wide), []);
  const place = { organization: 'o', environment: 'e', kind: 'api', id: 'a', field: 'secret' };
  const sealed = sealText(createDataKey(), 'PLANTED', place);
  const secret = (spaces: string): string => JSON.stringify({ secret: sealed }, null, spaces);
  assert.deepEqual(told(secret(''), secret('  ')), [
    { op: 'replace', path: '/description', value: { secret: mask } },
  ]);
});

test('a text of many brackets is told as a text, however deep they stand in each other', () => {
  for (const text of [
    '['.repeat(20_000) + ']'.repeat(20_000),
    '{"a":'.repeat(6_000) + '1' + '}'.repeat(6_000),
  ])
    assert.deepEqual(JSON.parse(differenceOf({ content: 'before' }, { content: text }) ?? ''), [
      { op: 'replace', path: '/content', value: text },
    ]);
});
