import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Trx } from '../../storage/storage.ts';
import type { IngesterOptions } from '../ingester.ts';
import { writeLakeFile } from '../lake-file.ts';
import { isOfLogsFile, type LakeFile, lakeFileKey, type PendingFile } from '../lake.store.ts';
import { MergingStore } from '../merging/merging.store.ts';
import { inFolder } from '../own-folder.ts';
import { EndedRanges } from './ended-ranges.ts';
import { retireIn } from './retention.store.ts';

/** A live file, some of whose records are to go. */
export interface RewrittenFile extends LakeFile, EnvironmentRef {
  readonly records: number;
}

/** What becomes of it. */
export interface Rewriting {
  /** Which rows stay, in SQL; never null. */
  readonly keeps: string;
  /** Done with the commit: `made` is the id of the new file, undefined when nothing of it stays. */
  readonly also?: (trx: Trx, made: string | undefined) => Promise<void>;
}

/**
 * Writes a file of the lake again without some of its records: a merge of one, by the same order of destruction.
 *
 * The new file covers what the old one did, so that what was deleted does not come in again; readers that have the old one open
 * keep it for the grace of a merge.
 */
export class Rewriter {
  readonly #options: IngesterOptions;
  readonly #merging: MergingStore;
  readonly #ended: EndedRanges;

  constructor(options: IngesterOptions) {
    this.#options = options;
    this.#merging = new MergingStore(options.storage, options.store);
    this.#ended = new EndedRanges(options.blobs);
  }

  /** Resolves to how many records went. Errors: analytics.failed, also when the lease was lost; blobs.unavailable. */
  async rewrite(file: RewrittenFile, wish: Rewriting): Promise<number> {
    const { store, clock, workDir, onStep } = this.#options;
    const id = randomUUID();
    const stream = isOfLogsFile(file) ? 'logs' : 'records';
    const { organization, environment } = file;
    const made: PendingFile = {
      id,
      organization,
      environment,
      key: lakeFileKey(file, { id, stream, atMs: clock.now() }),
    };
    await store.begin(made, clock.now());
    await onStep?.('rewrite named');
    return inFolder(workDir, (dir) => this.#write({ file, made, ...wish }, dir));
  }

  async #write(
    { file, made, keeps, also }: Rewriting & { readonly file: RewrittenFile; readonly made: PendingFile },
    dir: string,
  ): Promise<number> {
    const { blobs, duck, clock, cache, onStep } = this.#options;
    const output = join(dir, `${made.id}.parquet`);
    const ranges = await this.#merging.coveredBy(file, [file]);
    const covered = ranges.get(file.id) ?? [];
    const facts = await cache.read([file], (from) =>
      writeLakeFile(duck, { from, where: keeps, file: made, covered, output }),
    );
    await onStep?.('rewrite written');
    const removed = file.records - facts.records;
    let isCommitted: boolean;
    if (facts.records === 0) {
      await this.#ended.note(file, covered, clock.now());
      isCommitted = await this.#retire(file, made, also);
    } else {
      const bytes = await readFile(output);
      await blobs.put(made.key, bytes);
      await onStep?.('rewrite durable');
      const commit = { file: made, ...facts, bytes: bytes.length, parts: [file], joined: undefined };
      isCommitted = await this.#merging.commit(commit, clock.now(), (trx) => also?.(trx, made.id));
    }
    if (!isCommitted)
      throw new Fault('analytics.failed', { internal: `${file.key}: the lease or the file was lost` });
    await onStep?.('rewrite committed');
    if (facts.records > 0) await cache.adopt(made.id, output).catch(() => undefined);
    return removed;
  }

  /** Nothing of it stays. */
  async #retire(file: RewrittenFile, made: PendingFile, also: Rewriting['also']): Promise<boolean> {
    const { store, clock } = this.#options;
    return store.fenced(async (trx) => {
      await retireIn(trx, file, clock.now());
      await trx.deleteFrom('lake_file').where('id', '=', made.id).where('state', '=', 'pending').execute();
      await also?.(trx, undefined);
      return true;
    });
  }
}
