import type { FoundState } from '../endpoints/discovery/open.ts';
import type { EndpointState } from '../endpoints/health/shown.ts';
import type { DeployedEnvironment } from '../gateway/deploy/deployments.ts';
import type { SyncState } from '../sync/state.ts';
import type { ServerState } from '../servers/settings.ts';
import type { ReporterHealth } from '../report/reporter.ts';

/** How configuration arrives: from a bridge, or from a folder. */
export interface SourceState {
  readonly kind: 'bridge' | 'local';
  /** Everything proven is applied or refused with a reason. */
  readonly isComplete: boolean;
  readonly environments: readonly {
    readonly environment: string;
    readonly epoch?: number;
    readonly seq: number;
    /** How old the served configuration is; undefined when unknown. */
    readonly ageMs: number | undefined;
    readonly isComplete: boolean;
    readonly isHeadExpired?: boolean;
  }[];
  /** Files of local mode that are not in service as they stand. */
  readonly problems: readonly { readonly file: string; readonly reason: string }[];
  /** Everything else that synchronisation says of itself. */
  readonly sync?: (object & Pick<SyncState, 'trouble'>) | undefined;
  /** The last good configuration on disk; undefined in local mode. */
  readonly store?: { readonly mode: string; readonly problem: unknown } | undefined;
}

/** One process that takes requests. */
export interface WorkerState {
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
  /** starting: takes no connections yet. draining: takes no new ones. */
  readonly state: 'starting' | 'serving' | 'draining';
  /** The configuration that it serves, by environment. */
  readonly seqs: Readonly<Record<string, number>>;
  /** Open client connections, about a second ago. */
  readonly connections: number;
}

/** The processes of a gateway with workers. */
export interface WorkersState {
  readonly wanted: number;
  readonly serving: number;
  readonly isReplacing: boolean;
  /** Workers that ended without being asked to, since the start. */
  readonly lost: number;
  readonly processes: readonly WorkerState[];
}

/** What the node API shows; it holds no secret: no key, no hash, no endpoint credential. */
export interface NodeState {
  /** False once the gateway has begun to stop. */
  readonly isOpen: boolean;
  /** Why the certificates in the listener's files are not in use; undefined when they are. */
  readonly certificates: string | undefined;
  readonly source: SourceState;
  readonly deployed: readonly DeployedEnvironment[];
  /** Endpoints that have a health check. */
  readonly endpoints: readonly EndpointState[];
  /** Groups whose endpoints are found. */
  readonly discovered: readonly FoundState[];
  /** Undefined when no access records are written. */
  readonly spool: ReporterHealth | undefined;
  readonly servers: readonly ServerState[];
  /** Undefined when this process serves alone. */
  readonly workers: WorkersState | undefined;
}
