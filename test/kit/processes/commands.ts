import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { CommandEnd } from './commands-main.ts';

const checkout = join(import.meta.dirname, '..', '..', '..');

/** Runs commands one after another in one process of its own, in `/` unless told otherwise, as another user when told the number of one. */
export async function runCommands(
  commands: readonly (readonly string[])[],
  {
    user = '',
    cwd = '/',
    env = {},
  }: {
    readonly user?: string;
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<readonly CommandEnd[]> {
  const main = join(import.meta.dirname, 'commands-main.ts');
  const cache = process.env['NODE_COMPILE_CACHE'];
  const { stdout } = await promisify(execFile)(process.execPath, [main, user, JSON.stringify(commands)], {
    cwd,
    env: {
      PATH: process.env['PATH'] ?? '',
      ...(cache !== undefined && { NODE_COMPILE_CACHE: `${cache}-commands` }),
      ...env,
    },
    maxBuffer: 16 * 1024 * 1024,
  });
  return JSON.parse(stdout) as readonly CommandEnd[];
}

/**
 * Somebody who owns nothing, since root may open and make everything; undefined where nobody else can read the checkout, which is then in a
 * folder that is closed to others.
 */
export function userWhoOwnsNothing(): string | undefined {
  if (process.getuid?.() !== 0) return '';
  return isOpenToAll(checkout) ? '65534' : undefined;
}

function isOpenToAll(path: string): boolean {
  const isOpen = (statSync(path).mode & 0o005) === 0o005;
  return isOpen && (path === '/' || isOpenToAll(dirname(path)));
}
