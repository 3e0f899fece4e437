import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
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

/** Lower it when one goes; a new one needs another way. */
const foreignKeysExceptionsMax = 1;

test('objects keyed by foreign names are found, and the exceptions only become fewer', () => {
  const suppressed = readHouse().filter(
    ({ path, text }) =>
      !path.startsWith('test/') && text.includes('oxlint-disable-next-line house/foreign-keys'),
  );
  assert.equal(suppressed.length, foreignKeysExceptionsMax, suppressed.map(({ path }) => path).join(', '));
  assert.ok(
    suppressed.every(({ text }) => !/house\/foreign-keys\s*$/m.test(text)),
    'each says why',
  );
  const dir = mkdtempSync(join(tmpdir(), 'isthmus-house-'));
  try {
    const breaches = [
      'const counts: Record<string, number> = {}; counts[row.entrypoint] = 1;',
      'counts[name] ??= 0;',
      'own[name] += 1;',
      'this.counts[`${name}`] = 1;',
      'const table: Readonly<Record<string, number>> = {}; use(table[name]);',
      'use(name in table);',
    ];
    const allowed = [
      'const table: Record<string, number> = {}; use(Object.hasOwn(table, name) ? table[name] : 0);',
      'const counts: Record<Kind, number> = { a: 0 }; counts[kind] += 1;',
      "list[0] = 1; list[at - 1] = 2; for (let n = 0; n < 3; n += 1) list[n] = n; use('code' in error);",
    ];
    for (const [n, text] of [...breaches, ...allowed].entries()) writeFileSync(join(dir, `${n}.ts`), text);
    copyFileSync(join(root, 'test/house/foreign-keys.js'), join(dir, 'plugin.js'));
    const rules = { 'house/foreign-keys': 'error' };
    const config = { jsPlugins: ['./plugin.js'], categories: { correctness: 'off' }, rules };
    writeFileSync(join(dir, '.oxlintrc.json'), JSON.stringify(config));
    const oxlint = join(root, 'node_modules/oxlint/bin/oxlint');
    const { stdout } = spawnSync(process.execPath, [oxlint, '-f', 'unix', '.'], {
      cwd: dir,
      encoding: 'utf8',
    });
    const found = new Set([...stdout.matchAll(/(\d+)\.ts:.*house/g)].map(([, n]) => Number(n)));
    assert.deepEqual(
      [...found].toSorted((a, b) => a - b),
      breaches.map((_, n) => n),
      stdout,
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
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
  { rule: 'durable', files: [{ path: 'proto/model/x.ts', text: 'writeSync(f, text); fsyncSync(f);' }] },
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
  { rule: 'import', files: imports('data-plane/gateway/call/x.ts', 'data-plane/http/server.ts') },
  { rule: 'import', files: imports('data-plane/security/x.ts', 'data-plane/gateway/deploy/y.ts') },
  { rule: 'import', files: imports('data-plane/security/x.ts', 'data-plane/http/server.ts') },
  { rule: 'readme', files: [{ path: 'data-plane/script/x.ts', text: '' }] },
  { rule: 'class', files: [{ path: 'proto/model/x.ts', text: `class X {${'\n'.repeat(251)}}` }] },
  {
    rule: 'folder',
    files: Array.from({ length: 26 }, (_, at) => ({ path: `proto/model/x${at}.ts`, text: '' })),
  },
  { rule: 'home', files: [{ path: 'proto/model/x.ts', text: 'const now = Date.now();' }] },
  { rule: 'home', files: [{ path: 'bridge/x.ts', text: "process.env['HOME']" }] },
  {
    rule: 'home',
    files: [
      {
        path: 'data-plane/security/x.ts',
        text: "import { type Agent, request } from 'node:https';\nrequest();",
      },
    ],
  },
  {
    rule: 'home',
    files: [
      { path: 'control-plane/publish/x.ts', text: "import {\n  isIP,\n  connect,\n} from 'node:net';" },
    ],
  },
  {
    rule: 'beside',
    files: [{ path: 'data-plane/policies/x.ts', text: "export const x: PolicyFactory<'x'> = () => ({});" }],
  },
  {
    rule: 'beside',
    files: [
      { path: 'data-plane/policies/some/x.ts', text: "export const x: PolicyFactory<'x'> = () => ({});" },
    ],
  },
  {
    rule: 'beside',
    files: [
      { path: 'control-plane/management/things/things.routes.ts', text: '' },
      readme('control-plane/management'),
    ],
  },
  {
    rule: 'tenant',
    files: [
      {
        path: 'control-plane/management/things/things.store.ts',
        text: "return db.selectFrom('thing').selectAll().where('id', '=', id).execute();",
      },
      readme('control-plane/management'),
    ],
  },
  {
    rule: 'tenant',
    files: [
      { path: 'control-plane/analytics/x.store.ts', text: "db.selectFrom('x').where('environment', '=', e)" },
    ],
  },
  {
    rule: 'unsaid',
    files: [
      { path: 'proto/faults/codes.ts', text: "  'request.invalid': { status: 400 },\n" },
      readme('proto/faults'),
    ],
  },
  {
    rule: 'unsaid',
    files: [
      { path: 'proto/policies/x.ts', text: '    X_REFUSED: { status: 400 },\n' },
      readme('proto/policies'),
    ],
  },
  {
    rule: 'unsaid',
    files: [
      { path: 'proto/policies/some/x.ts', text: '    X_REFUSED: { status: 400 },\n' },
      readme('proto/policies'),
    ],
  },
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
    ...imports('data-plane/gateway/call/x.ts', 'data-plane/security/y.ts'),
    ...imports('data-plane/security/x.ts', 'data-plane/http/exchange.ts'),
    { path: 'control-plane/management/z.store.ts', text: "import { sql } from 'kysely';" },
    { path: 'data-plane/security/y.ts', text: "import { isIP, type Socket } from 'node:net';" },
    { path: 'bridge/y.ts', text: "import { createServer } from 'node:http';\nimport { get } from './z.ts';" },
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
  'data-plane/security',
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
