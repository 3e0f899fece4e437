import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import type { Clock } from '../../proto/process/clock.ts';
import type { Keyring } from '../../proto/process/secrets.ts';
import { Fault, invariant } from '../../proto/faults/fault.ts';
import { bucketOf } from '../../proto/trust/digest.ts';
import type { EnvironmentRef, RecordKind } from '../../proto/wire/published.ts';
import { wireLimits } from '../../proto/wire/limits.ts';
import { encodeRecord } from '../../proto/wire/record.ts';
import type { Storage, StorageLog, Trx } from '../storage/storage.ts';
import type { TagHistoryTable } from '../storage/tables.ts';
import { createHeads, type Heads } from './heads.ts';
import { createKeys, type Keys } from './keys.ts';
import { createDataKeys, type DataKeys } from './data-keys.ts';
import { createKeyDelivery } from './key-delivery.ts';
import { flowsOfNew } from './organization-flows.ts';
import { type LockedEnvironment, lockEnvironment, lockOrganization } from './tenant-locks.ts';
import { createUpkeep } from './upkeep.ts';

/** One record that shall be in force from now on, or be withdrawn. */
export type PublishChange =
  | {
      readonly kind: RecordKind;
      readonly id: string;
      /** What people call this state, e.g. '3' for the third deployment. */
      readonly revision: string;
      readonly tags: readonly string[];
      /** Encoded by proto/wire/payloads.ts. */
      readonly payload: Uint8Array;
      readonly isDeleted?: false;
    }
  | { readonly kind: RecordKind; readonly id: string; readonly isDeleted: true };

/** An organization or environment to be made. */
export interface TenantWish {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly hrid?: string;
}

/**
 * Turns changes into consistent, sequenced, signed records.
 *
 * Methods that take a transaction are called inside the caller's, so that draft, history, audit and published record
 * commit together; after the commit the caller says `published`, which only hurries the readers.
 */
export interface Publisher {
  /** Makes the organization with its root key; nothing when it exists. */
  ensureOrganization(trx: Trx, wish: TenantWish): Promise<void>;
  /** Makes the environment with its first publishing key and the flows of its organization; nothing when it exists. */
  ensureEnvironment(trx: Trx, organization: string, wish: TenantWish): Promise<void>;
  /**
   * Publishes changes in one head, each with a seq of its own; `seq` is the last one.
   *
   * The row lock of the environment is held from here to the end of the transaction: publish last. Cost: one bucket
   * of headers is read per distinct bucket, about 1/256 of the environment for one change.
   * Errors: request.not_found for an unknown environment.
   */
  publish(
    trx: Trx,
    at: EnvironmentRef,
    change: { readonly changes: readonly PublishChange[]; readonly actor: string },
  ): Promise<{ readonly seq: number }>;
  /** Tells bridges that something was committed; without an environment: that anything may have changed. Never rejects. */
  published(at?: EnvironmentRef): Promise<void>;
  /** Lets a new publishing key sign; heads of the old one stay valid as long as its certificate. */
  rotateKey(at: EnvironmentRef): Promise<void>;
  /**
   * Does the chores until aborted: refreshes heads, prunes tombstones, rotates keys that run out. One control plane at a time does
   * them (a lease in the database). Give it to the life-cycle as a task.
   */
  upkeep(signal: AbortSignal): Promise<void>;
  /** Does the due chores now, whoever holds the lease; for tests and the command line. */
  tidy(): Promise<void>;
  readonly keys: Keys;
  readonly heads: Heads;
  /** The keys of definitions' secrets. */
  readonly dataKeys: DataKeys;
}

/** What a publisher needs; see {@link createPublisher}. */
export interface PublisherOptions {
  readonly storage: Storage;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly log: StorageLog;
  readonly settings?: Partial<PublishSettings>;
}

/** Named bounds of publishing. */
export interface PublishSettings {
  /** A head is signed again when it is this old. */
  readonly headRefreshEveryMs: number;
  /** A gateway calls a head that is older than this expired. */
  readonly headLifetimeMs: number;
  /** How long a withdrawal stays in the set for gateways that were away. */
  readonly tombstoneMs: number;
}

/** The defaults of {@link PublishSettings}. */
export const publishSettings: PublishSettings = {
  headRefreshEveryMs: 30_000,
  headLifetimeMs: 300_000,
  tombstoneMs: 30 * 24 * 3_600_000,
};

/** The topic of hints; the payload is an environment's id, or '' for any. */
export const publishedTopic = 'published';
/** Rows per statement; SQLite takes 32,766 parameters, PostgreSQL 65,535. */
const rowsPerStatement = 1_000;

/** From here on a publish changes what PostgreSQL must know of the table. */
const bulkRecords = 5_000;

/** Makes a publisher; it holds the keys, so only the control plane has one. */
export function createPublisher(options: PublisherOptions): Publisher {
  const { storage, clock } = options;
  const settings = { ...publishSettings, ...options.settings };
  const keys = createKeys(options);
  const heads = createHeads({ keys, clock, lifetimeMs: settings.headLifetimeMs });
  const published: Publisher['published'] = (at) =>
    storage.notifier.notify(publishedTopic, at?.environment ?? '');
  const upkeep = createUpkeep({ ...options, settings, keys, heads, published });
  const dataKeys = createDataKeys(options);

  const publish: Publisher['publish'] = async (trx, at, { changes, actor }) => {
    invariant(changes.length > 0, 'publish is called with a change');
    const locked = await lockEnvironment(trx, at, changes.length);
    const before = await readTags(trx, at, changes);
    const records = encodeAll(locked, changes, before);
    await insertRecords(trx, records, { actor, nowMs: clock.now() });
    await rememberTags(
      trx,
      records.flatMap(({ latest: { organization, environment, kind, id, tags } }) =>
        kind === 'api' ? [{ organization, environment, kind, id, tags }] : [],
      ),
    );
    if (records.length >= bulkRecords && storage.dialect === 'postgres') await analyze(trx);
    await heads.update(trx, locked, {
      buckets: new Set(records.map((record) => record.latest.bucket)),
      countDelta: records.length - before.size,
    });
    return { seq: locked.seq };
  };

  const delivery = createKeyDelivery({ ...options, dataKeys, publisher: { publish, published } });
  return {
    keys,
    heads,
    dataKeys,
    published,
    async upkeep(signal) {
      await Promise.all([upkeep.run(signal), delivery.run(signal)]);
    },
    async tidy() {
      await upkeep.tidy();
      await delivery.deliver();
    },
    rotateKey: upkeep.rotateKey,
    async ensureOrganization(trx, wish) {
      await trx
        .insertInto('organization')
        .values(tenantRow(wish, clock.now()))
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute();
      await keys.ensureRoot(trx, wish.id);
    },
    async ensureEnvironment(trx, organization, wish) {
      // Whoever changes the organization's flows holds its row: this environment is there for them, or finds theirs here.
      const row = await lockOrganization(trx, organization);
      const made = await trx
        .insertInto('environment')
        .values({ ...tenantRow(wish, clock.now()), organization, epoch: 1, seq: 0, pruned_seq: 0 })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .returning('epoch')
        .executeTakeFirst();
      if (made === undefined) return;
      const at = { organization, environment: wish.id };
      await keys.create(trx, at, made.epoch);
      const flows = row === undefined ? undefined : await flowsOfNew(row, { trx, at, dataKeys });
      if (flows !== undefined) await publish(trx, at, { changes: [flows], actor: '' });
    },
    publish,
  };
}

function tenantRow(wish: TenantWish, nowMs: number) {
  return {
    id: wish.id,
    name: wish.name,
    description: wish.description ?? '',
    hrid: wish.hrid ?? wish.id.toLowerCase(),
    created_at_ms: nowMs,
    updated_at_ms: nowMs,
  };
}

const keyOf = ({ kind, id }: { readonly kind: string; readonly id: string }): string => `${kind}\0${id}`;

/** The tags of those of the changed records that have a header already, by {@link keyOf}. */
async function readTags(
  trx: Trx,
  at: EnvironmentRef,
  changes: readonly PublishChange[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (const [kind, ofKind] of Map.groupBy(changes, (change) => change.kind)) {
    for (const ids of chunks(ofKind.map((change) => change.id))) {
      const rows = await trx
        .selectFrom('published_latest')
        .select(['kind', 'id', 'tags'])
        .where('organization', '=', at.organization)
        .where('environment', '=', at.environment)
        // The bucket follows from the id; naming it keeps the read small also when PostgreSQL, without statistics yet,
        // chooses the bucket's index and filters.
        .where('bucket', 'in', [...new Set(ids.map((id) => bucketOf(kind, id)))])
        .where('kind', '=', kind)
        .where('id', 'in', ids)
        .execute();
      for (const row of rows) found.set(keyOf(row), JSON.parse(row.tags) as readonly string[]);
    }
  }
  return found;
}

type EncodedRecord = ReturnType<typeof encodeOne>;

function encodeAll(
  at: LockedEnvironment,
  changes: readonly PublishChange[],
  before: ReadonlyMap<string, readonly string[]>,
): readonly EncodedRecord[] {
  invariant(
    new Set(changes.map(keyOf)).size === changes.length,
    'a record is changed once per call of publish',
  );
  const firstSeq = at.seq - changes.length + 1;
  return changes.map((change, index) =>
    // A withdrawal keeps the tags, so that it reaches exactly those who had the record.
    encodeOne({ ...at, seq: firstSeq + index }, change, before.get(keyOf(change)) ?? []),
  );
}

function encodeOne(at: LockedEnvironment, change: PublishChange, tagsBefore: readonly string[]) {
  const { organization, environment, seq } = at;
  const { kind, id } = change;
  const isDeleted = change.isDeleted === true;
  const tags = isDeleted ? tagsBefore : [...new Set(change.tags)].toSorted();
  const revision = isDeleted ? '' : change.revision;
  const payload = isDeleted ? new Uint8Array() : change.payload;
  const bytes = encodeRecord({
    organization,
    environment,
    kind,
    id,
    seq,
    revision,
    tags,
    isDeleted,
    payload,
  });
  if (bytes.length > wireLimits.recordBytesMax)
    throw new Fault('request.too_large', {
      detail: `The ${kind} has ${bytes.length} bytes as a record; the most is ${wireLimits.recordBytesMax}.`,
    });
  return {
    bytes,
    latest: {
      organization,
      environment,
      kind,
      id,
      seq,
      revision,
      bucket: bucketOf(kind, id),
      sha256: createHash('sha256').update(bytes).digest(),
      tags: JSON.stringify(tags),
      is_deleted: isDeleted ? 1 : 0,
    },
  };
}

async function insertRecords(
  trx: Trx,
  records: readonly EncodedRecord[],
  { actor, nowMs }: { readonly actor: string; readonly nowMs: number },
): Promise<void> {
  for (const chunk of chunks(records)) {
    await trx
      .insertInto('published_record')
      .values(
        chunk.map(({ bytes, latest: { organization, environment, kind, id, seq, revision } }) => ({
          organization,
          environment,
          kind,
          id,
          seq,
          revision,
          bytes,
          actor,
          created_at_ms: nowMs,
        })),
      )
      .execute();
    await trx
      .insertInto('published_latest')
      .values(chunk.map(({ latest }) => ({ ...latest, updated_at_ms: nowMs })))
      .onConflict((conflict) =>
        conflict.columns(['organization', 'environment', 'kind', 'id']).doUpdateSet((eb) => ({
          seq: eb.ref('excluded.seq'),
          revision: eb.ref('excluded.revision'),
          sha256: eb.ref('excluded.sha256'),
          tags: eb.ref('excluded.tags'),
          is_deleted: eb.ref('excluded.is_deleted'),
          updated_at_ms: eb.ref('excluded.updated_at_ms'),
        })),
      )
      .execute();
  }
}

/** Keeps tags that were not there before; in the transaction that makes them count. */
export async function rememberTags(trx: Trx, rows: readonly TagHistoryTable[]): Promise<void> {
  for (const chunk of chunks(rows))
    await trx
      .insertInto('tag_history')
      .values(chunk)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
}

/** Autovacuum would do it within a minute; until then one publish would read the environment instead of a bucket. */
async function analyze(trx: Trx): Promise<void> {
  await sql`analyze published_latest`.execute(trx);
}

function* chunks<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += rowsPerStatement)
    yield items.slice(start, start + rowsPerStatement);
}
