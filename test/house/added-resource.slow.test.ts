import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { changed, copyHouse } from './added-resource/copy-house.ts';
import { inspect } from './rules.ts';

const root = join(import.meta.dirname, '../..');
const run = promisify(execFile);

test('who follows CONTRIBUTING has a new resource that breaks no rule, is permitted, audited, in the database and in the door', async (t) => {
  const guide = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
  const section = /## Adding a management resource\n([\s\S]*?)\n## /.exec(guide)?.[1] ?? '';
  // What the guide names is what was done, file by file.
  for (const { path } of changed)
    assert.ok(section.includes(path.replace(/^control-plane\//, '')), `CONTRIBUTING.md names ${path}`);

  const { house, paths } = copyHouse(t);
  const breaches = inspect(
    paths
      .filter((path) => /\.(ts|js|mjs|cjs|md)$/.test(path))
      .map((path) => ({ path, text: readFileSync(join(house, path), 'utf8') })),
  );
  assert.deepEqual(breaches, []);
  const tests = [
    'control-plane/management/things/things.test.ts',
    'control-plane/doors/permissions.slow.test.ts',
  ];
  // What the table says holds on every database alike: permissions.slow.test.ts itself asks both.
  const pattern = 'things|the table names|who may do what.*sqlite';
  // The runner of this test would take the output of the other for its own.
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const options = { cwd: house, env, timeout: 100_000, maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await run(
    process.execPath,
    ['--test', `--test-name-pattern=${pattern}`, ...tests],
    options,
  );
  for (const name of ['things are made', 'the table names every operation', 'who may do what'])
    assert.match(stdout, new RegExp(`✔ ${name}`));
});
