import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { attributeWords } from '../../../proto/expression/known/attributes.ts';

const root = join(import.meta.dirname, '../..');

test('the reference has every attribute that the gateway sets, and no other', () => {
  const texts = globSync('**/*.ts', { cwd: root })
    .filter((file) => !file.includes('.test.'))
    .map((file) => readFileSync(join(root, file), 'utf8'));
  const found = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name = '']) => name);
  const own = readFileSync(join(import.meta.dirname, 'attributes.ts'), 'utf8');
  const set = [
    ...found(own, /^ {2}\['([\w.-]+)', \(\{/gm),
    ...texts.flatMap((text) => found(text, /(?:attributes\.set\(|yield \[)'([\w.-]+)'/g)),
  ];
  assert.deepEqual([...attributeWords.keys()].toSorted(), [...new Set(set)].toSorted());
});
