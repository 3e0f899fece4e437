import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isWithin } from '../../../test/kit/pace.ts';
import { createBodyRules } from './body-rules.ts';
import { logSettings } from './log-settings.ts';

test('a rule that cannot be applied is refused when the settings are read', () => {
  const rows: readonly (readonly [rule: object, words: RegExp])[] = [
    [{}, /either a path or a regex/],
    [{ path: '$.a', regex: 'a' }, /either a path or a regex/],
    [{ path: '$' }, /names no place/],
    [{ path: '$.a[?(@.b)]' }, /names no place by members alone; allowed: \$\.a\.b/],
    [{ path: '$.a.length()' }, /names no place/],
    [{ path: '$..a..b' }, /more than one \.\./],
    [{ path: '$.a[' }, /cannot be read at character 5/],
    [{ regex: '(a' }, /missing closing/],
    [{ regex: '(?=a)b' }, /cannot be used/],
    [{ regex: 'a', replacer: 'x'.repeat(65) }, /64/],
  ];
  for (const [rule, words] of rows) {
    const parsed = logSettings.safeParse({ bodyRules: [rule] });
    assert.match(parsed.error?.issues.map(({ message }) => message).join() ?? 'taken', words);
  }
  for (const [name, least, most] of [
    ['bodyBytesMax', 0, 524_288],
    ['capturedBytesMax', 4_096, undefined],
    ['memoryBytesMax', 4_096, undefined],
  ] as const) {
    assert.ok(logSettings.safeParse({ [name]: least }).success, name);
    assert.ok(!logSettings.safeParse({ [name]: least - 1 }).success, name);
    if (most !== undefined) {
      assert.ok(logSettings.safeParse({ [name]: most }).success, name);
      assert.ok(!logSettings.safeParse({ [name]: most + 1 }).success, name);
    }
  }
});

test('rules take time that grows with the body alone, whatever is sent', () => {
  const apply = createBodyRules([
    { path: '$..a[*].b', replacer: '' },
    { regex: '(x+x+)+y', replacer: '' },
  ]);
  const hostile = [
    `${'{"a":['.repeat(5_000)}1${']}'.repeat(5_000)}`,
    `${'['.repeat(60_000)}${']'.repeat(60_000)}`,
    'x'.repeat(60_000),
    `[${'{"a":[{"b":1}]},'.repeat(3_000)}0]`,
  ];
  for (const text of hostile) {
    const before = performance.now();
    const shown = apply(text, { isCut: false });
    isWithin(performance.now() - before, { msMax: 2_000, what: text.slice(0, 20) });
    assert.ok(shown === undefined || !shown.includes('"b":1'));
  }
  assert.equal(
    apply('y'.repeat(300), { isCut: true }),
    'y'.repeat(44),
    'what was cut within a match is not shown',
  );
});
