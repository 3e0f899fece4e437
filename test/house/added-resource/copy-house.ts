import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { tempDir } from '../../kit/temp-dir.ts';

const root = join(import.meta.dirname, '../../..');

/**
 * A resource as somebody would add it who follows "Adding a management resource" of CONTRIBUTING.md: things of an environment, with a
 * name each. Whole files, by where they go; they lie beside this file as text, since here they would be part of the house.
 */
const created = [
  'control-plane/management/things/things.ts',
  'control-plane/management/things/things.routes.ts',
  'control-plane/management/things/things.store.ts',
  'control-plane/management/things/things.test.ts',
  'control-plane/storage/migrations/9999-things.ts',
];

/** Lines, each behind one that is there. */
export const changed: readonly { readonly path: string; readonly behind: string; readonly line: string }[] = [
  {
    path: 'control-plane/management/index.ts',
    behind: "import { tenantRoutes } from './tenants/tenants.routes.ts';",
    line: "import { thingRoutes } from './things/things.routes.ts';",
  },
  { path: 'control-plane/management/index.ts', behind: '  ...tenantRoutes,', line: '  ...thingRoutes,' },
  {
    path: 'control-plane/storage/migrations/index.ts',
    behind: "import type { Migration } from './migration.ts';",
    line: "import { things } from './9999-things.ts';",
  },
  { path: 'control-plane/storage/migrations/index.ts', behind: '  tokenScopes,', line: '  things,' },
  { path: 'control-plane/storage/grants.ts', behind: "  lake_file: 'none',", line: "  thing: 'none'," },
  {
    path: 'control-plane/management/audit/events.ts',
    behind: "  API_CREATED: 'An API was created.',",
    line: "  THING_CREATED: 'A thing was created.',",
  },
  {
    path: 'test/kit/control-plane/rights/table.ts',
    behind: "  getOrganization: '+++ +++ +++',",
    line: "  listThings: '++- --- ---',\n  createThing: '++- --- ---',",
  },
  {
    path: 'control-plane/doors/permissions.slow.test.ts',
    behind: "  createApi: apiBody('/another'),",
    line: "  createThing: { name: 'one' },",
  },
];

/** A copy of the tree with the resource in it; says which files it has. */
export function copyHouse(t: TestContext): { readonly house: string; readonly paths: readonly string[] } {
  const house = tempDir(t, 'house');
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  const paths = listed.split('\n').filter((path) => path !== '');
  for (const path of paths) cpSync(join(root, path), join(house, path), { recursive: true, force: true });
  symlinkSync(join(root, 'node_modules'), join(house, 'node_modules'));
  for (const path of created) {
    mkdirSync(dirname(join(house, path)), { recursive: true });
    copyFileSync(join(import.meta.dirname, `${basename(path)}.txt`), join(house, path));
  }
  for (const { path, behind, line } of changed) {
    const text = readFileSync(join(house, path), 'utf8');
    assert.equal(text.split(`${behind}\n`).length, 2, `${path} has one line "${behind}"`);
    writeFileSync(
      join(house, path),
      text.replace(`${behind}\n`, () => `${behind}\n${line}\n`),
    );
  }
  return { house, paths: [...new Set([...paths, ...created])] };
}
