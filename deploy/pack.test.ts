import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');

/** Files of ours that become JavaScript of the package. */
function packedFiles(): readonly string[] {
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  return execFileSync(process.execPath, [tsc, '-p', 'deploy/pack.tsconfig.json', '--listFilesOnly'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 16 * 1024 * 1024,
  })
    .split('\n')
    .map((file) => relative(root, file.trim()))
    .filter((file) => file.endsWith('.ts') && !file.startsWith('..') && !file.startsWith('node_modules'));
}

test('what is packed is what runs: nothing of tests and generators, and no file that no other one of it names', () => {
  const files = packedFiles();
  assert.ok(files.length > 400, `${files.length} files`);
  const ofTests = files.filter((file) =>
    /\.test\.ts$|fixtures?\.ts$|conformance|^test\/|^deploy\/(reference|pack)/.test(file),
  );
  assert.deepEqual(ofTests, []);
  // Imported, or started as a process or a thread by its name.
  const texts = files.map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
  const entries = new Set(['deploy/cli.ts', 'deploy/gateway-cli.ts']);
  const orphans = files.filter(
    (file) =>
      !entries.has(file) &&
      !file.endsWith('.d.ts') &&
      !texts.some((other) => other.file !== file && other.text.includes(basename(file, '.ts'))),
  );
  assert.deepEqual(orphans, []);
});
