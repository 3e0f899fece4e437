import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

import { parse } from 'yaml';
import { z } from 'zod';

import { gatewayConfigSchema } from '../data-plane/config.ts';
import { checkFiles } from '../data-plane/local/check.ts';
import { hasExpression } from '../proto/expression/find.ts';
import { compileTemplate } from '../proto/expression/template.ts';
import { settingsOf } from '../proto/process/config.ts';
import { generatedFiles } from './generate.ts';
import { apiDefinition } from '../test/kit/gateway/gateway.ts';
import { tempDir } from '../test/kit/temp-dir.ts';
import { processNames, processSchemas } from './processes.ts';
import { chapters } from './reference/definition-chapters.ts';

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

test('every example of the reference of definitions loads, with nothing to be said of it', async (t) => {
  for (const { title, examples } of chapters) {
    const dir = join(tempDir(t), 'apis');
    mkdirSync(dir);
    const isSettings = (text: string): boolean => text.startsWith('# isthmus.yaml');
    const parts = examples.filter((text) => !isSettings(text)).map((text) => parse(text) as object);
    const api = { ...apiDefinition('weather', 'http://127.0.0.1:1'), ...Object.assign({}, ...parts) };
    writeFileSync(join(dir, 'weather.json'), JSON.stringify(api));
    for (const text of examples.filter(isSettings)) writeFileSync(join(dir, 'isthmus.yaml'), text);
    for (const { problems, notes } of await checkFiles([dir], gatewayConfigSchema.parse({})))
      assert.deepEqual([...problems, ...notes], [], title);
  }
  assert.ok(chapters.flatMap(({ examples }) => examples).length >= 14);
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
