import { mkdir, readdir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { privateFolderMode } from '../../proto/process/disk/durable-file.ts';
import { isCode, segmentFile, type SpoolRef } from '../../proto/spool/folder.ts';

/** Where segments lie that hold bytes which could not be read, beside the streams. */
const damagedFolder = 'damaged';

/** Moves a segment out of its spool, for whoever wants to look at it; returns where it lies. */
export async function setAside(dir: string, ref: SpoolRef, first: number): Promise<string> {
  const folder = join(dir, damagedFolder);
  await mkdir(folder, { recursive: true, mode: privateFolderMode });
  const path = join(folder, `${ref.stream}.${ref.environment}.${ref.spool}.${segmentFile(first)}`);
  await rename(join(ref.dir, segmentFile(first)), path);
  return path;
}

/** Deletes the oldest that were set aside until the rest fits; returns the names of the deleted. */
export async function boundDamaged(dir: string, bytesMax: number): Promise<readonly string[]> {
  const folder = join(dir, damagedFolder);
  const files: { readonly name: string; readonly bytes: number; readonly asideAtMs: number }[] = [];
  for (const name of await namesIn(folder)) {
    const { size, ctimeMs } = await stat(join(folder, name));
    files.push({ name, bytes: size, asideAtMs: ctimeMs });
  }
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const deleted: string[] = [];
  for (const file of files.toSorted((a, b) => a.asideAtMs - b.asideAtMs)) {
    if (bytes <= bytesMax) break;
    await unlink(join(folder, file.name));
    bytes -= file.bytes;
    deleted.push(file.name);
  }
  return deleted;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith('.seg'));
  } catch (error) {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  }
}
