import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isUnfinished, makeFolderDurably, writeDurably } from '../proto/process/disk/durable-file.ts';

/** The quarantine has no room: what should go there stays where it is, and its spool waits for a human. */
export class QuarantineFull extends Error {
  override readonly name = 'QuarantineFull';
}

/** What is in the folder. */
export interface QuarantineContent {
  readonly dir: string;
  readonly files: number;
  readonly bytes: number;
  /** Names of the newest, newest first. */
  readonly newest: readonly string[];
}

/** A folder for what cannot go on and must not be lost; a human empties it. */
export interface Quarantine {
  /** Writes a file durably and gives back its path; repeating it is harmless. Errors: QuarantineFull. */
  keep(name: string, bytes: Uint8Array): string;
  /** Takes back what {@link keep} wrote. */
  drop(path: string): void;
  /** Moves a damaged file or folder here, whatever it is, and gives back its new path. */
  moveAside(path: string): string;
  content(): QuarantineContent;
}

const newestMax = 10;

/** Opens the folder; it holds at most so many bytes, not counting damaged files, which are moved and not written. */
export function openQuarantine(dir: string, bytesMax: number): Quarantine {
  makeFolderDurably(dir);
  // Of a write that a crash interrupted; its file is kept anew.
  for (const name of namesIn(dir)) if (isUnfinished(name)) rmSync(join(dir, name), { force: true });
  let bytes = sizesOf(dir).reduce((sum, file) => sum + file.bytes, 0);
  return {
    keep(name, content) {
      makeFolderDurably(dir);
      const path = join(dir, name);
      if (holds(path, content)) return path;
      // It may have been emptied since.
      if (bytes + content.length > bytesMax) bytes = sizesOf(dir).reduce((sum, file) => sum + file.bytes, 0);
      if (bytes + content.length > bytesMax) {
        throw new QuarantineFull(
          `the quarantine is full: ${bytes} of ${bytesMax} bytes in ${dir}; look at its files and empty it`,
        );
      }
      const free = isThere(path) ? withSuffix(path) : path;
      writeDurably(free, content);
      bytes += content.length;
      return free;
    },
    drop: (path) => rmSync(path, { force: true }),
    moveAside(path) {
      makeFolderDurably(dir);
      const place = withSuffix(join(dir, `damaged-${basename(path)}`));
      renameSync(path, place);
      return place;
    },
    content() {
      const files = sizesOf(dir);
      return {
        dir,
        files: files.length,
        bytes: files.reduce((sum, file) => sum + file.bytes, 0),
        newest: files
          .toSorted((a, b) => b.changedAtMs - a.changedAtMs)
          .slice(0, newestMax)
          .map(({ name }) => name),
      };
    },
  };
}

const withSuffix = (path: string): string => `${path}.${randomBytes(4).toString('hex')}`;
const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

function holds(path: string, content: Uint8Array): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isFile() === true && found.size === content.length && readFileSync(path).equals(content);
}

function sizesOf(
  dir: string,
): readonly { readonly name: string; readonly bytes: number; readonly changedAtMs: number }[] {
  return namesIn(dir).flatMap((name) => {
    const found = statSync(join(dir, name), { throwIfNoEntry: false });
    return found === undefined ? [] : [{ name, bytes: found.size, changedAtMs: found.mtimeMs }];
  });
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    // Deleted under us: it is empty, and made again with the next file.
    return [];
  }
}
