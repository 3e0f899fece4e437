import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importedLines, withImported } from './imported.ts';

test('lines of properties are read: the last of a key, a value with a sign of its own, and which lines say nothing', () => {
  const { found, strange } = importedLines('# limits\r\n\na = 1\nb=x=y \na=2\nno key\n=3\nempty=\n');
  assert.deepEqual(
    [...found],
    [
      ['a', '2'],
      ['b', 'x=y'],
      ['empty', ''],
    ],
  );
  assert.deepEqual(strange, [6, 7]);
  assert.deepEqual(importedLines('x\n'.repeat(9)).strange, [1, 2, 3, 4, 5]);
});

test('an import replaces values, keeps what is encrypted encrypted, and touches nothing that was fetched', () => {
  const before = [
    { key: 'a', value: '********', encrypted: true },
    { key: 'b', value: 'old' },
    { key: 'f', value: 'fetched', dynamic: true },
  ];
  const found = new Map([
    ['a', 'new'],
    ['f', 'own'],
    ['c', '3'],
  ]);
  assert.deepEqual(withImported(before, found, false), [
    { key: 'f', value: 'own' },
    { key: 'c', value: '3' },
    { key: 'a', value: 'new', encrypted: true },
    { key: 'b', value: 'old' },
    { key: 'f', value: 'fetched', dynamic: true },
  ]);
  assert.deepEqual(withImported([], new Map([['s', '1']]), true), [
    { key: 's', value: '1', encrypted: true },
  ]);
});
