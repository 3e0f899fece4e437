import { randomUUID } from 'node:crypto';
import type { Clock } from '../../proto/process/clock.ts';
import type {
  AppliedState,
  GatewayEvent,
  GatewayIdentity,
  GatewayReport,
  Grant,
  Nack,
} from '../../proto/wire/published.ts';
import { keptText } from '../storage/kept-text.ts';
import type { Queries, Storage, Trx } from '../storage/storage.ts';
import type { FleetTable } from '../storage/tables.ts';

/** Bounds of what one gateway may write about itself; the rest is cut off. */
const reportBounds = { policies: 1_000, counters: 1_000, nacks: 10_000, textChars: 2_048 } as const;
const rowsPerStatement = 500;

/** What a fleet's gateways may see. */
export function grantOf(
  fleet: Pick<FleetTable, 'organization' | 'id' | 'environments' | 'tags' | 'tenant'>,
): Grant {
  return {
    organization: fleet.organization,
    fleet: fleet.id,
    environments: JSON.parse(fleet.environments) as readonly string[],
    tags: JSON.parse(fleet.tags) as readonly string[],
    tenant: fleet.tenant ?? undefined,
  };
}

/** The gateway with what its fleet grants now. One whose fleet is gone, or that enrolled again, is revoked and may see nothing. */
export async function findGateway(db: Queries, id: string): Promise<GatewayIdentity | undefined> {
  const row = await db
    .selectFrom('gateway')
    .leftJoin('fleet', (join) =>
      join.onRef('fleet.id', '=', 'gateway.fleet').onRef('fleet.organization', '=', 'gateway.organization'),
    )
    // A gateway that enrolled again is the new one: whoever copied the former can do nothing more with it.
    .leftJoin('gateway as successor', 'successor.previous', 'gateway.id')
    .select([
      'gateway.id',
      'successor.id as successor',
      'gateway.organization',
      'gateway.fleet',
      'gateway.signing_key',
      'gateway.sealing_key',
      'gateway.is_revoked',
      'fleet.id as fleet_id',
      'fleet.environments',
      'fleet.tags',
      'fleet.tenant',
    ])
    .where('gateway.id', '=', id)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { organization, fleet, environments, tags, tenant } = row;
  const hasFleet = row.fleet_id !== null && environments !== null && tags !== null;
  return {
    id: row.id,
    grant: hasFleet
      ? grantOf({ id: fleet, organization, environments, tags, tenant })
      : { organization, fleet, environments: [], tags: [], tenant: undefined },
    signingKey: row.signing_key,
    sealingKey: row.sealing_key,
    isRevoked: row.is_revoked === 1 || !hasFleet || row.successor !== null,
  };
}

/** Hints that a gateway serves or refuses something else than before: the payload is the environment's id. */
export const reportedTopic = 'reported';

/** Stores what a gateway says of itself; of environments that its fleet does not grant nothing is kept. */
export async function saveReport(
  { storage, clock }: { readonly storage: Storage; readonly clock: Clock },
  gateway: string,
  report: GatewayReport,
): Promise<void> {
  const changed = await storage.transaction(async (trx) => {
    const identity = await findGateway(trx, gateway);
    if (identity === undefined) return [];
    const { organization, environments } = identity.grant;
    const scope = { gateway, organization, nowMs: clock.now() };
    await writeReport(trx, scope, report);
    const granted = report.environments.filter((state) => environments.includes(state.environment));
    await forgetOthers(
      trx,
      gateway,
      granted.map((state) => state.environment),
    );
    const told: string[] = [];
    for (const state of granted) {
      const hasApplied = await writeApplied(trx, scope, state);
      const hasRefused = await replaceNacks(trx, scope, state);
      if (hasApplied || hasRefused) told.push(state.environment);
    }
    return told;
  });
  for (const environment of changed) await storage.notifier.notify(reportedTopic, environment);
}

interface ReportScope {
  readonly gateway: string;
  readonly organization: string;
  readonly nowMs: number;
}

async function writeReport(trx: Trx, scope: ReportScope, report: GatewayReport): Promise<void> {
  const changed = {
    instance: keptText(report.instance, 128),
    started_at_ms: report.startedAtMs,
    policies: JSON.stringify(report.policies.slice(0, reportBounds.policies).map((id) => keptText(id, 128))),
    counters: JSON.stringify(
      Object.fromEntries(
        Object.entries(report.counters)
          .slice(0, reportBounds.counters)
          .map(([name, value]) => [keptText(name, 128), value]),
      ),
    ),
    is_connected: 1,
    received_at_ms: scope.nowMs,
  };
  await trx
    .insertInto('gateway_report')
    .values({ gateway: scope.gateway, organization: scope.organization, ...changed })
    .onConflict((conflict) => conflict.column('gateway').doUpdateSet(changed))
    .execute();
  const hostname = keptText(report.hostname, 255);
  const version = keptText(report.version, 64);
  await trx
    .updateTable('gateway')
    .set({ hostname, version })
    .where('id', '=', scope.gateway)
    .where((eb) => eb.or([eb('hostname', '<>', hostname), eb('version', '<>', version)]))
    .execute();
}

/** A report is complete: what it does not name any more is not served any more. */
async function forgetOthers(trx: Trx, gateway: string, kept: readonly string[]): Promise<void> {
  for (const table of ['gateway_applied', 'gateway_nack'] as const) {
    let gone = trx.deleteFrom(table).where('gateway', '=', gateway);
    if (kept.length > 0) gone = gone.where('environment', 'not in', kept);
    await gone.execute();
  }
}

/** False when it is what was there. */
async function writeApplied(trx: Trx, scope: ReportScope, state: AppliedState): Promise<boolean> {
  const { environment, epoch, seq } = state;
  const written = await trx
    .insertInto('gateway_applied')
    .values({
      gateway: scope.gateway,
      organization: scope.organization,
      environment,
      epoch,
      seq,
      applied_at_ms: scope.nowMs,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['gateway', 'environment'])
        .doUpdateSet({ epoch, seq, applied_at_ms: scope.nowMs })
        // The time says since when it serves this state, so a heartbeat that repeats it changes nothing.
        .where((eb) =>
          eb.or([eb('gateway_applied.epoch', '<>', epoch), eb('gateway_applied.seq', '<>', seq)]),
        ),
    )
    .executeTakeFirst();
  return Number(written.numInsertedOrUpdatedRows ?? 0) > 0;
}

/** False when they are those that were there. */
async function replaceNacks(trx: Trx, scope: ReportScope, state: AppliedState): Promise<boolean> {
  const { environment } = state;
  const before = await trx
    .selectFrom('gateway_nack')
    .select(['kind', 'id', 'seq', 'code'])
    .where('gateway', '=', scope.gateway)
    .where('environment', '=', environment)
    .execute();
  const unique = new Map(
    state.nacks.slice(0, reportBounds.nacks).map((nack) => [`${nack.kind}/${nack.id}`, nack]),
  );
  const known = new Set(before.map((row) => nackKey(row)));
  if (known.size === unique.size && [...unique.values()].every((nack) => known.has(nackKey(nack))))
    return false;
  await trx
    .deleteFrom('gateway_nack')
    .where('gateway', '=', scope.gateway)
    .where('environment', '=', environment)
    .execute();
  const rows = [...unique.values()].map((nack) => ({
    gateway: scope.gateway,
    organization: scope.organization,
    environment,
    kind: keptText(nack.kind, 64),
    id: keptText(nack.id, 256),
    seq: nack.seq,
    code: keptText(nack.code, 128),
    reason: keptText(nack.reason, reportBounds.textChars),
    at_ms: scope.nowMs,
  }));
  for (let start = 0; start < rows.length; start += rowsPerStatement)
    await trx
      .insertInto('gateway_nack')
      .values(rows.slice(start, start + rowsPerStatement))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  return true;
}

const nackKey = ({ kind, id, seq, code }: Pick<Nack, 'id' | 'seq' | 'code'> & { kind: string }): string =>
  JSON.stringify([kind, id, seq, code]);

/** Marks the stream of that instance as closed; a newer instance stays connected. */
export async function saveDisconnected(db: Queries, gateway: string, instance: string): Promise<void> {
  await db
    .updateTable('gateway_report')
    .set({ is_connected: 0 })
    .where('gateway', '=', gateway)
    .where('instance', '=', instance)
    .execute();
}

/** Keeps an event for 30 days; ignored for an unknown gateway. */
export async function saveEvent(db: Queries, event: GatewayEvent): Promise<void> {
  const row = await db
    .selectFrom('gateway')
    .select('organization')
    .where('id', '=', event.gateway)
    .executeTakeFirst();
  if (row === undefined) return;
  await db
    .insertInto('gateway_event')
    .values({
      id: randomUUID(),
      organization: row.organization,
      gateway: event.gateway,
      kind: keptText(event.kind, 128),
      detail: keptText(event.detail, reportBounds.textChars),
      at_ms: event.atMs,
    })
    .execute();
}
