import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { writeDurably } from '../process/disk/durable-file.ts';
import { isCode, openSealedJson, sealJson } from './folder.ts';

const SpoolOwner = z.object({
  organization: z.string(),
  environment: z.string(),
  gateway: z.string(),
  host: z.string(),
  pid: z.number().int(),
  /** When the process started, in the kernel's ticks; tells it from a later one with the same id. Empty where unknown. */
  ticks: z.string(),
});

/** Whose records a spool holds, and which process writes it. */
export type SpoolOwner = z.infer<typeof SpoolOwner>;

/** Its file in the spool's folder. */
export const ownerFile = 'spool.json';

/** Writes the owner, this process, before the first segment is made. */
export function writeOwner(
  dir: string,
  tenant: Pick<SpoolOwner, 'organization' | 'environment' | 'gateway'>,
): void {
  const owner = { ...tenant, host: hostname(), pid: process.pid, ticks: ticksOf(process.pid) };
  writeDurably(join(dir, ownerFile), sealJson(owner));
}

/**
 * Writes the owner of a spool whose file was lost or damaged, as its records name it: without one nobody would ship them.
 *
 * Which process writes it is not known any more, as if it were of another host.
 */
export function restoreOwner(
  dir: string,
  tenant: Pick<SpoolOwner, 'organization' | 'environment' | 'gateway'>,
): void {
  writeDurably(join(dir, ownerFile), sealJson({ ...tenant, host: '', pid: 0, ticks: '' }));
}

/** The owner; undefined when the file is missing or damaged. */
export function readOwner(dir: string): SpoolOwner | undefined {
  try {
    return SpoolOwner.parse(openSealedJson(readFileSync(join(dir, ownerFile), 'utf8')));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].some((code) => isCode(error, code))) return undefined;
    if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}

/** False only when the process is certainly gone: on another host nobody can tell. */
export function mayBeAlive(owner: SpoolOwner): boolean {
  if (owner.host !== hostname()) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return !isCode(error, 'ESRCH');
  }
  return owner.ticks === ticksOf(owner.pid);
}

function ticksOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program comes second, in parentheses, and may hold spaces: count fields behind it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
