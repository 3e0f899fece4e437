import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { copyHouse } from './added-resource/copy-house.ts';

const root = join(import.meta.dirname, '../..');

test('who follows CONTRIBUTING has a new resource with which the whole house compiles', async (t) => {
  const { house } = copyHouse(t);
  await promisify(execFile)(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--noEmit'], {
    cwd: house,
    timeout: 240_000,
    maxBuffer: 64 * 1024 * 1024,
  });
});
