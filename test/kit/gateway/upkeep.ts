import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Upkeep, type UpkeepOptions, type UpkeepRound } from '../../../data-plane/report/upkeep.ts';
import { newSpoolId, sealJson, segmentFile, spoolFolder } from '../../../proto/spool/folder.ts';
import { createSpoolReader } from '../../../proto/spool/reader.ts';
import { batchHeadBytes } from '../../../proto/spool/segment.ts';
import { createSpoolWriter } from '../../../proto/spool/writer.ts';
import { tempDir } from '../temp-dir.ts';

/** The n-th line of a spool that is written here. */
export const line = (n: number): string =>
  `${JSON.stringify({ org_id: 'o', env_id: 'e', gateway_id: 'g', n })}\n`;
/** Of a process that is certainly gone. */
export const dead = {
  organization: 'o',
  environment: 'e',
  gateway: 'g',
  host: hostname(),
  pid: 2 ** 22 + 5,
  ticks: '1',
};

/** Upkeep of spools of dead processes, with all that a test does to them. */
export function openUpkeep(t: TestContext, options: Partial<UpkeepOptions> = {}) {
  const root = tempDir(t);
  const dir = join(root, 'spool');
  const checkpointDir = join(root, 'checkpoints');
  const ledger = join(root, 'spool-ledger.json');
  const tallyDir = join(root, 'tallies');
  mkdirSync(checkpointDir);
  mkdirSync(tallyDir);
  const start = (): Upkeep =>
    new Upkeep({
      dir,
      checkpointDir,
      ledger,
      tallyDir,
      diskBytesMax: 1e9,
      damagedBytesMax: 1e9,
      segmentInUse: () => undefined,
      ...options,
    });
  const upkeep = start();
  /** A spool of a dead process with batches of 1, 2, 3 ... records. */
  const write = (batches: number, segmentBytes = 1e9) => {
    const spool = newSpoolId();
    const folder = spoolFolder(dir, { stream: 'records', environment: 'e', spool });
    const writer = createSpoolWriter({ dir: folder, spool, segmentBytes });
    let next = 0;
    for (let count = 1; count <= batches; count++) {
      const lines = Array.from({ length: count }, () => line(next++)).join('');
      writer.append(Buffer.concat([Buffer.alloc(batchHeadBytes), Buffer.from(lines)]), count);
    }
    writer.close();
    writeFileSync(join(folder, 'spool.json'), sealJson(dead));
    return { spool, folder, path: join(folder, segmentFile(0)), end: next };
  };
  /** What a shipper does: reads all there is and says so. Returns the offsets that it had. */
  const ship = async ({ spool, folder }: { spool: string; folder: string }): Promise<readonly number[]> => {
    const reader = createSpoolReader({ dir: folder, spool, from: 0 });
    const shipped: number[] = [];
    for (let entries = await reader.read(); entries.length > 0; entries = await reader.read())
      for (const entry of entries)
        if (entry.kind === 'batch') for (let n = 0; n < entry.count; n++) shipped.push(entry.first + n);
    await reader.close();
    // As writeCheckpoint, but forced to disk by nobody: these tests do it a thousand times.
    const said = sealJson({ spool, shipped: (shipped.at(-1) ?? -1) + 1 });
    writeFileSync(join(checkpointDir, `${spool}.json`), said);
    return shipped;
  };
  /** Puts back a spool that upkeep has removed, with other bytes in its only segment. */
  const put = ({ folder, path }: { folder: string; path: string }, bytes: Uint8Array): void => {
    rmSync(join(dir, 'damaged'), { recursive: true, force: true });
    rmSync(ledger, { force: true });
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'spool.json'), sealJson(dead));
    writeFileSync(path, bytes);
  };
  return { dir, checkpointDir, ledger, tallyDir, start, upkeep, write, ship, put };
}

/** Offsets that a round tells as lost. */
export const lostOf = ({ lost }: UpkeepRound): readonly number[] =>
  lost.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, n) => first + n));
