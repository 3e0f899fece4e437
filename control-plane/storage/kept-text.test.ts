import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptText } from './kept-text.ts';

test('a text is cut by whole characters, and holds nothing that reads otherwise than it was written', () => {
  const pair = '\u{1f600}';
  for (const [text, charsMax, expected] of [
    ['abc', 3, 'abc'],
    ['abcd', 3, 'abc'],
    [`ab${pair}`, 4, `ab${pair}`],
    [`ab${pair}`, 3, 'ab'],
    [`ab${pair}`, 2, 'ab'],
    [`${pair}${pair}`, 3, pair],
    [pair, 1, ''],
    ['a\0b', 3, 'ab'],
    ['a\ud83d', 3, 'a\ufffd'],
    ['a\ude00b', 2, 'a\ufffd'],
    ['', 0, ''],
  ] as const) {
    const kept = keptText(text, charsMax);
    assert.deepEqual([kept, Buffer.from(kept).toString()], [expected, expected], JSON.stringify(text));
  }
});
