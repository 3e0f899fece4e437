import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pruneLock, type Lockfile, type Manifest } from './lockfile.ts';

const lock: Lockfile = {
  lockfileVersion: 3,
  packages: {
    '': {},
    'node_modules/a': { dependencies: { b: '1' }, peerDependencies: { p: '1' } },
    'node_modules/a/node_modules/b': { dependencies: { c: '2' } },
    'node_modules/b': { dev: true },
    'node_modules/c': { devOptional: true, optionalDependencies: { elsewhere: '1' } },
    'node_modules/p': {},
    'node_modules/runtime': {},
    'node_modules/tool': { dev: true },
  },
};

test('a pruned lockfile holds what the dependencies reach, each from where Node would take it, and nothing of development', () => {
  const manifest = {
    name: 'x',
    version: '1.0.0',
    dependencies: { a: '^1' },
    optionalDependencies: { runtime: '1' },
  };
  const { packages, ...head } = pruneLock(lock, { ...manifest, devDependencies: { tool: '1' } });
  assert.deepEqual(Object.keys(packages), [
    '',
    'node_modules/a',
    'node_modules/a/node_modules/b',
    'node_modules/c',
    'node_modules/p',
    'node_modules/runtime',
  ]);
  // Marked as one of development npm would leave it out.
  assert.deepEqual(packages['node_modules/c'], { optionalDependencies: { elsewhere: '1' } });
  assert.deepEqual(JSON.parse(JSON.stringify(packages[''])), manifest);
  assert.equal(head.name, 'x');
});

test('a dependency that is not locked ends the packing', () => {
  const manifest = { name: 'x', version: '1.0.0', dependencies: { missing: '^1' } };
  assert.throws(() => pruneLock(lock, manifest), /missing, which x needs, is not in package-lock\.json/);
});

test("this tree's own lockfile can be pruned, and no package of development stays", () => {
  const read = (file: string): unknown =>
    JSON.parse(readFileSync(join(import.meta.dirname, '../..', file), 'utf8'));
  const manifest = read('package.json') as Manifest;
  const { packages } = pruneLock(read('package-lock.json') as Lockfile, manifest);
  for (const name of Object.keys(manifest.dependencies ?? {}))
    assert.ok(packages[`node_modules/${name}`], name);
  for (const name of Object.keys(manifest.devDependencies ?? {}))
    assert.equal(packages[`node_modules/${name}`], undefined, name);
});

test('npm builds no package that brings what it would build: the lockfile says so, since npm reads nothing else', () => {
  const root = join(import.meta.dirname, '../..');
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lockfile;
  const built = Object.keys(packages).filter(
    (path) => path !== '' && existsSync(join(root, path, 'binding.gyp')),
  );
  assert.ok(built.includes('node_modules/better-sqlite3'));
  // `npm install` forgets the field of an entry that it writes anew; without it `npm ci` wants Python, a compiler and Node's headers.
  for (const path of built) assert.equal((packages[path] as { gypfile?: boolean }).gypfile, false, path);
});
