import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { tempDir } from '../temp-dir.ts';
import type { CommandEnd } from './commands-main.ts';

const checkout = join(import.meta.dirname, '..', '..', '..');

/** Somebody who runs commands. */
export interface CommandUser {
  /** The number of a user; none for whoever runs the tests. */
  readonly user: string;
  /** Where that user reads the checkout. */
  readonly checkout: string;
}

/** Runs commands one after another in one process of its own. */
export async function runCommands(
  commands: readonly (readonly string[])[],
  as: CommandUser = { user: '', checkout },
): Promise<readonly CommandEnd[]> {
  const main = join(as.checkout, 'test', 'kit', 'processes', 'commands-main.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [main, as.user, JSON.stringify(commands)], {
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '' },
    maxBuffer: 16 * 1024 * 1024,
  });
  return JSON.parse(stdout) as readonly CommandEnd[];
}

/**
 * Somebody who owns nothing: root may open and make everything. A checkout in a folder that is closed to others is mounted where it can be
 * read.
 */
export function userWhoOwnsNothing(t: TestContext): CommandUser {
  if (process.getuid?.() !== 0) return { user: '', checkout };
  if (isOpenToAll(checkout)) return { user: '65534', checkout };
  const dir = tempDir(t);
  execFileSync('chmod', ['755', dir]);
  const mounted = join(dir, 'checkout');
  mkdirSync(mounted, { mode: 0o755 });
  execFileSync('mount', ['--bind', checkout, mounted]);
  t.after(() => execFileSync('umount', ['-l', mounted]));
  return { user: '65534', checkout: mounted };
}

function isOpenToAll(path: string): boolean {
  const isOpen = (statSync(path).mode & 0o005) === 0o005;
  return isOpen && (path === '/' || isOpenToAll(dirname(path)));
}
