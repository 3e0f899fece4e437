import { type Generated, type Insertable, sql } from 'kysely';
import type { Clock } from '../../proto/process/clock.ts';
import type { LandingKey } from '../../proto/wire/blobs.ts';
import type { EnvironmentRef } from '../../proto/wire/published.ts';
import { inTenant } from '../storage/in-tenant.ts';
import { keepLease, releaseLease, takeLease, type LeaseWish } from '../storage/leases.ts';
import type { Storage, Trx } from '../storage/storage.ts';
import { arrivedTopic } from './questions/arrivals.store.ts';
import type { Covered } from './proof.ts';
import type { OffsetRange } from './ranges.ts';

/** A Parquet file of the lake: the manifest. */
export interface LakeFileTable {
  readonly id: string;
  readonly organization: string;
  readonly environment: string;
  /** In the bucket. */
  readonly object_key: string;
  /** pending: named before it is written. live: queries read it. retired: replaced, deleted after a grace. lost: not in the bucket. */
  state: 'pending' | 'live' | 'retired' | 'lost';
  record_count: number;
  byte_count: number;
  /** Time of the oldest and newest record. */
  min_ms: number;
  max_ms: number;
  changed_at_ms: number;
  /** Number of the newest deletion that it was searched for (retention/); 0 for none. */
  swept: Generated<number>;
  /** Which figures of it are written beside it (rollups/), as JSON; null where none are yet. */
  rollup: string | null;
}

/** Offsets of a spool that are in the lake; the ranges of a gateway's spool never overlap. */
interface CoveredRangeTable {
  readonly organization: string;
  readonly environment: string;
  readonly spool: string;
  readonly first_offset: number;
  /** Inclusive. */
  readonly last_offset: number;
  /** Of the landing object that brought it. */
  readonly hash8: string;
  /** The first name of the gateway that brought it: what it brings under a later one is counted under this one too. */
  readonly gateway: string;
  /** Id of the lake file that its records are in; null for what an older version ingested. */
  readonly file: string | null;
}

/** A landing object that is done with and still to be deleted. */
interface LandingObjectTable {
  readonly object_key: string;
  readonly outcome: 'ingested' | 'duplicate' | 'quarantined';
  readonly delete_after_ms: number;
}

declare module '../storage/tables.ts' {
  interface Database {
    lake_file: LakeFileTable;
    covered_range: CoveredRangeTable;
    landing_object: LandingObjectTable;
  }
}

/** A file that is about to be written. */
export interface PendingFile extends EnvironmentRef {
  readonly id: string;
  readonly key: string;
}

/** What a file holds. */
export interface FileFacts {
  readonly records: number;
  readonly bytes: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/** A file that is written, with everything that becomes true by its commit. */
export interface FileCommit extends FileFacts {
  readonly file: PendingFile;
  readonly covered: readonly Covered[];
  /** Number of the newest deletion that it was searched for; absent for none. */
  readonly swept?: number;
  readonly done: readonly Pick<LandingObjectTable, 'object_key' | 'outcome'>[];
}

/** A live file of the manifest. */
export interface LakeFile {
  readonly id: string;
  readonly key: string;
  readonly bytes: number;
}

/** Who ingests, and until when a landing object outlives its commit. */
export interface LakeStoreOptions {
  readonly storage: Storage;
  /** Of this process; the lease says who may commit. */
  readonly holder: string;
  readonly leaseMs: number;
}

const leaseName = 'ingester';
/** A file of the lake that has more bytes is not read whole. */
export const readFileBytesMax = 1024 * 1024 * 1024;
/** Keys that one query names. */
export const keysPerQueryMax = 500;

/** Files with logs lie in a folder of their own below their day. */
const lakeFolder = (stream: LandingKey['stream']): string =>
  stream === 'records' ? '' : `stream=${stream}/`;
/** What the keys of those are like, in SQL. */
export const ofLogs = `%/${lakeFolder('logs')}%`;
/** 1 of a row of those, 0 of the others, in SQL. */
export const isOfLogs = sql<number>`case when object_key like ${sql.lit(ofLogs)} then 1 else 0 end`;
/** Whether a file is one of those. */
export const isOfLogsFile = ({ key }: Pick<LakeFile, 'key'>): boolean =>
  key.includes(`/${lakeFolder('logs')}`);

/** Where a file lies in the bucket: by tenant, and by the UTC day on which it was written. */
export function lakeFileKey(
  { organization, environment }: EnvironmentRef,
  file: { readonly id: string; readonly stream: LandingKey['stream']; readonly atMs: number },
): string {
  const day = new Date(file.atMs).toISOString().slice(0, 10);
  return `lake/v1/org=${organization}/env=${environment}/ingested=${day}/${lakeFolder(file.stream)}${file.id}.parquet`;
}

/**
 * The manifest of the lake and the ranges that it covers.
 *
 * Everything that commits proves inside the transaction that its process still holds the lease: one that slept past it
 * cannot commit what its successor has taken over.
 */
export class LakeStore {
  readonly #storage: Storage;
  readonly #wish: LeaseWish;

  constructor(options: LakeStoreOptions) {
    this.#storage = options.storage;
    this.#wish = { name: leaseName, holder: options.holder, leaseMs: options.leaseMs };
  }

  /** Takes or prolongs the lease; undefined while another process holds it. */
  async hold(): Promise<'taken' | 'kept' | undefined> {
    return takeLease(this.#storage, this.#wish);
  }

  /** Prolongs the lease during long work; false when it is another's. */
  async keep(): Promise<boolean> {
    return keepLease(this.#storage.db, this.#storage.dialect, this.#wish);
  }

  /** Does something that may take longer than the lease. It is only kept, never taken again: whoever has it then goes by what we left. */
  async whileHeld<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
    const stop = new AbortController();
    const beat = async (): Promise<void> => {
      for (;;) {
        await clock.delay(this.#wish.leaseMs / 3, stop.signal);
        if (stop.signal.aborted) return;
        await this.keep().catch(() => undefined);
      }
    };
    const beating = beat();
    try {
      return await work();
    } finally {
      stop.abort();
      await beating;
    }
  }

  /** Gives the lease back, so that a restart does not wait for it. */
  async release(): Promise<void> {
    await releaseLease(this.#storage.db, leaseName, this.#wish.holder);
  }

  /** Names a file before it is written, so that whatever a crash leaves behind has a name. */
  async begin(file: PendingFile, nowMs: number): Promise<void> {
    const { id, organization, environment, key } = file;
    const row: Insertable<LakeFileTable> = {
      id,
      organization,
      environment,
      object_key: key,
      state: 'pending',
      record_count: 0,
      byte_count: 0,
      min_ms: 0,
      max_ms: 0,
      changed_at_ms: nowMs,
      rollup: null,
    };
    await this.#storage.db.insertInto('lake_file').values(row).execute();
  }

  /** The one moment at which records begin to count. False when the lease or the pending file was lost: nothing has happened then. */
  async commit(
    commit: FileCommit,
    { nowMs, graceMs }: { readonly nowMs: number; readonly graceMs: number },
  ): Promise<boolean> {
    const { file, done } = commit;
    const isCommitted = await this.fenced(async (trx) => {
      const removed = await trx
        .deleteFrom('lake_file')
        .where('id', '=', file.id)
        .where('state', '=', 'pending')
        .executeTakeFirst();
      if (Number(removed.numDeletedRows) !== 1) return false;
      await this.insertLive(trx, commit, nowMs);
      await insertDone(trx, done, nowMs + graceMs);
      return true;
    });
    if (isCommitted) await this.#storage.notifier.notify(arrivedTopic, file.environment);
    return isCommitted;
  }

  /** Puts a file and what it covers into the manifest, as part of a transaction. */
  async insertLive(trx: Trx, commit: Omit<FileCommit, 'done'>, nowMs: number): Promise<void> {
    const { file, records, bytes, minMs, maxMs, covered, swept = 0 } = commit;
    const { id, organization, environment, key } = file;
    await trx
      .insertInto('lake_file')
      .values({
        id,
        organization,
        environment,
        object_key: key,
        state: 'live',
        record_count: records,
        byte_count: bytes,
        min_ms: minMs,
        max_ms: maxMs,
        changed_at_ms: nowMs,
        swept,
      })
      .execute();
    await insertCovered(trx, file, { covered, file: id });
  }

  /** Marks landing objects as done with, without new records: repetitions, and what went to quarantine. */
  async settle(
    done: FileCommit['done'],
    { nowMs, graceMs }: { readonly nowMs: number; readonly graceMs: number },
  ): Promise<void> {
    await this.fenced(async (trx) => {
      await insertDone(trx, done, nowMs + graceMs);
      return true;
    });
  }

  /**
   * What is covered of a gateway's spool around a range, with the hashes of what brought it.
   *
   * Without a gateway: of the spool, whoever brought it.
   */
  async covered(
    at: EnvironmentRef,
    { spool, gateway }: { readonly spool: string; readonly gateway: string | undefined },
    within?: OffsetRange,
  ): Promise<readonly (OffsetRange & { readonly hash8: string })[]> {
    let query = inTenant(this.#storage.db.selectFrom('covered_range'), at)
      .select(['first_offset', 'last_offset', 'hash8'])
      .where('spool', '=', spool);
    if (gateway !== undefined) query = query.where('gateway', '=', gateway);
    if (within !== undefined)
      query = query.where('first_offset', '<=', within.last).where('last_offset', '>=', within.first);
    const rows = await query.orderBy('first_offset').execute();
    return rows.map((row) => ({ first: row.first_offset, last: row.last_offset, hash8: row.hash8 }));
  }

  /** Spools of an environment that something has arrived of. */
  async spools(at: EnvironmentRef): Promise<readonly { readonly spool: string; readonly gateway: string }[]> {
    return inTenant(this.#storage.db.selectFrom('covered_range'), at)
      .select(['spool', 'gateway'])
      .distinct()
      .execute();
  }

  /** Time of the newest record that has arrived, ms since the epoch; undefined where none has. */
  async newest(at: EnvironmentRef): Promise<number | undefined> {
    const row = await inTenant(this.#storage.db.selectFrom('lake_file'), at)
      .select((select) => select.fn.max('max_ms').as('ms'))
      .where('state', '=', 'live')
      .executeTakeFirst();
    return row?.ms === undefined || row.ms === null ? undefined : Number(row.ms);
  }

  /** Files that a dead ingester named and never committed. */
  async leftBehind(): Promise<readonly LakeFile[]> {
    const rows = await this.#storage.db
      .selectFrom('lake_file')
      .select(['id', 'object_key', 'byte_count'])
      .where('state', '=', 'pending')
      .execute();
    return rows.map((row) => ({ id: row.id, key: row.object_key, bytes: row.byte_count }));
  }

  /** Strikes a pending file out, after what was written of it is gone. */
  async abandon(id: string): Promise<void> {
    await this.#storage.db
      .deleteFrom('lake_file')
      .where('id', '=', id)
      .where('state', '=', 'pending')
      .execute();
  }

  /** Those of some files that the manifest names, in whatever state. */
  async namedAmong(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.#storage.db.selectFrom('lake_file').select('id').where('id', 'in', ids).execute();
    return new Set(rows.map(({ id }) => id));
  }

  /** Those of some landing objects that are done with and not deleted yet. */
  async doneAmong(keys: readonly string[]): Promise<ReadonlySet<string>> {
    const done = new Set<string>();
    for (let from = 0; from < keys.length; from += keysPerQueryMax) {
      const rows = await this.#storage.db
        .selectFrom('landing_object')
        .select('object_key')
        .where('object_key', 'in', keys.slice(from, from + keysPerQueryMax))
        .execute();
      for (const { object_key } of rows) done.add(object_key);
    }
    return done;
  }

  /** Landing objects whose grace is over, the oldest first. */
  async due(nowMs: number, limit: number): Promise<readonly string[]> {
    const rows = await this.#storage.db
      .selectFrom('landing_object')
      .select('object_key')
      .where('delete_after_ms', '<=', nowMs)
      .orderBy('delete_after_ms')
      .limit(limit)
      .execute();
    return rows.map(({ object_key }) => object_key);
  }

  /** The landing object is gone from the bucket. */
  async forget(key: string): Promise<void> {
    await this.#storage.db.deleteFrom('landing_object').where('object_key', '=', key).execute();
  }

  /** Runs work in a transaction that proves that the lease is still held; false when it is not, or the work says so. */
  async fenced(work: (trx: Trx) => Promise<boolean>): Promise<boolean> {
    return this.#storage.transaction(
      async (trx) => (await keepLease(trx, this.#storage.dialect, this.#wish)) && work(trx),
    );
  }
}

/** Says what is covered, and in which file it is; null: in none that is left. Part of a transaction. */
export async function insertCovered(
  trx: Trx,
  { organization, environment }: EnvironmentRef,
  { covered, file }: { readonly covered: readonly Covered[]; readonly file: string | null },
): Promise<void> {
  for (const { spool, gateway, hash8, first, last } of covered)
    await trx
      .insertInto('covered_range')
      .values({
        organization,
        environment,
        spool,
        first_offset: first,
        last_offset: last,
        hash8,
        gateway,
        file,
      })
      .execute();
}

async function insertDone(trx: Trx, done: FileCommit['done'], deleteAfterMs: number): Promise<void> {
  for (const { object_key, outcome } of done) {
    await trx
      .insertInto('landing_object')
      .values({ object_key, outcome, delete_after_ms: deleteAfterMs })
      .onConflict((conflict) => conflict.column('object_key').doNothing())
      .execute();
  }
}
