import { AsyncLocalStorage } from 'node:async_hooks';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolders } from '../../proto/process/disk/folders.ts';
import { Kysely, type KyselyPlugin, type Transaction } from 'kysely';
import { Fault, invariant } from '../../proto/faults/fault.ts';
import { openSqlite } from '../../proto/process/sqlite.ts';
import { wrongUrl } from './database-url.ts';
import { PostgresHold, SqliteHold, type HoldOptions } from './hold.ts';
import { migrate, readSchema, refuseSchema } from './migrate.ts';
import { migrations as allMigrations } from './migrations/index.ts';
import type { DialectName, Migration } from './migrations/migration.ts';
import { createLocalNotifier, type Notifier } from './notifier.ts';
import {
  createPool,
  createPostgresNotifier,
  postgresBounds,
  TranslatingPostgresDialect,
  type PostgresBounds,
} from './postgres.ts';
import { SingleWriterSqliteDialect } from './sqlite.ts';
import type { Database } from './tables.ts';

export { isUniqueViolation } from './faults.ts';

/** What storage says when something is odd; a pino logger fits. */
export interface StorageLog {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
}

/** A transaction as stores see it; queries inside one go through it and not through `storage.db`. */
export type Trx = Transaction<Database>;
/** Anything that runs queries: the database or a transaction. */
export type Queries = Kysely<Database>;

/** The open database. Every rejection because it is away is storage.unavailable. */
export interface Storage {
  /** For single queries. Inside `transaction` it is refused aloud: on SQLite it would wait for itself for ever. */
  readonly db: Queries;
  readonly dialect: DialectName;
  /**
   * Runs work in a transaction that may write: commits when it resolves, rolls back when it rejects.
   *
   * On PostgreSQL it is READ COMMITTED: a statement sees what was committed before it began, so take the row lock
   * (UPDATE ... RETURNING, or FOR UPDATE) before reading what the decision depends on. On SQLite it is BEGIN IMMEDIATE:
   * one writer at a time.
   */
  transaction<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  /** Runs reads that all see the same committed state (REPEATABLE READ, read only). */
  snapshot<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  readonly notifier: Notifier;
  /** What opening did to the schema: `made` is a database that was empty before. */
  readonly schema: 'made' | 'moved' | 'kept';
  close(): Promise<void>;
}

/**
 * What may be done to a database that is not there or has another schema. A newer schema is refused by all.
 *
 * migrate:  made and moved forward. Only `up`, `control-plane` and `migrate` may: any other command would turn a slip in a
 *           path into an empty database.
 * existing: it has to be there with exactly the schema of this version.
 * any:      it has to be there; an older schema is left as it is (a backup before an upgrade must not be the upgrade).
 */
export type StorageMode = 'migrate' | 'existing' | 'any';

/** Where the database is; see {@link openStorage}. */
export interface StorageOptions {
  /** `postgresql://...`; without it SQLite in `<dataDir>/control-plane.db`. */
  readonly url?: string | undefined;
  readonly dataDir: string;
  readonly log: StorageLog;
  readonly bounds?: Partial<PostgresBounds> | undefined;
  /** Default: migrate. */
  readonly mode?: StorageMode;
  /** Given by a process that must know its database from another, see hold.ts; without it a restore may run beside it. */
  readonly hold?: HoldOptions | undefined;
  /** For tests of migrating. */
  readonly migrations?: readonly Migration[];
}

/**
 * Opens the database and, unless the mode says otherwise, migrates it to the newest schema.
 *
 * Errors: storage.unavailable, storage.missing, storage.older_schema, storage.newer_schema, config.invalid for a url that is
 * not PostgreSQL's. With a hold every query may reject with storage.replaced.
 */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const connected = connect(options);
  const { base, dialect, notifier, hold } = connected;
  let schema: Storage['schema'];
  try {
    if (hold instanceof PostgresHold) await hold.take();
    schema = await settleSchema(connected, options);
    await hold?.know();
  } catch (error) {
    await hold?.close();
    await base.destroy();
    throw error;
  }
  return {
    db: base.withPlugin(refuseInsideTransaction),
    dialect,
    transaction: (work) => inTransaction(() => base.transaction().execute(work)),
    snapshot: (work) =>
      inTransaction(() => {
        const reading = base.transaction().setAccessMode('read only');
        // SQLite's dialect knows no levels; its transactions are snapshots.
        const builder = dialect === 'postgres' ? reading.setIsolationLevel('repeatable read') : reading;
        return builder.execute(work);
      }),
    notifier,
    schema,
    async close() {
      await notifier.close();
      await base.destroy();
      await hold?.close();
    },
  };
}

async function settleSchema(
  connected: Connected,
  { mode = 'migrate', migrations = allMigrations, log }: StorageOptions,
): Promise<Storage['schema']> {
  const { base } = connected;
  if (mode === 'migrate') {
    const ran = await moveForward(connected, migrations).catch((error: unknown) => {
      throw error instanceof Fault && error.code === 'storage.not_granted' ? notTheOwner(error) : error;
    });
    if (ran.length === 0) return 'kept';
    log.info({ migrations: ran }, 'the database schema moved forward');
    return ran.length === migrations.length ? 'made' : 'moved';
  }
  const fault = refuseSchema(await readSchema(base, migrations));
  if (fault !== undefined && !(mode === 'any' && fault.code === 'storage.older_schema')) throw fault;
  return 'kept';
}

async function moveForward(
  { base, dialect, openPatient }: Connected,
  migrations: readonly Migration[],
): Promise<readonly string[]> {
  const { found, wanted, missing } = await readSchema(base, migrations);
  if (found === wanted && missing.length === 0) return [];
  const patient = openPatient();
  try {
    return await migrate(patient.db, dialect, migrations);
  } finally {
    await patient.close();
  }
}

/** Grants do not help here: a migration makes and changes tables. */
const notTheOwner = (cause: Fault): Fault =>
  new Fault('storage.not_granted', {
    detail: 'The schema has to move forward, which only the role that owns the tables may.',
    internal: cause.internal,
    hint: 'Run isthmus migrate with the URL of the role that owns the tables, then the SQL of isthmus migrate --print-grants.',
    cause,
  });

/** The database inside a data folder. */
const sqliteFileName = 'control-plane.db';

interface Connected {
  readonly base: Kysely<Database>;
  readonly dialect: DialectName;
  readonly notifier: Notifier;
  readonly hold: PostgresHold | SqliteHold | undefined;
  /** The same database for statements that may take their time. */
  readonly openPatient: () => { readonly db: Kysely<Database>; readonly close: () => Promise<void> };
}

function connect({ url, dataDir, log, bounds, mode = 'migrate', ...options }: StorageOptions): Connected {
  if (url !== undefined) {
    const wrong = wrongUrl(url);
    if (wrong !== undefined)
      throw new Fault('config.invalid', { details: [{ path: 'database.url', message: wrong }] });
    const hold = options.hold && new PostgresHold(url, log, options.hold);
    const held = { ...postgresBounds, ...bounds };
    const poolOf = (wish: PostgresBounds) => createPool(url, wish, { log, prove: hold?.prove });
    const kyselyOf = (pool: ReturnType<typeof createPool>) =>
      new Kysely<Database>({ dialect: new TranslatingPostgresDialect({ pool }) });
    const pool = poolOf(held);
    return {
      base: kyselyOf(pool),
      dialect: 'postgres',
      notifier: createPostgresNotifier(url, pool, log),
      hold,
      openPatient() {
        const patient = { connectionsMax: 1, statementMsMax: held.migrationStatementMsMax };
        const db = kyselyOf(poolOf({ ...held, ...patient }));
        return { db, close: () => db.destroy() };
      },
    };
  }
  const file = join(dataDir, sqliteFileName);
  if (mode === 'migrate') makeFolders(dataDir);
  else if (!existsSync(file))
    throw new Fault('storage.missing', {
      detail: `There is no database ${file} and database.url is not set.`,
    });
  const database = openSqlite(file, { durable: 'full' });
  const hold = options.hold && new SqliteHold(database, options.hold);
  const base = new Kysely<Database>({ dialect: new SingleWriterSqliteDialect(database, hold?.prove) });
  return {
    base,
    dialect: 'sqlite',
    notifier: createLocalNotifier(),
    hold,
    openPatient: () => ({ db: base, close: async () => undefined }),
  };
}

const currentTransaction = new AsyncLocalStorage<{ isOpen: boolean }>();

async function inTransaction<T>(run: () => Promise<T>): Promise<T> {
  invariant(currentTransaction.getStore()?.isOpen !== true, 'transactions do not nest; pass the trx on');
  const state = { isOpen: true };
  try {
    return await currentTransaction.run(state, run);
  } finally {
    state.isOpen = false;
  }
}

/**
 * A query on `storage.db` within a transaction would run beside it: on PostgreSQL it would not see the transaction's
 * rows, on SQLite it would wait for the connection that its own caller holds. Both are bugs, so they fail at once.
 */
const refuseInsideTransaction: KyselyPlugin = {
  transformQuery({ node }) {
    invariant(
      currentTransaction.getStore()?.isOpen !== true,
      'a query inside a transaction goes through its trx, not through storage.db',
    );
    return node;
  },
  transformResult: async ({ result }) => result,
};
