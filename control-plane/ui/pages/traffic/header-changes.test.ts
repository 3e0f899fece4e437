import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headerChanges } from './header-changes.ts';

test('headers of both sides: what was added, changed, taken away, then what stayed; case is no difference', () => {
  const before = { Host: ['api.example'], 'X-Key': ['k'], Accept: ['*/*'], Via: ['a', 'b'] };
  const after = { host: ['api.example'], accept: ['application/json'], via: ['a', 'b'], 'x-tier': ['gold'] };
  assert.deepEqual(
    headerChanges(before, after).map(({ name, kind, before: was, after: is }) => [kind, name, was, is]),
    [
      ['added', 'x-tier', '', 'gold'],
      ['changed', 'accept', '*/*', 'application/json'],
      ['removed', 'x-key', 'k', ''],
      ['same', 'host', 'api.example', 'api.example'],
      ['same', 'via', 'a, b', 'a, b'],
    ],
  );
  assert.deepEqual(headerChanges(undefined, undefined), []);
  const hostile = JSON.parse('{"__proto__":["x"],"constructor":["y"]}') as Record<string, string[]>;
  assert.deepEqual(
    headerChanges({}, hostile).map(({ name }) => name),
    ['__proto__', 'constructor'],
  );
});
