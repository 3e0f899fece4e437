import { sql } from 'kysely';
import type { Storage } from '../../../control-plane/storage/storage.ts';

/** Does what the owner of a database can: takes away what keeps rows of the audit as they are. */
export async function letAuditGo({ db, dialect }: Pick<Storage, 'db' | 'dialect'>): Promise<void> {
  if (dialect === 'postgres') {
    for (const table of ['audit', 'audit_head'])
      await sql`alter table ${sql.table(table)} disable trigger user`.execute(db);
    return;
  }
  for (const trigger of ['audit_stays', 'audit_remains', 'audit_end_stays', 'audit_end_remains'])
    await sql`drop trigger ${sql.ref(trigger)}`.execute(db);
}
