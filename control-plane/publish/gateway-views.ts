import type { Clock } from '../../proto/process/clock.ts';
import { bucketOf } from '../../proto/trust/digest.ts';
import { isRecordEntitled } from '../../proto/trust/entitlement.ts';
import type { EnvironmentRef, RecordKind } from '../../proto/wire/published.ts';
import type { Queries, Storage } from '../storage/storage.ts';
import type { ListStretch } from './fleets.ts';

/** A gateway that has not reported for this long is silent, whatever its stream's last state: 1.5 heartbeats of 30 s. */
const silentAfterMs = 45_000;
/** Gateways in one answer about a record. */
const gatewaysMax = 5_000;

/** What a gateway is doing. `never`: it enrolled and was not heard of since. */
export type GatewayState = 'connected' | 'silent' | 'never' | 'revoked';

/** A gateway for the console. */
export interface GatewayView {
  readonly id: string;
  readonly fleet: string;
  readonly hostname: string;
  readonly version: string;
  readonly state: GatewayState;
  readonly enrolledAtMs: number;
  readonly revokedAtMs: number | undefined;
  readonly lastSeenMs: number | undefined;
  readonly startedAtMs: number | undefined;
  readonly policies: readonly string[];
  readonly counters: Readonly<Record<string, number>>;
  readonly applied: readonly AppliedView[];
}

/** What it serves of one environment, and since when. */
export interface AppliedView {
  readonly environment: string;
  readonly epoch: number;
  readonly seq: number;
  readonly appliedAtMs: number;
}

/** How one gateway stands to one record. */
export interface RecordOnGateway {
  readonly gateway: string;
  readonly fleet: string;
  readonly hostname: string;
  readonly state: GatewayState;
  /** applied: it serves this revision. refused: it said why not. pending: not reached yet, or silent. notDeployed: its tags keep the record away. */
  readonly deployment: 'applied' | 'refused' | 'pending' | 'notDeployed';
  readonly applied: Omit<AppliedView, 'environment'> | undefined;
  readonly nack:
    | { readonly seq: number; readonly code: string; readonly reason: string; readonly atMs: number }
    | undefined;
}

/** What is published of a record, and how each gateway that may know of it stands to it. */
export interface DeploymentState {
  /** undefined when it never was, or was withdrawn so long ago that nobody remembers. */
  readonly published:
    | { readonly seq: number; readonly revision: string; readonly isDeleted: boolean; readonly atMs: number }
    | undefined;
  readonly gateways: readonly RecordOnGateway[];
}

/** An event for the console. */
export interface ListedEvent {
  readonly id: string;
  readonly gateway: string;
  readonly kind: string;
  readonly detail: string;
  readonly atMs: number;
}

/** Which events; all of the organization when neither fleet nor gateway is named. */
export interface EventsWish {
  readonly fleet?: string | undefined;
  readonly gateway?: string | undefined;
  readonly limit: number;
  readonly offset?: number;
}

interface ViewOptions {
  readonly storage: Storage;
  readonly clock: Clock;
}

/** Gateways of an organization in the order of their ids. */
export async function listGateways(
  { storage, clock }: ViewOptions,
  organization: string,
  { fleet, after = '', limit }: ListStretch & { readonly fleet?: string | undefined },
): Promise<readonly GatewayView[]> {
  let query = gatewayRows(storage.db, organization).where('gateway.id', '>', after);
  if (fleet !== undefined) query = query.where('gateway.fleet', '=', fleet);
  const rows = await query.orderBy('gateway.id').limit(limit).execute();
  return gatewayViews({ storage, clock }, organization, rows);
}

/** What {@link gatewayRows} found, with what each has applied. */
export async function gatewayViews(
  { storage, clock }: ViewOptions,
  organization: string,
  rows: readonly GatewayRow[],
): Promise<readonly GatewayView[]> {
  const ids = rows.map((row) => row.id);
  const applied =
    ids.length === 0
      ? []
      : await storage.db
          .selectFrom('gateway_applied')
          .selectAll()
          .where('organization', '=', organization)
          .where('gateway', 'in', ids)
          .orderBy('environment')
          .execute();
  const byGateway = Map.groupBy(applied, (row) => row.gateway);
  return rows.map((row) => ({
    id: row.id,
    fleet: row.fleet,
    hostname: row.hostname,
    version: row.version,
    state: stateOf(row, clock.now()),
    enrolledAtMs: row.enrolled_at_ms,
    revokedAtMs: row.revoked_at_ms ?? undefined,
    lastSeenMs: row.received_at_ms ?? undefined,
    startedAtMs: row.started_at_ms ?? undefined,
    policies: JSON.parse(row.policies ?? '[]') as readonly string[],
    counters: JSON.parse(row.counters ?? '{}') as Readonly<Record<string, number>>,
    applied: (byGateway.get(row.id) ?? []).map(({ environment, epoch, seq, applied_at_ms }) => ({
      environment,
      epoch,
      seq,
      appliedAtMs: applied_at_ms,
    })),
  }));
}

/** Which gateway serves which state of a record. */
export async function readDeploymentState(
  { storage, clock }: ViewOptions,
  at: EnvironmentRef,
  record: { readonly kind: RecordKind; readonly id: string },
): Promise<DeploymentState> {
  return storage.snapshot(async (trx) => {
    const latest = await trx
      .selectFrom('published_latest')
      .innerJoin('environment', 'environment.id', 'published_latest.environment')
      .select([
        'published_latest.seq',
        'revision',
        'is_deleted',
        'tags',
        'published_latest.updated_at_ms',
        'epoch',
      ])
      .where('published_latest.organization', '=', at.organization)
      .where('published_latest.environment', '=', at.environment)
      .where('bucket', '=', bucketOf(record.kind, record.id))
      .where('kind', '=', record.kind)
      .where('published_latest.id', '=', record.id)
      .executeTakeFirst();
    const rows = await gatewaysOfRecord(trx, at, record);
    const tags = JSON.parse(latest?.tags ?? '[]') as readonly string[];
    const gateways = rows
      .filter((row) => (JSON.parse(row.environments) as readonly string[]).includes(at.environment))
      .map((row): RecordOnGateway => {
        const fleetTags = JSON.parse(row.fleet_tags) as readonly string[];
        const isWanted = isRecordEntitled({ fleet: row.fleet, tags: fleetTags }, { ...record, tags });
        // A nack of an earlier revision says nothing about this one; its gateway is still on the way here.
        const nack = row.nack_seq === latest?.seq ? toNack(row) : undefined;
        const isReached =
          latest !== undefined && row.epoch === latest.epoch && row.seq !== null && row.seq >= latest.seq;
        return {
          gateway: row.id,
          fleet: row.fleet,
          hostname: row.hostname,
          state: stateOf(row, clock.now()),
          deployment: !isWanted
            ? 'notDeployed'
            : nack !== undefined
              ? 'refused'
              : isReached
                ? 'applied'
                : 'pending',
          applied: toApplied(row),
          nack,
        };
      });
    return {
      published:
        latest === undefined
          ? undefined
          : {
              seq: latest.seq,
              revision: latest.revision,
              isDeleted: latest.is_deleted === 1,
              atMs: latest.updated_at_ms,
            },
      gateways,
    };
  });
}

/** Events of an organization, newest first, and how many there are in all. */
export async function listEvents(
  db: Queries,
  organization: string,
  { fleet, gateway, limit, offset = 0 }: EventsWish,
): Promise<{ readonly rows: readonly ListedEvent[]; readonly total: number }> {
  let query = db
    .selectFrom('gateway_event')
    .innerJoin('gateway', (join) =>
      join
        .onRef('gateway.id', '=', 'gateway_event.gateway')
        .onRef('gateway.organization', '=', 'gateway_event.organization'),
    )
    .where('gateway_event.organization', '=', organization);
  if (fleet !== undefined) query = query.where('gateway.fleet', '=', fleet);
  if (gateway !== undefined) query = query.where('gateway_event.gateway', '=', gateway);
  const { total } = await query.select((eb) => eb.fn.countAll().as('total')).executeTakeFirstOrThrow();
  const rows = await query
    .select([
      'gateway_event.id',
      'gateway_event.gateway',
      'gateway_event.kind',
      'gateway_event.detail',
      'gateway_event.at_ms as atMs',
    ])
    .orderBy('gateway_event.at_ms', 'desc')
    .orderBy('gateway_event.id')
    .limit(limit)
    .offset(offset)
    .execute();
  return { rows, total: Number(total) };
}

/** Every gateway of an organization with what it reported last. */
export const gatewayRows = (db: Queries, organization: string) =>
  db
    .selectFrom('gateway')
    .leftJoin('gateway_report', 'gateway_report.gateway', 'gateway.id')
    .leftJoin('gateway as successor', 'successor.previous', 'gateway.id')
    .select([
      'gateway.id',
      'successor.id as successor',
      'gateway.fleet',
      'gateway.hostname',
      'gateway.version',
      'gateway.is_revoked',
      'gateway.enrolled_at_ms',
      'gateway.revoked_at_ms',
      'gateway_report.started_at_ms',
      'gateway_report.policies',
      'gateway_report.counters',
      'gateway_report.is_connected',
      'gateway_report.received_at_ms',
    ])
    .where('gateway.organization', '=', organization);

type GatewayRow = Awaited<ReturnType<ReturnType<typeof gatewayRows>['execute']>>[number];

/** Those in use, with their fleet and what each has applied of an environment; whether the fleet has that environment is not asked. */
export const gatewaysWithFleet = (db: Queries, at: EnvironmentRef) =>
  gatewayRows(db, at.organization)
    .innerJoin('fleet', (join) =>
      join.onRef('fleet.id', '=', 'gateway.fleet').onRef('fleet.organization', '=', 'gateway.organization'),
    )
    .leftJoin('gateway_applied', (join) =>
      join
        .onRef('gateway_applied.gateway', '=', 'gateway.id')
        .on('gateway_applied.environment', '=', at.environment),
    )
    .select([
      'fleet.environments',
      'fleet.tags as fleet_tags',
      'gateway_applied.epoch',
      'gateway_applied.seq',
    ])
    .where('gateway.is_revoked', '=', 0)
    .where('successor.id', 'is', null)
    .orderBy('gateway.id')
    .limit(gatewaysMax);

const gatewaysOfRecord = (db: Queries, at: EnvironmentRef, record: { kind: string; id: string }) =>
  gatewaysWithFleet(db, at)
    .leftJoin('gateway_nack', (join) =>
      join
        .onRef('gateway_nack.gateway', '=', 'gateway.id')
        .on('gateway_nack.environment', '=', at.environment)
        .on('gateway_nack.kind', '=', record.kind)
        .on('gateway_nack.id', '=', record.id),
    )
    .select([
      'gateway_applied.applied_at_ms',
      'gateway_nack.seq as nack_seq',
      'gateway_nack.code',
      'gateway_nack.reason',
      'gateway_nack.at_ms as nack_at_ms',
    ])
    .execute();

type RecordRow = Awaited<ReturnType<typeof gatewaysOfRecord>>[number];

function toNack({ nack_seq, code, reason, nack_at_ms }: RecordRow): RecordOnGateway['nack'] {
  if (nack_seq === null || code === null || reason === null || nack_at_ms === null) return undefined;
  return { seq: nack_seq, code, reason, atMs: nack_at_ms };
}

function toApplied({ epoch, seq, applied_at_ms }: RecordRow): RecordOnGateway['applied'] {
  if (epoch === null || seq === null || applied_at_ms === null) return undefined;
  return { epoch, seq, appliedAtMs: applied_at_ms };
}

function stateOf(
  row: {
    readonly is_revoked: number;
    readonly successor: string | null;
    readonly is_connected: number | null;
    readonly received_at_ms: number | null;
  },
  nowMs: number,
): GatewayState {
  if (row.is_revoked === 1 || row.successor !== null) return 'revoked';
  if (row.received_at_ms === null) return 'never';
  return row.is_connected === 1 && nowMs - row.received_at_ms < silentAfterMs ? 'connected' : 'silent';
}
