import { createHash, randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { GatewayEventKind } from '../../../proto/model/gateway-events.ts';
import type { ListedBlob } from '../../../proto/wire/blobs.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { inTenant } from '../../storage/in-tenant.ts';
import type { Queries, Storage, Trx } from '../../storage/storage.ts';
import { parquetTypes } from '../lake-columns.ts';
import {
  keysPerQueryMax,
  type LakeFileTable,
  type FileFacts,
  type LakeFile,
  type LakeStore,
  type PendingFile,
} from '../lake.store.ts';
import type { Covered } from '../proof.ts';
import { retireIn } from '../retention/retention.store.ts';
import { uncovered } from '../ranges.ts';

/** A file in the lake's folder that does not count and is not read again, since it was found to be unreadable. */
interface UnreadableFileTable {
  readonly object_key: string;
  /** It is read again when it has another size. */
  byte_count: number;
  /** Which columns the version that judged it knew; another one looks again. */
  judge: string;
  judged_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    unreadable_file: UnreadableFileTable;
  }
}

/** What became of a file that the manifest did not name. */
export type Adoption =
  /** It counts now. */
  | { readonly kind: 'adopted' }
  /** Everything in it counts already, out of other files. */
  | { readonly kind: 'doubled'; readonly by: readonly string[] }
  /** Only these parts of it do not count yet; the others do out of other files. */
  | { readonly kind: 'overlapping'; readonly by: readonly string[]; readonly parts: readonly Covered[] };

/** Files that are known to be unreadable; more are read again whenever they are seen. */
export const unreadableFilesMax = 10_000;

/** What this version reads as a file of the lake; another one, with other columns, may read others. */
const judgeName = createHash('sha256')
  .update(JSON.stringify([...parquetTypes]))
  .digest('hex')
  .slice(0, 16);

/** How the manifest is compared with the bucket. */
export class ReconcileStore {
  readonly #storage: Storage;
  readonly #lake: LakeStore;

  constructor(storage: Storage, lake: LakeStore) {
    this.#storage = storage;
    this.#lake = lake;
  }

  /** States by key of those of some files that the manifest names. */
  async states(keys: readonly string[]): Promise<ReadonlyMap<string, LakeFileTable['state']>> {
    if (keys.length === 0) return new Map();
    const rows = await this.#storage.db
      .selectFrom('lake_file')
      .select(['object_key', 'state'])
      .where('object_key', 'in', keys)
      .execute();
    return new Map(rows.map(({ object_key, state }) => [object_key, state]));
  }

  /** Those of some files of an environment that are live. */
  async liveAmong(
    at: EnvironmentRef,
    ids: readonly string[],
  ): Promise<readonly (LakeFile & EnvironmentRef)[]> {
    const { organization, environment } = at;
    const found: (LakeFile & EnvironmentRef)[] = [];
    for (let from = 0; from < ids.length; from += keysPerQueryMax) {
      const rows = await inTenant(this.#storage.db.selectFrom('lake_file'), at)
        .select(['id', 'object_key', 'byte_count'])
        .where('id', 'in', ids.slice(from, from + keysPerQueryMax))
        .where('state', '=', 'live')
        .execute();
      for (const { id, object_key, byte_count } of rows)
        found.push({ id, key: object_key, bytes: byte_count, organization, environment });
    }
    return found;
  }

  /** Live files whose keys lie behind one key and up to another, in the order of bytes. */
  async liveBetween(after: string, upTo: string): Promise<readonly (LakeFile & EnvironmentRef)[]> {
    const key = this.#keyInBytes();
    const rows = await this.#storage.db
      .selectFrom('lake_file')
      .select(['id', 'object_key', 'byte_count', 'organization', 'environment'])
      .where('state', '=', 'live')
      .where(key, '>', after)
      .where(key, '<=', upTo)
      .execute();
    return rows.map(({ id, object_key, byte_count, organization, environment }) => ({
      id,
      key: object_key,
      bytes: byte_count,
      organization,
      environment,
    }));
  }

  /** Sizes by key of the files between two keys that this version found unreadable. */
  async unreadableBetween(after: string, upTo: string): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#storage.db
      .selectFrom('unreadable_file')
      .select(['object_key', 'byte_count'])
      .where('judge', '=', judgeName)
      .where(this.#keyInBytes(), '>', after)
      .where(this.#keyInBytes(), '<=', upTo)
      .execute();
    return new Map(rows.map(({ object_key, byte_count }) => [object_key, byte_count]));
  }

  /** Remembers that a file is unreadable, unless so many are remembered already. */
  async saveUnreadable({ key, bytes }: ListedBlob, nowMs: number): Promise<void> {
    const verdict = { byte_count: bytes, judge: judgeName, judged_at_ms: nowMs };
    await this.#lake.fenced(async (trx) => {
      const { known } = await trx
        .selectFrom('unreadable_file')
        .select((eb) => eb.fn.countAll().as('known'))
        .where('object_key', '!=', key)
        .executeTakeFirstOrThrow();
      if (Number(known) >= unreadableFilesMax) return false;
      await trx
        .insertInto('unreadable_file')
        .values({ object_key: key, ...verdict })
        .onConflict((conflict) => conflict.column('object_key').doUpdateSet(verdict))
        .execute();
      return true;
    });
  }

  /** Forgets files that are gone, or that were read after all. */
  async forgetUnreadable(keys: readonly string[]): Promise<void> {
    for (let from = 0; from < keys.length; from += keysPerQueryMax)
      await this.#storage.db
        .deleteFrom('unreadable_file')
        .where('object_key', 'in', keys.slice(from, from + keysPerQueryMax))
        .execute();
  }

  /** When the manifest last changed for an environment; 0 when it names nothing of it. */
  async newestChangeMs({ organization, environment }: EnvironmentRef): Promise<number> {
    const row = await inTenant(this.#storage.db.selectFrom('lake_file'), { organization, environment })
      .select((eb) => eb.fn.max<number | null>('changed_at_ms').as('newest'))
      .where('state', '=', 'live')
      .executeTakeFirst();
    return Number(row?.newest ?? 0);
  }

  /** What {@link adopt} would do if some files covered nothing, without doing it. */
  async judge(file: PendingFile, covered: readonly Covered[], absent: readonly string[]): Promise<Adoption> {
    return judge(this.#storage.db, file, { covered, absent });
  }

  /** Takes a file and what it covers into the manifest, unless others cover it; undefined when the lease was lost. */
  async adopt(
    file: PendingFile,
    facts: FileFacts & { readonly covered: readonly Covered[] },
    nowMs: number,
  ): Promise<Adoption | undefined> {
    let adoption: Adoption | undefined;
    await this.#lake.fenced(async (trx) => {
      adoption = await judge(trx, file, facts);
      if (adoption.kind !== 'adopted') return false;
      await trx.deleteFrom('lake_file').where('id', '=', file.id).where('state', '!=', 'live').execute();
      await this.#lake.insertLive(trx, { file, ...facts }, nowMs);
      return true;
    });
    return adoption;
  }

  /** A listing of the bucket is in the order of bytes. */
  #keyInBytes() {
    return this.#storage.dialect === 'postgres'
      ? sql<string>`object_key collate "C"`
      : sql<string>`object_key`;
  }

  /**
   * A live file is gone from the bucket, and another one that the manifest does not name covers all that it covered: it was merged into that,
   * and the database is older than the merge. False when there is something that the other does not cover.
   */
  async supersede(
    file: LakeFile & EnvironmentRef,
    covered: readonly Covered[],
    nowMs: number,
  ): Promise<boolean> {
    return this.#lake.fenced(async (trx) => {
      if ((await openOf(trx, file, covered)) === 'some') return false;
      await inTenant(trx.updateTable('lake_file'), file)
        .set({ state: 'retired', changed_at_ms: nowMs })
        .where('id', '=', file.id)
        .where('state', '=', 'live')
        .execute();
      await inTenant(trx.deleteFrom('covered_range'), file).where('file', '=', file.id).execute();
      return true;
    });
  }

  /** Whether a file covers something, and nothing but what lies in some ranges. */
  async isWithin(file: LakeFile & EnvironmentRef, covered: readonly Covered[]): Promise<boolean> {
    return (await openOf(this.#storage.db, file, covered)) === 'none';
  }

  /** A live file is gone from the bucket, as it should be: it counts no longer, and what it covered stays covered. */
  async end(file: LakeFile & EnvironmentRef, nowMs: number): Promise<void> {
    await this.#lake.fenced(async (trx) => {
      await retireIn(trx, file, nowMs);
      return true;
    });
  }

  /**
   * A live file is gone from the bucket: it counts no longer, and its ranges are open again for whoever still has them. False where it was live
   * no more: two who read it at once miss it one behind the other.
   */
  async lose(file: LakeFile & EnvironmentRef, nowMs: number): Promise<boolean> {
    return this.#lake.fenced(async (trx) => {
      const lost = await trx
        .updateTable('lake_file')
        .set({ state: 'lost', changed_at_ms: nowMs })
        .where('id', '=', file.id)
        .where('state', '=', 'live')
        .executeTakeFirst();
      if (Number(lost.numUpdatedRows) !== 1) return false;
      await trx.deleteFrom('covered_range').where('file', '=', file.id).execute();
      const { organization } = file;
      const event = { id: randomUUID(), organization, gateway: 'lake', detail: file.key, at_ms: nowMs };
      await trx
        .insertInto('gateway_event')
        .values({ ...event, kind: 'records.file_missing' satisfies GatewayEventKind })
        .execute();
      return true;
    });
  }
}

/** What of a file's ranges lies in none of some others; `nothing` where it covers nothing at all. */
async function openOf(
  db: Queries,
  file: EnvironmentRef & Pick<LakeFile, 'id'>,
  covered: readonly Covered[],
): Promise<'some' | 'none' | 'nothing'> {
  const rows = await inTenant(db.selectFrom('covered_range'), file)
    .select(['spool', 'gateway', 'first_offset as first', 'last_offset as last'])
    .where('file', '=', file.id)
    .execute();
  if (rows.length === 0) return 'nothing';
  const isWithin = rows.every((row) => {
    const ofSpool = covered.filter(({ spool, gateway }) => spool === row.spool && gateway === row.gateway);
    return uncovered(row, ofSpool).length === 0;
  });
  return isWithin ? 'none' : 'some';
}

async function judge(
  db: Storage['db'] | Trx,
  { id, organization, environment }: PendingFile,
  { covered, absent = [] }: { readonly covered: readonly Covered[]; readonly absent?: readonly string[] },
): Promise<Adoption> {
  const open: Covered[] = [];
  const by = new Set<string>();
  let isWhole = true;
  for (const range of covered) {
    const rows = await inTenant(db.selectFrom('covered_range'), { organization, environment })
      .select(['first_offset as first', 'last_offset as last', 'file'])
      .where('spool', '=', range.spool)
      .where('gateway', '=', range.gateway)
      .where('first_offset', '<=', range.last)
      .where('last_offset', '>=', range.first)
      .where((eb) => eb.or([eb('file', 'is', null), eb('file', 'not in', [id, ...absent])]))
      .execute();
    if (rows.length === 0) {
      open.push(range);
      continue;
    }
    isWhole = false;
    for (const { file } of rows) if (file !== null) by.add(file);
    open.push(...uncovered(range, rows).map((part) => ({ ...range, ...part, hash8: '' })));
  }
  if (isWhole) return { kind: 'adopted' };
  return open.length === 0
    ? { kind: 'doubled', by: [...by] }
    : { kind: 'overlapping', by: [...by], parts: open };
}
