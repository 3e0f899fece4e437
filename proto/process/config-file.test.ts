import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { parseYaml, parseYamlDocuments } from './config-file.ts';
import { loadConfig } from './config.ts';

const broken: Readonly<Record<string, string>> = {
  'password: "hunter2" "x"': 'Unexpected double-quoted-scalar at node end at line 1, column 21',
  'a: 1\npassword: @hunter2': 'Plain value cannot start with reserved character @ at line 2, column 11',
  'a: *hunter2': 'Unresolved alias (the anchor must be set before the alias)',
  'a: |hunter2\n b': 'Block scalar header includes extra characters at line 1, column 5',
  'a: {b: hunter2':
    'Flow map in block collection must be sufficiently indented and end with a } at line 1, column 15',
  'password: hunter2: c': 'Nested mappings are not allowed in compact mappings at line 1, column 11',
  'hunter2: 1\nhunter2: 2': 'Map keys must be unique at line 2, column 1',
  [`hunter2: ${'['.repeat(15_000)}`]: 'it is nested too deeply',
  [`hunter2: ${'{a: '.repeat(15_000)}`]: 'it is nested too deeply',
  [`${'- '.repeat(15_000)}hunter2`]: 'it is nested too deeply',
};

test('what is no YAML is told with its place and without what stands there, which may be a secret', (t) => {
  const file = join(tempDir(t), 'isthmus.yaml');
  for (const [text, message] of Object.entries(broken)) {
    assert.throws(() => parseYaml(text), { message });
    assert.throws(() => parseYamlDocuments(text, { maxAliasCount: 1 }), { message });
    writeFileSync(file, text);
    assert.throws(
      () => loadConfig(z.strictObject({}), { process: 'gateway', file }),
      (error) =>
        error instanceof Error &&
        !JSON.stringify(error).includes('hunter2') &&
        String(error).includes(message),
    );
  }
});
