import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { makeFolders } from '../process/disk/folders.ts';
import { privateFileMode, syncFolder, syncFolderAside } from '../process/disk/durable-file.ts';
import { isCode } from './folder.ts';

/**
 * The system calls of a writer, synchronous since it runs in a thread of its own.
 *
 * Tests hand in a disk that stalls, is full or breaks.
 */
export interface SpoolFiles {
  makeFolder(dir: string): void;
  /** Creates a file, emptying what a failed attempt left: the spool id is random, so nobody else has made it. */
  create(path: string): number;
  /** Gives a file its name, whatever had it before. */
  rename(from: string, to: string): void;
  remove(path: string): void;
  /** False when the path leads to another file or to none: somebody deleted or moved it, or a folder above it. */
  isAt(file: number, path: string): boolean;
  read(file: number, bytes: Uint8Array, position: number): number;
  /** Writes at a position; may write less than asked. */
  write(file: number, bytes: Uint8Array, position: number): number;
  /** Empties a file. */
  truncate(file: number): void;
  syncData(file: number): void;
  /** The same on another thread, so that writes go on meanwhile. */
  syncDataAside(file: number): Promise<void>;
  syncFile(file: number): void;
  syncFolder(dir: string): void;
  syncFolderAside(dir: string): Promise<void>;
  close(file: number): void;
}

/** The disk as it is. */
export const diskFiles: SpoolFiles = {
  makeFolder: (dir) => void makeFolders(dir),
  create: (path) => openSync(path, 'w+', privateFileMode),
  rename: renameSync,
  remove: (path) => rmSync(path, { force: true }),
  isAt(file, path) {
    const named = statUnlessGone(path);
    if (named === undefined) return false;
    const own = fstatSync(file);
    return named.ino === own.ino && named.dev === own.dev;
  },
  read: (file, bytes, position) => readSync(file, bytes, 0, bytes.length, position),
  write: (file, bytes, position) => writeSync(file, bytes, 0, bytes.length, position),
  truncate: (file) => ftruncateSync(file, 0),
  syncData: fdatasyncSync,
  syncDataAside: promisify(fdatasync),
  syncFile: fsyncSync,
  syncFolder,
  syncFolderAside,
  close: closeSync,
};

function statUnlessGone(path: string): { readonly ino: number; readonly dev: number } | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // A file stands where a folder was.
    if (isCode(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}
