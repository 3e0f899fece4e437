import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { tempDir } from '../test/kit/temp-dir.ts';

test('a folder in the folder that is checked is noted, since no gateway looks into it; alone it is no definition', (t) => {
  const cwd = tempDir(t);
  const check = (...args: readonly string[]) => {
    const command = [join(import.meta.dirname, 'cli.ts'), 'check', 'apis', ...args];
    const { status, stdout } = spawnSync(process.execPath, command, { cwd, encoding: 'utf8' });
    return { status, stdout };
  };
  const note = 'note     apis/billing: is a folder; definitions are read from the folder itself only\n';
  mkdirSync(join(cwd, 'apis/billing'), { recursive: true });
  mkdirSync(join(cwd, 'apis/.git'));
  writeFileSync(join(cwd, 'apis/billing/broken.json'), '{');
  assert.deepEqual(check(), { status: 1, stdout: `There is no JSON or YAML file.\n${note}` });
  writeFileSync(join(cwd, 'apis/one.yaml'), 'id: one\nname: one\nstate: STOPPED\n');
  const { status, stdout } = check('--json');
  const { files, folders } = JSON.parse(stdout) as {
    readonly files: readonly unknown[];
    readonly folders: unknown;
  };
  assert.deepEqual([status, files.length, folders], [0, 1, ['apis/billing']]);
});
