import { LRUCache } from 'lru-cache';
import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { IngesterOptions } from '../ingester.ts';
import { isOfLogsFile } from '../lake.store.ts';
import { inFolder } from '../own-folder.ts';
import {
  type ActiveDeletion,
  countIn,
  DeletionStore,
  searchedIn,
  type UnsweptFile,
} from './deletions.store.ts';
import { FoundRequests } from './found-requests.ts';
import { deleteQuarantined } from './quarantined.ts';
import { Rewriter } from './rewriter.ts';
import { isInLogs, isLogOf, isOf, searchedFiles } from './subject.ts';

/** Files that are searched in one query, and their bytes in the bucket. */
const filesPerQueryMax = 16;
const bytesPerQueryMax = 64 * 1024 * 1024;
const restMs = 600_000;
const restingMax = 500;
/** What comes into quarantine while a deletion watches is searched so often. */
const quarantineEveryMs = 3_600_000;
/** How far the clock of the bucket may be from ours. */
const clocksApartMsMax = 3_600_000;
const watchedMax = 10_000;
/** Objects in quarantine that no deletion reads a second time, each as often as there are deletions that have read it. */
const objectsKnownMax = 50_000;
/** What was done so long ago is forgotten; the audit has who asked. */
const forgottenAfterMs = 400 * 86_400_000;

/** What is searched, and for what. */
interface Wish {
  readonly active: readonly ActiveDeletion[];
  readonly files: readonly UnsweptFile[];
  /** Of the newest deletion. */
  readonly number: number;
}

/** When quarantine was last searched for a deletion, ms since the epoch, and whether its time was over by then. */
interface Searched {
  readonly atMs: number;
  readonly isLast: boolean;
}

/** A deletion, and what it asks of a record, in SQL. */
interface Search {
  readonly deletion: ActiveDeletion;
  readonly sql: string;
}

/**
 * Deletes what was asked to be deleted: files of the lake are searched, and those that hold something are written again without it.
 *
 * A file says up to which deletion it was searched; what comes later, late records and adopted files among it, says 0 and is searched for
 * all that are not done. What is counted commits with the file, so a crash between any two steps repeats a step and counts nothing twice.
 */
export class Deletions {
  readonly #options: IngesterOptions;
  readonly #store: DeletionStore;
  readonly #rewriter: Rewriter;
  readonly #found: FoundRequests;
  /** Files that could not be searched by themselves. */
  readonly #resting = new LRUCache<string, true>({ max: restingMax, ttl: restMs });

  /** How quarantine was searched for a deletion, and what was read of it, since this process started. */
  readonly #quarantineSearched = new LRUCache<string, Searched>({ max: watchedMax });
  readonly #objectsSearched = new LRUCache<string, true>({ max: objectsKnownMax });
  #isWhole = true;

  constructor(options: IngesterOptions) {
    this.#options = options;
    this.#store = new DeletionStore(options.storage, options.store);
    this.#rewriter = new Rewriter(options);
    this.#found = new FoundRequests(options);
  }

  /** Some files of each environment that something was asked of. False when some could not be done. */
  async take(): Promise<boolean> {
    this.#isWhole = true;
    const { clock, log } = this.#options;
    for (const at of await this.#store.environments())
      try {
        await this.#takeOf(at);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        this.#isWhole = false;
        // The fault quotes what was asked, and so whom.
        log.warn(
          { ...at, reason: reasonOf(error) },
          'a deletion could not go on; it is tried again, the others go on',
        );
      }
    await this.#store.forget(clock.now() - forgottenAfterMs);
    return this.#isWhole;
  }

  /** As many files as can be in the time of a turn. */
  async #takeOf(at: EnvironmentRef): Promise<void> {
    const { clock, settings } = this.#options;
    const startedMs = clock.monotonicMs();
    const active = await this.#store.active(at);
    const number = Math.max(0, ...active.map((deletion) => deletion.number));
    await this.#store.skip(at, { number, toMs: Math.max(...active.map(({ toMs }) => toMs)) });
    for (const { id, state } of active)
      if (state === 'PENDING') await this.#store.update(at, id, { state: 'RUNNING' });
    for (;;) {
      const files = await this.#some(at, number);
      if (files.length === 0) break;
      await this.#searchAll(at, { active, files, number });
      if (clock.monotonicMs() - startedMs > settings.turnMsMax) return;
    }
    const left = await this.#store.unswept(at, { number, limit: 1 });
    if (left.length === 0) await this.#advance(at, active);
  }

  /** Some files that were not searched, as many as one query may read; those that rest are left out. */
  async #some(at: EnvironmentRef, number: number): Promise<readonly UnsweptFile[]> {
    const without = [...this.#resting.keys()];
    const found = await this.#store.unswept(at, { number, limit: filesPerQueryMax, without });
    let bytes = 0;
    return found.filter((file, n) => (bytes += file.bytes) <= bytesPerQueryMax || n === 0);
  }

  /** Together; when that fails one by one, so that one that cannot be searched holds up no other. */
  async #searchAll(at: EnvironmentRef, wish: Wish): Promise<void> {
    try {
      return await this.#search(at, wish);
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'analytics.failed') throw error;
    }
    for (const file of wish.files)
      try {
        await this.#search(at, { ...wish, files: [file] });
      } catch (error) {
        if (!(error instanceof Fault) || error.code !== 'analytics.failed') throw error;
        this.#resting.set(file.id, true);
        this.#isWhole = false;
        const told = { file: file.key, reason: reasonOf(error) };
        this.#options.log.warn(told, 'a file could not be searched for deletions; it is tried again later');
      }
  }

  async #search(at: EnvironmentRef, { active, files, number }: Wish): Promise<void> {
    await inFolder(this.#options.workDir, async (dir) => {
      const searches = await this.#searches(active, files, dir);
      const counts = await this.#count(files, searches);
      const isWithout = ({ id }: UnsweptFile): boolean =>
        (counts.get(id) ?? []).every((count) => count === 0);
      const without = files.filter(isWithout).map(({ id }) => id);
      if (!(await this.#store.searched(at, without, number)))
        throw new Fault('analytics.failed', { internal: 'the lease was lost' });
      for (const file of files)
        if (!isWithout(file))
          await this.#delete(file, { searches, counts: counts.get(file.id) ?? [], number });
    });
  }

  async #searches(
    active: readonly ActiveDeletion[],
    files: readonly UnsweptFile[],
    dir: string,
  ): Promise<readonly Search[]> {
    const isOfLogs = files.some(isOfLogsFile);
    const searches: Search[] = [];
    for (const deletion of active) {
      if (files.every(({ swept }) => swept >= deletion.number)) continue;
      const isByRequest = isOfLogs && !isInLogs(deletion.subject);
      const requests = isByRequest ? await this.#found.fetch(deletion, dir) : [];
      searches.push({ deletion, sql: isOfLogs ? isLogOf(deletion, requests) : isOf(deletion) });
    }
    return searches;
  }

  /** How many records of each file are what each search asks for. */
  async #count(
    files: readonly UnsweptFile[],
    searches: readonly Search[],
  ): Promise<ReadonlyMap<string, readonly number[]>> {
    const { cache, duck } = this.#options;
    const columns = searches.map(({ sql }, n) => `(count(*) FILTER (${sql}))::DOUBLE AS found_${n}`);
    return cache.read(files, async (paths) => {
      const rows = await duck.query(
        `SELECT lake_path, ${columns.join(', ')} FROM ${searchedFiles(paths)} GROUP BY lake_path`,
      );
      const byPath = new Map(rows.map((row) => [String(row['lake_path']), row]));
      return new Map(
        files.map(({ id }, n) => {
          const row = byPath.get(paths[n] ?? '');
          return [id, searches.map((_, search) => Number(row?.[`found_${search}`] ?? 0))];
        }),
      );
    });
  }

  async #delete(
    file: UnsweptFile,
    found: {
      readonly searches: readonly Search[];
      readonly counts: readonly number[];
      readonly number: number;
    },
  ): Promise<void> {
    const { cache, log, onStep } = this.#options;
    const { number } = found;
    const isOfLogs = isOfLogsFile(file);
    const met = found.searches
      .map((search, n) => ({ ...search, count: found.counts[n] ?? 0 }))
      .filter(({ count }) => count > 0);
    await cache.hold([file], async ([path = '']) => {
      for (const { deletion } of met)
        if (!isOfLogs && !isInLogs(deletion.subject)) await this.#found.note(deletion, { id: file.id, path });
    });
    await onStep?.('rewrite noted');
    const records = await this.#rewriter.rewrite(file, {
      keeps: `NOT (${met.map(({ sql }) => sql).join(' OR ')})`,
      also: async (trx, made) => {
        if (made !== undefined) await searchedIn(trx, file, { id: made, number });
        for (const { deletion, count } of met)
          await countIn(trx, file, {
            id: deletion.id,
            number: deletion.number,
            count,
            isOfLogs,
            isNews: !isOfLogs && !isInLogs(deletion.subject),
          });
      },
    });
    log.info({ file: file.key, records }, 'records were deleted, as it was asked for');
  }

  /** All of it once, then now and then, and before the end, what came since. */
  async #searchQuarantine(at: EnvironmentRef, deletion: ActiveDeletion): Promise<void> {
    const { id, value, sweptAtMs, lateUntilMs } = deletion;
    const nowMs = this.#options.clock.now();
    const known = this.#quarantineSearched.get(id);
    const searchedMs = known?.atMs ?? sweptAtMs;
    const isLast = nowMs >= lateUntilMs;
    const isDue =
      searchedMs === undefined ||
      nowMs - searchedMs >= quarantineEveryMs ||
      (isLast && known?.isLast !== true);
    if (!isDue) return;
    const sinceMs = searchedMs === undefined ? 0 : searchedMs - clocksApartMsMax;
    const search = { id, value, sinceMs, searched: this.#objectsSearched };
    const objects = await deleteQuarantined(this.#options, at, search);
    if (objects > 0) await this.#store.countObjects(at, id, objects);
    this.#quarantineSearched.set(id, { atMs: nowMs, isLast });
  }

  /** Every file was searched: says so, and ends what has had its time. */
  async #advance(at: EnvironmentRef, active: readonly ActiveDeletion[]): Promise<void> {
    const { clock, settings } = this.#options;
    const nowMs = clock.now();
    for (const deletion of active) {
      const { id, number, state, sweptAtMs, lateUntilMs } = deletion;
      if (state === 'WATCHING') {
        await this.#searchQuarantine(at, deletion);
        if (nowMs < lateUntilMs || (await this.#store.isRetiredLeft(at, number, nowMs))) continue;
        await this.#found.forget(deletion);
        await this.#store.end(at, deletion, nowMs);
      } else if (sweptAtMs === undefined) {
        await this.#searchQuarantine(at, deletion);
        await this.#store.update(at, id, { swept_at_ms: nowMs });
      } else if (
        !(await this.#store.isRetiredLeft(at, number, sweptAtMs)) &&
        !(await this.#store.isLandedLeft(at, sweptAtMs + settings.graceMs))
      )
        await this.#store.update(at, id, { state: 'WATCHING', clean_at_ms: nowMs });
    }
  }
}

/** What a fault says before it quotes a query. */
const reasonOf = (fault: Fault): string => (fault.internal ?? fault.code).split('\n')[0] ?? '';
