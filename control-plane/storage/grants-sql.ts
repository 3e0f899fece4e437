import { sql } from 'kysely';
import { Fault } from '../../proto/faults/fault.ts';
import { grantOn, type AnyGrant, type Grants } from './grants.ts';
import type { Queries, Storage } from './storage.ts';

/** Who reads which migrations ran; every process does. */
const schemaTable = 'schema_migration';
const columnPrivileges = ['select', 'insert', 'update'] as const;

/**
 * The SQL that makes a role exactly as strong as its grants: run it as the owner of the tables, again after each upgrade.
 *
 * The role's password is not in it. What the role had before and is not granted any more is taken away.
 */
export function grantStatements(role: string, grants: Grants): string {
  const to = quoted(role);
  const lines = Object.keys(grants).flatMap((table) => tableStatement(table, grantOn(grants, table), to));
  return `-- Run as the owner of the tables, e.g. psql "$OWNER_URL" -f grants.sql; again after each upgrade.
-- Then give the role its password: ALTER ROLE ${to} PASSWORD '...';
BEGIN;
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN
    CREATE ROLE ${to} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
  END IF;
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO ${to}', current_database());
  EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC', current_schema());
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO ${to}', current_schema());
  EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM ${to}', current_schema());
END $$;
GRANT SELECT ON ${quoted(schemaTable)} TO ${to};
${lines.join('\n')}
COMMIT;
`;
}

function tableStatement(table: string, grant: AnyGrant | undefined, to: string): readonly string[] {
  const wanted = columnPrivileges.flatMap((privilege) => {
    const columns = grant?.[privilege];
    if (columns === undefined) return [];
    const list = columns === 'all' ? '' : ` (${columns.map(quoted).join(', ')})`;
    return [`${privilege.toUpperCase()}${list}`];
  });
  if (grant?.delete === true) wanted.push('DELETE');
  return wanted.length === 0 ? [] : [`GRANT ${wanted.join(', ')} ON ${quoted(table)} TO ${to};`];
}

/** What the role that this process is may do, beside what it should. */
export interface RoleReview {
  readonly role: string;
  /** `UPDATE gateway.hostname`; the process fails where it needs one. */
  readonly missing: readonly string[];
  /** `INSERT user_account`: what a thief of this process could do for no reason. */
  readonly excess: readonly string[];
}

interface HeldRow {
  readonly table: string;
  readonly column: string;
  readonly select: boolean;
  readonly insert: boolean;
  readonly update: boolean;
  readonly delete: boolean;
  readonly truncate: boolean;
}

/** Compares the present role with its grants; on SQLite there are no roles, and nothing to say. */
export async function reviewRole(storage: Storage, grants: Grants): Promise<RoleReview | undefined> {
  if (storage.dialect !== 'postgres') return undefined;
  const role = await sql<{ role: string }>`select current_user as role`.execute(storage.db);
  const missing = new Set<string>();
  const excess = new Set<string>();
  for (const row of await readHeld(storage.db)) {
    const grant = grantOn(grants, row.table);
    if (grant === undefined) continue;
    for (const privilege of columnPrivileges) {
      const isWanted = names(grant[privilege], row.column);
      if (isWanted && !row[privilege]) missing.add(`${privilege.toUpperCase()} ${row.table}.${row.column}`);
      if (!isWanted && row[privilege]) excess.add(`${privilege.toUpperCase()} ${row.table}.${row.column}`);
    }
    if (grant.delete === true && !row.delete) missing.add(`DELETE ${row.table}`);
    if (grant.delete !== true && row.delete) excess.add(`DELETE ${row.table}`);
    if (row.truncate) excess.add(`TRUNCATE ${row.table}`);
  }
  return { role: role.rows[0]?.role ?? '', missing: [...missing], excess: [...excess] };
}

/** Refuses to start with a role that would fail later, in the middle of somebody's request. */
export async function requireGrants(storage: Storage, grants: Grants): Promise<RoleReview | undefined> {
  const review = await reviewRole(storage, grants);
  if (review === undefined || review.missing.length === 0) return review;
  throw new Fault('storage.not_granted', {
    detail: `The role ${review.role} lacks ${review.missing.length} grants: ${few(review.missing)}.`,
  });
}

/** The first of many, for one line. */
export function few(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

function names(columns: 'all' | readonly string[] | undefined, column: string): boolean {
  return columns === 'all' || columns?.includes(column) === true;
}

async function readHeld(db: Queries): Promise<readonly HeldRow[]> {
  const { rows } = await sql<HeldRow>`
    select c.relname as "table", a.attname as "column",
      has_column_privilege(c.oid, a.attnum, 'SELECT') as "select",
      has_column_privilege(c.oid, a.attnum, 'INSERT') as "insert",
      has_column_privilege(c.oid, a.attnum, 'UPDATE') as "update",
      has_table_privilege(c.oid, 'DELETE') as "delete",
      has_table_privilege(c.oid, 'TRUNCATE') as "truncate"
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
    order by c.relname, a.attnum`.execute(db);
  return rows;
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
