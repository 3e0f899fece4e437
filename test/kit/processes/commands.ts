import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CommandEnd } from './commands-main.ts';

/** Runs commands one after another in one process of its own, as another user when told the number of one. */
export async function runCommands(
  commands: readonly (readonly string[])[],
  user = '',
): Promise<readonly CommandEnd[]> {
  const main = join(import.meta.dirname, 'commands-main.ts');
  const { stdout } = await promisify(execFile)(process.execPath, [main, user, JSON.stringify(commands)], {
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '' },
    maxBuffer: 16 * 1024 * 1024,
  });
  return JSON.parse(stdout) as readonly CommandEnd[];
}
