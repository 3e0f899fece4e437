import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { z } from 'zod';

import { hasExpression } from '../proto/expression/find.ts';
import { compileTemplate } from '../proto/expression/template.ts';
import { settingsOf } from '../proto/process/config.ts';
import { generatedFiles } from './generate.ts';
import { processNames, processSchemas } from './processes.ts';

for (const [path, text] of generatedFiles()) {
  test(`${path} is what the sources say (npm run generate)`, () => {
    const file = join(import.meta.dirname, '..', path);
    assert.ok(existsSync(file), `${path} is missing`);
    assert.ok(readFileSync(file, 'utf8') === text, `${path} is stale; run npm run generate`);
  });
}

test('every expression that the reference shows is one', () => {
  const shown = [...(generatedFiles().get('docs/expressions.md') ?? '').matchAll(/`(\{[^`]*\})`/g)]
    .map(([, text = '']) => text)
    .filter(hasExpression);
  assert.ok(shown.length >= 14);
  for (const text of shown) assert.equal(compileTemplate(text, z.string()).kind, 'varying', text);
});

for (const name of processNames) {
  test(`every setting of ${name} has a description that is a sentence`, () => {
    const bare = settingsOf(processSchemas[name]).filter(
      ({ description, isFormer }) => description === '' && !isFormer,
    );
    assert.deepEqual(
      bare.map(({ path }) => path),
      [],
    );
  });
}
