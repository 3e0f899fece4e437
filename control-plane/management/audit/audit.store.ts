import { randomUUID } from 'node:crypto';
import type { Actor } from '../../access/actor.ts';
import type { Queries } from '../../storage/storage.ts';
import type { AuditEvent } from './events.ts';

/** Who changed what; written once, in the transaction of the change. */
interface AuditTable {
  readonly id: string;
  readonly organization: string;
  /** null for what belongs to the whole organization. */
  readonly environment: string | null;
  readonly reference_type: string;
  readonly reference_id: string;
  readonly user_id: string;
  readonly event: string;
  /** JSON: ids of what else was touched. */
  readonly properties: string;
  readonly created_at_ms: number;
}

declare module '../../storage/tables.ts' {
  interface Database {
    audit: AuditTable;
  }
}

/** What happened to which object, and who did it. */
export interface AuditEntry {
  readonly organization: string;
  /** Absent for what belongs to the whole organization. */
  readonly environment?: string | undefined;
  readonly actor: Pick<Actor, 'id'>;
  readonly event: AuditEvent;
  readonly type: 'API' | 'APPLICATION' | 'ENVIRONMENT' | 'ORGANIZATION';
  readonly id: string;
  /** Ids of what else was touched, e.g. { PLAN: id }. */
  readonly properties?: Readonly<Record<string, string>> | undefined;
  readonly nowMs: number;
}

/** Writes one audit row; call it inside the transaction of the change. */
export async function writeAudit(db: Queries, entry: AuditEntry): Promise<void> {
  await db
    .insertInto('audit')
    .values({
      id: randomUUID(),
      organization: entry.organization,
      environment: entry.environment === undefined || entry.environment === '' ? null : entry.environment,
      reference_type: entry.type,
      reference_id: entry.id,
      user_id: entry.actor.id,
      event: entry.event,
      properties: JSON.stringify(entry.properties ?? {}),
      created_at_ms: entry.nowMs,
    })
    .execute();
}
