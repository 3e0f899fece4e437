import { existsSync } from 'node:fs';
import { diskFiles, type SpoolFiles } from '../../../proto/spool/spool-files.ts';

// Imported as `stalling-files.ts?flag=<path>`: while the flag file exists every call blocks, as on a frozen file system. With
// `&code=ENOSPC` (or EROFS ...) the calls that write fail instead, as on a full one or one that may only be read.
const wish = new URL(import.meta.url).searchParams;
const flag = wish.get('flag') ?? '';
const code = wish.get('code');
const cell = new Int32Array(new SharedArrayBuffer(4));
const stall = (): void => {
  while (existsSync(flag)) {
    if (code !== null) throw Object.assign(new Error(`${code}: the disk refuses`), { code });
    Atomics.wait(cell, 0, 0, 20);
  }
};

/** The disk, as long as nobody freezes it. */
export const files: SpoolFiles = {
  ...diskFiles,
  makeFolder: (dir) => (stall(), diskFiles.makeFolder(dir)),
  create: (path) => (stall(), diskFiles.create(path)),
  write: (file, bytes, position) => (stall(), diskFiles.write(file, bytes, position)),
  syncData: (file) => (stall(), diskFiles.syncData(file)),
};
