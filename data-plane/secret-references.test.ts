import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { tempDir } from '../test/kit/temp-dir.ts';
import { createSecretReferences } from './secret-references.ts';

const environment = {
  ISTHMUS_SECRET_TOKEN: 's3cret',
  ISTHMUS_SECRET_MAP: '{"a":"b","n":1}',
  HOME: '/root',
  TOKEN: 'no',
};

test('a variable of the environment is read only where its name says that it is for definitions', () => {
  const { get } = createSecretReferences({ environment, folder: undefined, nowMs: () => 0 });
  assert.deepEqual(get('/env/TOKEN', undefined), { value: 's3cret' });
  assert.deepEqual(get('/env/MAP', 'a'), { value: 'b' });
  for (const [path, key] of [
    ['/env/HOME', undefined],
    ['/env/NOPE', undefined],
    ['/env/MAP', 'n'],
    ['/env/MAP', '__proto__'],
    ['/env/TOKEN', 'a'],
    ['/env/../TOKEN', undefined],
  ] as const)
    assert.ok('why' in get(path, key), path);
  assert.deepEqual(get('/file/a', undefined), {
    why: 'secrets of files need the setting secretReferences.folder',
  });
});

test('a file is read below the folder and nowhere else, and again when it has changed', (t) => {
  const dir = tempDir(t);
  const folder = join(dir, 'secrets');
  mkdirSync(join(folder, 'payments'), { recursive: true });
  writeFileSync(join(dir, 'outside'), 'no');
  writeFileSync(join(folder, 'token'), 'one\n');
  writeFileSync(join(folder, 'payments', 'key'), 'k');
  writeFileSync(join(folder, 'object'), '{"key":"of object"}');
  writeFileSync(join(folder, 'large'), 'x'.repeat(64 * 1024 + 1));
  let nowMs = 0;
  const { get } = createSecretReferences({ environment, folder, nowMs: () => nowMs });
  assert.deepEqual(get('/file/token', undefined), { value: 'one' });
  assert.deepEqual(get('/file/payments', 'key'), { value: 'k' });
  assert.deepEqual(get('/file/payments/key', undefined), { value: 'k' });
  assert.deepEqual(get('/file/object', 'key'), { value: 'of object' });
  for (const [path, key] of [
    ['/file/../outside', undefined],
    ['/file/payments', '../../outside'],
    ['/file/payments', undefined],
    ['/file//etc/passwd', undefined],
    ['/file/large', undefined],
    ['/file/a\0b', undefined],
    ['/file/nope', undefined],
  ] as const)
    assert.ok('why' in get(path, key), path);
  writeFileSync(join(folder, 'token'), 'two');
  assert.deepEqual(get('/file/token', undefined), { value: 'one' }, 'known for a while');
  nowMs = 5_000;
  assert.deepEqual(get('/file/token', undefined), { value: 'two' });
});
