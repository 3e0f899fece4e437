import type { DatabaseConnection } from 'kysely';
import { Fault } from '../../proto/faults/fault.ts';
import { isTlsCode, withoutRuntimeHint } from '../../proto/process/tls-words.ts';

/**
 * Codes with which a database says that it is away, not that the query is wrong: PostgreSQL classes 08 (connection),
 * 28 and 3D (this login or database is not there), 40 (deadlock, serialization: trying again is the answer too), 53 (resources),
 * 57 (operator intervention: shutting down, starting, statement cancelled), timeouts of transaction (25P03, 25P04) and
 * lock (55P03), 55000 (takes no connections now), and the ones of node and SQLite.
 */
const awayCodes =
  /^(08|28|3D|40|53|57)[0-9A-Z]{3}$|^25P0[34]$|^55(P03|000)$|^E(CONN|PIPE|HOST|NET|TIMEDOUT|AI_AGAIN|NOTFOUND)|^SQLITE_(BUSY|IOERR|FULL|CANTOPEN|READONLY)/;
/** node-postgres gives no code to these. */
const awayMessages =
  /Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|database connection is not open|getaddrinfo/;

/** What trying again does not mend: it answers, or is not found, by what stands in `database.url`. */
const refusals: readonly { readonly codes: RegExp; readonly detail: string; readonly hint: string }[] = [
  {
    codes: /^28/,
    detail: 'The database refuses the user or the password.',
    hint: 'Set both in database.url (letters like @ and / as %40 and %2F), or let the user in: pg_hba.conf of the server says who may come from where.',
  },
  {
    codes: /^3D/,
    detail: 'The database server has no database of that name.',
    hint: 'Make it there (CREATE DATABASE), or set its name in database.url, after the last slash.',
  },
  {
    codes: /^ENOTFOUND$/,
    detail: 'The host of the database is not known.',
    hint: 'Set the host in database.url to a name that the resolver of this machine knows, or to an address.',
  },
];

/** Turns "the database is away" into storage.unavailable; everything else stays what it was. */
export function translate(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Fault) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code))
    return new Fault('storage.corrupt', { internal: error.message, cause: error });
  // PostgreSQL 42501: the schema is ahead of the role's grants, or the role was made for another process.
  if (code === '42501') return new Fault('storage.not_granted', { internal: error.message, cause: error });
  if (isTlsCode(code) || /does not support SSL connections/.test(error.message))
    return new Fault('storage.unavailable', {
      internal: `${code} ${withoutRuntimeHint(error.message)}`.trim(),
      cause: error,
      hint: 'Check sslmode and sslrootcert (a PEM file of the authority) in database.url, and the host in it.',
    });
  const refused = refusals.find(({ codes }) => codes.test(code));
  if (refused !== undefined)
    return new Fault('storage.unavailable', {
      detail: refused.detail,
      internal: `${code} ${error.message}`,
      cause: error,
      hint: refused.hint,
    });
  if (awayCodes.test(code) || awayMessages.test(error.message))
    return new Fault('storage.unavailable', { internal: `${code} ${error.message}`.trim(), cause: error });
  return error;
}

/** True when an insert or update met a row with the same unique key. */
export function isUniqueViolation(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === '23505' || code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY';
}

const patched = new WeakSet<DatabaseConnection>();

/** Makes a connection throw translated errors; once per connection, since a pool hands it out again. */
export function translating(connection: DatabaseConnection): DatabaseConnection {
  if (patched.has(connection)) return connection;
  patched.add(connection);
  const executeQuery = connection.executeQuery.bind(connection);
  connection.executeQuery = async (query, options) => {
    try {
      return await executeQuery(query, options);
    } catch (error) {
      throw translate(error);
    }
  };
  return connection;
}
