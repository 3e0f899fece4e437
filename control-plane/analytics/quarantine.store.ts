import { randomUUID } from 'node:crypto';
import type { GatewayEventKind } from '../../proto/model/gateway-events.ts';
import type { Storage } from '../storage/storage.ts';
import type { Landed } from './landed.ts';

/** How many landing objects of an environment went to quarantine, or held refused records, in its last hour that had any. */
interface QuarantineTallyTable {
  readonly organization: string;
  readonly environment: string;
  /** Begin of the hour. */
  hour_ms: number;
  object_count: number;
}

declare module '../storage/tables.ts' {
  interface Database {
    quarantine_tally: QuarantineTallyTable;
  }
}

/** What is told of a landing object. */
export interface Told extends Pick<Landed, 'name' | 'key'> {
  readonly kind: Extract<GatewayEventKind, 'records.quarantined' | 'records.refused'>;
  readonly reason: string;
}

/**
 * Tells the operator that a landing object went to quarantine, or that records in it were refused.
 *
 * At most `eventsPerHourMax` of one environment in an hour have an event of their own; one event more counts the others.
 */
export async function saveAside(
  storage: Storage,
  { kind, name, key, reason }: Told,
  { nowMs, eventsPerHourMax }: { readonly nowMs: number; readonly eventsPerHourMax: number },
): Promise<void> {
  const { organization, environment, gateway } = key;
  const hourMs = nowMs - (nowMs % 3_600_000);
  await storage.transaction(async (trx) => {
    const { object_count } = await trx
      .insertInto('quarantine_tally')
      .values({ organization, environment, hour_ms: hourMs, object_count: 1 })
      .onConflict((conflict) =>
        conflict.columns(['organization', 'environment']).doUpdateSet((eb) => ({
          hour_ms: hourMs,
          object_count: eb
            .case()
            .when('quarantine_tally.hour_ms', '=', hourMs)
            .then(eb('quarantine_tally.object_count', '+', 1))
            .else(1)
            .end(),
        })),
      )
      .returning('object_count')
      .executeTakeFirstOrThrow();
    const untold = object_count - eventsPerHourMax;
    const hour = new Date(hourMs).toISOString();
    const event =
      untold <= 0
        ? { id: randomUUID(), detail: `${name}: ${reason}` }
        : {
            id: `aside/${organization}/${environment}/${hour}`,
            detail: `landing/v1/org=${organization}/env=${environment}/ since ${hour}: ${untold} more, not told one by one`,
          };
    await trx
      .insertInto('gateway_event')
      .values({ ...event, organization, gateway, kind, at_ms: nowMs })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ detail: event.detail }))
      .execute();
  });
}
