import type { Clock } from '../../proto/process/clock.ts';
import type { LdapConnection } from './connection.ts';

/** What a connection is for: to search as the directory's own user, or to try the passwords of others, after which it is theirs. */
export type LdapRole = 'search' | 'try';

/** What makes a pool. */
export interface LdapPoolOptions {
  /** Opens one, ready for its role. Errors: what it failed by. */
  readonly open: (role: LdapRole, signal: AbortSignal) => Promise<LdapConnection>;
  /** So many stay open when nobody uses them. */
  readonly connectionsMin: number;
  /** So many are open, or being opened, at a time. */
  readonly connectionsMax: number;
  readonly clock: Clock;
}

/** Most callers that wait for a connection. */
const waitingMax = 1_000;
/** How long one that is more than the least waits for its next use. */
const idleMsMax = 60_000;

interface Idle {
  readonly role: LdapRole;
  readonly connection: LdapConnection;
  readonly sinceMs: number;
}

/** Connections of one directory, opened when they are first needed. */
export class LdapPool {
  readonly #options: LdapPoolOptions;
  /** The one that was used last stands last. */
  #idle: Idle[] = [];
  #waiting: (() => void)[] = [];
  /** Connections in use, each with what ends it. */
  readonly #used = new Set<AbortController>();
  #sweep: (() => void) | undefined;
  #isClosed = false;

  constructor(options: LdapPoolOptions) {
    this.#options = options;
  }

  get idleConnections(): number {
    return this.#idle.length;
  }

  /**
   * Works with a connection, once more with a new one where an older one turns out to be gone. Who aborts ends the connection.
   *
   * Errors: what the work failed by, more than 1,000 callers who wait, the signal's reason.
   */
  async use<T>(
    role: LdapRole,
    signal: AbortSignal,
    work: (connection: LdapConnection) => Promise<T>,
  ): Promise<T> {
    const ending = await this.#turn(signal);
    const both = AbortSignal.any([signal, ending.signal]);
    try {
      const kept = this.#take(role);
      try {
        return await this.#with(role, both, { work, connection: kept ?? (await this.#open(role, both)) });
      } catch (error) {
        // A server may have closed it while nobody used it. Both searching and proving who one is may be said again.
        if (kept?.isLost !== true || both.aborted) throw error;
        return await this.#with(role, both, { work, connection: await this.#open(role, both) });
      }
    } finally {
      this.#used.delete(ending);
      this.#waiting.shift()?.();
    }
  }

  /** Ends all, also those in use. */
  close(): void {
    this.#isClosed = true;
    this.#sweep?.();
    for (const { connection } of this.#idle) connection.leave(closed);
    this.#idle = [];
    for (const ending of this.#used) ending.abort(closed);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Waits for a place among those in use and takes it. */
  async #turn(signal: AbortSignal): Promise<AbortController> {
    signal.throwIfAborted();
    while (!this.#isClosed && this.#used.size >= this.#options.connectionsMax) {
      if (this.#waiting.length >= waitingMax) throw new Error('too many callers wait for it');
      const turn = Promise.withResolvers<void>();
      const onAbort = (): void => {
        this.#waiting = this.#waiting.filter((each) => each !== turn.resolve);
        turn.reject(signal.reason);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(turn.resolve);
      await turn.promise.finally(() => signal.removeEventListener('abort', onAbort));
    }
    if (this.#isClosed) throw closed;
    const ending = new AbortController();
    this.#used.add(ending);
    return ending;
  }

  #take(role: LdapRole): LdapConnection | undefined {
    const at = this.#idle.findLastIndex((idle) => idle.role === role);
    const [found] = at < 0 ? [] : this.#idle.splice(at, 1);
    return found?.connection;
  }

  async #open(role: LdapRole, signal: AbortSignal): Promise<LdapConnection> {
    // Those of the other role make room.
    while (this.#idle.length > 0 && this.#used.size + this.#idle.length > this.#options.connectionsMax)
      this.#idle.shift()?.connection.leave(closed);
    return this.#options.open(role, signal);
  }

  async #with<T>(
    role: LdapRole,
    signal: AbortSignal,
    {
      work,
      connection,
    }: { readonly work: (connection: LdapConnection) => Promise<T>; readonly connection: LdapConnection },
  ): Promise<T> {
    const onAbort = (): void => connection.leave(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (signal.aborted) onAbort();
      const result = await work(connection);
      this.#keep(role, connection);
      return result;
    } catch (error) {
      connection.leave(error);
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #keep(role: LdapRole, connection: LdapConnection): void {
    if (!connection.isOpen) return;
    if (this.#isClosed) return connection.leave(closed);
    connection.rest();
    const idle = { role, connection, sinceMs: this.#options.clock.monotonicMs() };
    this.#idle.push(idle);
    connection.onGone = () => (this.#idle = this.#idle.filter((each) => each !== idle));
    this.#sweep ??= this.#options.clock.after(idleMsMax, () => this.#endIdle());
  }

  #endIdle(): void {
    this.#sweep = undefined;
    const { clock, connectionsMin } = this.#options;
    const oldestMs = clock.monotonicMs() - idleMsMax;
    while (this.#idle.length > connectionsMin && (this.#idle[0]?.sinceMs ?? Infinity) <= oldestMs)
      this.#idle.shift()?.connection.leave(closed);
    if (this.#idle.length > connectionsMin) this.#sweep = clock.after(idleMsMax, () => this.#endIdle());
  }
}

const closed = new Error('is closed');
