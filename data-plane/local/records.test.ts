import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { apiDefinition } from '../../test/kit/gateway/gateway.ts';
import { tempDir } from '../../test/kit/temp-dir.ts';
import { gatewayConfigSchema } from '../config.ts';
import { checkFiles } from './check.ts';

test('that plans are missing is said of an API, in whatever holds it, and of nothing that is none', async (t) => {
  const dir = tempDir(t);
  const { plans: _plans, ...planless } = apiDefinition('planless', 'http://127.0.0.1:1');
  const documents = {
    'definition.json': [planless, true],
    'export.json': [{ api: { ...planless, id: 'held' } }, true],
    'greeting.json': [{ greeting: 'hello' }, false],
    'kong.json': [{ _format_version: '3.0', services: [] }, false],
    'listeners.json': [{ listeners: [] }, true],
    'old.json': [{ proxy: {} }, true],
    'openapi.json': [{ openapi: '3.1.0', info: { title: 'Boats', version: '1' }, paths: {} }, false],
    'resource.json': [{ apiVersion: 'gravitee.io/v1alpha1', kind: 'ApiV4Definition', spec: {} }, true],
  } as const;
  for (const [name, [document]] of Object.entries(documents))
    writeFileSync(join(dir, name), JSON.stringify(document));
  const checked = await checkFiles([dir], gatewayConfigSchema.parse({}));
  assert.deepEqual(
    checked.map(({ file, notes }) => [
      file.slice(dir.length + 1),
      notes.some(({ message }) => message.includes('no published plan')),
    ]),
    Object.entries(documents).map(([name, [, isApi]]) => [name, isApi]),
  );
});
