import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Finding } from './doctor.ts';

/** Whose files are looked at. */
export interface ModesOf {
  /** Data folders, and those of keys elsewhere. */
  readonly dirs: readonly string[];
  /** Private keys in files of their own: a group may read them, since a service manager hands certificates over by one. */
  readonly keyFiles: readonly (string | undefined)[];
}

/** Entries that are looked at, and how far below the data folder: what secrets and identity need. Spools and buckets hold thousands. */
const entriesMax = 2_000;
const depthMax = 2;
const namedMax = 3;

/**
 * Whether somebody else on this machine may read what a process keeps. What it makes is for its user alone (0700, 0600); wider is what was
 * copied, restored or made by an earlier version.
 */
export function examineModes({ dirs, keyFiles }: ModesOf): Finding {
  const roots = dirs.map((dir) => resolve(dir));
  const wide = [
    ...roots.flatMap(entriesOf).filter(({ mode }) => (mode & 0o077) !== 0),
    ...keyFiles
      .flatMap((file) => (file === undefined ? [] : modeOf(file)))
      .filter(({ mode }) => (mode & 0o007) !== 0),
  ];
  if (wide.length === 0) return { status: 'ok', found: describeClosed(roots) };
  const first = wide
    .slice(0, namedMax)
    .map(({ path, mode }) => `${path} (${mode.toString(8).padStart(4, '0')})`);
  const more = wide.length > namedMax ? ` and ${wide.length - namedMax} more` : '';
  return {
    status: 'warning',
    found: `others on this machine may get at ${first.join(', ')}${more}`,
    remedy: `chmod -R go-rwx ${roots.join(' ')}, and chmod o-rwx of private keys; then ask who could read them until now.`,
  };
}

/** Of a folder that is not there nothing is known: a start makes it. */
function describeClosed(roots: readonly string[]): string {
  const there = roots.filter((root) => modeOf(root).length > 0 || existsSync(root));
  const missing = roots.filter((root) => !there.includes(root)).map((root) => `${root} is not there yet`);
  const closed = there.length === 0 ? [] : [`nobody else may read ${there.join(' and ')}`];
  return [...closed, ...missing].join('; ');
}

interface Entry {
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
}

/** The folder and what lies in it, parents first; links are left out, since their modes say nothing. */
function entriesOf(root: string): readonly Entry[] {
  const entries: Entry[] = [];
  const open = [{ path: root, depth: 0 }];
  for (let at = open.shift(); at !== undefined && entries.length < entriesMax; at = open.shift()) {
    const [entry] = modeOf(at.path);
    if (entry === undefined) continue;
    entries.push(entry);
    if (at.depth >= depthMax) continue;
    for (const name of namesIn(at.path)) open.push({ path: join(at.path, name), depth: at.depth + 1 });
  }
  return entries;
}

/** Nothing for what is not there, or cannot be looked at: other checks speak of that. */
function modeOf(path: string): readonly Entry[] {
  const stat = quietly(() => lstatSync(path));
  return stat === undefined || stat.isSymbolicLink() ? [] : [{ path, mode: stat.mode & 0o777 }];
}

const namesIn = (path: string): readonly string[] => quietly(() => readdirSync(path)) ?? [];

function quietly<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    // Not there, or closed to whoever asks.
    return undefined;
  }
}
