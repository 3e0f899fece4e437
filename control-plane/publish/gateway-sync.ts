import { bucketOf } from '../../proto/trust/digest.ts';
import { isRecordEntitled } from '../../proto/trust/entitlement.ts';
import type { EnvironmentRef, RecordKind } from '../../proto/wire/published.ts';
import type { Queries, Storage } from '../storage/storage.ts';
import { gatewaysWithFleet } from './gateway-views.ts';

/** How far gateways are with what is published of a record: each of `gateways` has applied it, refused it, or is on the way to it. */
export interface SyncState {
  /** Those whose fleet has the environment and takes the record's tags. */
  readonly gateways: number;
  readonly applied: number;
  readonly refused: number;
  readonly pending: number;
}

/** What one gateway can run, as it said itself. */
export interface GatewayAbility {
  readonly id: string;
  readonly fleet: string;
  readonly hostname: string;
  readonly version: string;
  /** Ids of its policies; undefined as long as it was never heard of. */
  readonly policies: ReadonlySet<string> | undefined;
}

/**
 * How far gateways are with records of one kind, by id; what is not published, or withdrawn, is not in it.
 *
 * Cost: three queries however many records are asked for.
 */
export function readSyncStates(
  storage: Pick<Storage, 'snapshot'>,
  at: EnvironmentRef,
  { kind, ids }: { readonly kind: RecordKind; readonly ids: readonly string[] },
): Promise<ReadonlyMap<string, SyncState>> {
  if (ids.length === 0) return Promise.resolve(new Map());
  return storage.snapshot(async (db) => {
    const latest = await db
      .selectFrom('published_latest')
      .innerJoin('environment', 'environment.id', 'published_latest.environment')
      .select(['published_latest.id', 'published_latest.seq', 'tags', 'epoch'])
      .where('published_latest.organization', '=', at.organization)
      .where('published_latest.environment', '=', at.environment)
      .where('bucket', 'in', [...new Set(ids.map((id) => bucketOf(kind, id)))])
      .where('kind', '=', kind)
      .where('published_latest.id', 'in', ids)
      .where('is_deleted', '=', 0)
      .execute();
    const nacks = await db
      .selectFrom('gateway_nack')
      .select(['gateway', 'id', 'seq'])
      .where('organization', '=', at.organization)
      .where('environment', '=', at.environment)
      .where('kind', '=', kind)
      .where('id', 'in', ids)
      .execute();
    // A nack of an earlier revision says nothing about this one.
    const refusals = new Set(nacks.map(({ gateway, id, seq }) => JSON.stringify([gateway, id, seq])));
    const gateways = await gatewaysIn(db, at);
    return new Map(
      latest.map(({ id, seq, tags, epoch }) => {
        const record = { kind, id, tags: JSON.parse(tags) as readonly string[] };
        const wanting = gateways.filter(({ fleet, fleetTags }) =>
          isRecordEntitled({ fleet, tags: fleetTags }, record),
        );
        const willing = wanting.filter((one) => !refusals.has(JSON.stringify([one.id, id, seq])));
        const applied = willing.filter(
          (one) => one.epoch === epoch && one.seq !== null && one.seq >= seq,
        ).length;
        const refused = wanting.length - willing.length;
        const pending = willing.length - applied;
        return [id, { gateways: wanting.length, applied, refused, pending }] as const;
      }),
    );
  });
}

/** What gateways can run that would get a record of an environment with those tags. */
export async function readAbilities(
  storage: Pick<Storage, 'db'>,
  at: EnvironmentRef,
  tags: readonly string[],
): Promise<readonly GatewayAbility[]> {
  const gateways = await gatewaysIn(storage.db, at);
  return gateways
    .filter(({ fleet, fleetTags }) =>
      isRecordEntitled({ fleet, tags: fleetTags }, { kind: 'api', id: '', tags }),
    )
    .map(({ id, fleet, hostname, version, policies }) => ({
      id,
      fleet,
      hostname,
      version,
      policies: policies === null ? undefined : new Set(JSON.parse(policies) as readonly string[]),
    }));
}

/** The gateways that may know of an environment, with what each has applied of it. */
async function gatewaysIn(db: Queries, at: EnvironmentRef) {
  const rows = await gatewaysWithFleet(db, at).execute();
  return rows
    .filter((row) => (JSON.parse(row.environments) as readonly string[]).includes(at.environment))
    .map((row) => ({ ...row, fleetTags: JSON.parse(row.fleet_tags) as readonly string[] }));
}
