import { randomUUID } from 'node:crypto';
import type { EnvironmentRef } from '../../proto/wire/published.ts';
import { inTenant } from '../storage/in-tenant.ts';
import { releaseLease, takeLease } from '../storage/leases.ts';
import type { Trx } from '../storage/storage.ts';
import type { Heads } from './heads.ts';
import { certificateMs, type Keys } from './keys.ts';
import type { Publisher, PublisherOptions, PublishSettings } from './publisher.ts';
import { lockEnvironment } from './tenant-locks.ts';

/** The chores of publishing; see the methods of Publisher with the same names. */
export interface Upkeep {
  run(this: void, signal: AbortSignal): Promise<void>;
  tidy(this: void): Promise<void>;
  rotateKey(this: void, at: EnvironmentRef): Promise<void>;
}

type UpkeepOptions = Omit<PublisherOptions, 'settings'> & {
  readonly settings: PublishSettings;
  readonly keys: Keys;
  readonly heads: Heads;
  readonly published: Publisher['published'];
};

const leaseName = 'publish.upkeep';
const eventMs = 30 * 24 * 3_600_000;

/** Most states of one record that are kept, the one in force among them; the oldest go first. Nobody but people who look back reads those before it. */
export const statesMax = 100;
/** States of so many records go in one look, which is had so often. */
const trimmedPerLookMax = 500;
const trimEveryMs = 3_600_000;

/** Makes the chores; each environment is done in a transaction of its own, so that one that fails hinders no other. */
export function createUpkeep(options: UpkeepOptions): Upkeep {
  const { storage, clock, log, settings, keys, heads, published } = options;

  const forEach = async (
    chore: string,
    environments: readonly EnvironmentRef[],
    work: (trx: Trx, at: EnvironmentRef) => Promise<void>,
  ): Promise<void> => {
    for (const at of environments) {
      try {
        await storage.transaction((trx) => work(trx, at));
        await published(at);
      } catch (error) {
        log.warn({ err: error, chore, ...at }, 'a chore of publishing failed; it is tried again');
      }
    }
  };
  const rotate = async (trx: Trx, at: EnvironmentRef): Promise<void> => {
    const locked = await lockEnvironment(trx, at, 0);
    await keys.create(trx, at, locked.epoch);
    await heads.renew(trx, locked);
  };
  const refresh = async (trx: Trx, at: EnvironmentRef): Promise<void> =>
    heads.renew(trx, await lockEnvironment(trx, at, 0));

  let trimmedMs = 0;
  const tidy = async (): Promise<void> => {
    const nowMs = clock.now();
    await forEach('rotate', await environmentsWithOldKeys(options, nowMs), rotate);
    const prunedBeforeMs = nowMs - settings.tombstoneMs;
    await forEach('prune', await environmentsWithOldTombstones(options, prunedBeforeMs), (trx, at) =>
      prune(trx, at, { heads, beforeMs: prunedBeforeMs }),
    );
    await forEach(
      'refresh',
      await environmentsWithOldHeads(options, nowMs - settings.headRefreshEveryMs),
      refresh,
    );
    if (Math.abs(nowMs - trimmedMs) >= trimEveryMs) {
      for (const record of await recordsWithManyStates(options)) await trim(options, record);
      trimmedMs = nowMs;
    }
    await storage.db
      .deleteFrom('gateway_event')
      .where('at_ms', '<', nowMs - eventMs)
      .execute();
  };

  return {
    tidy,
    async rotateKey(at) {
      await storage.transaction((trx) => rotate(trx, at));
      await published(at);
    },
    async run(signal) {
      const holder = randomUUID();
      // Three looks per interval: a head is at most a third older than wished.
      const everyMs = settings.headRefreshEveryMs / 3;
      while (!signal.aborted) {
        try {
          const wish = { name: leaseName, holder, leaseMs: settings.headRefreshEveryMs };
          if ((await takeLease(storage, wish)) !== undefined) await tidy();
        } catch (error) {
          log.warn({ err: error }, 'the chores of publishing wait for the database');
        }
        await clock.delay(everyMs, signal);
      }
      await releaseLease(storage.db, leaseName, holder).catch(() => undefined);
    },
  };
}

async function environmentsWithOldHeads(
  { storage }: UpkeepOptions,
  beforeMs: number,
): Promise<readonly EnvironmentRef[]> {
  return storage.db
    .selectFrom('published_head')
    .select(['organization', 'environment'])
    .where('issued_at_ms', '<=', beforeMs)
    .execute();
}

async function environmentsWithOldTombstones(
  { storage }: UpkeepOptions,
  beforeMs: number,
): Promise<readonly EnvironmentRef[]> {
  return storage.db
    .selectFrom('published_latest')
    .select(['organization', 'environment'])
    .distinct()
    .where('is_deleted', '=', 1)
    .where('updated_at_ms', '<=', beforeMs)
    .execute();
}

/** A record, whichever of its states. */
type RecordRef = EnvironmentRef & { readonly kind: string; readonly id: string };

async function recordsWithManyStates({ storage }: UpkeepOptions): Promise<readonly RecordRef[]> {
  return storage.db
    .selectFrom('published_record')
    .select(['organization', 'environment', 'kind', 'id'])
    .groupBy(['organization', 'environment', 'kind', 'id'])
    .having((eb) => eb.fn.countAll(), '>', statesMax)
    .limit(trimmedPerLookMax)
    .execute();
}

/** Forgets the oldest states of a record. */
async function trim({ storage }: UpkeepOptions, record: RecordRef): Promise<void> {
  const { kind, id } = record;
  const kept = await inTenant(storage.db.selectFrom('published_record'), record)
    .select('seq')
    .where('kind', '=', kind)
    .where('id', '=', id)
    .orderBy('seq', 'desc')
    .limit(1)
    .offset(statesMax - 1)
    .executeTakeFirst();
  if (kept === undefined) return;
  await inTenant(storage.db.deleteFrom('published_record'), record)
    .where('kind', '=', kind)
    .where('id', '=', id)
    .where('seq', '<', kept.seq)
    .execute();
}

async function environmentsWithOldKeys(
  { storage }: UpkeepOptions,
  nowMs: number,
): Promise<readonly EnvironmentRef[]> {
  return storage.db
    .selectFrom('environment')
    .innerJoin('signing_key', (join) =>
      join
        .onRef('signing_key.environment', '=', 'environment.id')
        .onRef('signing_key.organization', '=', 'environment.organization')
        .on('signing_key.is_active', '=', 1),
    )
    .innerJoin('key_certificate', (join) =>
      join
        .onRef('key_certificate.key_id', '=', 'signing_key.id')
        .onRef('key_certificate.epoch', '=', 'environment.epoch'),
    )
    .select(['environment.organization', 'environment.id as environment'])
    .where('key_certificate.not_after_ms', '<=', nowMs + certificateMs / 4)
    .execute();
}

/** Takes old tombstones out of the set, in a head with a seq of its own: one seq never stands for two sets. */
async function prune(
  trx: Trx,
  at: EnvironmentRef,
  { heads, beforeMs }: { readonly heads: Heads; readonly beforeMs: number },
): Promise<void> {
  const locked = await lockEnvironment(trx, at, 1);
  const pruned = await trx
    .deleteFrom('published_latest')
    .where('organization', '=', at.organization)
    .where('environment', '=', at.environment)
    .where('is_deleted', '=', 1)
    .where('updated_at_ms', '<=', beforeMs)
    .returning(['bucket', 'seq', 'kind', 'id'])
    .execute();
  // Nothing is left of which they would be the history.
  for (const { kind, id } of pruned)
    await inTenant(trx.deleteFrom('published_record'), at)
      .where('kind', '=', kind)
      .where('id', '=', id)
      .execute();
  // Whoever is behind the newest of them would never hear of it, and starts from a snapshot.
  const prunedSeq = Math.max(0, ...pruned.map((row) => row.seq));
  await trx
    .updateTable('environment')
    .set((eb) => ({
      pruned_seq: eb
        .case()
        .when('pruned_seq', '<', prunedSeq)
        .then(prunedSeq)
        .else(eb.ref('pruned_seq'))
        .end(),
    }))
    .where('organization', '=', at.organization)
    .where('id', '=', at.environment)
    .execute();
  const buckets = new Set(pruned.map((row) => row.bucket));
  await heads.update(trx, locked, { buckets, countDelta: -pruned.length });
}
