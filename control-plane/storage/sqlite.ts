import type { Database } from '../../proto/process/sqlite.ts';
import {
  CompiledQuery,
  SelectQueryNode,
  SqliteDialect,
  SqliteDriver,
  type SqliteDatabase,
  type AbortableOperationOptions,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  type TransactionSettings,
} from 'kysely';
import { LRUCache } from 'lru-cache';
import { translating } from './faults.ts';

const beginToWrite = 'begin immediate';
/** Several times what the house asks; a list of ids makes a text for each of its lengths. */
const statementsMax = 500;
/** So long, ms, queries follow one another before whoever else waits in this process has a turn. */
const turnMsMax = 10;

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

type Statement = ReturnType<Database['prepare']>;

/**
 * The database as Kysely asks it: a text that comes again finds its statement prepared, which costs as much as a small query does.
 *
 * A statement follows the schema by itself. It cannot run twice at a time, which nothing asks of it: rows are read all at once.
 */
function keepingStatements(
  database: Database,
): SqliteDatabase & { readonly prepare: (text: string) => Statement } {
  const kept = new LRUCache<string, Statement>({ max: statementsMax });
  const prepare = (text: string): Statement => {
    const known = kept.get(text);
    if (known !== undefined) return known;
    const statement = database.prepare(text);
    kept.set(text, statement);
    return statement;
  };
  return { prepare, close: () => void database.close() };
}

class SingleWriterSqliteDriver extends SqliteDriver {
  readonly #database: Database;
  readonly #prepare: (text: string) => Statement;
  readonly #prove: (() => void) | undefined;
  readonly #proving = new WeakSet<DatabaseConnection>();
  /** When the first query was asked since the event loop turned last, by the monotonic clock. */
  #turnSinceMs: number | undefined;

  constructor(database: Database, prove: (() => void) | undefined) {
    const statements = keepingStatements(database);
    super({ database: statements });
    this.#database = database;
    this.#prepare = statements.prepare;
    this.#prove = prove;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    await this.#letOthers();
    const connection = await super.acquireConnection();
    if (this.#prove !== undefined && !this.#proving.has(connection)) {
      this.#proving.add(connection);
      proveWrites(connection, { database: this.#database, prepare: this.#prepare, prove: this.#prove });
    }
    return translating(connection);
  }

  /**
   * An answer of this database is there at once: who reads one page after the other only ever waits for what has happened already, and while a
   * gateway learns of 200,000 records nobody else in the process would be heard for seconds.
   */
  async #letOthers(): Promise<void> {
    const nowMs = performance.now();
    if (this.#turnSinceMs === undefined) {
      this.#turnSinceMs = nowMs;
      setImmediate(() => (this.#turnSinceMs = undefined));
    } else if (nowMs - this.#turnSinceMs >= turnMsMax) await new Promise((resolve) => setImmediate(resolve));
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
  {
    database,
    prepare,
    prove,
  }: {
    readonly database: Database;
    readonly prepare: (text: string) => Statement;
    readonly prove: () => void;
  },
): void {
  const executeQuery = connection.executeQuery.bind(connection);
  connection.executeQuery = async <R>(
    query: CompiledQuery,
    options?: AbortableOperationOptions,
  ): Promise<QueryResult<R>> => {
    const isAsItIs = database.inTransaction || SelectQueryNode.is(query.query) || query.sql === beginToWrite;
    if (isAsItIs || prepare(query.sql).readonly) return executeQuery<R>(query, options);
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
