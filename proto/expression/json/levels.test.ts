import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isNestedDeeper } from './levels.ts';

test('how deep JSON is nested is told whatever stands in its texts, and costs little', () => {
  for (const text of [
    '[',
    '[]',
    '{"a":{}}',
    '"[["',
    '["\\"[[",1]',
    '["\\\\",[1]]',
    `[[],"${'['.repeat(5)}"]`,
    '["',
  ])
    assert.equal(isNestedDeeper(text, 2), false, text);
  for (const text of ['[[[', '{"a":{"b":{}}}', '["\\\\",[[1]]]', '[[],[[]]]'])
    assert.equal(isNestedDeeper(text, 2), true, text);
  for (const text of [
    '['.repeat(2_000_000),
    `["${'\\'.repeat(2_000_000)}`,
    '["\\"'.repeat(500_000),
    '[]'.repeat(1_000_000),
  ]) {
    const before = process.cpuUsage().user;
    isNestedDeeper(text);
    assert.ok(process.cpuUsage().user - before < 500_000, text.slice(0, 9));
  }
});
