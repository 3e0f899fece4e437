import pg from 'pg';
import {
  PostgresDialect,
  PostgresDriver,
  type DatabaseConnection,
  type Driver,
  type PostgresDialectConfig,
} from 'kysely';
import { Fault } from '../../proto/faults/fault.ts';
import { translate, translating } from './faults.ts';
import type { PostgresHold } from './hold.ts';
import { Subscriptions, type Notifier } from './notifier.ts';
import type { StorageLog } from './storage.ts';

/** The bounds of a PostgreSQL pool, each with its unit. */
export interface PostgresBounds {
  readonly connectionsMax: number;
  readonly connectMsMax: number;
  readonly statementMsMax: number;
  /** Of a statement that moves the schema: an index over a million rows takes seconds, over what others have minutes, and another control plane waits for its end. */
  readonly migrationStatementMsMax: number;
  readonly idleInTransactionMsMax: number;
}

/** What a control plane uses unless told otherwise. */
export const postgresBounds: PostgresBounds = {
  connectionsMax: 10,
  connectMsMax: 5_000,
  statementMsMax: 30_000,
  migrationStatementMsMax: 3_600_000,
  idleInTransactionMsMax: 60_000,
};

const channel = 'isthmus';
const reconnectMsMin = 200;
const reconnectMsMax = 5_000;
/** Connections that break within this time break of the same cause. */
const breaksMs = 100;

/** Times and counters are int8, and sums of them numeric; all of ours fit a double (2^53). */
const numbersAsNumbers: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.INT8 || oid === pg.types.builtins.NUMERIC
      ? Number
      : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/** A bounded pool; `prove` is what each connection has to pass before somebody gets it. */
export function createPool(
  url: string,
  bounds: PostgresBounds,
  { log, prove }: { readonly log: StorageLog; readonly prove: PostgresHold['prove'] | undefined },
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: bounds.connectionsMax,
    connectionTimeoutMillis: bounds.connectMsMax,
    statement_timeout: bounds.statementMsMax,
    idle_in_transaction_session_timeout: bounds.idleInTransactionMsMax,
    // The server's own timeout answers first; this one is for a server that is gone without a word.
    query_timeout: bounds.statementMsMax + 5_000,
    keepAlive: true,
    application_name: 'isthmus',
    types: numbersAsNumbers,
    // Of a new connection; the pool closes one that fails, and gives the reason to who asked.
    ...(prove === undefined ? {} : { verify: (client, done) => void told(prove(client), done) }),
  });
  // The pool replaces a broken connection. Without listeners its error would end the process: the pool's own event is
  // for idle connections, the client's for one that breaks while somebody holds it (whose query rejects as well).
  const tell = createBreaks(log);
  pool.on('error', (error, client) => tell(client, error));
  pool.on('connect', (client) => client.on('error', (error) => tell(client, error)));
  return pool;
}

/** A server that stops breaks every connection in the same moment: told as one, with how many. */
function createBreaks(log: StorageLog): (client: object, error: Error) => void {
  let broken = new Set<object>();
  return (client, error) => {
    broken.add(client);
    if (broken.size > 1) return;
    const timer = setTimeout(() => {
      const facts = { connections: broken.size, why: error.message };
      broken = new Set();
      log.warn(facts, 'connections to the database broke; others are opened when they are needed');
    }, breaksMs);
    timer.unref();
  };
}

async function told(work: Promise<void>, done: (error?: Error) => void): Promise<void> {
  let failure: Error | undefined;
  try {
    await work;
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
  }
  done(failure);
}

/** Kysely's dialect with errors translated at its door. */
export class TranslatingPostgresDialect extends PostgresDialect {
  readonly #config: PostgresDialectConfig;

  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): Driver {
    return new TranslatingPostgresDriver(this.#config);
  }
}

class TranslatingPostgresDriver extends PostgresDriver {
  override async acquireConnection(): Promise<DatabaseConnection> {
    try {
      return translating(await super.acquireConnection());
    } catch (error) {
      throw translate(error);
    }
  }
}

/** Says once that something is away, however often it is tried again, and once that it is back and after how long. */
export function createAbsence(
  log: StorageLog,
  words: { readonly away: string; readonly back: string },
): { away(this: void, error: unknown): void; back(this: void): void } {
  let sinceMs: number | undefined;
  return {
    away(error) {
      if (sinceMs !== undefined) return;
      sinceMs = performance.now();
      const why = error instanceof Fault ? (error.internal ?? error.detail) : String(error);
      log.warn({ why }, words.away);
    },
    back() {
      if (sinceMs === undefined) return;
      log.info({ awayMs: Math.round(performance.now() - sinceMs) }, words.back);
      sinceMs = undefined;
    },
  };
}

/** LISTEN on a connection of its own, opened with the first subscription and reopened with back-off when it breaks. */
export function createPostgresNotifier(url: string, pool: pg.Pool, log: StorageLog): Notifier {
  const subscriptions = new Subscriptions();
  let client: pg.Client | undefined;
  let isClosed = false;
  let isStarted = false;
  let reconnectMs = reconnectMsMin;
  let timer: NodeJS.Timeout | undefined;
  const absence = createAbsence(log, {
    away: 'hints from the database are away; polling goes on',
    back: 'hints from the database are back',
  });
  const reconnectLater = (): void => {
    if (isClosed || timer !== undefined) return;
    timer = setTimeout(() => ((timer = undefined), void connect()), reconnectMs * (0.5 + Math.random() / 2));
    timer.unref();
    reconnectMs = Math.min(reconnectMs * 2, reconnectMsMax);
  };
  const connect = async (): Promise<void> => {
    const next = new pg.Client({
      connectionString: url,
      keepAlive: true,
      connectionTimeoutMillis: postgresBounds.connectMsMax,
      application_name: 'isthmus-listen',
    });
    client = next;
    next.on('error', absence.away);
    next.on('end', reconnectLater);
    next.on('notification', ({ payload = '' }) => {
      const end = payload.indexOf(' ');
      subscriptions.call(payload.slice(0, end), payload.slice(end + 1));
    });
    try {
      await next.connect();
      await next.query(`LISTEN ${channel}`);
      reconnectMs = reconnectMsMin;
      absence.back();
      subscriptions.callAll('');
    } catch (error) {
      if (!isClosed) absence.away(error);
      await next.end().catch(() => undefined);
      reconnectLater();
    }
  };

  return {
    async notify(topic, payload) {
      try {
        await pool.query('select pg_notify($1, $2)', [channel, `${topic} ${payload}`]);
      } catch (error) {
        log.warn({ err: error }, 'a hint was not sent; readers notice when they poll');
      }
    },
    subscribe(topic, callback) {
      if (!isStarted) {
        isStarted = true;
        void connect();
      }
      return subscriptions.add(topic, callback);
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await client?.end().catch(() => undefined);
    },
  };
}
