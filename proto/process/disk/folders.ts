import { mkdirSync, statSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const mode = 0o700;

/**
 * Makes a folder and those above it, private; returns the topmost that was made, undefined when all were there.
 *
 * Not `mkdir` with `recursive`: that asks for ever where a folder is there in which nothing can be made and the system says ENOENT, as
 * below `/proc`. Errors: the system's own.
 */
export function makeFolders(dir: string): string | undefined {
  try {
    mkdirSync(dir, { mode });
    return dir;
  } catch (error) {
    if (isCode(error, 'EEXIST') && statSync(dir).isDirectory()) return undefined;
    if (!isCode(error, 'ENOENT') || dirname(dir) === dir) throw error;
  }
  const top = makeFolders(dirname(dir));
  try {
    mkdirSync(dir, { mode });
  } catch (error) {
    // Somebody else made it meanwhile.
    if (!isCode(error, 'EEXIST') || !statSync(dir).isDirectory()) throw error;
  }
  return top ?? dir;
}

/** The same without holding up the event loop. */
export async function makeFoldersAside(dir: string): Promise<string | undefined> {
  try {
    await mkdir(dir, { mode });
    return dir;
  } catch (error) {
    if (isCode(error, 'EEXIST') && (await stat(dir)).isDirectory()) return undefined;
    if (!isCode(error, 'ENOENT') || dirname(dir) === dir) throw error;
  }
  const top = await makeFoldersAside(dirname(dir));
  try {
    await mkdir(dir, { mode });
  } catch (error) {
    if (!isCode(error, 'EEXIST') || !(await stat(dir)).isDirectory()) throw error;
  }
  return top ?? dir;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
