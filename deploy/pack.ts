import { execFileSync } from 'node:child_process';
import { copyFileSync, globSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * `npm pack` runs this first: Node strips no types under node_modules, so the package carries JavaScript.
 *
 * It needs the development packages only; nothing is bundled, the dependencies stay what package.json says.
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
for (const asset of globSync(
  rooms.map((room) => `${room}/**/*.{proto,sql,json}`),
  { cwd: root },
)) {
  if (/\/golden\/|tsconfig/.test(asset)) continue;
  mkdirSync(dirname(join(dist, asset)), { recursive: true });
  copyFileSync(join(root, asset), join(dist, asset));
}
