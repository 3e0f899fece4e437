import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { writeDurably } from '../process/disk/durable-file.ts';
import { hasTexts, isCode, openSealedJson, sealJson } from './folder.ts';

/** A process, told from every other. */
export interface ProcessOwner {
  readonly host: string;
  readonly pid: number;
  /** When the process started, in the kernel's ticks; tells it from a later one with the same id. Empty where unknown. */
  readonly ticks: string;
}

/** Whose records a spool holds, and which process writes it. */
export interface SpoolOwner extends ProcessOwner {
  readonly organization: string;
  readonly environment: string;
  readonly gateway: string;
}

/** This process. */
export const thisProcess = (): ProcessOwner => ({
  host: hostname(),
  pid: process.pid,
  ticks: ticksOf(process.pid),
});

/** Its file in the spool's folder. */
export const ownerFile = 'spool.json';

/** Writes the owner, this process, before the first segment is made. */
export function writeOwner(
  dir: string,
  tenant: Pick<SpoolOwner, 'organization' | 'environment' | 'gateway'>,
): void {
  writeDurably(join(dir, ownerFile), sealJson({ ...tenant, ...thisProcess() }));
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
    const content = openSealedJson(readFileSync(join(dir, ownerFile), 'utf8'));
    if (!isOwner(content)) return undefined;
    const { organization, environment, gateway, host, pid, ticks } = content;
    return { organization, environment, gateway, host, pid, ticks };
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR'].some((code) => isCode(error, code))) return undefined;
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isOwner(content: unknown): content is SpoolOwner {
  return (
    hasTexts(content, ['organization', 'environment', 'gateway', 'host', 'ticks']) &&
    'pid' in content &&
    Number.isSafeInteger(content.pid)
  );
}

/** False only when the process is certainly gone: on another host nobody can tell. */
export function mayBeAlive(owner: ProcessOwner): boolean {
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
