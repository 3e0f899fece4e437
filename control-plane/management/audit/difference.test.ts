import assert from 'node:assert/strict';
import { test } from 'node:test';
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
