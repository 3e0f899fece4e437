import { Fault } from '../../../../proto/faults/fault.ts';
import { plainJson } from '../../../../proto/process/json-text.ts';
import type { Log } from '../../../../proto/process/log.ts';
import type { Nack, RecordKind } from '../../../../proto/wire/published.ts';
import type { CompiledApi } from '../../compile/compile.ts';
import type { RecordTarget } from '../../call/records.ts';
import type { CompileOptions } from '../../compile/compile.ts';
import type { DiscoveryBoard } from '../../../endpoints/discovery/board.ts';
import type { HealthBoard } from '../../../endpoints/health/board.ts';
import type { Upstreams } from '../../../endpoints/upstreams.ts';
import type { SetRecord } from '../change.ts';
import type { DeployedApi } from '../deployed.ts';
import type { Durations } from '../durations.ts';
import type { Routers } from '../match.ts';
import type { Places } from '../places.ts';
import type { ServedEnvironment } from '../served.ts';

/**
 * How records of one kind come into service.
 *
 * A change is taken kind by kind, in the order of the wire's list, so that what definitions are made of is there before them. Of each
 * kind all records are read, then what they and those that left held is given up, then they are taken in; nothing but `read` refuses by a throw.
 */
export interface Kind<Content = unknown> {
  /**
   * Makes of a record what will serve, aside. Pure: nothing is in service yet and nothing is open.
   *
   * Errors: a Fault refuses the record; anything else is a bug, and refuses it too.
   */
  read(record: SetRecord, site: Site): Content;
  /** Gives up what the record's predecessor holds and others of the same change may take. */
  withdraw?(id: string, site: Site): void;
  /** Takes the record into service. Returns why not, when it does not start or has no place; then its predecessor stays. */
  apply(record: SetRecord, content: Content, site: Site): Nack | undefined;
  /** What could not be read is refused: its predecessor stays. Absent where nothing has to be done for that. */
  refuse?(record: SetRecord, nack: Nack, site: Site): void;
  remove(id: string, site: Site): void;
  /** What is in service. */
  ids(environment: ServedEnvironment): Iterable<string>;
  /** Says what depends on the record as it is in service, before the change. Its cost must not grow with what does not. */
  reach(id: string, environment: ServedEnvironment, reached: Reached): void;
}

/** The kinds of this version; one that it does not run is undefined, and its records are refused. */
export type Kinds = { readonly [Id in RecordKind]: Kind | undefined };

/** What a change concerns beside its own records. */
export interface Reached {
  /** APIs that are made of what changes: they are built again, and no others. */
  readonly builds: Set<string>;
  /** APIs and subscriptions whose flowing answers are judged again. */
  readonly apis: Set<string>;
  readonly subscriptions: Set<string>;
}

/** Where the records of one change come into service. */
export interface Site {
  readonly environment: ServedEnvironment;
  /** APIs to be built again although their records are as they were. */
  readonly builds: ReadonlySet<string>;
  readonly places: Places;
  /** Ids of the servers of this gateway. */
  readonly servers: readonly string[];
  /** Undefined until the environment is served. */
  readonly routers: Routers<DeployedApi> | undefined;
  readonly compile: CompileOptions;
  /** Where the backends' pools come from; undefined where nothing is served and nothing starts. */
  readonly upstreams: Upstreams | undefined;
  /** How endpoints are that have a health check; undefined takes all for up. */
  readonly health: HealthBoard | undefined;
  /** Which endpoints are found; undefined none. */
  readonly discovery: DiscoveryBoard | undefined;
  /** Undefined records nothing. */
  readonly records: RecordTarget | undefined;
  /** Undefined measures nothing. */
  readonly durations: Durations | undefined;
  readonly log: Log;
  /** What nobody uses once the change is in service; it is released then. */
  readonly released: Pick<CompiledApi, 'release'>[];
}

/** The object that a record's text is. Errors: request.invalid. */
export function jsonObject(text: string): object {
  let json: unknown;
  try {
    json = plainJson(text);
  } catch (cause) {
    throw new Fault('request.invalid', { detail: 'The definition is not JSON.', cause });
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new Fault('request.invalid', { detail: 'The definition is no JSON object.' });
  return json;
}
