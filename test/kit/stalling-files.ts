import { existsSync } from 'node:fs';
import { diskFiles, type SpoolFiles } from '../../proto/spool/spool-files.ts';

// Imported as `stalling-files.ts?flag=<path>`: while the flag file exists every call blocks, as on a frozen filesystem.
const flag = new URL(import.meta.url).searchParams.get('flag') ?? '';
const cell = new Int32Array(new SharedArrayBuffer(4));
const stall = (): void => {
  while (existsSync(flag)) Atomics.wait(cell, 0, 0, 20);
};

/** The disk, as long as nobody freezes it. */
export const files: SpoolFiles = {
  ...diskFiles,
  create: (path) => (stall(), diskFiles.create(path)),
  write: (file, bytes, position) => (stall(), diskFiles.write(file, bytes, position)),
  syncData: (file) => (stall(), diskFiles.syncData(file)),
};
