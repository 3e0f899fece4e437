import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { IngesterOptions } from '../ingester.ts';
import type { LakeFile } from '../lake.store.ts';
import type { IngestMeters } from '../meters.ts';
import { inFolder } from '../own-folder.ts';
import {
  type Beside,
  besideKey,
  besides,
  deleteFigures,
  keyOfRollup,
  requestsIn,
  rollupFolder,
  writeRollup,
} from './rollup-file.ts';
import { writeNarrow } from './narrow.ts';
import { writeSieve } from './sieve.ts';
import { RollupStore } from './rollups.store.ts';

/** Files whose figures could not be written rest for so long; questions read the files meanwhile. */
const restMs = 600_000;
const restingMax = 1_000;
/** Files that are looked at for one that does not rest. */
const lookedAtMax = 100;
const missingPerTurnMax = 100;
const sweptPerTurnMax = 500;

/** Writes the figures of files of the lake beside them, those of one file at a time, under the ingester's lease. */
export class Roller {
  readonly #options: IngesterOptions;
  readonly #meters: IngestMeters;
  readonly #store: RollupStore;
  readonly #resting = new LRUCache<string, true>({ max: restingMax, ttl: restMs });
  #sweptUpTo: string | undefined = rollupFolder;

  constructor(options: IngesterOptions, meters: IngestMeters) {
    this.#options = options;
    this.#meters = meters;
    this.#store = new RollupStore(options.storage, options.store);
  }

  /** The figures of one file, where one has none. */
  async take(): Promise<void> {
    const { settings, caches, log } = this.#options;
    for (const cache of Object.values(caches))
      for (const { id, key } of cache.takeMissing(missingPerTurnMax)) {
        log.warn({ file: key }, 'figures of a file of the lake are gone or damaged; they are written anew');
        await this.#store.save(id, undefined);
      }
    const lacking = await this.#store.lacking(settings.rollupRecordsMin, lookedAtMax);
    const file = lacking.find(({ id }) => !this.#resting.has(id));
    if (file === undefined) return;
    this.#resting.set(file.id, true);
    try {
      await this.#write(file);
    } catch (error) {
      // It was merged, written again or ended meanwhile: what took its place gets figures of its own.
      if (await this.#isLive(file)) throw error;
      // These may tell what was to be deleted with it.
      await deleteFigures(this.#options.blobs, file.key);
      log.debug({ file: file.key, err: error }, 'a file left the lake while its figures were written');
    }
    this.#resting.delete(file.id);
  }

  /**
   * Deletes figures of files that are no longer of the lake, and those of other versions, some in each turn: an older version deletes files alone.
   *
   * Only the holder of the lease writes figures, of live files, so those of files that are lost or not named are nobody's.
   */
  async sweep(): Promise<void> {
    const { blobs, manifest, log } = this.#options;
    if (this.#sweptUpTo === undefined) return;
    const page: string[] = [];
    for await (const { key } of blobs.list(rollupFolder, { after: this.#sweptUpTo }))
      if (page.push(key) === sweptPerTurnMax) break;
    const states = await manifest.states(page.map((key) => keyOfRollup(key) ?? key));
    const isKept = new Set(['live', 'retired']);
    const gone = page.filter((key) => !isKept.has(states.get(keyOfRollup(key) ?? key) ?? 'gone'));
    for (const key of gone) await blobs.delete(key);
    if (gone.length > 0) log.info({ files: gone.length }, 'figures of files that are gone were deleted');
    this.#sweptUpTo = page.length === sweptPerTurnMax ? page.at(-1) : undefined;
  }

  /** Sweeps from the beginning again. */
  beginSweep(): void {
    this.#sweptUpTo = rollupFolder;
  }

  /** Figures of a file that is live are of whoever has the lease. */
  async #isLive({ key }: LakeFile): Promise<boolean> {
    return (await this.#options.manifest.states([key])).get(key) === 'live';
  }

  async #write(file: LakeFile & EnvironmentRef): Promise<void> {
    const { cache, caches, duck, blobs, workDir, log, onStep } = this.#options;
    const { id, key, organization, environment } = file;
    const work = async (input: string, dir: string): Promise<void> => {
      const outputOf = (beside: Beside): string => join(dir, `${beside}.parquet`);
      const at = { organization, environment };
      const requests = requestsIn(input, at);
      const cubes = await writeRollup(duck, { requests, output: outputOf('rollup'), at });
      await writeSieve(duck, { requests, output: outputOf('sieve') });
      await writeNarrow(duck, { requests, output: outputOf('narrow'), at });
      const { size } = await stat(outputOf('narrow'));
      const written = besides.filter((beside) => beside !== 'narrow' || size <= file.bytes);
      await onStep?.('rollup written');
      const sizes: Partial<Record<Beside, number>> = {};
      for (const beside of written) {
        const content = await readFile(outputOf(beside));
        await blobs.put(besideKey(beside, key), content);
        sizes[beside] = content.length;
      }
      await onStep?.('rollup durable');
      const { rollup: bytes = 0, sieve = 0, narrow } = sizes;
      if (!(await this.#store.save(id, { bytes, sieve, narrow, cubes })))
        throw new Fault('analytics.failed', { internal: `${key}: the lease or the file was lost` });
      await onStep?.('rollup committed');
      for (const beside of written) {
        await caches[beside].forget(id);
        await caches[beside].adopt(id, outputOf(beside)).catch(() => undefined);
      }
      this.#meters.rolledUp.inc();
      log.debug({ file: key, bytes, cubes }, 'a file of the lake has figures of its own');
    };
    await cache.hold([file], async ([input = '']) => inFolder(workDir, (dir) => work(input, dir)));
  }
}
