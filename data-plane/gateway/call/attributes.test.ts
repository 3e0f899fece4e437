import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { attributeWords } from './attributes.ts';

const root = join(import.meta.dirname, '../..');

test('the reference has every attribute that the gateway sets, and no other', () => {
  const texts = globSync('**/*.ts', { cwd: root })
    .filter((file) => !file.includes('.test.'))
    .map((file) => readFileSync(join(root, file), 'utf8'));
  const set = texts.flatMap((text) =>
    [...text.matchAll(/(?:attributes\.set\(|yield \[)'([\w.-]+)'/g)].map(([, name = '']) => name),
  );
  assert.deepEqual([...attributeWords.keys()].toSorted(), [...new Set(set)].toSorted());
});
