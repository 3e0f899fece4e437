import { join } from 'node:path';

import { listSpools, type StreamName } from '../../../proto/spool/folder.ts';
import { createSpoolReader } from '../../../proto/spool/reader.ts';

/** The access records that a gateway has written so far, parsed, in order of their spools. */
export const accessRecords = (dataDir: string): Promise<readonly Record<string, unknown>[]> =>
  recordsOf(dataDir, 'records');

/** The same of its log lines. */
export const logRecords = (dataDir: string): Promise<readonly Record<string, unknown>[]> =>
  recordsOf(dataDir, 'logs');

async function recordsOf(dataDir: string, wanted: StreamName): Promise<readonly Record<string, unknown>[]> {
  const records: Record<string, unknown>[] = [];
  for (const { stream, dir, spool } of await listSpools(join(dataDir, 'spool'))) {
    if (stream !== wanted) continue;
    const reader = createSpoolReader({ dir, spool, from: 0 });
    for (let entries = await reader.read(); entries.length > 0; entries = await reader.read()) {
      for (const entry of entries) {
        if (entry.kind === 'gap') throw new Error(`records are missing: ${JSON.stringify(entry)}`);
        for (const line of Buffer.from(entry.lines).toString().trimEnd().split('\n'))
          records.push(JSON.parse(line) as Record<string, unknown>);
      }
    }
    await reader.close();
  }
  return records;
}
