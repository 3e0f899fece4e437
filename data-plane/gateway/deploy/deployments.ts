import type { Guard } from '../../../proto/process/outbound/guard.ts';
import type { Log } from '../../../proto/process/log.ts';
import type { Nack } from '../../../proto/wire/published.ts';
import type { DiscoveryBoard } from '../../endpoints/discovery/board.ts';
import type { HealthBoard } from '../../endpoints/health/board.ts';
import type { OutlierHost } from '../../endpoints/outliers.ts';
import type { Upstreams } from '../../endpoints/upstreams.ts';
import type { CounterStore } from '../../limits/limiter.ts';
import type { GatewaySecurity } from '../../security/security.ts';
import { onlyServer } from '../../servers/settings.ts';
import { Subscriptions } from '../../security/subscriptions.ts';
import type { RecordTarget } from '../call/records.ts';
import type { CompiledApi, HostParts } from '../compile/compile.ts';
import type { PolicyBuilder } from '../compile/step.ts';
import { SharedGroups } from '../compile/shared-groups.ts';
import { anywhere } from '../compile/standing.ts';
import type { ExpressionHost } from '../compile/surroundings.ts';
import type { CircuitBoard } from '../steps/circuits.ts';
import type { TellThrown } from '../errors/thrown.ts';
import { judgeClaim } from '../streams/claims.ts';
import { Streams } from '../streams/streams.ts';
import { Admission } from './admission.ts';
import type {
  ApplyChange,
  ConfigChange,
  ConfirmChange,
  FreedRecords,
  HearRefusedLate,
  JudgedOf,
} from './change.ts';
import type { DeployedApi } from './deployed.ts';
import type { Durations } from './durations.ts';
import { Dictionaries } from './kinds/dictionary.ts';
import type { Kinds } from './kinds/kind.ts';
import { FirstUse } from './first-use.ts';
import type { Match, Routers } from './match.ts';
import { Places, placeText } from './places.ts';
import type { ServedEnvironment } from './served.ts';
import { buildWaiting, takeIn } from './take-in.ts';

/** What this gateway serves, and the way to change it. */
export interface Deployments {
  /** Takes a change into service whole; see {@link ApplyChange}. */
  readonly apply: ApplyChange;
  /** See {@link FreedRecords}. */
  readonly freed: FreedRecords;
  /** A new environment is served when its records have a place to go to; see {@link ConfirmChange}. */
  readonly confirm: ConfirmChange;
  readonly judged: JudgedOf;
  /** One hears it. */
  readonly onRefusedLate: (hear: HearRefusedLate) => void;
  /** Resolves when every environment that was applied is served. */
  settled(): Promise<void>;
  /** What finds the API of a request on one of the servers, and compiles one that waited for it. */
  readonly matchOn: (server: string) => (host: string, path: string) => Match<DeployedApi> | undefined;
  /** True once any configuration was applied. */
  readonly hasConfiguration: () => boolean;
  /** The environments that are served, in the order in which they came. */
  readonly environments: () => readonly DeployedTenant[];
  /** Whether a subscription in force, of any environment, has the certificate (SHA-256, 64 lower-case hex digits). */
  readonly trustsCertificate: (fingerprint: string) => boolean;
  /** What flows for longer than a request takes; it ends with the API, plan, subscription and key that let it in. */
  readonly streams: Streams;
  /** Per environment what is served and what is refused; for the node API. */
  state(): readonly DeployedEnvironment[];
  /** Gives back every pool. */
  close(): void;
}

/** Whose configuration is served. */
export interface DeployedTenant {
  readonly organization: string;
  readonly environment: string;
}

/** One environment as the node API shows it. */
export interface DeployedEnvironment {
  readonly organization: string;
  readonly environment: string;
  readonly seq: number;
  readonly apis: readonly DeployedState[];
  readonly subscriptions: number;
  readonly keys: number;
}

/** One API as the node API shows it. */
export interface DeployedState {
  readonly id: string;
  readonly name: string;
  /** What is in service; undefined when nothing ever was. */
  readonly revision: string | undefined;
  readonly seq: number | undefined;
  /** started: as published. outdated: a newer revision was refused. failed: it never compiled and answers 503. */
  readonly state: 'started' | 'outdated' | 'failed';
  readonly paths: readonly string[];
  /** Ids of the servers that take requests for it. */
  readonly servers: readonly string[];
  readonly nack: Nack | undefined;
}

/** What deployments need of their surroundings. */
export interface DeploymentsOptions {
  /** Undefined in a process that only judges: it compiles all, and starts nothing but health checks and discovery. */
  readonly upstreams: Upstreams | undefined;
  /** Which hosts endpoints may lead to. */
  readonly guard: Guard;
  readonly host: Omit<HostParts, 'counters' | 'tenant'> & { readonly counters: CounterStore };
  /** What the security of plans may use. */
  readonly security: GatewaySecurity;
  /** What expressions may read of the gateway. Default: nothing. */
  readonly expressions?: ExpressionHost | undefined;
  /** Undefined records nothing. */
  readonly records: RecordTarget | undefined;
  /** Undefined measures nothing. */
  readonly durations?: Durations | undefined;
  /** How endpoints are that have a health check; undefined takes all for up. */
  readonly health?: HealthBoard | undefined;
  /** Which endpoints are found beside those of definitions; undefined none. */
  readonly discovery?: DiscoveryBoard | undefined;
  /** When endpoints are taken out for what requests find there; undefined never. */
  readonly outliers?: OutlierHost | undefined;
  /** Undefined shows no circuits. */
  readonly circuits?: CircuitBoard | undefined;
  /** Ids of the servers of this gateway. Default: the one that has no other name. */
  readonly servers?: readonly string[] | undefined;
  readonly log: Log;
  /** Presented keys kept per environment, so that a known one is not hashed again. */
  readonly keysSeenMax: number;
  /** Longest life of a tunnel or an endless answer; 0 is no bound. */
  readonly streamMsMax: number;
  /** Hears what threw on the way of a request although nothing should. */
  readonly onThrown: TellThrown;
  /** Default: the catalogue's policies. */
  readonly build?: PolicyBuilder | undefined;
  /** Default: the kinds of this version. */
  readonly kinds?: Kinds | undefined;
}

/** Makes an empty set of deployments. */
export function createDeployments(options: DeploymentsOptions): Deployments {
  const environments = new Map<string, ServedEnvironment>();
  const places = new Places();
  const { servers = [onlyServer] } = options;
  const firstUse = new FirstUse(
    servers,
    ({ environment: name, id }) => {
      const environment = environments.get(name);
      if (environment === undefined) return undefined;
      return buildWaiting(new Set([id]), groundOf(environment, admission.isServed(name)), options);
    },
    options.log,
  );
  const { routers } = firstUse;
  const streams = streamsOf(options, routers, environments);
  const admission = new Admission(options.records, (name) => {
    for (const { served, places: own } of environments.get(name)?.apis.values() ?? [])
      for (const place of own) routers.set(place, served);
  });
  const groundOf = (environment: ServedEnvironment, isServed: boolean) => ({
    environment,
    places,
    servers,
    routers: isServed ? routers : undefined,
  });
  return {
    apply(change) {
      const before = environments.get(change.environment);
      const environment = before ?? createEnvironment(change, options.keysSeenMax);
      environments.set(change.environment, environment);
      const isServed = before !== undefined && admission.isServed(change.environment);
      const { nacks, reached, released } = takeIn(change, groundOf(environment, isServed), options);
      if (before === undefined) admission.take(change);
      streams.review(change.environment, change.isFull ? undefined : reached);
      // After the swap, so that no new request finds a pool that is closing.
      for (const compiled of released) release(compiled, options.log);
      for (const nack of nacks)
        options.log.warn(
          { environment: change.environment, ...fileOf(change, nack), ...nack },
          'a record was refused',
        );
      return nacks;
    },
    freed: () =>
      [...places.freed()].flatMap(({ owner, record }) => {
        const environment = environments.get(owner.environment);
        if (environment === undefined) return [];
        const { organization, environment: name, seq } = environment;
        return [{ organization, environment: name, seq, isFull: false, set: [record], removed: [] }];
      }),
    confirm: (environment) => admission.of(environment).then(() => []),
    settled: () => admission.all(),
    judged(environment, { id, seq }) {
      const entry = environments.get(environment)?.apis.get(id);
      return entry?.served.seq === seq && entry.nack === undefined ? entry.judged : undefined;
    },
    onRefusedLate: (hear) => void (firstUse.onRefusedLate = hear),
    matchOn: (server) => firstUse.matchOn(server),
    hasConfiguration: () => environments.size > 0 && admission.served.length > 0,
    environments: () => admission.served,
    trustsCertificate(fingerprint) {
      const nowMs = options.host.clock.now();
      for (const { subscriptions } of environments.values())
        if (subscriptions.trustsCertificate(fingerprint, nowMs)) return true;
      return false;
    },
    streams,
    state: () => [...environments.values()].map(describe),
    close: () => closeAll(environments, routers, options.log),
  };
}

/** Streams end with what let them in, as it is in service. */
function streamsOf(
  { host: { clock }, streamMsMax: lifeMsMax, onThrown }: DeploymentsOptions,
  routers: Pick<Routers<DeployedApi>, 'on'>,
  environments: ReadonlyMap<string, ServedEnvironment>,
): Streams {
  return new Streams({
    clock,
    lifeMsMax,
    onThrown,
    judge(owner, nowMs) {
      const { environment: name, id } = owner.deployed;
      const environment = environments.get(name);
      const served = environment?.apis.get(id)?.served;
      const { server, host, path } = owner.request;
      const isRouted = routers.on(server).match(host, path)?.target === served;
      const ground = { compiled: served?.compiled, isRouted, subscriptions: environment?.subscriptions };
      return judgeClaim(owner, ground, nowMs);
    },
  });
}

function closeAll(
  environments: Map<string, ServedEnvironment>,
  routers: Routers<DeployedApi>,
  log: Log,
): void {
  for (const { apis, organizationFlows } of environments.values()) {
    release(organizationFlows?.compiled, log);
    for (const { served, places } of apis.values()) {
      for (const place of places) routers.delete(place);
      release(served.compiled, log);
    }
  }
  environments.clear();
}

/** What throws while it is released must keep neither the others nor what comes next. */
function release(compiled: Pick<CompiledApi, 'release'> | undefined, log: Log): void {
  try {
    compiled?.release();
  } catch (error) {
    log.error({ err: error }, 'a policy threw while it was released');
  }
}

const createEnvironment = (
  { organization, environment, seq }: ConfigChange,
  keysSeenMax: number,
): ServedEnvironment => ({
  organization,
  environment,
  seq,
  apis: new Map(),
  standing: anywhere,
  forSome: new Set(),
  subscriptions: new Subscriptions(environment, keysSeenMax),
  dictionaries: new Dictionaries(),
  groups: new SharedGroups(),
  organizationFlows: undefined,
});

function describe({
  organization,
  environment,
  seq,
  apis,
  subscriptions,
}: ServedEnvironment): DeployedEnvironment {
  return {
    organization,
    environment,
    seq,
    subscriptions: subscriptions.size,
    keys: subscriptions.keys.size,
    apis: [...apis.values()].map(({ served, places, nack }) => ({
      id: served.id,
      name: served.name,
      revision: isFailed(served) ? undefined : served.revision,
      seq: isFailed(served) ? undefined : served.seq,
      state: isFailed(served) ? 'failed' : nack === undefined ? 'started' : 'outdated',
      paths: [...new Set(places.map(placeText))],
      servers: [...new Set(places.map(({ server }) => server))],
      nack,
    })),
  };
}

const isFailed = ({ compiled, isWaiting }: DeployedApi): boolean => compiled === undefined && !isWaiting;

function fileOf({ set }: ConfigChange, { kind, id }: Nack): { readonly file?: string } {
  const file = set.find((record) => record.kind === kind && record.id === id)?.file;
  return file === undefined ? {} : { file };
}
