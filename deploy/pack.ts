import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pruneLock, type Lockfile, type Manifest } from './packing/lockfile.ts';

/**
 * `npm pack` runs this first: Node strips no types under node_modules, so the package carries JavaScript.
 *
 * It needs the development packages only; nothing is bundled, the dependencies stay what package.json says. With --shrinkwrap the
 * package also gets the versions that the tests ran on; packing/gateway.ts, which runs after it, takes that file away again.
 */
const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const rooms = ['proto', 'data-plane', 'control-plane', 'bridge', 'shipper', 'deploy'];

rmSync(dist, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'deploy/pack.tsconfig.json')],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
// tsc 7 says `new _a()` in a static field of a class of another target than esnext, and gives `_a` no value.
for (const file of globSync('**/*.js', { cwd: dist }))
  if (/^(?:var|let) _[a-z]\b/m.test(readFileSync(join(dist, file), 'utf8')))
    throw new Error(
      `${file}: the compiler wrote a name of its own; look at the target in pack.tsconfig.json`,
    );
for (const asset of globSync(
  rooms.map((room) => `${room}/**/*.{proto,sql,json}`),
  { cwd: root },
)) {
  if (/\/golden\/|tsconfig|control-plane\/ui\//.test(asset)) continue;
  mkdirSync(dirname(join(dist, asset)), { recursive: true });
  copyFileSync(join(root, asset), join(dist, asset));
}

// What the reference of the management API is made of (control-plane/doors/reference.ts), with its licence.
const reference = join(dist, 'control-plane/doors/reference');
mkdirSync(reference, { recursive: true });
for (const asset of [
  'swagger-ui-bundle.js',
  'swagger-ui-bundle.js.LICENSE.txt',
  'swagger-ui.css',
  'LICENSE',
  'NOTICE',
])
  copyFileSync(join(root, 'node_modules/swagger-ui-dist', asset), join(reference, asset));

// The console (control-plane/doors/console.ts), as browsers take it.
execFileSync(process.execPath, [join(root, 'deploy/build-ui.js'), '--required'], {
  cwd: root,
  stdio: 'inherit',
});
cpSync(join(root, 'control-plane/ui/dist'), join(dist, 'control-plane/ui/dist'), { recursive: true });

if (process.argv.includes('--shrinkwrap')) {
  const read = (file: string): unknown => JSON.parse(readFileSync(join(root, file), 'utf8'));
  const pruned = pruneLock(read('package-lock.json') as Lockfile, read('package.json') as Manifest);
  writeFileSync(join(root, 'npm-shrinkwrap.json'), `${JSON.stringify(pruned, undefined, 2)}\n`);
}
