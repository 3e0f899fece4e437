import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { Fault } from '../../../proto/faults/fault.ts';
import type { IngesterOptions } from '../ingester.ts';
import { writeLakeFile } from '../lake-file.ts';
import { lakeFileKey, type PendingFile } from '../lake.store.ts';
import type { IngestMeters } from '../meters.ts';
import { inFolder } from '../own-folder.ts';
import type { Covered } from '../proof.ts';
import { joinRanges } from '../ranges.ts';
import { deleteLakeFile } from '../rollups/rollup-file.ts';
import { chooseFiles, type MergeBounds } from './choice.ts';
import { MergingStore, type MergeFile, type MergeGroup } from './merging.store.ts';

const mebibyte = 1024 * 1024;
/** A file of this size and more is merged no further. */
const largeBytes = 32 * mebibyte;
const bounds: Omit<MergeBounds, 'filesMin'> = {
  filesMax: 256,
  bytesMax: 2 * largeBytes,
  recordsMax: 2_000_000,
};
/** As long as a day lasts, and one more, for what comes late. */
const filesMinEarly = 16;
const filesMinLate = 2;
/** Ranges in the metadata of a file, which each question about it reads. */
const rangesMax = 20_000;
const restMs = 600_000;
const restingMax = 1_000;
const dayMs = 86_400_000;
const deletionsMax = 1_000;

/** Makes few files of the lake out of many, one merge at a time, under the ingester's lease. */
export class Merger {
  readonly #options: IngesterOptions;
  readonly #meters: IngestMeters;
  readonly #store: MergingStore;
  /** Groups whose merge failed, or that have nothing to merge for now, by their JSON. */
  readonly #resting = new LRUCache<string, true>({ max: restingMax, ttl: restMs });

  constructor(options: IngesterOptions, meters: IngestMeters) {
    this.#options = options;
    this.#meters = meters;
    this.#store = new MergingStore(options.storage, options.store);
  }

  /** One merge, where there is one to do. */
  async take(): Promise<void> {
    const wish = { filesMin: filesMinLate, bytesMax: largeBytes };
    for (const { count, ...group } of await this.#store.groups(wish)) {
      const name = JSON.stringify(group);
      const isLate = this.#isLate(group);
      const filesMin = isLate ? filesMinLate : filesMinEarly;
      if (count < filesMin || this.#resting.has(name)) continue;
      const chosen = chooseFiles(await this.#store.files(group, largeBytes), { ...bounds, filesMin });
      // Of a day that is over nothing is to be expected soon; one that fails is not to hold up the others.
      if (isLate || chosen.length > 0) this.#resting.set(name, true);
      if (chosen.length === 0) continue;
      const isMerged = await this.#merge(group, chosen);
      if (isMerged) this.#resting.delete(name);
      return;
    }
  }

  /** Deletes what was replaced and whose grace is over; what cannot be deleted is due again. */
  async deleteRetired(): Promise<void> {
    const { blobs, cache, caches, clock, settings, onStep } = this.#options;
    for (const { id, key } of await this.#store.retired(clock.now() - settings.graceMs, deletionsMax)) {
      await deleteLakeFile(blobs, key);
      await onStep?.('merge deleted');
      for (const each of [cache, ...Object.values(caches)]) await each.forget(id);
      await this.#store.forget(id);
    }
  }

  /** Whether a day and one more are over: what comes now comes late. */
  #isLate({ day }: MergeGroup): boolean {
    return this.#options.clock.now() >= (day + 2) * dayMs;
  }

  /** False when they cannot be merged: of what they cover nobody knows, or it is too much to say. */
  async #merge(group: MergeGroup, chosen: readonly MergeFile[]): Promise<boolean> {
    const ranges = await this.#store.coveredBy(group, chosen);
    // Of what a version wrote that named no file with a range nobody could say what it covers.
    const parts = chosen.filter(({ id }) => ranges.has(id));
    const covered = parts.flatMap(({ id }) => ranges.get(id) ?? []);
    const joined = this.#isLate(group) ? joinRanges(covered) : undefined;
    if (parts.length < filesMinLate || (joined ?? covered).length > rangesMax) return false;
    const { store, clock, workDir, onStep } = this.#options;
    const id = randomUUID();
    // By the day on which it is written: a restored database looks for what it does not know from its newest change on.
    const stream = group.isOfLogs ? 'logs' : 'records';
    const file: PendingFile = { id, ...group, key: lakeFileKey(group, { id, stream, atMs: clock.now() }) };
    await store.begin(file, clock.now());
    await onStep?.('merge named');
    await inFolder(workDir, (dir) => this.#write({ file, parts, covered: joined ?? covered, joined }, dir));
    return true;
  }

  async #write(
    made: {
      readonly file: PendingFile;
      readonly parts: readonly MergeFile[];
      readonly covered: readonly Covered[];
      readonly joined: readonly Covered[] | undefined;
    },
    dir: string,
  ): Promise<void> {
    const { file, parts, covered, joined } = made;
    const { blobs, duck, clock, log, cache, onStep } = this.#options;
    const output = join(dir, `${file.id}.parquet`);
    const { organization, environment } = file;
    const located = parts.map((part) => ({ ...part, organization, environment }));
    const facts = await cache.read(located, (from) => writeLakeFile(duck, { from, file, covered, output }));
    const expected = parts.reduce((sum, { records }) => sum + records, 0);
    if (facts.records !== expected)
      throw new Fault('analytics.failed', {
        internal: `${file.key} has ${facts.records} records out of files with ${expected}`,
      });
    await onStep?.('merge written');
    const bytes = await readFile(output);
    await blobs.put(file.key, bytes);
    await onStep?.('merge durable');
    const isCommitted = await this.#store.commit(
      { file, ...facts, bytes: bytes.length, parts, joined },
      clock.now(),
    );
    // Whoever has the lease now compares the bucket with the manifest, and finds that it covers nothing new.
    if (!isCommitted)
      throw new Fault('analytics.failed', { internal: `${file.key}: the lease or a part was lost` });
    await onStep?.('merge committed');
    await cache.adopt(file.id, output).catch(() => undefined);
    this.#meters.merged.inc(parts.length);
    log.debug(
      { file: file.key, files: parts.length, records: facts.records },
      'files of the lake became one',
    );
  }
}
