import { randomBytes } from 'node:crypto';
import { renameSync, statSync } from 'node:fs';
import { makeFolderDurably } from '../proto/process/disk/durable-file.ts';

/** Makes a folder; whatever else has its name is moved aside and its new name given back. */
export function makeFolder(dir: string): string | undefined {
  const found = statSync(dir, { throwIfNoEntry: false });
  const aside = `${dir}.damaged-${randomBytes(4).toString('hex')}`;
  const isInTheWay = found !== undefined && !found.isDirectory();
  if (isInTheWay) renameSync(dir, aside);
  makeFolderDurably(dir);
  return isInTheWay ? aside : undefined;
}
