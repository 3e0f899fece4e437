import type { Selectable } from 'kysely';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Storage, Trx } from '../../storage/storage.ts';
import { isOfLogs, type LakeStore, ofLogs } from '../lake.store.ts';
import type { RewrittenFile } from './rewriter.ts';
import { isPersonal, type Subject, type SubjectKind } from './subject.ts';

/** Where a deletion stands. */
export const deletionStates = ['PENDING', 'RUNNING', 'WATCHING', 'DONE'] as const;
/** One of them. PENDING: nobody has begun. RUNNING: files are searched. WATCHING: what was there is gone, late ones go too. DONE: its time is over. */
export type DeletionState = (typeof deletionStates)[number];

/** What somebody has asked to be deleted. */
interface LakeDeletionTable {
  readonly organization: string;
  readonly environment: string;
  readonly id: string;
  /** Rises in its environment: a file says up to which one it was searched. */
  readonly number: number;
  readonly subject: string;
  /** Null when it is done and said who somebody is. */
  value: string | null;
  readonly from_ms: number | null;
  readonly to_ms: number;
  state: DeletionState;
  readonly asked_by: string;
  readonly asked_at_ms: number;
  readonly late_until_ms: number;
  /** When every file had been searched for the first time. */
  swept_at_ms: number | null;
  /** When nothing of it was left in the bucket. */
  clean_at_ms: number | null;
  done_at_ms: number | null;
  records_deleted: number;
  logs_deleted: number;
  files_rewritten: number;
  /** Objects in quarantine. */
  objects_deleted: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    lake_deletion: LakeDeletionTable;
  }
}

/** A deletion as it lies in the database. */
export type DeletionRow = Selectable<LakeDeletionTable>;

/** One that is not done, with what it is about. */
export interface ActiveDeletion extends Subject {
  readonly id: string;
  readonly number: number;
  readonly state: DeletionState;
  readonly lateUntilMs: number;
  readonly sweptAtMs: number | undefined;
}

/** A live file that was not searched for every deletion. */
export interface UnsweptFile extends RewrittenFile {
  readonly swept: number;
}

/** How every deletion begins. */
const begun = {
  state: 'PENDING',
  swept_at_ms: null,
  clean_at_ms: null,
  done_at_ms: null,
  records_deleted: 0,
  logs_deleted: 0,
  files_rewritten: 0,
  objects_deleted: 0,
} as const;

/** Writes a new one, with which nobody has begun; its number is that behind the last. */
export async function insertDeletion(
  trx: Trx,
  row: Omit<DeletionRow, 'number' | keyof typeof begun>,
): Promise<DeletionRow> {
  const { last } = await inTenant(trx.selectFrom('lake_deletion'), row)
    .select((eb) => eb.fn.max<number | null>('number').as('last'))
    .executeTakeFirstOrThrow();
  return trx
    .insertInto('lake_deletion')
    .values({ ...row, ...begun, number: Number(last ?? 0) + 1 })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Those of an environment that are not done. */
export async function activeDeletions(db: Queries, at: EnvironmentRef): Promise<readonly ActiveDeletion[]> {
  const rows = await inTenant(db.selectFrom('lake_deletion'), at)
    .selectAll()
    .where('state', '!=', 'DONE')
    .orderBy('number')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    number: Number(row.number),
    subject: row.subject as SubjectKind,
    value: row.value ?? '',
    fromMs: row.from_ms === null ? undefined : Number(row.from_ms),
    toMs: Number(row.to_ms),
    state: row.state,
    lateUntilMs: Number(row.late_until_ms),
    sweptAtMs: row.swept_at_ms === null ? undefined : Number(row.swept_at_ms),
  }));
}

/** A page of those of an environment, newest first, and how many there are. */
export async function listDeletionRows(
  db: Queries,
  at: EnvironmentRef,
  { limit, offset }: { readonly limit: number; readonly offset: number },
): Promise<{ readonly data: readonly DeletionRow[]; readonly total: number }> {
  const { total } = await inTenant(db.selectFrom('lake_deletion'), at)
    .select((eb) => eb.fn.countAll().as('total'))
    .executeTakeFirstOrThrow();
  const data = await inTenant(db.selectFrom('lake_deletion'), at)
    .selectAll()
    .orderBy('number', 'desc')
    .limit(limit)
    .offset(offset)
    .execute();
  return { data, total: Number(total) };
}

/** One of an environment. */
export async function deletionRow(
  db: Queries,
  at: EnvironmentRef,
  id: string,
): Promise<DeletionRow | undefined> {
  return inTenant(db.selectFrom('lake_deletion'), at).selectAll().where('id', '=', id).executeTakeFirst();
}

/** How many live files are still to be searched for a deletion. */
export async function filesLeft(db: Queries, row: DeletionRow): Promise<number> {
  if (row.state === 'DONE') return 0;
  const { files } = await inTenant(db.selectFrom('lake_file'), row)
    .select((eb) => eb.fn.countAll().as('files'))
    .where('state', '=', 'live')
    .where('swept', '<', row.number)
    .where('min_ms', '<', row.to_ms)
    .executeTakeFirstOrThrow();
  return Number(files);
}

/** Files that are damaged, lie in the bucket, and may hold what a deletion is about. */
export async function filesUnread(db: Queries, row: DeletionRow): Promise<number> {
  const { files } = await inTenant(db.selectFrom('lake_file'), row)
    .select((eb) => eb.fn.countAll().as('files'))
    .where('state', '=', 'lost')
    .where('min_ms', '<', row.to_ms)
    .executeTakeFirstOrThrow();
  return Number(files);
}

/** How deletions go on, under the ingester's lease. */
export class DeletionStore {
  readonly #storage: Storage;
  readonly #lake: LakeStore;

  constructor(storage: Storage, lake: LakeStore) {
    this.#storage = storage;
    this.#lake = lake;
  }

  /** Environments with deletions that are not done, of every tenant: it is the ingester that asks. */
  async environments(): Promise<readonly EnvironmentRef[]> {
    return this.#storage.db
      .selectFrom('lake_deletion')
      .select(['organization', 'environment'])
      .distinct()
      .where('state', '!=', 'DONE')
      .execute();
  }

  /** Those of an environment that are not done. */
  async active(at: EnvironmentRef): Promise<readonly ActiveDeletion[]> {
    return activeDeletions(this.#storage.db, at);
  }

  /** Files whose oldest record is newer than what any deletion is about need not be opened. */
  async skip(
    at: EnvironmentRef,
    { number, toMs }: { readonly number: number; readonly toMs: number },
  ): Promise<void> {
    await this.#lake.fenced(async (trx) => {
      await inTenant(trx.updateTable('lake_file'), at)
        .set({ swept: number })
        .where('state', '=', 'live')
        .where('swept', '<', number)
        .where('min_ms', '>=', toMs)
        .execute();
      return true;
    });
  }

  /** Some live files that were not searched: records first, since what is found there says which logs go. */
  async unswept(
    at: EnvironmentRef,
    {
      number,
      limit,
      without = [],
    }: { readonly number: number; readonly limit: number; readonly without?: readonly string[] },
  ): Promise<readonly UnsweptFile[]> {
    const { organization, environment } = at;
    const rows = await inTenant(this.#storage.db.selectFrom('lake_file'), at)
      .select(['id', 'object_key', 'byte_count', 'record_count', 'swept', isOfLogs.as('logs')])
      .where('state', '=', 'live')
      .where('swept', '<', number)
      .$if(without.length > 0, (query) => query.where('id', 'not in', without))
      .orderBy(isOfLogs)
      .orderBy('min_ms')
      .limit(limit)
      .execute();
    return rows
      .filter(({ logs }) => Number(logs) === Number(rows[0]?.logs))
      .map((row) => ({
        id: row.id,
        key: row.object_key,
        bytes: row.byte_count,
        records: row.record_count,
        swept: Number(row.swept),
        organization,
        environment,
      }));
  }

  /** Files that hold nothing of it, or nothing any more. False when the lease was lost. */
  async searched(at: EnvironmentRef, ids: readonly string[], number: number): Promise<boolean> {
    if (ids.length === 0) return true;
    return this.#lake.fenced(async (trx) => {
      await inTenant(trx.updateTable('lake_file'), at)
        .set({ swept: number })
        .where('id', 'in', ids)
        .where('state', '=', 'live')
        .execute();
      return true;
    });
  }

  /** Whether a file that was replaced up to then, and that was not searched for a deletion, is still to be deleted from the bucket. */
  async isRetiredLeft(at: EnvironmentRef, number: number, untilMs: number): Promise<boolean> {
    const file = await inTenant(this.#storage.db.selectFrom('lake_file'), at)
      .select('id')
      .where('state', '=', 'retired')
      .where('swept', '<', number)
      .where('changed_at_ms', '<=', untilMs)
      .limit(1)
      .executeTakeFirst();
    return file !== undefined;
  }

  /** Whether a landing object that was done with is still to be deleted, of those that are due until then. */
  async isLandedLeft(at: EnvironmentRef, dueUntilMs: number): Promise<boolean> {
    const object = await this.#storage.db
      .selectFrom('landing_object')
      .select('object_key')
      .where('delete_after_ms', '<=', dueUntilMs)
      .where('object_key', 'like', `landing/%/org=${at.organization}/env=${at.environment}/%`)
      .limit(1)
      .executeTakeFirst();
    return object !== undefined;
  }

  /** Says how far one has come. */
  async update(
    at: EnvironmentRef,
    id: string,
    set: Partial<Pick<DeletionRow, 'state' | 'swept_at_ms' | 'clean_at_ms'>>,
  ): Promise<void> {
    await this.#lake.fenced(async (trx) => {
      await inTenant(trx.updateTable('lake_deletion'), at).set(set).where('id', '=', id).execute();
      return true;
    });
  }

  /** Counts objects in quarantine that went. */
  async countObjects(at: EnvironmentRef, id: string, objects: number): Promise<void> {
    await this.#lake.fenced(async (trx) => {
      await inTenant(trx.updateTable('lake_deletion'), at)
        .set((eb) => ({ objects_deleted: eb('objects_deleted', '+', objects) }))
        .where('id', '=', id)
        .execute();
      return true;
    });
  }

  /** Its time is over: it keeps what became of it, and names nobody. */
  async end(at: EnvironmentRef, { id, subject }: ActiveDeletion, nowMs: number): Promise<void> {
    await this.#lake.fenced(async (trx) => {
      await inTenant(trx.updateTable('lake_deletion'), at)
        .set({ state: 'DONE', done_at_ms: nowMs, ...(isPersonal(subject) ? { value: null } : {}) })
        .where('id', '=', id)
        .execute();
      return true;
    });
  }

  /** Forgets those that were done before a moment. */
  async forget(beforeMs: number): Promise<void> {
    await this.#lake.fenced(async (trx) => {
      await trx
        .deleteFrom('lake_deletion')
        .where('state', '=', 'DONE')
        .where('done_at_ms', '<', beforeMs)
        .execute();
      return true;
    });
  }
}

/** Counts what went of a file, as part of the transaction in which it does; `isNews`: logs that were searched may be of what was found. */
export async function countIn(
  trx: Trx,
  at: EnvironmentRef,
  found: {
    readonly id: string;
    readonly number: number;
    readonly count: number;
    readonly isOfLogs: boolean;
    readonly isNews: boolean;
  },
): Promise<void> {
  const { id, number, count, isNews } = found;
  const column = found.isOfLogs ? 'logs_deleted' : 'records_deleted';
  await inTenant(trx.updateTable('lake_deletion'), at)
    .set((eb) => ({ [column]: eb(column, '+', count), files_rewritten: eb('files_rewritten', '+', 1) }))
    .where('id', '=', id)
    .execute();
  if (isNews)
    await inTenant(trx.updateTable('lake_file'), at)
      .set({ swept: number - 1 })
      .where('state', '=', 'live')
      .where('object_key', 'like', ofLogs)
      .where('swept', '>=', number)
      .execute();
}

/** A file that was made is searched. */
export async function searchedIn(
  trx: Trx,
  at: EnvironmentRef,
  { id, number }: { readonly id: string; readonly number: number },
): Promise<void> {
  await inTenant(trx.updateTable('lake_file'), at).set({ swept: number }).where('id', '=', id).execute();
}
