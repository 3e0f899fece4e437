import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join, posix, relative } from 'node:path';
import { test } from 'node:test';

import { documents } from './packing/documents.ts';

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

/** Files that the tarball `isthmus` brings as they stand in the checkout; each is its own copy. */
function packedAsTheyAre(): ReadonlyMap<string, string> {
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 16 * 1024 * 1024,
    }),
  ) as readonly { readonly files: readonly { readonly path: string }[] }[];
  return new Map((packed?.files ?? []).map(({ path }) => [path, path]));
}

test('every link of a packed document leads to a file of the same tarball', () => {
  const tarballs = { isthmus: packedAsTheyAre(), 'isthmus-gateway': documents };
  let links = 0;
  for (const [name, files] of Object.entries(tarballs)) {
    const texts = [...files].filter(([file]) => file.endsWith('.md'));
    assert.ok(
      texts.some(([file]) => file === 'README.md') && texts.some(([file]) => file === 'CHANGELOG.md'),
    );
    for (const [file, source] of texts) {
      for (const [, target = ''] of readFileSync(join(root, source), 'utf8').matchAll(/\]\(([^)\s#]+)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        links += 1;
        const led = posix.join(posix.dirname(file), target);
        assert.ok(files.has(led), `${name}: ${file} links ${led}, which is not packed`);
      }
    }
  }
  assert.ok(links > 60, `${links} links`);
});
