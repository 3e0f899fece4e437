import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { segmentFile } from '../../../proto/spool/folder.ts';
import type { SpoolEntry, SpoolReader } from '../../../proto/spool/reader.ts';
import { batchHeadBytes } from '../../../proto/spool/segment.ts';
import { createSpoolWriter, type SpoolWriter } from '../../../proto/spool/writer.ts';
import { tempDir } from '../temp-dir.ts';

/** The spool of these tests. */
export const spool = '00112233445566778899aabbccddeeff';

/** Line n. */
export const line = (n: number): string => `{"n":${n}}\n`;

/** Appends lines of these numbers as one batch. */
export function append(writer: SpoolWriter, ...numbers: readonly number[]): void {
  const text = numbers.map(line).join('');
  writer.append(Buffer.concat([Buffer.alloc(batchHeadBytes), Buffer.from(text)]), numbers.length);
}

/** Everything that a reader has, as `first+count lines` and `gap first-last reason`. */
export async function readAll(reader: SpoolReader): Promise<readonly string[]> {
  const found: string[] = [];
  for (let entries = await reader.read(); entries.length > 0; entries = await reader.read())
    found.push(...entries.map(show));
  return found;
}

function show(entry: SpoolEntry): string {
  if (entry.kind === 'gap') return `gap ${entry.first}-${entry.last} ${entry.reason}`;
  return `${entry.first}+${entry.count} ${Buffer.from(entry.lines).toString().replaceAll('\n', ' ').trim()}`;
}

/** A writer in a folder of its own, and its first segment. */
export function openSpool(
  t: TestContext,
  segmentBytes?: number,
): { readonly dir: string; readonly writer: SpoolWriter; readonly path: string } {
  const dir = join(tempDir(t), spool);
  const writer = createSpoolWriter({ dir, spool, ...(segmentBytes === undefined ? {} : { segmentBytes }) });
  return { dir, writer, path: join(dir, segmentFile(0)) };
}
