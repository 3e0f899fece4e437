import { execFileSync } from 'node:child_process';
import { copyFileSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, normalize, resolve } from 'node:path';
import { documents } from './documents.ts';
import { pruneLock, type Lockfile, type Manifest } from './lockfile.ts';

/**
 * `npm pack` runs this last: the second tarball of the same tree, isthmus-gateway, for machines that run gateways and shippers only. It
 * has neither the control plane nor what that needs (DuckDB, a driver of PostgreSQL, the AWS SDK).
 *
 * What it depends on is read off what its files import; a file that would not find another one ends the packing.
 */
const root = join(import.meta.dirname, '../..');
const stage = join(root, 'dist-gateway');
const name = 'isthmus-gateway';

/** Rooms that it has whole; of `deploy` what the command line imports, see {@link importedOf}. */
const rooms = ['proto', 'data-plane', 'shipper'];
const entry = 'deploy/gateway-cli.js';
/** The AWS SDK is loaded where `output: s3` wants it, and only there; the shipper says so (shipper/outputs/of-s3.ts). */
const left = new Set(['shipper/outputs/s3.js', 'proto/process/s3/client.js']);

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
try {
  const files = copyFiles();
  const own = { ...manifest, ...manifestOf(files) };
  writeFileSync(join(stage, 'package.json'), `${JSON.stringify(own, undefined, 2)}\n`);
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lockfile;
  writeFileSync(
    join(stage, 'npm-shrinkwrap.json'),
    `${JSON.stringify(pruneLock(lock, own), undefined, 2)}\n`,
  );
  const wanted = process.env['npm_config_pack_destination'];
  const destination = resolve(root, wanted === undefined || wanted === '' ? '.' : wanted);
  execFileSync('npm', ['pack', '--pack-destination', destination], { cwd: stage, stdio: 'inherit' });
} finally {
  rmSync(stage, { recursive: true, force: true });
  // Made by pack.ts for the other tarball; in a checkout npm would take it for the lockfile.
  rmSync(join(root, 'npm-shrinkwrap.json'), { force: true });
}

/** Fills the stage, and gives back what runs there. */
function copyFiles(): readonly string[] {
  rmSync(stage, { recursive: true, force: true });
  const dist = join(root, 'dist');
  const files = [
    ...globSync(
      rooms.map((room) => `${room}/**/*.{js,json,proto}`),
      { cwd: dist },
    ),
    ...importedOf(dist, entry),
  ].filter((file) => !left.has(file));
  for (const file of files) {
    const to = join(stage, 'dist', file);
    mkdirSync(dirname(to), { recursive: true });
    copyFileSync(join(dist, file), to);
  }
  for (const [file, source] of documents) {
    mkdirSync(dirname(join(stage, file)), { recursive: true });
    copyFileSync(join(root, source), join(stage, file));
  }
  return files;
}

/** A file of `deploy` and all others there that it imports, now or when a command runs. */
function importedOf(dist: string, first: string): readonly string[] {
  const found = new Set([first]);
  for (const file of found) {
    for (const specifier of importsOf(readFileSync(join(dist, file), 'utf8'))) {
      const target = normalize(join(dirname(file), specifier));
      if (specifier.startsWith('.') && target.startsWith('deploy/')) found.add(target);
    }
  }
  return [...found];
}

/** The package.json, with the dependencies that the files import. */
function manifestOf(files: readonly string[]): Manifest {
  const known = new Set(files);
  const packages = new Set<string>();
  for (const file of files.filter((each) => each.endsWith('.js'))) {
    for (const specifier of importsOf(readFileSync(join(stage, 'dist', file), 'utf8'))) {
      if (specifier.startsWith('.')) {
        const target = normalize(join(dirname(file), specifier));
        if (!known.has(target) && !left.has(target))
          throw new Error(`${name}: ${file} imports ${specifier}, which is not packed`);
      } else if (!specifier.startsWith('node:') && !builtinModules.includes(specifier)) {
        packages.add(/^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier);
      }
    }
  }
  const dependencies = Object.entries(manifest.dependencies ?? {}).filter(([each]) => packages.has(each));
  const missing = [...packages].filter((each) => manifest.dependencies?.[each] === undefined);
  if (missing.length > 0) throw new Error(`${name}: ${missing.join(', ')} is imported and no dependency`);
  return {
    name,
    version: manifest.version,
    description: 'The gateway and the shipper of Isthmus: what runs in your own network.',
    dependencies: Object.fromEntries(dependencies),
    scripts: undefined,
    devDependencies: undefined,
    files: ['dist', 'deploy', 'CHANGELOG.md', 'npm-shrinkwrap.json'],
  };
}

function importsOf(text: string): readonly string[] {
  const found = text.matchAll(/(?:^|[\s;}])(?:from|import|require\w*)\s*\(?\s*['"]([\w@./:-]+)['"]/g);
  return [...found].map(([, specifier = '']) => specifier);
}
