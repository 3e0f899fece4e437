import { LRUCache } from 'lru-cache';
import { Fault } from '../../../proto/faults/fault.ts';
import type { IngesterOptions } from '../ingester.ts';
import { MergingStore } from '../merging/merging.store.ts';
import { Deletions } from './deletions.ts';
import { EndedRanges, endedKeptMs } from './ended-ranges.ts';
import { endQuarantined, type OldestQuarantined } from './quarantined.ts';
import { type DueFile, RetentionStore } from './retention.store.ts';
import { Rewriter } from './rewriter.ts';
import { isTimeless } from './subject.ts';

/** Files that are retired in one transaction. */
const retiredPerStepMax = 100;
/** Files of which a part is over that are looked for at once. */
const mixedPerStepMax = 16;
const restMs = 600_000;
const restingMax = 1_000;
const besideEveryMs = 3_600_000;
const forgottenNotesMax = 1_000;
/** Streams of tenants of which it is known how old what they have in quarantine is. */
const quarantinesKnownMax = 10_000;

/**
 * Ends what has had its time, and deletes what was asked to be deleted, some files at a time, under the ingester's lease.
 *
 * A file goes as a whole when its newest record is too old; one that holds younger ones as well is written again with those. What goes is
 * retired as by a merge: it counts no longer at once, and leaves the bucket after the grace in which readers may have it open.
 */
export class Retention {
  readonly #options: IngesterOptions;
  readonly #store: RetentionStore;
  readonly #rewriter: Rewriter;
  readonly #deletions: Deletions;
  readonly #merging: MergingStore;
  readonly #ended: EndedRanges;
  readonly #oldestQuarantined: OldestQuarantined = new LRUCache({ max: quarantinesKnownMax });
  #besideAtMs = 0;
  /** Files that could not be rewritten. */
  readonly #resting = new LRUCache<string, true>({ max: restingMax, ttl: restMs });

  constructor(options: IngesterOptions) {
    this.#options = options;
    this.#store = new RetentionStore(options.storage, options.store, options.settings);
    this.#rewriter = new Rewriter(options);
    this.#deletions = new Deletions(options);
    this.#merging = new MergingStore(options.storage, options.store);
    this.#ended = new EndedRanges(options.blobs);
  }

  /** What can be done in a turn. Errors: analytics.failed when something was begun and is to be tidied up; all else is done then. */
  async take(): Promise<void> {
    await this.retire();
    const isRewritten = await this.#rewrite();
    const isDeleted = await this.#deletions.take();
    await this.#endBeside();
    if (!isRewritten || !isDeleted)
      throw new Fault('analytics.failed', { internal: 'some files could not be written again' });
  }

  /** Files that are over count no longer; the bucket is not asked, so a restored database forgets first what is gone there. */
  async retire(): Promise<void> {
    const { clock, log, onStep } = this.#options;
    for (;;) {
      const files = await this.#store.over(clock.now(), retiredPerStepMax);
      if (files.length === 0) return;
      await this.#note(files);
      if (!(await this.#store.retire(files, clock.now()))) return;
      await onStep?.('retired');
      const records = files.reduce((sum, file) => sum + file.records, 0);
      log.info({ files: files.length, records }, 'files of the lake have had their time');
    }
  }

  /** Now and then what lies in the bucket beside the lake, and is too old. */
  async #endBeside(): Promise<void> {
    const { clock } = this.#options;
    if (clock.monotonicMs() < this.#besideAtMs) return;
    const notes = await this.#ended.forget(clock.now() - endedKeptMs, forgottenNotesMax);
    const isMore = await endQuarantined(this.#options, this.#store, this.#oldestQuarantined);
    if (!isMore && notes < forgottenNotesMax) this.#besideAtMs = clock.monotonicMs() + besideEveryMs;
  }

  /** Says in the bucket that they end, by tenant. */
  async #note(files: readonly DueFile[]): Promise<void> {
    const tenants = Map.groupBy(files, ({ organization, environment }) => `${organization}/${environment}`);
    for (const own of tenants.values()) {
      const [at] = own;
      if (at === undefined) continue;
      const covered = [...(await this.#merging.coveredBy(at, own)).values()].flat();
      await this.#ended.note(at, covered, this.#options.clock.now());
    }
  }

  /** False when one could not be. */
  async #rewrite(): Promise<boolean> {
    let isWhole = true;
    const { clock, settings } = this.#options;
    const startedMs = clock.monotonicMs();
    for (const file of await this.#store.mixed(clock.now(), mixedPerStepMax)) {
      if (this.#resting.has(file.id)) continue;
      if (clock.monotonicMs() - startedMs > settings.turnMsMax) break;
      isWhole = (await this.#rewriteOne(file)) && isWhole;
    }
    return isWhole;
  }

  /** One that fails holds up no other. */
  async #rewriteOne(file: DueFile): Promise<boolean> {
    const { log } = this.#options;
    try {
      const keeps = `(${isTimeless} OR timestamp >= epoch_ms(${file.cutoffMs}))`;
      const records = await this.#rewriter.rewrite(file, { keeps });
      log.info({ file: file.key, records }, 'records of a file have had their time');
      return true;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#resting.set(file.id, true);
      log.warn({ file: file.key, err: error }, 'a file could not be rewritten; it is tried again later');
      return false;
    }
  }
}
