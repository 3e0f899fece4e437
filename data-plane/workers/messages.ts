import type { LogLevel } from '../../proto/process/log.ts';
import type { MetricsSnapshot } from '../../proto/process/metrics.ts';
import type { Nack } from '../../proto/wire/published.ts';
import type { RemovedRecord, SetRecord } from '../gateway/deploy/change.ts';
import type { ToldEndpoints } from '../endpoints/discovery/board.ts';
import type { ToldState } from '../endpoints/health/board.ts';
import type { Take } from '../limits/by-turn.ts';
import type { TlsOptions } from '../../proto/process/listening/tls.ts';
import type { ReporterHealth } from '../report/reporter.ts';
import type { ServingConfig } from '../serving.ts';

/** A piece of a change: large ones travel in several, and count only when the last has come. */
export interface ChangePart {
  /** The same for all pieces of one change. */
  readonly change: number;
  readonly organization: string;
  readonly environment: string;
  readonly seq: number;
  readonly isFull: boolean;
  readonly set: readonly SetRecord[];
  readonly removed: readonly RemovedRecord[];
  readonly isLast: boolean;
}

/** What a worker is started with. */
export interface WorkerStart {
  readonly config: ServingConfig;
  /** Id of this gateway, on every access record. */
  readonly gateway: string;
  /** What names in `Via` are made from: a request that comes back may meet another worker. */
  /** This program's. */
  readonly version: string;
  readonly hopSecret: string;
  readonly logLevel: LogLevel;
  /** Of each server that speaks TLS, by its id. */
  readonly tls: ReadonlyMap<string, TlsOptions>;
  /** How many there are. */
  readonly workers: number;
  /** Ports of the primary where no definition may lead. */
  readonly doors: readonly number[];
}

/** What the primary knows of endpoints. */
export interface KnownEndpoints {
  /** Those that it found, by group. */
  readonly found: readonly ToldEndpoints[];
  /** How those are that it checks: all that are not simply up, or one that is in a new state. */
  readonly health: readonly ToldState[];
}

/** From the primary. Messages of one worker arrive in the order in which they were sent. */
export type ToWorker =
  | ({ readonly kind: 'start' } & WorkerStart)
  | ({ readonly kind: 'change' } & ChangePart)
  /** The listening handle of a server comes with it; with that of the last one requests are taken. */
  | { readonly kind: 'listen'; readonly server: string; readonly isLast: boolean }
  | { readonly kind: 'tls'; readonly server: string; readonly tls: TlsOptions }
  | { readonly kind: 'logLevel'; readonly level: LogLevel }
  /** One more port of the primary where no definition may lead. */
  | { readonly kind: 'door'; readonly port: number }
  /** Read again what the operator may have changed, as a process alone does at a SIGHUP. */
  | { readonly kind: 'reload' }
  | { readonly kind: 'stats' }
  | ({ readonly kind: 'endpoints' } & KnownEndpoints)
  | TakenMessage
  /** Answer what runs, to the configured deadline, and end. */
  | { readonly kind: 'drain' };

/** What the requests of one turn take from counters that the primary keeps. */
export interface TakeMessage {
  readonly kind: 'take';
  readonly batch: number;
  readonly takes: readonly Take[];
}

/** The counts of a batch, in the order of its takes. */
export interface TakenMessage {
  readonly kind: 'taken';
  readonly batch: number;
  readonly counts: readonly number[];
  /** Ms since the epoch. */
  readonly resetsAtMs: readonly number[];
}

/** How a worker is, said every second and when it ends. */
export interface WorkerStats {
  readonly connections: number;
  /** Figures for the heartbeat, since its start. */
  readonly counters: Readonly<Record<string, number>>;
  readonly spool: ReporterHealth | undefined;
  readonly metrics: MetricsSnapshot;
}

/** From a worker. */
export type FromWorker =
  /** Spool and pools are open. */
  | { readonly kind: 'ready' }
  /** A change is in service, but for what it refused. */
  | { readonly kind: 'applied'; readonly change: number; readonly nacks: readonly Nack[] }
  /** What it compiled for a first request was refused although it had been taken before. */
  | { readonly kind: 'refusedLate'; readonly environment: string; readonly nack: Nack }
  | { readonly kind: 'listening' }
  /** Handshakes from now on use the new certificates; with a problem the old ones. */
  | { readonly kind: 'tls'; readonly server: string; readonly problem: string | undefined }
  /** Whether something was taken over; what cannot be read it has logged itself. */
  | { readonly kind: 'reload'; readonly isTaken: boolean }
  | { readonly kind: 'stats'; readonly stats: WorkerStats }
  | TakeMessage
  /** It cannot start; it ends by itself. */
  | { readonly kind: 'failed'; readonly code: string | undefined; readonly message: string }
  /** Drained and closed; its last words. */
  | { readonly kind: 'drained'; readonly stats: WorkerStats };
