import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { ListedBlob } from '../../../proto/wire/blobs.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { isWhole } from '../lake-file.ts';
import { type LakeFile, type PendingFile, readFileBytesMax } from '../lake.store.ts';
import { inFolder } from '../own-folder.ts';
import type { Covered } from '../proof.ts';
import { EndedRanges } from '../retention/ended-ranges.ts';
import { RetentionStore } from '../retention/retention.store.ts';
import type { Reconciled, ReconcileOptions } from './reconcile.ts';

/** Environments whose notes are known, and for how long. */
const notesMax = 20;
const notesMs = 60_000;

/** What becomes of files that the manifest names and the bucket does not have as they were. */
export class GoneFiles {
  readonly #options: ReconcileOptions;
  readonly #retention: RetentionStore;
  readonly #ended: EndedRanges;
  readonly #notes = new LRUCache<string, readonly Covered[]>({ max: notesMax, ttl: notesMs });

  constructor(options: ReconcileOptions) {
    this.#options = options;
    this.#retention = new RetentionStore(options.storage, options.store, options.settings);
    this.#ended = new EndedRanges(options.blobs);
  }

  /**
   * A live file that somebody did not find, found to be another one, or could not read.
   *
   * Questions read all files of an environment at once, so one that is damaged would take all the others with it.
   */
  async missing(file: LakeFile & EnvironmentRef, found: Reconciled): Promise<void> {
    const { manifest, log, clock, isDryRun } = this.#options;
    const present = await this.#find(file);
    if (present?.bytes === file.bytes && !(await this.#isDamaged(file))) return;
    if (present === undefined && (await this.#hasEnded(file))) {
      found.ended += 1;
      return;
    }
    if (isDryRun !== true && !(await manifest.lose(file, clock.now()))) return;
    found.missing += 1;
    if (isDryRun === true) return;
    const what = present === undefined ? 'gone from the bucket' : 'damaged; it is left as it is';
    log.error({ file: file.key }, `a file of the lake is ${what}; its records count no longer`);
    if (present !== undefined) await manifest.saveUnreadable(present, clock.now());
  }

  /**
   * Whether it is gone because its time is over, or all of it was asked to be deleted; then it counts no longer, and what it covered stays covered.
   *
   * A database that was restored from before that still names it.
   */
  async #hasEnded(file: LakeFile & EnvironmentRef): Promise<boolean> {
    const { manifest, clock, isDryRun } = this.#options;
    const isOver = await this.#retention.isOver(file, clock.now());
    if (!isOver && !(await manifest.isWithin(file, await this.#noted(file)))) return false;
    if (isDryRun !== true) await manifest.end(file, clock.now());
    return true;
  }

  /** What is noted of its environment, read once for all of its files. */
  async #noted(at: EnvironmentRef): Promise<readonly Covered[]> {
    const name = `${at.organization}/${at.environment}`;
    const known = this.#notes.get(name);
    if (known !== undefined) return known;
    const covered = await this.#ended.of(at);
    this.#notes.set(name, covered);
    return covered;
  }

  /** As the bucket lists it, where it does. */
  async #find(file: LakeFile): Promise<ListedBlob | undefined> {
    for await (const listed of this.#options.blobs.list(file.key)) if (listed.key === file.key) return listed;
    return undefined;
  }

  /** Reads every value of it. False when it cannot be had now. */
  async #isDamaged({ key }: LakeFile): Promise<boolean> {
    const { workDir, blobs, duck } = this.#options;
    const bytes = await blobs.get(key, { bytesMax: readFileBytesMax });
    if (bytes === undefined) return false;
    return inFolder(workDir, async (dir) => {
      const path = join(dir, 'doubted.parquet');
      await writeFile(path, bytes);
      return !(await isWhole(duck, path));
    });
  }

  /**
   * Ids of those that cover a file and are not in the bucket; they count no longer then.
   *
   * A database that was restored from before a merge names the files that were merged, which are gone.
   */
  async loseAbsent(
    { file: at, covered }: { readonly file: PendingFile; readonly covered: readonly Covered[] },
    by: readonly string[],
    found: Reconciled,
  ): Promise<readonly string[]> {
    const { manifest, clock, isDryRun } = this.#options;
    const absent: string[] = [];
    for (const file of await manifest.liveAmong(at, by)) {
      if ((await this.#find(file)) !== undefined) continue;
      absent.push(file.id);
      if (isDryRun !== true && !(await manifest.supersede(file, covered, clock.now())))
        await this.missing(file, found);
    }
    return absent;
  }
}
