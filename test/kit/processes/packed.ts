import { execFileSync } from 'node:child_process';
import { readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { tempDir } from '../temp-dir.ts';

const root = join(import.meta.dirname, '../../..');

/** What a newcomer's shell has: the machine's own node and npm, nothing of this checkout. */
export const newcomersEnvironment: Readonly<Record<string, string>> = {
  PATH: (process.env['PATH'] ?? '')
    .split(':')
    .filter((dir) => !dir.includes('node_modules') && !dir.includes('node-gyp-bin'))
    .join(':'),
  HOME: process.env['HOME'] ?? '',
  ...Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      /^npm_config_registry$|_CA_|CERT|^https?_proxy$|^no_proxy$/i.test(name) ? [[name, value ?? '']] : [],
    ),
  ),
};

/** Packs what is committed, as in a release (the packages are borrowed), and says where the tarball lies. */
export function packTarball(t: Pick<TestContext, 'after'>): string {
  const packed = tempDir(t, 'isthmus-pack');
  const source = tempDir(t, 'isthmus-source');
  execFileSync('git', ['clone', '-q', root, source]);
  symlinkSync(join(root, 'node_modules'), join(source, 'node_modules'));
  execFileSync('npm', ['pack', '--pack-destination', packed], {
    cwd: source,
    env: newcomersEnvironment,
    stdio: 'pipe',
  });
  return join(packed, readdirSync(packed).find((name) => /^isthmus-\d.*\.tgz$/.test(name)) ?? '');
}
