import type { DeployedApi } from '../deploy/deployed.ts';
import type { Match } from '../deploy/match.ts';
import type { Deadlines } from './deadlines.ts';
import type { Forwarding } from './forwarded.ts';
import type { Hops } from './hops.ts';
import type { Trails } from '../explain/trails.ts';
import type { LogHost } from '../logs/call-log.ts';
import type { Streams } from '../streams/streams.ts';
import type { BackendTeller } from '../errors/backends.ts';
import type { ThrownWhere } from '../errors/thrown.ts';
import type { TellWarning } from '../errors/warned.ts';

/** What requests need of their surroundings. */
export interface CallOptions {
  /** Finds the API; see Deployments. */
  readonly match: (host: string, path: string) => Match<DeployedApi> | undefined;
  readonly nextRequestId: () => string;
  readonly hops: Hops;
  readonly deadlines: Deadlines;
  readonly forwarding: Forwarding;
  /** Bound of a body that a policy reads whole. */
  readonly bodyBytesMax: number;
  /** Follows what may flow for longer than a request takes. */
  readonly streams: Streams;
  /** Hears what threw although nothing should; once per throw. */
  readonly onThrown: (error: unknown, where: ThrownWhere) => void;
  /** Hears what was not done as a definition says. */
  readonly onWarning: TellWarning;
  /** Hears how backends answer. */
  readonly backends: BackendTeller;
  /** What logs of calls share. */
  readonly logs: LogHost;
  /** Who notes when steps end; undefined where nobody does. */
  readonly trails: Trails | undefined;
  /** Counts answers. */
  readonly onAnswer: ((status: number) => void) | undefined;
}
