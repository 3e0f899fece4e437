import type { Database } from '../../proto/process/sqlite.ts';
import {
  CompiledQuery,
  SqliteDialect,
  SqliteDriver,
  type DatabaseConnection,
  type Driver,
  type SqliteDialectConfig,
  type TransactionSettings,
} from 'kysely';
import { translating } from './faults.ts';

/**
 * Kysely on one better-sqlite3 connection.
 *
 * Kysely's mutex gives the connection to one query or one whole transaction at a time, so nothing slips between
 * the statements of a transaction. A transaction that may write begins IMMEDIATE: it takes the write lock before it
 * reads, since an upgrade later would fail with SQLITE_BUSY at once when another process has written meanwhile.
 */
export class SingleWriterSqliteDialect extends SqliteDialect {
  readonly #config: SqliteDialectConfig;

  constructor(database: Database) {
    super({ database });
    this.#config = { database };
  }

  override createDriver(): Driver {
    return new SingleWriterSqliteDriver(this.#config);
  }
}

class SingleWriterSqliteDriver extends SqliteDriver {
  override async acquireConnection(): Promise<DatabaseConnection> {
    return translating(await super.acquireConnection());
  }

  override async beginTransaction(
    connection: DatabaseConnection,
    settings?: TransactionSettings,
  ): Promise<void> {
    const begin = settings?.accessMode === 'read only' ? 'begin deferred' : 'begin immediate';
    await connection.executeQuery(CompiledQuery.raw(begin));
  }
}
