import type { Database } from '../../proto/process/sqlite.ts';
import {
  CompiledQuery,
  SelectQueryNode,
  SqliteDialect,
  SqliteDriver,
  type AbortableOperationOptions,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  type TransactionSettings,
} from 'kysely';
import { translating } from './faults.ts';

const beginToWrite = 'begin immediate';

/**
 * Kysely on one better-sqlite3 connection.
 *
 * Kysely's mutex gives the connection to one query or one whole transaction at a time, so nothing slips between
 * the statements of a transaction. A transaction that may write begins IMMEDIATE: it takes the write lock before it
 * reads, since an upgrade later would fail with SQLITE_BUSY at once when another process has written meanwhile.
 */
export class SingleWriterSqliteDialect extends SqliteDialect {
  readonly #database: Database;
  readonly #prove: (() => void) | undefined;

  /** `prove` is run with the write lock taken, before anything is written; what it throws undoes nothing, since nothing happened. */
  constructor(database: Database, prove: (() => void) | undefined) {
    super({ database });
    this.#database = database;
    this.#prove = prove;
  }

  override createDriver(): Driver {
    return new SingleWriterSqliteDriver(this.#database, this.#prove);
  }
}

class SingleWriterSqliteDriver extends SqliteDriver {
  readonly #database: Database;
  readonly #prove: (() => void) | undefined;
  readonly #proving = new WeakSet<DatabaseConnection>();

  constructor(database: Database, prove: (() => void) | undefined) {
    super({ database });
    this.#database = database;
    this.#prove = prove;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection();
    if (this.#prove !== undefined && !this.#proving.has(connection)) {
      this.#proving.add(connection);
      proveWrites(connection, { database: this.#database, prove: this.#prove });
    }
    return translating(connection);
  }

  override async beginTransaction(
    connection: DatabaseConnection,
    settings?: TransactionSettings,
  ): Promise<void> {
    const begin = settings?.accessMode === 'read only' ? 'begin deferred' : beginToWrite;
    await connection.executeQuery(CompiledQuery.raw(begin));
    if (settings?.accessMode === 'read only' || this.#prove === undefined) return;
    try {
      this.#prove();
    } catch (error) {
      await connection.executeQuery(CompiledQuery.raw('rollback'));
      throw error;
    }
  }
}

/** A single statement that writes gets a transaction around it, so that nobody comes between the proof and the write. */
function proveWrites(
  connection: DatabaseConnection,
  { database, prove }: { readonly database: Database; readonly prove: () => void },
): void {
  const executeQuery = connection.executeQuery.bind(connection);
  connection.executeQuery = async <R>(
    query: CompiledQuery,
    options?: AbortableOperationOptions,
  ): Promise<QueryResult<R>> => {
    const isAsItIs = database.inTransaction || SelectQueryNode.is(query.query) || query.sql === beginToWrite;
    if (isAsItIs || database.prepare(query.sql).readonly) return executeQuery<R>(query, options);
    database.exec(beginToWrite);
    try {
      prove();
      const result = await executeQuery<R>(query, options);
      database.exec('commit');
      return result;
    } catch (error) {
      if (database.inTransaction) database.exec('rollback');
      throw error;
    }
  };
}
