import type { Clock } from '../../proto/process/clock.ts';
import type { EnvironmentRef } from '../../proto/wire/published.ts';
import type { Access } from '../access/access.ts';
import type { Actor } from '../access/actor.ts';
import type { Analytics } from '../analytics/analytics.ts';
import type { Fleets } from '../publish/fleets.ts';
import type { PublishChange, Publisher } from '../publish/publisher.ts';
import type { Storage, Trx } from '../storage/storage.ts';
import { writeAudit } from './audit/audit.store.ts';
import type { AuditEvent } from './audit/events.ts';

export type { PublishChange } from '../publish/publisher.ts';

/** What every operation works with. Operations are `(desk, actor, input) => result`, so any door may call them. */
export interface Desk {
  readonly storage: Storage;
  readonly publisher: Publisher;
  readonly fleets: Fleets;
  readonly access: Access;
  readonly clock: Clock;
  /** Absent when this process runs no analytics. */
  readonly analytics?: Pick<Analytics, 'ask'> | undefined;
}

/** A change in progress: one transaction, one moment, and its audit rows. */
export interface OrganizationChange {
  readonly trx: Trx;
  readonly organization: string;
  readonly actor: Actor;
  readonly nowMs: number;
  /** Writes who did what to which object; `touched` are ids of what else changed. */
  audit(event: AuditEvent, object: AuditedObject, touched?: Readonly<Record<string, string>>): Promise<void>;
}

/** What an audit row is about, e.g. `{ type: 'API', id }`. */
export interface AuditedObject {
  readonly type: 'ORGANIZATION' | 'ENVIRONMENT' | 'API' | 'APPLICATION';
  readonly id: string;
}

/** A change in an environment, which gateways may have to learn. */
export interface Change extends OrganizationChange {
  readonly at: EnvironmentRef;
  /** Notes what gateways must learn; all of it gets consecutive sequence numbers at the end of the transaction. */
  publish(changes: readonly PublishChange[]): void;
}

/**
 * Runs a change of an environment in one transaction: rows, audit, history and published records commit together.
 *
 * Gateways are told after the commit. The environment's row lock is taken last, by the publisher, so work should
 * lock the API's row first.
 */
export async function change<T>(
  desk: Desk,
  who: { readonly actor: Actor; readonly at: EnvironmentRef },
  work: (change: Change) => Promise<T>,
): Promise<T> {
  let isPublished = false;
  const result = await desk.storage.transaction(async (trx) => {
    // The last word on a record counts: a change may touch one twice, a published head only once.
    const toPublish = new Map<string, PublishChange>();
    const publish = (changes: readonly PublishChange[]): void => {
      for (const one of changes) toPublish.set(`${one.kind}/${one.id}`, one);
    };
    const made = await work({ ...begin(desk, trx, { ...who, ...who.at }), at: who.at, publish });
    isPublished = toPublish.size > 0;
    if (isPublished)
      await desk.publisher.publish(trx, who.at, { changes: [...toPublish.values()], actor: who.actor.id });
    return made;
  });
  if (isPublished) await desk.publisher.published(who.at);
  return result;
}

/** Runs a change of the organization itself in one transaction: rows and audit commit together. */
export function changeOrganization<T>(
  desk: Desk,
  who: { readonly actor: Actor; readonly organization: string },
  work: (change: OrganizationChange) => Promise<T>,
): Promise<T> {
  return desk.storage.transaction((trx) => work(begin(desk, trx, who)));
}

function begin(
  desk: Desk,
  trx: Trx,
  {
    actor,
    organization,
    environment,
  }: {
    readonly actor: Actor;
    readonly organization: string;
    readonly environment?: string;
  },
): OrganizationChange {
  const nowMs = desk.clock.now();
  return {
    trx,
    organization,
    actor,
    nowMs,
    audit: (event, { type, id }, properties) =>
      writeAudit(trx, { organization, environment, actor, nowMs, event, type, id, properties }),
  };
}

/** The moment of a change, later than the row's last one: the ETag is made of it and must differ. */
export function laterThan(previousMs: number, nowMs: number): number {
  return Math.max(nowMs, previousMs + 1);
}
