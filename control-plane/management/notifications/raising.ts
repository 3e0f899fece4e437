import { randomUUID } from 'node:crypto';
import { keyOf } from '../../mail/hooks.ts';
import type { Trx } from '../../storage/storage.ts';
import type { AuditEntry } from '../audit/audit.store.ts';
import type { AuditEvent } from '../audit/events.ts';
import { endingHooks } from './ending.ts';
import { isRaisedFull, raisedMax } from './raised.store.ts';

/** What somebody is told of, by ids. */
export interface About {
  readonly api?: string | undefined;
  readonly application?: string | undefined;
  readonly plan?: string | undefined;
  readonly subscription?: string | undefined;
  readonly user?: string | undefined;
  /** When the subscription or the key ends, ms since the epoch. */
  readonly endsAtMs?: number | undefined;
}

const subscription = (id: string) => [keyOf({ scope: 'API', id }), keyOf({ scope: 'APPLICATION', id })];
const api = (id: string) => [keyOf({ scope: 'API', id })];
const portal = (id: string) => [keyOf({ scope: 'PORTAL', id })];

/** Of what the audit tells of, what people can be told of, and as which hooks. */
const hooksOf: Partial<Record<AuditEvent, readonly string[]>> = {
  SUBSCRIPTION_CREATED: subscription('SUBSCRIPTION_NEW'),
  SUBSCRIPTION_ACCEPTED: subscription('SUBSCRIPTION_ACCEPTED'),
  SUBSCRIPTION_CLOSED: subscription('SUBSCRIPTION_CLOSED'),
  SUBSCRIPTION_PAUSED: subscription('SUBSCRIPTION_PAUSED'),
  SUBSCRIPTION_RESUMED: subscription('SUBSCRIPTION_RESUMED'),
  SUBSCRIPTION_REJECTED: subscription('SUBSCRIPTION_REJECTED'),
  SUBSCRIPTION_TRANSFERRED: subscription('SUBSCRIPTION_TRANSFERRED'),
  APIKEY_RENEWED: api('APIKEY_RENEWED'),
  APIKEY_REVOKED: api('APIKEY_REVOKED'),
  APIKEY_EXPIRED: api('APIKEY_EXPIRED'),
  API_STARTED: api('API_STARTED'),
  API_STOPPED: api('API_STOPPED'),
  API_UPDATED: api('API_UPDATED'),
  API_DEPLOYED: api('API_DEPLOYED'),
  API_REVIEW_ASKED: api('ASK_FOR_REVIEW'),
  API_REVIEW_ACCEPTED: api('REVIEW_OK'),
  API_REVIEW_REJECTED: api('REQUEST_FOR_CHANGES'),
  USER_CREATED: portal('USER_CREATED'),
  USER_CONFIRMED: portal('USER_REGISTERED'),
  PASSWORD_RESET: portal('PASSWORD_RESET'),
};

/** Every hook that something raises. */
export const raisedHooks: ReadonlySet<string> = new Set([
  ...Object.values(hooksOf).flat(),
  ...api('API_DEPRECATED'),
  ...portal('USER_REGISTRATION_REQUEST'),
  ...endingHooks,
]);

/**
 * Notes in a change what it raises, so that it is told if the change commits, and only then. Where nobody in the organization has asked to be
 * told, nothing is written, and nothing where so many wait already that whoever is told of them would rather not be.
 */
export async function raiseHooks(trx: Trx, entries: readonly AuditEntry[]): Promise<void> {
  const rows = entries.flatMap((entry) =>
    hooksRaised(entry).map((hook) => ({
      id: randomUUID(),
      organization: entry.organization,
      environment: entry.environment ?? null,
      hook,
      about: JSON.stringify(aboutOf(entry)),
      user_id: entry.actor.id,
      created_at_ms: entry.nowMs,
    })),
  );
  const [first] = rows;
  if (first === undefined) return;
  const asked = await trx
    .selectFrom('notification_setting')
    .select('id')
    .where('organization', '=', first.organization)
    .limit(1)
    .executeTakeFirst();
  if (asked === undefined || (await isRaisedFull(trx, first.organization, raisedMax))) return;
  await trx.insertInto('raised_hook').values(rows).execute();
}

function hooksRaised({ event, before, after }: AuditEntry): readonly string[] {
  const raised = hooksOf[event] ?? [];
  if (event === 'USER_REGISTERED')
    return portal(textOf(after, 'status') === 'PENDING' ? 'USER_REGISTRATION_REQUEST' : 'USER_REGISTERED');
  const isDeprecated = (row: unknown): boolean => textOf(row, 'lifecycle_state') === 'DEPRECATED';
  return event === 'API_UPDATED' && isDeprecated(after) && !isDeprecated(before)
    ? [...raised, ...api('API_DEPRECATED')]
    : raised;
}

function aboutOf({ type, id, properties = {}, before, after }: AuditEntry): About {
  const row = after ?? before;
  return {
    api: type === 'API' ? id : undefined,
    application: properties['APPLICATION'] ?? (type === 'APPLICATION' ? id : undefined),
    plan: properties['PLAN'] ?? textOf(row, 'plan_id'),
    subscription: properties['SUBSCRIPTION'],
    user: properties['USER'],
  };
}

function textOf(row: unknown, column: string): string | undefined {
  const value = (row as Readonly<Record<string, unknown>> | undefined)?.[column];
  return typeof value === 'string' ? value : undefined;
}
