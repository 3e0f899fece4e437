// Builds the console into control-plane/ui/dist. Plain JavaScript: npm runs it as the last step of an installation (`prepare`), where the
// machine's own Node may be too old for the sources. What was built of the present sources is not built again; where Vite is not
// installed (npm ci --omit=dev) there is nothing to build with, and one line says so. With --required that is an error.
import { readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const ui = join(root, 'control-plane/ui');

/** Time of the last change in milliseconds, the newest of all below a folder; 0 when there is nothing. */
function newestMs(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  const below = readdirSync(path).filter((name) => name !== 'dist' && name !== 'node_modules');
  return Math.max(stat.mtimeMs, ...below.map((name) => newestMs(join(path, name))));
}

function findVite() {
  try {
    return createRequire(import.meta.url).resolve('vite');
  } catch {
    return undefined;
  }
}

/** Writes dist; its index.html comes last, so that half a build is none. */
async function build(entry) {
  const vite = await import(pathToFileURL(entry).href);
  await vite.build({ configFile: join(ui, 'vite.config.ts'), logLevel: 'warn' });
}

const isFresh =
  newestMs(join(ui, 'dist/index.html')) >= Math.max(newestMs(ui), newestMs(join(root, 'package-lock.json')));
const vite = findVite();
if (!isFresh) {
  if (vite !== undefined) await build(vite);
  else {
    const words = 'Vite is not installed: the console is not built, the management API works without it\n';
    process.stderr.write(words);
    if (process.argv.includes('--required')) process.exitCode = 1;
  }
}
