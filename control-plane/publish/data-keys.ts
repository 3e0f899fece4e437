import { createHash } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { Clock } from '../../proto/process/clock.ts';
import type { Keyring } from '../../proto/process/secrets.ts';
import { createDataKey, type DataKey } from '../../proto/trust/sealed-text.ts';
import { environmentKeyContext, sealTo } from '../../proto/trust/sealing.ts';
import { encodeEnvironmentKey } from '../../proto/wire/payloads.ts';
import type { EnvironmentRef } from '../../proto/wire/published.ts';
import type { Queries, Storage, Trx } from '../storage/storage.ts';
import type { DataKeyTable } from '../storage/tables.ts';
import { beforeSealing } from './keys.ts';
import type { PublishChange } from './publisher.ts';

/**
 * The keys that seal the secrets of definitions: one per environment, made with its first secret, and one of the organization for what it
 * keeps itself (`environment` is empty). At rest they are sealed under the key-encryption key.
 */
export interface DataKeys {
  /** All of an environment, the one that seals first. */
  open(db: Queries, at: EnvironmentRef): Promise<readonly DataKey[]>;
  /** Makes the first one, unless somebody has meanwhile; what gateways must learn of it is {@link DataKeys.owed}. */
  make(trx: Trx, at: EnvironmentRef): Promise<void>;
  /** The same, and none of them goes before the transaction has ended: whoever is going to seal or open something that he writes holds them. */
  hold(trx: Trx, at: EnvironmentRef): Promise<readonly DataKey[]>;
  /** Makes another one, which seals from this commit on; publish what is {@link DataKeys.owed} in the same transaction. */
  add(trx: Trx, at: EnvironmentRef): Promise<void>;
  /**
   * Deletes keys with which nothing is sealed any more, which `isUnused` says when everybody who holds them has ended, and when nobody can
   * hold them before this transaction has. Says whether it did. What gateways owe to it is published by another transaction.
   */
  forget(
    trx: Trx,
    at: EnvironmentRef,
    old: { readonly ids: readonly string[]; readonly isUnused: () => Promise<boolean> },
  ): Promise<boolean>;
  /** What was not published yet of who has the keys: sealed to each gateway that may serve the environment, withdrawn from all others. */
  owed(trx: Trx, at: EnvironmentRef): Promise<readonly PublishChange[]>;
}

/** What a sealed key of that kind is bound to. */
export const dataKeyContext = (at: EnvironmentRef, id: string): string =>
  `organization/${at.organization}/environment/${at.environment}/data/${id}`;

/** Makes the keeper of them. */
export function createDataKeys({
  keyring,
  clock,
  storage: { dialect },
}: {
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly storage: Pick<Storage, 'dialect'>;
}): DataKeys {
  const opened = (at: EnvironmentRef, rows: readonly Pick<Selectable<DataKeyTable>, 'id' | 'sealed_key'>[]) =>
    rows.map(({ id, sealed_key }) => ({ id, key: keyring.open(sealed_key, dataKeyContext(at, id)) }));
  const open: DataKeys['open'] = async (db, at) => opened(at, await rowsOf(db, at).execute());
  const insert = async (trx: Trx, at: EnvironmentRef, position: number): Promise<void> => {
    const { id, key } = createDataKey();
    await beforeSealing(trx);
    await trx
      .insertInto('data_key')
      .values({
        ...at,
        position,
        id,
        sealed_key: keyring.seal(key, dataKeyContext(at, id)),
        created_at_ms: clock.now(),
      })
      .onConflict((conflict) => conflict.columns(['organization', 'environment', 'position']).doNothing())
      .execute();
  };
  return {
    open,
    async hold(trx, at) {
      const rows = rowsOf(trx, at);
      return opened(at, await (dialect === 'postgres' ? rows.forKeyShare() : rows).execute());
    },
    make: (trx, at) => insert(trx, at, 1),
    async add(trx, at) {
      const [newest] = await rowsOf(trx, at).execute();
      await insert(trx, at, (newest?.position ?? 0) + 1);
    },
    async forget(trx, at, { ids, isUnused }) {
      if (ids.length === 0) return true;
      // Locked as for a deletion: it waits for whoever holds them.
      if (dialect === 'postgres') await rowsOf(trx, at).where('id', 'in', ids).forUpdate().execute();
      if (!(await isUnused())) return false;
      await trx
        .deleteFrom('data_key')
        .where('organization', '=', at.organization)
        .where('environment', '=', at.environment)
        .where('id', 'in', ids)
        .execute();
      return true;
    },
    async owed(trx, at) {
      const keys = await open(trx, at);
      if (keys.length === 0) return [];
      const published = await readPublished(trx, at);
      const entitled = await readGateways(trx, at);
      const isEntitled = new Set(entitled.map(({ id }) => id));
      const gone = [...published.keys()].filter((id) => !isEntitled.has(id));
      const changes = entitled.flatMap((gateway): readonly PublishChange[] => {
        const revision = revisionOf(gateway, keys);
        return published.get(gateway.id) === revision ? [] : [keyRecord(at, { gateway, keys, revision })];
      });
      return [...changes, ...gone.map((id) => ({ kind: 'environment-key', id, isDeleted: true }) as const)];
    },
  };
}

const rowsOf = (db: Queries, at: EnvironmentRef) =>
  db
    .selectFrom('data_key')
    .select(['id', 'position', 'sealed_key'])
    .where('organization', '=', at.organization)
    .where('environment', '=', at.environment)
    .orderBy('position', 'desc');

interface KeyedGateway {
  readonly id: string;
  readonly fleet: string;
  readonly sealingKey: Uint8Array;
}

/** The gateways that may serve an environment. */
async function readGateways(db: Queries, at: EnvironmentRef): Promise<readonly KeyedGateway[]> {
  const rows = await db
    .selectFrom('gateway')
    .innerJoin('fleet', (join) =>
      join.onRef('fleet.id', '=', 'gateway.fleet').onRef('fleet.organization', '=', 'gateway.organization'),
    )
    .leftJoin('gateway as successor', 'successor.previous', 'gateway.id')
    .select(['gateway.id', 'gateway.fleet', 'gateway.sealing_key', 'fleet.environments'])
    .where('gateway.organization', '=', at.organization)
    .where('gateway.is_revoked', '=', 0)
    .where('successor.id', 'is', null)
    .orderBy('gateway.id')
    .execute();
  return rows
    .filter(({ environments }) => (JSON.parse(environments) as readonly string[]).includes(at.environment))
    .map(({ id, fleet, sealing_key }) => ({ id, fleet, sealingKey: sealing_key }));
}

/** Which gateways have the keys, by the revision that they were sent. */
async function readPublished(db: Queries, at: EnvironmentRef): Promise<ReadonlyMap<string, string>> {
  const rows = await db
    .selectFrom('published_latest')
    .select(['id', 'revision'])
    .where('organization', '=', at.organization)
    .where('environment', '=', at.environment)
    .where('kind', '=', 'environment-key')
    .where('is_deleted', '=', 0)
    .execute();
  return new Map(rows.map(({ id, revision }) => [id, revision]));
}

/** Another text when anything about it is another. */
function revisionOf({ fleet, sealingKey }: KeyedGateway, keys: readonly DataKey[]): string {
  const of = [fleet, Buffer.from(sealingKey).toString('base64'), ...keys.map(({ id }) => id)];
  return createHash('sha256').update(JSON.stringify(of)).digest('hex').slice(0, 16);
}

function keyRecord(
  at: EnvironmentRef,
  {
    gateway: { id, fleet, sealingKey },
    keys,
    revision,
  }: { readonly gateway: KeyedGateway; readonly keys: readonly DataKey[]; readonly revision: string },
): PublishChange {
  const sealed = keys.map(({ id: key, key: bytes }) => ({
    id: key,
    sealed: sealTo(sealingKey, bytes, environmentKeyContext({ ...at, gateway: id, key })),
  }));
  return {
    kind: 'environment-key',
    id,
    revision,
    tags: [fleet],
    payload: encodeEnvironmentKey({ gateway: id, keys: sealed }),
  };
}
