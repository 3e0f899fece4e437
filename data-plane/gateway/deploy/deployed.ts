import type { Surroundings } from '../../../proto/expression/scope.ts';
import type { CompiledApi } from '../compile/compile.ts';
import type { ServedEnvironment } from './served.ts';
import type { Recorders } from '../call/records.ts';
import type { Subscriptions } from '../../security/subscriptions.ts';
import type { ApiDurations } from './durations.ts';

/** One API in service, at one revision. */
export interface DeployedApi {
  readonly id: string;
  readonly name: string;
  readonly organization: string;
  readonly environment: string;
  /** As the publisher calls it. */
  readonly revision: string;
  readonly seq: number;
  /** See {@link SetRecord}. */
  readonly file: string | undefined;
  /** It was judged by an earlier start and is compiled for the first request that finds it. */
  readonly isWaiting: boolean;
  /** Undefined while it waits, and when it never compiled: its paths answer 503. */
  readonly compiled: CompiledApi | undefined;
  /** What its expressions read beside the request; undefined with `compiled`. */
  readonly surroundings: Surroundings | undefined;
  readonly subscriptions: Subscriptions;
  /** What it shares with the others of its environment, as it is now. */
  readonly around: Pick<ServedEnvironment, 'organizationFlows'>;
  /** Undefined when nothing is recorded. */
  readonly recorders: Recorders | undefined;
  /** Undefined where nobody measures. */
  readonly durations: ApiDurations | undefined;
}
