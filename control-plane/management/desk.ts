import { isDeepStrictEqual } from 'node:util';

import { invariant } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { DebugRuns } from '../../proto/model/records/debug-run.ts';
import type { Outbound } from '../../proto/process/outbound/outbound.ts';
import type { EnvironmentRef } from '../../proto/wire/published.ts';
import type { Access } from '../access/access.ts';
import type { Actor } from '../access/actor.ts';
import { tellChangedRights } from '../access/changed-rights.ts';
import type { Oidc } from '../access/identity/oidc.ts';
import type { Analytics } from '../analytics/analytics.ts';
import type { Mail } from '../mail/mail.ts';
import type { Webhooks } from '../mail/webhooks.ts';
import type { Fleets } from '../publish/fleets.ts';
import { DefinitionSecrets } from '../publish/definition-secrets.ts';
import type { PublishChange, Publisher } from '../publish/publisher.ts';
import type { Storage, Trx } from '../storage/storage.ts';
import { type AuditEntry, writeAudits } from './audit/audit.store.ts';
import { openedText } from './audit/difference.ts';
import { type AuditEvent, changesRights } from './audit/events.ts';
import type { Live } from './live/live.ts';
import { raiseHooks } from './notifications/raising.ts';
import { demandRoom, type EnvironmentQuota, quotaDefaults, type QuotaLimits } from './quotas/quotas.store.ts';

export type { PublishChange } from '../publish/publisher.ts';

/** What every operation works with. Operations are `(desk, actor, input) => result`, so any door may call them. */
export interface Desk {
  readonly storage: Storage;
  /**
   * Where that is committed which counts whatever becomes of the call and is not its change, e.g. a wrong code: under an Idempotency-Key the
   * first transaction of `storage` stands for the change. Absent where the two are one.
   */
  readonly aside?: Storage | undefined;
  readonly publisher: Publisher;
  readonly fleets: Fleets;
  readonly access: Access;
  readonly mail: Mail;
  readonly webhooks: Webhooks;
  readonly clock: Clock;
  /** Where callers reach gateways that no entrypoint names; absent where nobody has said. */
  readonly gatewaysUrl?: string | undefined;
  /** Where browsers reach the management API; absent where nobody has said. */
  readonly publicUrl?: string | undefined;
  /** Streams of server-sent events. */
  readonly live: Live;
  /** How many of each an environment may have; those of {@link quotaDefaults} where nobody says. */
  readonly quotas?: QuotaLimits | undefined;
  /** Absent when this process runs no analytics. */
  readonly analytics?:
    | (Pick<Analytics, 'arrivals' | 'ask' | 'newest'> & Partial<Pick<Analytics, 'retention'>>)
    | undefined;
  /** Asks URLs that tenants name; absent where none may be asked. */
  readonly outbound?: Pick<Outbound, 'request' | 'checkUrl'> | undefined;
  /** Speaks to identity providers; absent where none may be asked. */
  readonly oidc?: Oidc | undefined;
  /** Runs requests through drafts; absent where there are none. */
  readonly debug?: DebugRuns | undefined;
}

/** A change in progress: one transaction, one moment, and its audit rows. */
export interface OrganizationChange {
  readonly trx: Trx;
  readonly organization: string;
  readonly actor: Actor;
  readonly nowMs: number;
  /**
   * Tells the audit who did what to which object; `touched` are ids of what else changed. It is written when the work is done, since whoever
   * writes to an organization's audit holds its end until the transaction ends.
   */
  audit(event: AuditEvent, object: AuditedObject, touched?: Readonly<Record<string, string>>): Promise<void>;
  /** Seals and opens the secrets of definitions of an environment; '' is the organization itself. */
  secretsIn(environment: string): DefinitionSecrets;
}

/** What an audit row is about, e.g. `{ type: 'API', id }`. */
export interface AuditedObject {
  readonly type: 'ORGANIZATION' | 'ENVIRONMENT' | 'API' | 'APPLICATION' | 'GROUP';
  readonly id: string;
  /** The row that was changed, before and after, of which the audit tells the difference; of a new one there is no before. */
  readonly before?: object | undefined;
  readonly after?: object | undefined;
}

/** A row before and after a change, for the audit: a new one has no before, one that was removed no after. */
export type Told<Row extends object> =
  | { readonly before?: Row | undefined; readonly after: Row }
  | { readonly before: Row; readonly after?: undefined };

/** The row as it is now, or was at last. */
export function toldRow<Row extends object>(told: Told<Row>): Row {
  const row = told.after ?? told.before;
  invariant(row !== undefined, 'a change of a row that never was');
  return row;
}

/** A change in an environment, which gateways may have to learn. */
export interface Change extends OrganizationChange {
  readonly at: EnvironmentRef;
  /** Seals and opens the secrets of its definitions: what is written to a row or published has passed it. */
  readonly secrets: DefinitionSecrets;
  /** Notes that the change makes one more of these: beyond the quota of the environment all of it is refused at its end. */
  admit(quota: EnvironmentQuota): void;
  /** Notes what gateways must learn; all of it gets consecutive sequence numbers at the end of the transaction. */
  publish(changes: readonly PublishChange[]): void;
}

/** A change of the organization, which gateways of its environments may have to learn. */
export interface PublishingOrganizationChange extends OrganizationChange {
  /** The same as {@link Change.publish} in one of its environments. */
  publishIn(environment: string, changes: readonly PublishChange[]): void;
}

/**
 * Runs a change of an environment in one transaction: rows, audit, history and published records commit together.
 *
 * Gateways are told after the commit. The environment's row lock is taken last, by the publisher, so work should
 * lock the API's row first. A dry run does all of it and takes it back: its result is that of the run.
 */
export async function change<T>(
  desk: Desk,
  who: { readonly actor: Actor; readonly at: EnvironmentRef; readonly isDryRun?: boolean | undefined },
  work: (change: Change) => Promise<T>,
): Promise<T> {
  const { actor, at, isDryRun = false } = who;
  // Thrown at the end of a dry run, so that its transaction is rolled back and nothing is published.
  const takenBack = new Error('a dry run ends');
  let result: T | undefined;
  const quotas = new Set<EnvironmentQuota>();
  try {
    return await inTransaction(desk, { actor, ...at }, async (now) => {
      result = await work({
        ...now,
        at,
        admit: (quota) => void quotas.add(quota),
        secrets: now.secretsIn(at.environment),
        publish: (changes) => now.publishIn(at.environment, changes),
      });
      // The environment's row is the last lock, as for a publisher.
      await demandRoom(now.trx, at, { quotas, limits: demandedQuotas(desk) });
      if (isDryRun) throw takenBack;
      return result;
    });
  } catch (error) {
    if (error === takenBack) return result as T;
    throw error;
  }
}

/** The quotas that hold. */
export const demandedQuotas = ({ quotas = quotaDefaults }: Pick<Desk, 'quotas'>): QuotaLimits => quotas;

/** The same of the organization itself. */
export function changeOrganization<T>(
  desk: Desk,
  who: { readonly actor: Actor; readonly organization: string },
  work: (change: PublishingOrganizationChange) => Promise<T>,
): Promise<T> {
  return inTransaction(desk, who, work);
}

interface Who {
  readonly actor: Actor;
  readonly organization: string;
  readonly environment?: string;
}

async function inTransaction<T>(
  desk: Desk,
  who: Who,
  work: (change: PublishingOrganizationChange) => Promise<T>,
): Promise<T> {
  const { organization, actor } = who;
  let environments: readonly string[] = [];
  let hasChangedRights = false;
  const result = await desk.storage.transaction(async (trx) => {
    const toPublish = new Map<string, Map<string, PublishChange>>();
    const publishIn = (environment: string, changes: readonly PublishChange[]): void => {
      const records = toPublish.get(environment) ?? new Map<string, PublishChange>();
      // The last word on a record counts: a change may touch one twice, a published head only once.
      for (const one of changes) records.set(`${one.kind}/${one.id}`, one);
      if (records.size > 0) toPublish.set(environment, records);
    };
    const secretsIn = secretsOf(desk, { trx, organization, publishIn });
    const entries: AuditEntry[] = [];
    const made = await work({ ...begin(desk, trx, who, entries), secretsIn, publishIn });
    // In the same order whoever publishes, since each environment stays locked.
    environments = [...toPublish.keys()].toSorted();
    for (const environment of environments) {
      const changes = [...(toPublish.get(environment)?.values() ?? [])];
      await desk.publisher.publish(trx, { organization, environment }, { changes, actor: actor.id });
    }
    await raiseHooks(trx, entries);
    await writeAudits(trx, entries);
    hasChangedRights = entries.some(({ event }) => changesRights(event));
    return made;
  });
  if (hasChangedRights) await tellChangedRights(desk.storage.notifier, organization);
  for (const environment of environments) await desk.publisher.published({ organization, environment });
  return result;
}

/** One for each environment: what it has sealed once stays the same text within the change. */
function secretsOf(
  { publisher: { dataKeys } }: Desk,
  { trx, organization, publishIn }: Pick<PublishingOrganizationChange, 'trx' | 'organization' | 'publishIn'>,
): OrganizationChange['secretsIn'] {
  const made = new Map<string, DefinitionSecrets>();
  return (environment) => {
    const at = { organization, environment };
    const onMade = async (): Promise<void> => publishIn(environment, await dataKeys.owed(trx, at));
    const secrets = made.get(environment) ?? new DefinitionSecrets({ trx, at, dataKeys, onMade });
    made.set(environment, secrets);
    return secrets;
  };
}

// oxlint-disable-next-line max-params -- what a change has from its start
function begin(
  desk: Desk,
  trx: Trx,
  { actor, organization, environment }: Who,
  entries: AuditEntry[],
): Omit<OrganizationChange, 'secretsIn'> {
  const nowMs = desk.clock.now();
  return {
    trx,
    organization,
    actor,
    nowMs,
    async audit(event, object, properties) {
      entries.push({ organization, environment, actor, nowMs, event, ...object, properties });
    },
  };
}

/** The moment of a change, later than the row's last one: the ETag is made of it and must differ. */
export function laterThan(previousMs: number, nowMs: number): number {
  return Math.max(nowMs, previousMs + 1);
}

/**
 * Columns of JSON, whose objects clients send with their names in an order of their own. One that is missing here is written again where only that
 * order is another one; a text of people's own, which may look like JSON, is not JSON.
 */
const jsonColumns: ReadonlySet<string> = new Set([
  'access',
  'chosen',
  'configuration',
  'definition',
  'flows',
  'labels',
  'mappings',
  'metadata',
  'properties',
  'provider',
  'rights',
  'settings',
  'steps',
  'trigger',
  'widgets',
]);

/**
 * Whether a row would be as it is but for the moment of its change: whoever sends back what he got writes nothing, so that the audit, the ETag
 * and what is deployed stay as they were. Of {@link jsonColumns} what they say is compared.
 */
export function isAsBefore(row: object, set: object): boolean {
  const before = new Map(Object.entries(row));
  return Object.entries(set).every(([name, value]) => {
    if (name === 'updated_at_ms') return true;
    const read = jsonColumns.has(name) ? openedText : (text: unknown) => text;
    return isDeepStrictEqual(read(before.get(name)), read(value));
  });
}
