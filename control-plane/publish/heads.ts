import type { Selectable } from 'kysely';
import type { Clock } from '../../proto/process/clock.ts';
import { bucketCount, bucketHash, bucketOf, compareHeaders, digestOf } from '../../proto/trust/digest.ts';
import { signHead } from '../../proto/trust/heads.ts';
import { encodeHead } from '../../proto/wire/head.ts';
import type { EnvironmentRef, RecordHeader, RecordKind } from '../../proto/wire/published.ts';
import type { Queries, Trx } from '../storage/storage.ts';
import type { PublishedHeadTable, PublishedLatestTable } from '../storage/tables.ts';
import type { Keys } from './keys.ts';
import type { LockedEnvironment } from './tenant-locks.ts';

const hashBytes = 32;

/** Which part of the set changed; see {@link Heads.update}. */
export interface SetChange {
  readonly buckets: ReadonlySet<number>;
  /** Header lines that came (positive) or left (negative); a replaced one counts nothing. */
  readonly countDelta: number;
}

/** Heads are a function of what is committed; this makes them. */
export interface Heads {
  /** Recomputes the touched buckets from their headers and signs a head for the locked environment. Reads no other bucket. */
  update(trx: Trx, at: LockedEnvironment, change: SetChange): Promise<void>;
  /** Signs the same set again: later times, maybe another key or epoch. Nothing when there is no head yet. */
  renew(trx: Trx, at: LockedEnvironment): Promise<void>;
}

interface SignedState {
  readonly bucketHashes: Uint8Array;
  readonly count: number;
  readonly before: Selectable<PublishedHeadTable> | undefined;
}

/** Makes the maker of heads; lifetimeMs is how long a gateway takes a head for fresh. */
export function createHeads(options: {
  readonly keys: Keys;
  readonly clock: Clock;
  readonly lifetimeMs: number;
}): Heads {
  const write = async (trx: Trx, at: LockedEnvironment, state: SignedState): Promise<void> => {
    const key = await options.keys.active(trx, at);
    // Strictly later than the one before, also when the clock was set back: an old time would look like a replay.
    const issuedAtMs = Math.max(options.clock.now(), (state.before?.issued_at_ms ?? 0) + 1);
    const head = signHead(
      {
        organization: at.organization,
        environment: at.environment,
        epoch: at.epoch,
        seq: at.seq,
        count: state.count,
        digest: digestOf(state.bucketHashes),
        issuedAtMs,
        expiresAtMs: issuedAtMs + options.lifetimeMs,
        keyId: key.keyId,
      },
      key.privateKey,
    );
    const changed = {
      epoch: at.epoch,
      seq: at.seq,
      count: state.count,
      bucket_hashes: state.bucketHashes,
      issued_at_ms: issuedAtMs,
      key_id: key.keyId,
      bytes: encodeHead(head),
    };
    await trx
      .insertInto('published_head')
      .values({ organization: at.organization, environment: at.environment, ...changed })
      .onConflict((conflict) => conflict.columns(['organization', 'environment']).doUpdateSet(changed))
      .execute();
  };

  return {
    async update(trx, at, { buckets, countDelta }) {
      const before = await readHead(trx, at);
      const bucketHashes =
        before === undefined
          ? new Uint8Array(bucketCount * hashBytes)
          : Uint8Array.from(before.bucket_hashes);
      const groups = Map.groupBy(await readBuckets(trx, at, [...buckets]), (header) =>
        bucketOf(header.kind, header.id),
      );
      for (const bucket of buckets)
        bucketHashes.set(bucketHash(groups.get(bucket) ?? []), bucket * hashBytes);
      await write(trx, at, { bucketHashes, count: (before?.count ?? 0) + countDelta, before });
    },
    async renew(trx, at) {
      const before = await readHead(trx, at);
      if (before === undefined) return;
      await write(trx, at, { bucketHashes: before.bucket_hashes, count: before.count, before });
    },
  };
}

/** The row of the newest head. */
export async function readHead(
  db: Queries,
  at: EnvironmentRef,
): Promise<Selectable<PublishedHeadTable> | undefined> {
  return db
    .selectFrom('published_head')
    .selectAll()
    .where('organization', '=', at.organization)
    .where('environment', '=', at.environment)
    .executeTakeFirst();
}

/** The headers of whole buckets, ordered by kind and id as the digest wants them. */
export async function readBuckets(
  db: Queries,
  at: EnvironmentRef,
  buckets: readonly number[],
): Promise<readonly RecordHeader[]> {
  if (buckets.length === 0) return [];
  const rows = await db
    .selectFrom('published_latest')
    .select(headerColumns)
    .where('organization', '=', at.organization)
    .where('environment', '=', at.environment)
    .where('bucket', 'in', buckets)
    .execute();
  // Sorted here: a PostgreSQL collation would order ids by the rules of a language.
  return rows.map(toHeader).toSorted(compareHeaders);
}

/** The columns that {@link toHeader} reads. */
export const headerColumns = ['kind', 'id', 'seq', 'sha256', 'tags', 'is_deleted'] as const;

/** A row as a header line. */
export function toHeader(row: Pick<PublishedLatestTable, (typeof headerColumns)[number]>): RecordHeader {
  return {
    kind: row.kind as RecordKind,
    id: row.id,
    seq: row.seq,
    sha256: row.sha256,
    // Most records have no tags, and parsing JSON 100,000 times is what reading the set would cost most.
    tags: row.tags === '[]' ? [] : (JSON.parse(row.tags) as readonly string[]),
    isDeleted: row.is_deleted === 1,
  };
}
