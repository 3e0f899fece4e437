import { type RawBuilder, sql } from 'kysely';
import type { LandingKey } from '../../../proto/wire/blobs.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Storage, Trx } from '../../storage/storage.ts';
import { insertCovered, type LakeFile, type LakeStore, ofLogs } from '../lake.store.ts';
import { joinRanges } from '../ranges.ts';
import type { AnalyticsSettings } from '../settings.ts';

/** What an environment has chosen; null where it goes by the platform's settings. */
interface LakeRetentionTable {
  readonly organization: string;
  readonly environment: string;
  records_days: number | null;
  logs_days: number | null;
  updated_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    lake_retention: LakeRetentionTable;
  }
}

/** How long records are kept where nobody says otherwise, and at most; days. */
export type RetentionSettings = Pick<
  AnalyticsSettings,
  'recordsKeptDays' | 'logsKeptDays' | 'keptDaysMax' | 'lateDays'
>;

/** What an environment has chosen; days, undefined where it goes by the platform's settings. */
export interface ChosenDays {
  readonly records: number | undefined;
  readonly logs: number | undefined;
}

/** A file whose time is over, all of it or of its older records. */
export interface DueFile extends LakeFile, EnvironmentRef {
  readonly records: number;
  /** What is older has had its time; ms since the epoch, the begin of a UTC day. */
  readonly cutoffMs: number;
}

/** What lies in the lake of one stream of an environment; times are those of the oldest and newest record. */
export interface KeptRecords {
  readonly files: number;
  readonly records: number;
  readonly bytes: number;
  readonly oldestMs: number | undefined;
  readonly newestMs: number | undefined;
}

const dayMs = 86_400_000;
const isOfLogs = sql<boolean>`object_key like ${sql.lit(ofLogs)}`;
/** What no question counts has no time of its own in the manifest; it goes by when it came. */
const lastMs = sql<number>`case when max_ms = 0 then changed_at_ms else max_ms end`;

/** What an environment has chosen, and when (0: never); undefined is the platform's choice. */
export async function chosenDays(
  db: Queries,
  at: EnvironmentRef,
): Promise<ChosenDays & { readonly updatedAtMs: number }> {
  const row = await inTenant(db.selectFrom('lake_retention'), at).selectAll().executeTakeFirst();
  return {
    records: optional(row?.records_days),
    logs: optional(row?.logs_days),
    updatedAtMs: Number(row?.updated_at_ms ?? 0),
  };
}

/** How long what comes of each stream is kept where that is chosen; days. */
export const daysInForce = (
  { recordsKeptDays, logsKeptDays, keptDaysMax }: RetentionSettings,
  { records, logs }: ChosenDays,
): Readonly<Record<LandingKey['stream'], number>> => ({
  records: Math.min(records ?? recordsKeptDays, keptDaysMax),
  logs: Math.min(logs ?? logsKeptDays, keptDaysMax),
});

/** Writes what an environment chooses. */
export async function chooseDays(
  trx: Trx,
  at: EnvironmentRef,
  { records, logs, nowMs }: ChosenDays & { readonly nowMs: number },
): Promise<void> {
  const { organization, environment } = at;
  const values = { records_days: records ?? null, logs_days: logs ?? null, updated_at_ms: nowMs };
  await trx
    .insertInto('lake_retention')
    .values({ organization, environment, ...values })
    .onConflict((conflict) => conflict.columns(['organization', 'environment']).doUpdateSet(values))
    .execute();
}

/** What lies in the lake of an environment, by stream: what counts, without what is about to be deleted. */
export async function keptRecords(
  db: Queries,
  at: EnvironmentRef,
): Promise<{ readonly records: KeptRecords; readonly logs: KeptRecords }> {
  const of = async (isLogs: boolean): Promise<KeptRecords> => {
    const row = await inTenant(db.selectFrom('lake_file'), at)
      .where('state', '=', 'live')
      .where('object_key', isLogs ? 'like' : 'not like', ofLogs)
      .select((eb) => [
        eb.fn.countAll().as('files'),
        eb.fn.sum('record_count').as('records'),
        eb.fn.sum('byte_count').as('bytes'),
        eb.fn.max('max_ms').as('newest'),
        sql<number | null>`min(case when min_ms = 0 then null else min_ms end)`.as('oldest'),
      ])
      .executeTakeFirst();
    return {
      files: Number(row?.files ?? 0),
      records: Number(row?.records ?? 0),
      bytes: Number(row?.bytes ?? 0),
      oldestMs: optional(row?.oldest),
      newestMs: Number(row?.newest ?? 0) === 0 ? undefined : Number(row?.newest),
    };
  };
  return { records: await of(false), logs: await of(true) };
}

/** Whose time is over, of every tenant: it is the ingester that asks. */
export class RetentionStore {
  readonly #storage: Storage;
  readonly #lake: LakeStore;
  readonly #settings: RetentionSettings;

  constructor(storage: Storage, lake: LakeStore, settings: RetentionSettings) {
    this.#storage = storage;
    this.#lake = lake;
    this.#settings = settings;
  }

  /** Files whose newest record has had its time, those that are damaged or gone among them. */
  async over(nowMs: number, limit: number): Promise<readonly DueFile[]> {
    const cutoff = this.#cutoff(nowMs);
    return this.#due(cutoff, limit, (query) =>
      query.where('state', 'in', ['live', 'lost']).where(lastMs, '<', cutoff),
    );
  }

  /** Whether a live file is one of {@link over}. */
  async isOver(file: EnvironmentRef & Pick<LakeFile, 'id'>, nowMs: number): Promise<boolean> {
    const cutoff = this.#cutoff(nowMs);
    const found = await this.#due(cutoff, 1, (query) =>
      query
        .where('lake_file.organization', '=', file.organization)
        .where('lake_file.environment', '=', file.environment)
        .where('lake_file.id', '=', file.id)
        .where('state', '=', 'live')
        .where(lastMs, '<', cutoff),
    );
    return found.length > 0;
  }

  /** Files of which some records have had their time and others have not. */
  async mixed(nowMs: number, limit: number): Promise<readonly DueFile[]> {
    const cutoff = this.#cutoff(nowMs);
    return this.#due(cutoff, limit, (query) =>
      query.where('state', '=', 'live').where('min_ms', '<', cutoff).where('max_ms', '>=', cutoff),
    );
  }

  /** Before this what came of a stream of an environment has had its time; ms since the epoch, the begin of a UTC day. */
  async cutoffMs(at: EnvironmentRef, stream: LandingKey['stream'], nowMs: number): Promise<number> {
    const days = daysInForce(this.#settings, await chosenDays(this.#storage.db, at));
    return nowMs - (nowMs % dayMs) - days[stream] * dayMs;
  }

  /** They count no longer, and are deleted after a grace; what they covered stays covered. False when the lease was lost. */
  async retire(files: readonly DueFile[], nowMs: number): Promise<boolean> {
    return this.#lake.fenced(async (trx) => {
      for (const file of files) await retireIn(trx, file, nowMs);
      return true;
    });
  }

  /** Before this, of the stream of a file's row: the begin of the UTC day that many days ago, so that a day goes as a whole. */
  #cutoff(nowMs: number): RawBuilder<number> {
    const { recordsKeptDays, logsKeptDays, keptDaysMax } = this.#settings;
    const today = sql.lit(nowMs - (nowMs % dayMs));
    const days = sql<number>`case when ${isOfLogs} then coalesce(logs_days, ${sql.lit(logsKeptDays)})
      else coalesce(records_days, ${sql.lit(recordsKeptDays)}) end`;
    const most = sql.lit(keptDaysMax);
    return sql<number>`(${today} - ${sql.lit(dayMs)} * (case when (${days}) > ${most} then ${most} else (${days}) end))`;
  }

  async #due(
    cutoff: RawBuilder<number>,
    limit: number,
    narrowed: (query: ReturnType<typeof filesWithChoice>) => ReturnType<typeof filesWithChoice>,
  ): Promise<readonly DueFile[]> {
    const rows = await narrowed(filesWithChoice(this.#storage.db))
      .select([
        'lake_file.id',
        'lake_file.organization',
        'lake_file.environment',
        'object_key',
        'byte_count',
        'record_count',
        cutoff.as('cutoff'),
      ])
      .orderBy('min_ms')
      .limit(limit)
      .execute();
    return rows.map((row) => ({
      id: row.id,
      organization: row.organization,
      environment: row.environment,
      key: row.object_key,
      bytes: row.byte_count,
      records: row.record_count,
      cutoffMs: Number(row.cutoff),
    }));
  }
}

/**
 * A file counts no longer, as part of a transaction. What it covered stays covered, in as few rows as can be and without hashes: whatever lands
 * there again is a repetition, and none that contradicts goes to quarantine, where nothing ends.
 */
export async function retireIn(
  trx: Trx,
  file: EnvironmentRef & Pick<LakeFile, 'id'>,
  nowMs: number,
): Promise<void> {
  await inTenant(trx.updateTable('lake_file'), file)
    .set({ state: 'retired', changed_at_ms: nowMs })
    .where('id', '=', file.id)
    .where('state', 'in', ['live', 'lost'])
    .execute();
  const spools = await inTenant(trx.selectFrom('covered_range'), file)
    .select(['spool', 'gateway'])
    .distinct()
    .where('file', '=', file.id)
    .execute();
  await inTenant(trx.updateTable('covered_range'), file)
    .set({ file: null, hash8: '' })
    .where('file', '=', file.id)
    .execute();
  for (const { spool, gateway } of spools) await joinIn(trx, file, { spool, gateway });
}

/** Ranges of a spool that no file names become one where they follow each other. */
async function joinIn(
  trx: Trx,
  at: EnvironmentRef,
  { spool, gateway }: { readonly spool: string; readonly gateway: string },
): Promise<void> {
  const rows = await inTenant(trx.selectFrom('covered_range'), at)
    .select(['spool', 'gateway', 'hash8', 'first_offset as first', 'last_offset as last'])
    .where('spool', '=', spool)
    .where('gateway', '=', gateway)
    .where('file', 'is', null)
    .execute();
  const joined = joinRanges(rows);
  if (joined.length === rows.length) return;
  await inTenant(trx.deleteFrom('covered_range'), at)
    .where('spool', '=', spool)
    .where('gateway', '=', gateway)
    .where('file', 'is', null)
    .execute();
  await insertCovered(trx, at, { covered: joined, file: null });
}

/** Files beside what their environment has chosen. */
const filesWithChoice = (db: Queries) =>
  db
    .selectFrom('lake_file')
    .leftJoin('lake_retention', (join) =>
      join
        .onRef('lake_retention.organization', '=', 'lake_file.organization')
        .onRef('lake_retention.environment', '=', 'lake_file.environment'),
    );

const optional = (value: number | null | undefined): number | undefined =>
  value === null || value === undefined ? undefined : Number(value);
