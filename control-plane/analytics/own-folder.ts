import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * A folder for what this process alone works on, worth nothing once the process is gone.
 *
 * Its name has the process id, so that the next one to come can tell and remove what killed ones left. Resolves to its path.
 */
export async function openOwnFolder(dir: string): Promise<string> {
  await mkdir(dir, { recursive: true });
  for (const name of await readdir(dir)) {
    // In a container every process that ever was may have had our own id.
    const pid = Number(/^([0-9]+)-/.exec(name)?.[1] ?? 0);
    if (ownNames.has(name) || (pid !== process.pid && isAlive(pid))) continue;
    await rm(join(dir, name), { recursive: true, force: true });
  }
  const name = `${process.pid}-${randomBytes(8).toString('hex')}`;
  ownNames.add(name);
  await mkdir(join(dir, name));
  return join(dir, name);
}

/** Of this process, which may open several. */
const ownNames = new Set<string>();

function isAlive(pid: number): boolean {
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Does something in a new folder within another, which is gone afterwards, whatever becomes of it. */
export async function inFolder<T>(parent: string, work: (dir: string) => Promise<T>): Promise<T> {
  const dir = join(parent, randomUUID());
  await mkdir(dir, { recursive: true });
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
