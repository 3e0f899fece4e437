import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { writeDurably } from '../process/disk/durable-file.ts';

/** Records and logs have separate segments and bounds. */
export const streams = ['records', 'logs'] as const;
/** One of {@link streams}. */
export type StreamName = (typeof streams)[number];

/** A spool found on disk. */
export interface SpoolRef {
  readonly stream: StreamName;
  readonly environment: string;
  /** 32 hex digits. */
  readonly spool: string;
  readonly dir: string;
}

const spoolName = /^[0-9a-f]{32}$/;
const segmentName = /^([0-9]{16})\.seg$/;
/** What may name a folder; ids of environments are of these, so that none can leave its place. */
const environmentName = /^(?!\.+$)[A-Za-z0-9._-]{1,128}$/;

/** 128 random bits in hex. */
export const newSpoolId = (): string => randomBytes(16).toString('hex');

/** Where a spool lies. */
export function spoolFolder(root: string, at: Omit<SpoolRef, 'dir'>): string {
  if (!environmentName.test(at.environment)) throw new TypeError(`"${at.environment}" cannot name a folder`);
  return join(root, at.stream, at.environment, at.spool);
}

/** The file of the segment that starts at an offset. */
export const segmentFile = (first: number): string => `${String(first).padStart(16, '0')}.seg`;

/** Offsets at which the segments of a spool start, ascending; empty when the folder is gone. */
export async function listSegments(dir: string): Promise<readonly number[]> {
  const names = await listFolder(dir);
  return names
    .flatMap((name) => segmentName.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b);
}

/** Every spool under a root; strangers' files are passed over. */
export async function listSpools(root: string): Promise<readonly SpoolRef[]> {
  const found: SpoolRef[] = [];
  for (const stream of streams) {
    for (const environment of await listFolder(join(root, stream))) {
      if (!environmentName.test(environment)) continue;
      for (const spool of await listFolder(join(root, stream, environment))) {
        if (spoolName.test(spool))
          found.push({ stream, environment, spool, dir: join(root, stream, environment, spool) });
      }
    }
  }
  return found;
}

/** Like readdir, but a folder that is not there is empty. */
async function listFolder(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return [];
    throw error;
  }
}

/** Where the file of the next segment lies ready. */
export const spareFile = 'spare.tmp';

/** A small object as JSON that says by a checksum whether it was damaged: a changed digit would still be a number. */
export function sealJson(content: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify({ ...content, check: checkOf(content) })}\n`;
}

/** Reads {@link sealJson}. Errors: SyntaxError when it is damaged; what has no checksum is believed. */
export function openSealedJson(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null || !('check' in parsed)) return parsed;
  const { check, ...content } = parsed;
  if (check !== checkOf(content)) throw new SyntaxError('its checksum is another');
  return content;
}

const checkOf = (content: object): string => crc32(JSON.stringify(content)).toString(16).padStart(8, '0');

interface Checkpoint {
  readonly spool: string;
  readonly shipped: number;
}

/** By hand, as all of this room: a schema library would be in the memory of the thread that writes spools for this alone. */
function isCheckpoint(content: unknown): content is Checkpoint {
  return (
    hasTexts(content, ['spool']) &&
    'shipped' in content &&
    Number.isSafeInteger(content.shipped) &&
    Number(content.shipped) >= 0
  );
}

/** Whether a parsed JSON value is an object whose fields of these names are texts. */
export function hasTexts<Name extends string>(
  content: unknown,
  names: readonly Name[],
): content is Readonly<Record<Name, string>> {
  if (typeof content !== 'object' || content === null) return false;
  return names.every((name) => typeof Reflect.get(content, name) === 'string');
}

/** What stands in place of a checkpoint: the offset that is shipped next, nothing, or something that cannot be read. */
export function inspectCheckpoint(dir: string, spool: string): number | 'none' | 'damaged' {
  try {
    const text = readFileSync(join(dir, `${spool}.json`), 'utf8');
    const content = openSealedJson(text);
    // A file copied under another name must not acknowledge what was never shipped.
    return isCheckpoint(content) && content.spool === spool ? content.shipped : 'damaged';
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return 'none';
    if (error instanceof SyntaxError || isCode(error, 'EISDIR')) return 'damaged';
    throw error;
  }
}

/** The offset that the shipper will ship next; 0 when it has shipped nothing of the spool. A damaged file counts as 0. */
export function readCheckpoint(dir: string, spool: string): number {
  const found = inspectCheckpoint(dir, spool);
  return typeof found === 'number' ? found : 0;
}

/**
 * Below which offset all was shipped: the checkpoint, or, where that was lost, the gateway's note in the spool's own folder, which it
 * writes before it deletes a shipped segment. So a lost checkpoint makes no shipped record look lost.
 */
export function shippedOf(ref: Pick<SpoolRef, 'spool' | 'dir'>, checkpointDir: string): number {
  return Math.max(readCheckpoint(checkpointDir, ref.spool), readCheckpoint(ref.dir, ref.spool));
}

/** Says durably that everything below an offset has arrived. */
export function writeCheckpoint(dir: string, spool: string, shipped: number): void {
  writeDurably(join(dir, `${spool}.json`), sealJson({ spool, shipped }));
}

/** True when a system call failed with that code. */
export const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
