import { sql, type Selectable } from 'kysely';
import { readBucketRow } from './bucket-identity.ts';
import type { DialectName } from './migrations/migration.ts';
import type { Trx } from './storage.ts';
import type { BucketTable } from './tables.ts';

/** What belongs to an installation and not to what is in its database: a restore must not take it from the backup. */
export interface Installation {
  readonly grants: readonly RoleGrant[];
  readonly bucket: Selectable<BucketTable> | undefined;
}

interface RoleGrant {
  readonly table: string;
  /** null: the whole table. */
  readonly column: string | null;
  /** null: everybody. */
  readonly role: string | null;
  readonly privilege: string;
}

/** Reads it before the tables are dropped, and with them the grants of the bridge's role. */
export async function readInstallation(
  trx: Trx,
  dialect: DialectName,
  tables: readonly string[],
): Promise<Installation> {
  const row = tables.includes('bucket') ? await readBucketRow(trx) : undefined;
  return {
    grants: dialect === 'postgres' ? await readGrants(trx) : [],
    bucket: row?.confirmed_at_ms === null ? undefined : row,
  };
}

/** Puts it back when the tables are there again; a database that had no bucket keeps the one of the backup. */
export async function putInstallation(trx: Trx, { grants, bucket }: Installation): Promise<void> {
  for (const { table, column, role, privilege } of grants) {
    const what = column === null ? sql.raw(privilege) : sql`${sql.raw(privilege)} (${sql.id(column)})`;
    await sql`grant ${what} on ${sql.id(table)} to ${role === null ? sql.raw('public') : sql.id(role)}`.execute(
      trx,
    );
  }
  if (bucket === undefined) return;
  await trx.deleteFrom('bucket').execute();
  await trx.insertInto('bucket').values(bucket).execute();
}

async function readGrants(trx: Trx): Promise<readonly RoleGrant[]> {
  const { rows } = await sql<RoleGrant>`
    with ours as (
      select oid, relname, relowner, relacl from pg_class
      where relnamespace = current_schema()::regnamespace and relkind = 'r'
    ), acl as (
      select o.relname as "table", null::name as "column", o.relowner, (aclexplode(o.relacl)).* from ours o
      union all
      select o.relname, a.attname, o.relowner, (aclexplode(a.attacl)).* from ours o
      join pg_attribute a on a.attrelid = o.oid where a.attnum > 0 and not a.attisdropped
    )
    select "table", "column", privilege_type as privilege,
      case when grantee = 0 then null else pg_get_userbyid(grantee) end as role
    from acl where grantee <> relowner`.execute(trx);
  return rows;
}
