import { sql } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Storage, Trx } from '../../storage/storage.ts';
import { type FileFacts, isOfLogs, type LakeFile, type LakeStore, type PendingFile } from '../lake.store.ts';
import type { Covered } from '../proof.ts';
import type { Mergeable } from './choice.ts';

/** Files that may become one: of one environment, one stream, and one UTC day, which is that of the oldest record. */
export interface MergeGroup extends EnvironmentRef {
  readonly isOfLogs: boolean;
  /** Days since the epoch. */
  readonly day: number;
}

/** A file of a group. */
export type MergeFile = LakeFile & Mergeable;

/** A merge that is written. */
export interface MergeCommit extends FileFacts {
  readonly file: PendingFile;
  readonly parts: readonly MergeFile[];
  /** What the new file covers, where ranges were joined; as the parts have them where not. */
  readonly joined: readonly Covered[] | undefined;
}

const dayMs = 86_400_000;
const groupsMax = 100;
const filesMax = 1_000;
const day = sql<number>`min_ms / ${sql.lit(dayMs)}`;

/** What is merged, and the one transaction that makes it so. */
export class MergingStore {
  readonly #storage: Storage;
  readonly #lake: LakeStore;

  constructor(storage: Storage, lake: LakeStore) {
    this.#storage = storage;
    this.#lake = lake;
  }

  /** Groups with the most files below a size, and how many those are, of every tenant: it is the ingester that asks. */
  async groups(wish: {
    readonly filesMin: number;
    readonly bytesMax: number;
  }): Promise<readonly (MergeGroup & { readonly count: number })[]> {
    const rows = await this.#storage.db
      .selectFrom('lake_file')
      .select(['organization', 'environment', day.as('day'), isOfLogs.as('logs')])
      .select((eb) => eb.fn.countAll().as('count'))
      .where('state', '=', 'live')
      .where('byte_count', '<', wish.bytesMax)
      .groupBy(['organization', 'environment', day, isOfLogs])
      .having((eb) => eb.fn.countAll(), '>=', wish.filesMin)
      .orderBy((eb) => eb.fn.countAll(), 'desc')
      .limit(groupsMax)
      .execute();
    return rows.map((row) => ({
      organization: row.organization,
      environment: row.environment,
      day: Number(row.day),
      isOfLogs: Number(row.logs) === 1,
      count: Number(row.count),
    }));
  }

  /** The smallest files of a group below a size. */
  async files(group: MergeGroup, bytesMax: number): Promise<readonly MergeFile[]> {
    const rows = await inTenant(this.#storage.db.selectFrom('lake_file'), group)
      .select(['id', 'object_key', 'byte_count', 'record_count'])
      .where('state', '=', 'live')
      .where('byte_count', '<', bytesMax)
      .where(day, '=', group.day)
      .where(isOfLogs, '=', group.isOfLogs ? 1 : 0)
      .orderBy('byte_count')
      .limit(filesMax)
      .execute();
    return rows.map((row) => ({
      id: row.id,
      key: row.object_key,
      bytes: row.byte_count,
      records: row.record_count,
    }));
  }

  /** Ranges by the file that they are in. */
  async coveredBy(
    at: EnvironmentRef,
    files: readonly LakeFile[],
  ): Promise<ReadonlyMap<string, readonly Covered[]>> {
    const rows = await inTenant(this.#storage.db.selectFrom('covered_range'), at)
      .select(['file', 'spool', 'gateway', 'hash8', 'first_offset as first', 'last_offset as last'])
      .where(
        'file',
        'in',
        files.map(({ id }) => id),
      )
      .execute();
    const found = new Map<string, Covered[]>();
    for (const { file, ...range } of rows) {
      const ranges = found.get(file ?? '') ?? [];
      found.set(file ?? '', ranges);
      ranges.push(range);
    }
    return found;
  }

  /**
   * The moment at which the new file counts and the old ones do not, and `also` has happened. False when the lease or one of the files was
   * lost: nothing has happened then.
   */
  async commit(
    commit: MergeCommit,
    nowMs: number,
    also?: (trx: Trx) => Promise<void> | undefined,
  ): Promise<boolean> {
    return this.#lake.fenced(async (trx) => {
      if (!(await this.#replace(trx, commit, nowMs))) return false;
      await also?.(trx);
      return true;
    });
  }

  async #replace(trx: Trx, { file, parts, joined, ...facts }: MergeCommit, nowMs: number): Promise<boolean> {
    const ids = parts.map(({ id }) => id);
    const named = await trx
      .selectFrom('lake_file')
      .select(['id', 'swept'])
      .where((eb) =>
        eb.or([
          eb.and([eb('id', 'in', ids), eb('state', '=', 'live')]),
          eb.and([eb('id', '=', file.id), eb('state', '=', 'pending')]),
        ]),
      )
      .execute();
    if (named.length !== ids.length + 1) return false;
    await trx.deleteFrom('lake_file').where('id', '=', file.id).execute();
    await trx
      .updateTable('lake_file')
      .set({ state: 'retired', changed_at_ms: nowMs })
      .where('id', 'in', ids)
      .execute();
    const ranges = inTenant(trx.updateTable('covered_range'), file).where('file', 'in', ids);
    if (joined === undefined) await ranges.set({ file: file.id }).execute();
    else await inTenant(trx.deleteFrom('covered_range'), file).where('file', 'in', ids).execute();
    // What all of its parts were searched for it need not be searched for again.
    const swept = Math.min(...named.filter(({ id }) => id !== file.id).map((part) => Number(part.swept)));
    await this.#lake.insertLive(trx, { file, ...facts, covered: joined ?? [], swept }, nowMs);
    return true;
  }

  /** Files that were replaced and whose grace is over. */
  async retired(untilMs: number, limit: number): Promise<readonly LakeFile[]> {
    const rows = await this.#storage.db
      .selectFrom('lake_file')
      .select(['id', 'object_key', 'byte_count'])
      .where('state', '=', 'retired')
      .where('changed_at_ms', '<=', untilMs)
      .orderBy('changed_at_ms')
      .limit(limit)
      .execute();
    return rows.map((row) => ({ id: row.id, key: row.object_key, bytes: row.byte_count }));
  }

  /** A retired file is gone from the bucket. */
  async forget(id: string): Promise<void> {
    await this.#storage.db
      .deleteFrom('lake_file')
      .where('id', '=', id)
      .where('state', '=', 'retired')
      .execute();
  }
}
