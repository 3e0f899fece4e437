import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, extname, join, relative } from 'node:path';

import type { Migration } from '../../proto/definition/v2/migrate.ts';
import { Fault, type FaultDetail } from '../../proto/faults/fault.ts';
import { print, say } from '../terminal.ts';
import type { Flags } from './convert.ts';

/** What becomes of one API. */
export interface ConvertTools {
  migrated(file: string): Promise<Migration>;
  refusalsOf(v4: Migration['v4']): Promise<readonly FaultDetail[]>;
}

const filesMax = 20_000;
const suffix = '.v4.json';

/** What a file came to; `to` where it was written. */
interface Converted {
  readonly file: string;
  readonly to?: string;
  readonly left?: string;
  readonly refusals?: readonly FaultDetail[];
}

/**
 * Converts each API of a folder and of those in it: `a/b.yaml` becomes `a/b.v4.json` beside it, or below `--out`. No file is written over. Gives the code
 * to end with: 1 where one was left, or is taken by no gateway as it is.
 */
export async function convertFolder(folder: string, flags: Flags, tools: ConvertTools): Promise<number> {
  const { names, left } = filesBelow(folder);
  const converted: Converted[] = [...left];
  for (const name of names) converted.push(await convertOne(join(folder, name), { folder, flags, tools }));
  if (flags.json === true) print(JSON.stringify(converted, undefined, 2));
  else for (const one of converted) tell(one);
  const written = converted.filter(({ to }) => to !== undefined).length;
  say(`${written} converted, ${converted.length - written} left`);
  return converted.every(({ to, refusals = [] }) => to !== undefined && refusals.length === 0) ? 0 : 1;
}

async function convertOne(
  file: string,
  { folder, flags, tools }: { readonly folder: string; readonly flags: Flags; readonly tools: ConvertTools },
): Promise<Converted> {
  try {
    const { v4, issues } = await tools.migrated(file);
    if (v4 === undefined)
      return { file, left: issues.map(({ path, message }) => `${path} ${message}`).join('; ') };
    const at = flags.out === undefined ? dirname(file) : join(flags.out, relative(folder, dirname(file)));
    const to = join(at, `${basename(file, extname(file))}${suffix}`);
    if (existsSync(to)) return { file, left: `${to} is there already` };
    mkdirSync(at, { recursive: true });
    writeFileSync(to, `${JSON.stringify(v4, undefined, 2)}\n`, { flag: 'wx' });
    return { file, to, refusals: await tools.refusalsOf(v4) };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const said = error.details.map(({ path, message }) => `${path} ${message}`);
    return { file, left: [error.detail, ...said].join(' ') };
  }
}

/** What it holds, in order; hidden files and folders, and links to folders, are passed over as everywhere. */
function filesBelow(folder: string): {
  readonly names: readonly string[];
  readonly left: readonly Converted[];
} {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((name) => !name.split('/').some((part) => part.startsWith('.')) && !name.endsWith(suffix))
    .toSorted();
  const isRead = (name: string): boolean => /^\.(json|ya?ml)$/i.test(extname(name));
  const left = (some: readonly string[], why: string): readonly Converted[] =>
    some.map((name) => ({ file: join(folder, name), left: why }));
  const names = entries.filter(isRead);
  return {
    names: names.slice(0, filesMax),
    left: [
      ...left(
        entries.filter((name) => !isRead(name)),
        'is neither JSON nor YAML',
      ),
      ...left(names.slice(filesMax), `is past the ${filesMax} files that are read`),
    ],
  };
}

function tell({ file, to, left, refusals = [] }: Converted): void {
  say(left === undefined ? `converted  ${file} -> ${to}` : `left  ${file} ${left}`);
  for (const { path, message } of refusals) say(`refused  ${file} ${path} ${message}`);
}
