import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect, type HouseFile } from './rules.ts';

const root = join(import.meta.dirname, '../..');

test('the house is tidy', () => {
  const breaches = inspect(readHouse());
  assert.deepEqual(
    breaches.map((breach) => `${breach.rule}: ${breach.path}: ${breach.message}`),
    [],
  );
});

test('no registry takes the package by accident', () => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { private?: boolean };
  assert.equal(manifest.private, true);
});

// Each row plants one breach into an otherwise tidy house, and only its own rule may speak.
const planted: readonly { readonly rule: string; readonly files: readonly HouseFile[] }[] = [
  { rule: 'name', files: [{ path: 'proto/model/utils.ts', text: '' }] },
  { rule: 'name', files: [{ path: 'proto/model/helpers/x.ts', text: '' }] },
  { rule: 'room', files: [{ path: 'src/x.ts', text: '' }] },
  { rule: 'room', files: [{ path: 'x.ts', text: '' }] },
  { rule: 'room', files: [{ path: 'data-plane/cellar/x.ts', text: '' }, readme('data-plane/cellar')] },
  { rule: 'size', files: [{ path: 'proto/model/x.ts', text: '\n'.repeat(401) }] },
  { rule: 'only', files: [{ path: 'proto/model/x.test.ts', text: 'test.only("x", () => {})' }] },
  {
    rule: 'sleep',
    files: [
      { path: 'proto/model/x.test.ts', text: 'await new Promise((resolve) => setTimeout(resolve, 50))' },
    ],
  },
  { rule: 'registry', files: [{ path: 'docs/x.md', text: '`npx --yes isthmus up`' }] },
  { rule: 'registry', files: [{ path: 'deploy/x.ts', text: '// npm install -g isthmus' }] },
  { rule: 'builtin', files: [{ path: 'proto/model/x.ts', text: "import { join } from 'path';" }] },
  { rule: 'missing', files: [{ path: 'proto/model/x.ts', text: "import { y } from './y.ts';" }] },
  { rule: 'package', files: [{ path: 'proto/model/x.ts', text: "import express from 'express';" }] },
  {
    rule: 'package',
    files: [
      { path: 'control-plane/management/x.ts', text: "import { sql } from 'kysely';" },
      readme('control-plane/management'),
    ],
  },
  { rule: 'import', files: imports('proto/model/x.ts', 'bridge/y.ts') },
  { rule: 'import', files: imports('proto/model/x.ts', 'proto/process/y.ts') },
  { rule: 'import', files: imports('bridge/x.ts', 'control-plane/publish/y.ts') },
  { rule: 'import', files: imports('data-plane/sync/x.ts', 'bridge/y.ts') },
  { rule: 'import', files: imports('shipper/x.ts', 'data-plane/report/y.ts') },
  { rule: 'import', files: imports('bridge/x.ts', 'deploy/y.ts') },
  { rule: 'import', files: imports('bridge/x.ts', 'test/kit/y.ts') },
  { rule: 'import', files: imports('control-plane/storage/x.ts', 'control-plane/publish/y.ts') },
  { rule: 'import', files: imports('control-plane/publish/x.ts', 'control-plane/analytics/y.ts') },
  { rule: 'import', files: imports('data-plane/policies/x.ts', 'data-plane/gateway/y.ts') },
  { rule: 'import', files: imports('data-plane/gateway/x.ts', 'data-plane/http/server.ts') },
  { rule: 'readme', files: [{ path: 'data-plane/script/x.ts', text: '' }] },
  {
    rule: 'readme',
    files: [
      { path: 'data-plane/script/x.ts', text: '' },
      { path: 'data-plane/script/README.md', text: 'x\n'.repeat(61) },
    ],
  },
];

for (const [index, { rule, files }] of planted.entries()) {
  test(`a planted breach is found: ${rule} (${index + 1})`, () => {
    const breaches = inspect([...tidyHouse, ...files]);
    assert.deepEqual([...new Set(breaches.map((breach) => breach.rule))], [rule]);
  });
}

test('what is allowed is not called a breach', () => {
  const allowed = [
    ...imports('bridge/x.ts', 'proto/wire/y.ts'),
    ...imports('deploy/x.ts', 'bridge/z.ts'),
    ...imports('bridge/x.test.ts', 'test/kit/y.ts'),
    ...imports('control-plane/doors/x.ts', 'control-plane/management/y.ts'),
    ...imports('data-plane/policies/x.ts', 'data-plane/limits/y.ts'),
    { path: 'control-plane/management/z.store.ts', text: "import { sql } from 'kysely';" },
  ];
  assert.deepEqual(
    inspect([
      ...tidyHouse,
      ...['control-plane/doors', 'control-plane/management', 'data-plane/limits'].map(readme),
      ...allowed,
    ]),
    [],
  );
});

const tidyHouse: readonly HouseFile[] = [
  'proto',
  'proto/model',
  'proto/wire',
  'proto/process',
  'bridge',
  'shipper',
  'data-plane',
  'data-plane/policies',
  'data-plane/gateway',
  'data-plane/sync',
  'data-plane/report',
  'data-plane/http',
  'control-plane',
  'control-plane/storage',
  'control-plane/publish',
  'control-plane/analytics',
  'deploy',
].map(readme);

function readme(room: string): HouseFile {
  return { path: `${room}/README.md`, text: '# room\n' };
}

function imports(from: string, to: string): readonly HouseFile[] {
  const up = '../'.repeat(from.split('/').length - 1);
  return [
    { path: from, text: `import { y } from '${up === '' ? './' : up}${to}';` },
    { path: to, text: '' },
  ];
}

function readHouse(): readonly HouseFile[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  return listed
    .split('\n')
    .filter((path) => /\.(ts|tsx|js|mjs|cjs|md)$/.test(path) && existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
}
