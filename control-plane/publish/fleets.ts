import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';

import type { Selectable } from 'kysely';
import { Fault, type FaultDetail } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import { contradictoryTags } from '../../proto/trust/entitlement.ts';
import type { EnvironmentRef, Grant, RecordKind } from '../../proto/wire/published.ts';
import { encodeGatewaySettings } from '../../proto/wire/payloads.ts';
import { isUniqueViolation, type Queries, type Storage, type Trx } from '../storage/storage.ts';
import type { FleetTable } from '../storage/tables.ts';
import { insertToken, listTokens, type EnrolmentToken, type EnrolmentTokenWish } from './enrolment.ts';
import {
  listEvents,
  listGateways,
  readDeploymentState,
  type DeploymentState,
  type EventsWish,
  type GatewayView,
  type ListedEvent,
} from './gateway-views.ts';
import { type GatewayAbility, readAbilities, readSyncStates, type SyncState } from './gateway-sync.ts';
import { grantOf } from './gateways.ts';
import { rememberTags, type PublishChange, type Publisher } from './publisher.ts';

/** Gateways that serve the same things. */
export interface Fleet extends Grant {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** What a fleet should be. */
export interface FleetWish {
  readonly name: string;
  readonly description?: string | undefined;
  /** In the reference's notation: `a` includes, `!b` excludes. */
  readonly tags: readonly string[];
  readonly tenant?: string | undefined;
  /** Ids of environments of the same organization. */
  readonly environments: readonly string[];
}

/** Names something of an organization. */
export interface OrganizationItem {
  readonly organization: string;
  readonly id: string;
}

/** A page of a list in the order of ids: at most `limit` after `after`. */
export interface ListStretch {
  readonly after?: string | undefined;
  readonly limit: number;
}

/**
 * Fleets, their tokens and gateways, for the management API.
 *
 * What takes a transaction is called inside the caller's; afterwards the caller says `publisher.published()`, so that open streams learn of it
 * at once. Every query carries its organization; what belongs to another one is not found.
 */
export interface Fleets {
  /** Errors: request.invalid (contradicting tags, unknown environment), request.conflict (name taken). */
  create(trx: Trx, by: { organization: string; actor: string }, wish: FleetWish): Promise<Fleet>;
  /** Makes it as the wish says; gateways get the new tags with the next head. What is as it was is the same after as before. Errors: as create, request.not_found. */
  update(
    trx: Trx,
    by: OrganizationItem & { actor: string },
    wish: FleetWish,
  ): Promise<{ readonly before: Fleet; readonly after: Fleet }>;
  /** Removes the fleet with its tokens and revokes its gateways; what it was. Errors: request.not_found. */
  delete(trx: Trx, by: OrganizationItem & { actor: string }): Promise<Fleet>;
  list(organization: string, page: ListStretch): Promise<readonly Fleet[]>;
  get(organization: string, id: string): Promise<Fleet | undefined>;
  /** Makes a token; it is returned here and never again. Errors: request.not_found, request.invalid (expiry in the past). */
  createToken(
    trx: Trx,
    organization: string,
    wish: EnrolmentTokenWish,
  ): Promise<{ readonly id: string; readonly token: string }>;
  tokens(organization: string, fleet: string): Promise<readonly EnrolmentToken[]>;
  /** Gateways that it let in stay. Errors: request.not_found. */
  revokeToken(trx: Trx, organization: string, token: { fleet: string; id: string }): Promise<void>;
  gateways(
    organization: string,
    page: ListStretch & { fleet?: string | undefined },
  ): Promise<readonly GatewayView[]>;
  /** For good: it has to enrol again as another one. Errors: request.not_found, also when it is of another fleet than named. */
  revokeGateway(trx: Trx, gateway: OrganizationItem & { readonly fleet?: string }): Promise<void>;
  /** Which gateway serves which state of a record, with the reasons of those that refuse it. */
  deploymentState(
    at: EnvironmentRef,
    record: { readonly kind: RecordKind; readonly id: string },
  ): Promise<DeploymentState>;
  /** How far gateways are with records of one kind, by id; none for what is not published. */
  syncStates(
    at: EnvironmentRef,
    records: { readonly kind: RecordKind; readonly ids: readonly string[] },
  ): Promise<ReadonlyMap<string, SyncState>>;
  /** What gateways can run that would get a record with those tags. */
  abilities(at: EnvironmentRef, tags: readonly string[]): Promise<readonly GatewayAbility[]>;
  /** What gateways were refused for, newest first, and how often in all. */
  events(
    organization: string,
    wish: EventsWish,
  ): Promise<{ readonly rows: readonly ListedEvent[]; readonly total: number }>;
}

/** What fleets need; see {@link createFleets}. */
export interface FleetsOptions {
  readonly storage: Storage;
  readonly publisher: Publisher;
  readonly clock: Clock;
}

/** Makes the fleets' desk. */
export function createFleets(options: FleetsOptions): Fleets {
  const { publisher, clock } = options;
  return {
    async create(trx, { organization, actor }, wish) {
      await checkWish(trx, organization, wish);
      const row: Selectable<FleetTable> = {
        id: randomUUID(),
        organization,
        ...rowOf(wish),
        revision: 1,
        created_at_ms: clock.now(),
        updated_at_ms: clock.now(),
      };
      await nameTaken(wish.name, () => trx.insertInto('fleet').values(row).execute());
      await publishSettings(trx, publisher, { before: undefined, after: row, actor });
      return toFleet(row);
    },
    async update(trx, { organization, id, actor }, wish) {
      const before = await lockFleet(trx, organization, id);
      await checkWish(trx, organization, wish);
      const set = rowOf(wish);
      if (isDeepStrictEqual({ ...before, ...set }, { ...before })) {
        const fleet = toFleet(before);
        return { before: fleet, after: fleet };
      }
      const row = {
        ...before,
        ...set,
        revision: before.revision + 1,
        updated_at_ms: Math.max(clock.now(), before.updated_at_ms + 1),
      };
      await nameTaken(wish.name, () =>
        trx
          .updateTable('fleet')
          .set({ ...set, revision: row.revision, updated_at_ms: row.updated_at_ms })
          .where('organization', '=', organization)
          .where('id', '=', id)
          .execute(),
      );
      await publishSettings(trx, publisher, { before, after: row, actor });
      return { before: toFleet(before), after: toFleet(row) };
    },
    async delete(trx, { organization, id, actor }) {
      const before = await lockFleet(trx, organization, id);
      await revokeGateways(trx, { organization, fleet: id }, clock.now());
      await trx.deleteFrom('fleet').where('organization', '=', organization).where('id', '=', id).execute();
      const withdrawn = { ...before, environments: '[]' };
      await publishSettings(trx, publisher, { before, after: withdrawn, actor });
      return toFleet(before);
    },
    ...readMethods(options),
    ...tokenMethods(options),
    async revokeGateway(trx, gateway) {
      const revoked = await revokeGateways(trx, gateway, clock.now());
      if (revoked === 0) throw notFound('gateway', gateway.id);
    },
  };
}

function readMethods(
  options: FleetsOptions,
): Pick<Fleets, 'list' | 'get' | 'gateways' | 'deploymentState' | 'syncStates' | 'abilities' | 'events'> {
  const { db } = options.storage;
  return {
    async list(organization, { after = '', limit }) {
      const rows = await db
        .selectFrom('fleet')
        .selectAll()
        .where('organization', '=', organization)
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows.map(toFleet);
    },
    async get(organization, id) {
      const row = await selectFleet(db, organization, id);
      return row === undefined ? undefined : toFleet(row);
    },
    gateways: (organization, page) => listGateways(options, organization, page),
    deploymentState: (at, record) => readDeploymentState(options, at, record),
    syncStates: (at, records) => readSyncStates(options.storage, at, records),
    abilities: (at, tags) => readAbilities(options.storage, at, tags),
    events: (organization, wish) => listEvents(db, organization, wish),
  };
}

function tokenMethods({
  storage,
  publisher,
  clock,
}: FleetsOptions): Pick<Fleets, 'createToken' | 'tokens' | 'revokeToken'> {
  return {
    async createToken(trx, organization, wish) {
      if (wish.expiresAtMs <= clock.now())
        throw invalid([{ path: 'expiresAt', message: 'must be in the future' }]);
      const fleet = await selectFleet(trx, organization, wish.fleet);
      if (fleet === undefined) throw notFound('fleet', wish.fleet);
      const root = await publisher.keys.root(trx, organization);
      return insertToken(trx, { ...wish, nowMs: clock.now() }, { grant: grantOf(fleet), root });
    },
    tokens: (organization, fleet) => listTokens(storage.db, organization, fleet),
    async revokeToken(trx, organization, { fleet, id }) {
      const revoked = await trx
        .updateTable('enrolment_token')
        .set({ is_revoked: 1 })
        .where('organization', '=', organization)
        .where('fleet', '=', fleet)
        .where('id', '=', id)
        .executeTakeFirst();
      if (revoked.numUpdatedRows === 0n) throw notFound('enrolment token', id);
    },
  };
}

const notFound = (what: string, id: string): Fault =>
  new Fault('request.not_found', { detail: `There is no such ${what}.`, internal: id });
const invalid = (details: readonly FaultDetail[]): Fault => new Fault('request.invalid', { details });

async function nameTaken<T>(name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (isUniqueViolation(error))
      throw new Fault('request.conflict', { detail: `A fleet is named "${name}" already.`, cause: error });
    throw error;
  }
}

async function checkWish(trx: Trx, organization: string, wish: FleetWish): Promise<void> {
  const details: FaultDetail[] = contradictoryTags(wish.tags).map((tag) => ({
    path: `tags[${wish.tags.indexOf(tag)}]`,
    message: `"${tag}" is included and excluded; keep one of the two`,
  }));
  const rows = await trx
    .selectFrom('environment')
    .select('id')
    .where('organization', '=', organization)
    .where('archived_at_ms', 'is', null)
    .execute();
  const known = new Set(rows.map((row) => row.id));
  wish.environments.forEach((environment, index) => {
    if (!known.has(environment))
      details.push({
        path: `environments[${index}]`,
        message: `must be an environment of the organization: ${[...known].join(', ')}`,
      });
  });
  if (details.length > 0) throw invalid(details);
}

async function selectFleet(
  db: Queries,
  organization: string,
  id: string,
): Promise<Selectable<FleetTable> | undefined> {
  return db
    .selectFrom('fleet')
    .selectAll()
    .where('organization', '=', organization)
    .where('id', '=', id)
    .executeTakeFirst();
}

/** An update that changes nothing takes the row lock on both dialects. */
async function lockFleet(trx: Trx, organization: string, id: string): Promise<Selectable<FleetTable>> {
  const row = await trx
    .updateTable('fleet')
    .set((eb) => ({ revision: eb.ref('revision') }))
    .where('organization', '=', organization)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw notFound('fleet', id);
  return row;
}

async function revokeGateways(
  trx: Trx,
  of: { readonly organization: string; readonly fleet?: string; readonly id?: string },
  nowMs: number,
): Promise<number> {
  let query = trx
    .updateTable('gateway')
    // The first revocation's time stays.
    .set((eb) => ({ is_revoked: 1, revoked_at_ms: eb.fn.coalesce('revoked_at_ms', eb.val(nowMs)) }))
    .where('organization', '=', of.organization);
  if (of.fleet !== undefined) query = query.where('fleet', '=', of.fleet);
  if (of.id !== undefined) query = query.where('id', '=', of.id);
  const result = await query.executeTakeFirst();
  return Number(result.numUpdatedRows);
}

/**
 * Publishes the fleet's record where it is granted now and withdraws it where it was; always in the same order of locks.
 * A change that gateways need not know (a name) publishes nothing.
 */
async function publishSettings(
  trx: Trx,
  publisher: Publisher,
  change: {
    readonly before: Selectable<FleetTable> | undefined;
    readonly after: Selectable<FleetTable>;
    readonly actor: string;
  },
): Promise<void> {
  const { before, after, actor } = change;
  const fleet = toFleet(after);
  const { organization, id, tags } = after;
  await rememberTags(trx, [{ organization, environment: '', kind: 'fleet', id, tags }]);
  const grantedBefore = before === undefined ? [] : toFleet(before).environments;
  const isSame = before?.tags === after.tags && before.tenant === after.tenant;
  for (const environment of [...new Set([...grantedBefore, ...fleet.environments])].toSorted()) {
    if (isSame && grantedBefore.includes(environment) && fleet.environments.includes(environment)) continue;
    const record: PublishChange = fleet.environments.includes(environment)
      ? {
          kind: 'gateway-settings',
          id: fleet.id,
          revision: String(after.revision),
          // What a fleet may see does not depend on tags of this record; see isRecordEntitled.
          tags: [],
          payload: encodeGatewaySettings({
            fleet: fleet.id,
            tags: fleet.tags,
            ...(fleet.tenant !== undefined && { tenant: fleet.tenant }),
            isRevoked: false,
          }),
        }
      : { kind: 'gateway-settings', id: fleet.id, isDeleted: true };
    await publisher.publish(
      trx,
      { organization: fleet.organization, environment },
      { changes: [record], actor },
    );
  }
}

function rowOf(wish: FleetWish) {
  return {
    name: wish.name,
    description: wish.description ?? '',
    tags: JSON.stringify([...new Set(wish.tags)].toSorted()),
    tenant: wish.tenant ?? null,
    environments: JSON.stringify([...new Set(wish.environments)].toSorted()),
  };
}

function toFleet(row: Selectable<FleetTable>): Fleet {
  return {
    ...grantOf(row),
    id: row.id,
    name: row.name,
    description: row.description,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
  };
}
