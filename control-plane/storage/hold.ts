import { statSync } from 'node:fs';
import type { Database as Sqlite } from '../../proto/process/sqlite.ts';
import { sql } from 'kysely';
import pg from 'pg';
import { Fault } from '../../proto/faults/fault.ts';
import { translate } from './faults.ts';
import type { DialectName } from './migrations/migration.ts';
import { createAbsence, postgresBounds } from './postgres.ts';
import type { StorageLog, Trx } from './storage.ts';

/*
 * A control plane's hold on its database: while it has it no restore runs, and what it reads and writes is the database it started on.
 *
 * PostgreSQL. Every connection that may write takes a shared advisory lock of its own before its first query, and one more connection
 * keeps the lock while the pool is empty. The server takes a lock back with its connection; so nothing can be written without it,
 * whatever this process has noticed. In the session that has just locked, the generation of the database is read, which a restore makes
 * anew: another one than at the start ends the process. What is restored by other means (pg_restore, a backup of the server's files brought
 * to some point in time) has the old generation: there the row is another one, or the server's transactions count from where they had been.
 *
 * SQLite. The lock is on a file of the data folder (folder-hold.ts), which somebody can delete. So each transaction that writes reads
 * the generation once it has the write lock, and looks whether the open file still stands under its name.
 */

/** Any constant; the schema is the lock's other half. */
const lockKey = 4_178_002;
const reconnectMs = 1_000;
/** How soon an idle process notices. */
const lookMs = 1_000;
const readGeneration = 'select generation from database_generation where singleton = 1';
/** Raw xmin and table stay through VACUUM, ANALYZE and restarts of the server; the counter only rises in one history. */
const readHistory = `select concat_ws(' ', generation, xmin, tableoid, (select oid from pg_database where datname = current_database()))
  as generation, txid_snapshot_xmax(txid_current_snapshot())::text as transactions from database_generation where singleton = 1`;

/** What a hold tells, once: the process must end, since everything it knows is of another database. */
export interface HoldOptions {
  readonly onLost: (fault: Fault) => void;
}

/** Compares what is there with what was there at the start. */
class Generation {
  readonly #onLost: (fault: Fault) => void;
  #known: string | undefined;
  #lost: Fault | undefined;

  constructor({ onLost }: HoldOptions) {
    this.#onLost = onLost;
  }

  /** False before the schema is settled: until then nothing was read that could be wrong. */
  get isKnown(): boolean {
    return this.#known !== undefined;
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  know(found: string | undefined): void {
    this.#known = found ?? '';
  }

  /** Throws storage.replaced, and does so for ever once it did. */
  require(found: string | undefined): void {
    this.refuseLost();
    if (found !== this.#known) this.lose('It bears another generation than at the start of this process.');
  }

  refuseLost(): void {
    if (this.#lost !== undefined) throw this.#lost;
  }

  lose(internal: string): never {
    this.#lost = new Fault('storage.replaced', { internal });
    this.#onLost(this.#lost);
    throw this.#lost;
  }
}

/** The hold on a PostgreSQL database. */
export class PostgresHold {
  readonly #generation: Generation;
  readonly #url: string;
  readonly #absence: ReturnType<typeof createAbsence>;
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looks: NodeJS.Timeout | undefined;
  /** What the server has counted to, as seen last. */
  #transactions = 0n;
  #isClosed = false;

  constructor(url: string, log: StorageLog, options: HoldOptions) {
    this.#url = url;
    this.#absence = createAbsence(log, {
      away: 'the database is not held; it is tried again',
      back: 'the database is held again; it is the same',
    });
    this.#generation = new Generation(options);
  }

  /** Takes the lock for a connection of the pool before anybody gets it. Errors: storage.unavailable while a restore runs, storage.replaced. */
  readonly prove = async (client: pg.ClientBase): Promise<void> => {
    this.#generation.refuseLost();
    const { rows } = await client.query<{ isHeld: boolean }>(
      `select pg_try_advisory_lock_shared(${lockKey}, hashtext(current_schema())) as "isHeld"`,
    );
    if (rows[0]?.isHeld !== true)
      throw new Fault('storage.unavailable', {
        internal: 'a restore holds the database',
        hint: 'Wait for isthmus restore to end.',
      });
    await this.#compare(client);
  };

  /** Takes the lock on a connection of its own and keeps it; who comes while a restore runs waits for its end, the bound of a statement. */
  async take(): Promise<void> {
    await this.#connect();
  }

  /** After migrating: from here on another generation is another database. */
  async know(): Promise<void> {
    const client = this.#client;
    if (client === undefined) throw new Fault('storage.unavailable', { internal: 'the hold broke at once' });
    try {
      const { generation, transactions } = await historyOf(client);
      this.#transactions = transactions;
      this.#generation.know(generation);
    } catch (error) {
      throw translate(error);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#looks);
    await this.#client?.end().catch(() => undefined);
  }

  async #connect(): Promise<void> {
    const next = new pg.Client({
      connectionString: this.#url,
      keepAlive: true,
      connectionTimeoutMillis: postgresBounds.connectMsMax,
      statement_timeout: postgresBounds.statementMsMax,
      application_name: 'isthmus control-plane',
    });
    this.#client = next;
    next.on('error', this.#absence.away);
    next.on('end', () => this.#again());
    try {
      await next.connect();
      await next.query(`select pg_advisory_lock_shared(${lockKey}, hashtext(current_schema()))`);
      await this.#compare(next);
      // So that little is forgotten of how far this history had come.
      clearInterval(this.#looks);
      this.#looks = setInterval(() => void this.#compare(next).catch(() => undefined), lookMs);
      this.#looks.unref();
    } catch (error) {
      await next.end().catch(() => undefined);
      this.#again();
      throw translate(error);
    }
  }

  #again(): void {
    if (this.#isClosed || this.#generation.isLost || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#connect().then(
        () => this.#absence.back(),
        (error: unknown) => this.#absence.away(error),
      );
    }, reconnectMs);
    this.#timer.unref();
  }

  /** In the session that has the lock: what it finds stays so until it ends. */
  async #compare(client: pg.ClientBase): Promise<void> {
    this.#generation.refuseLost();
    if (!this.#generation.isKnown) return;
    // Sessions ask at the same time: another answer may overtake this one, and then says more.
    const seen = this.#transactions;
    const { generation, transactions } = await historyOf(client);
    this.#generation.require(generation);
    if (transactions < seen)
      this.#generation.lose(
        'It was brought back to a point in time before what this process has seen of it.',
      );
    if (transactions > this.#transactions) this.#transactions = transactions;
  }
}

/** Without a generation where there is no such table: it is some other database. */
async function historyOf(
  client: pg.ClientBase,
): Promise<{ readonly generation: string | undefined; readonly transactions: bigint }> {
  try {
    const { rows } = await client.query<{ generation: string; transactions: string }>(readHistory);
    return { generation: rows[0]?.generation, transactions: BigInt(rows[0]?.transactions ?? 0) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === '42P01')
      return { generation: undefined, transactions: 0n };
    throw error;
  }
}

/** The hold on an SQLite file, beside the one on its folder. */
export class SqliteHold {
  readonly #generation: Generation;
  readonly #database: Sqlite;
  readonly #inode: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(database: Sqlite, options: HoldOptions) {
    this.#database = database;
    this.#inode = statSync(database.name).ino;
    this.#generation = new Generation(options);
  }

  /** With the write lock taken: what it finds stays so until that is given back. Errors: storage.replaced. */
  readonly prove = (): void => {
    if (!this.#generation.isKnown) return;
    this.#generation.refuseLost();
    if (statSync(this.#database.name, { throwIfNoEntry: false })?.ino !== this.#inode)
      this.#generation.lose(`The file ${this.#database.name} was deleted or replaced.`);
    this.#generation.require(this.#read());
  };

  know(): void {
    this.#generation.know(this.#read());
    this.#timer = setInterval(() => {
      try {
        this.prove();
      } catch {
        // Told to whoever opened it, or busy with a restore: the next look tells.
      }
    }, lookMs);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #read(): string | undefined {
    const row = this.#database.prepare(readGeneration).get() as { generation: string } | undefined;
    return row?.generation;
  }
}

/**
 * Keeps control planes away until the transaction ends.
 *
 * Errors: storage.in_use when one runs. On SQLite the hold on the data folder keeps them away.
 */
export async function requireAbsence(trx: Trx, dialect: DialectName): Promise<void> {
  if (dialect !== 'postgres') return;
  const { rows } = await sql<{ isAlone: boolean }>`
    select pg_try_advisory_xact_lock(${lockKey}, hashtext(current_schema())) as "isAlone"`.execute(trx);
  if (rows[0]?.isAlone !== true) throw new Fault('storage.in_use');
}
