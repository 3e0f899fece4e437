import pg from 'pg';
import { sql } from 'kysely';
import { Fault } from '../../proto/faults/fault.ts';
import type { Lifecycle } from '../../proto/process/lifecycle.ts';
import { translate } from './faults.ts';
import type { DialectName } from './migrations/migration.ts';
import { postgresBounds } from './postgres.ts';
import type { StorageLog, Trx } from './storage.ts';

/** Any constant; the schema is the lock's other half. */
const presenceLock = 4_178_002;
const reconnectMs = 1_000;

/** What {@link keepPresence} needs. */
export interface PresenceOptions {
  /** Undefined: SQLite, where the hold on the data folder says the same. */
  readonly url: string | undefined;
  readonly log: StorageLog;
  readonly lifecycle: Pick<Lifecycle, 'onClose'>;
}

/**
 * Says in the database that a control plane runs on it, until the life-cycle closes: a shared advisory lock on a connection of its own,
 * which PostgreSQL takes back when the process is gone. Whoever starts while a restore runs waits for its end, the bound of a statement.
 *
 * Errors: storage.unavailable.
 */
export async function keepPresence({ url, log, lifecycle }: PresenceOptions): Promise<void> {
  if (url === undefined || !/^postgres(ql)?:/.test(url)) return;
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const again = (): void => {
    if (isClosed || timer !== undefined) return;
    timer = setTimeout(() => {
      timer = undefined;
      connect().catch((error: unknown) =>
        log.warn({ err: error }, 'the database was told of no control plane'),
      );
    }, reconnectMs);
    timer.unref();
  };
  const connect = async (): Promise<void> => {
    const next = new pg.Client({
      connectionString: url,
      keepAlive: true,
      connectionTimeoutMillis: postgresBounds.connectMsMax,
      statement_timeout: postgresBounds.statementMsMax,
      application_name: 'isthmus control-plane',
    });
    client = next;
    next.on('error', (error) => log.warn({ err: error }, 'the connection that holds the database broke'));
    next.on('end', again);
    try {
      await next.connect();
      await next.query(`select pg_advisory_lock_shared(${presenceLock}, hashtext(current_schema()))`);
    } catch (error) {
      await next.end().catch(() => undefined);
      again();
      throw translate(error);
    }
  };
  lifecycle.onClose('presence in the database', async () => {
    isClosed = true;
    clearTimeout(timer);
    await client?.end().catch(() => undefined);
  });
  await connect();
}

/**
 * Keeps control planes away until the transaction ends.
 *
 * Errors: storage.in_use when one runs. On SQLite the hold on the data folder keeps them away.
 */
export async function requireAbsence(trx: Trx, dialect: DialectName): Promise<void> {
  if (dialect !== 'postgres') return;
  const { rows } = await sql<{ isAlone: boolean }>`
    select pg_try_advisory_xact_lock(${presenceLock}, hashtext(current_schema())) as "isAlone"`.execute(trx);
  if (rows[0]?.isAlone !== true) throw new Fault('storage.in_use');
}
