import type { Log } from '../../../proto/process/log.ts';
import { decodeApiKey, decodeSubscription } from '../../../proto/wire/payloads.ts';
import type { Nack } from '../../../proto/wire/published.ts';
import type { Upstreams } from '../../endpoints/upstreams.ts';
import { Admission } from './admission.ts';
import type { ApplyChange, ConfigChange, ConfirmChange, SetRecord } from './change.ts';
import type { CounterStore } from '../../limits/limiter.ts';
import type { CompiledApi, HostParts } from '../compile/compile.ts';
import { reasonOf } from './definitions.ts';
import type { DeployedApi } from './deployed.ts';
import {
  type ApiEntry,
  buildEntry,
  type EntryOptions,
  type EntryResult,
  refusedEntry,
  startEntry,
} from './environment-apis.ts';
import { createRouter, type Match, type Router } from './match.ts';
import { buildPolicy, type PolicyBuilder } from '../compile/step.ts';
import type { RecordTarget } from '../call/records.ts';
import { claimPlaces, type Claim } from './places.ts';
import { touchedBy } from './touched.ts';
import { judgeClaim } from '../streams/claims.ts';
import { Streams } from '../streams/streams.ts';
import type { TellThrown } from '../errors/thrown.ts';
import type { SecurityHost } from '../../security/security.ts';
import { Subscriptions } from '../../security/subscriptions.ts';

/** What this gateway serves, and the way to change it. */
export interface Deployments {
  /** Takes a change into service whole; see {@link ApplyChange}. */
  readonly apply: ApplyChange;
  /** A new environment is served when its records have a place to go to; see {@link ConfirmChange}. */
  readonly confirm: ConfirmChange;
  /** Resolves when every environment that was applied is served. */
  settled(): Promise<void>;
  /** Finds the API of a request. */
  readonly match: (host: string, path: string) => Match<DeployedApi> | undefined;
  /** True once any configuration was applied. */
  readonly hasConfiguration: () => boolean;
  /** The environments that are served, in the order in which they came. */
  readonly environments: () => readonly DeployedTenant[];
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
  readonly nack: Nack | undefined;
}

/** What deployments need of their surroundings. */
export interface DeploymentsOptions {
  /** Undefined in a process that only judges: it compiles all and starts nothing. */
  readonly upstreams: Upstreams | undefined;
  readonly host: Pick<HostParts, 'clock'> & { readonly counters: CounterStore };
  /** What the security of plans may use. */
  readonly security: SecurityHost;
  /** Undefined records nothing. */
  readonly records: RecordTarget | undefined;
  readonly log: Log;
  /** Presented keys kept per environment, so that a known one is not hashed again. */
  readonly keysSeenMax: number;
  /** Longest life of a tunnel or an endless answer; 0 is no bound. */
  readonly streamMsMax: number;
  /** Hears what threw on the way of a request although nothing should. */
  readonly onThrown: TellThrown;
  /** Default: the catalogue's policies. */
  readonly build?: PolicyBuilder | undefined;
}

interface Environment {
  readonly organization: string;
  readonly environment: string;
  readonly seq: number;
  readonly apis: ReadonlyMap<string, ApiEntry>;
  readonly subscriptions: Subscriptions;
}

/** Makes an empty set of deployments. */
export function createDeployments(options: DeploymentsOptions): Deployments {
  const environments = new Map<string, Environment>();
  let router: Router<DeployedApi> = createRouter([]);
  const streams = new Streams({
    clock: options.host.clock,
    lifeMsMax: options.streamMsMax,
    onThrown: options.onThrown,
    judge(owner, nowMs) {
      const { environment: name, id } = owner.deployed;
      const environment = environments.get(name);
      const served = environment?.apis.get(id)?.served;
      const isRouted = router.match(owner.request.host, owner.request.path)?.target === served;
      const ground = { compiled: served?.compiled, isRouted, subscriptions: environment?.subscriptions };
      return judgeClaim(owner, ground, nowMs);
    },
  });
  const route = (): void => {
    const served = [...environments.values()].filter(({ environment }) => admission.isServed(environment));
    router = createRouter(routesOf(served));
  };
  const admission = new Admission(options.records, route);
  return {
    apply(change) {
      const before = environments.get(change.environment);
      const nacks: Nack[] = [];
      // Before keys are replaced, which know what they opened.
      const touched = change.isFull ? undefined : touchedBy(change, before?.subscriptions);
      const subscriptions = applySubscriptions(change, { before, nacks, seenMax: options.keysSeenMax });
      const entryOptions = entryOptionsOf(options, change, subscriptions);
      const taken = claimsOfOthers(environments, change.environment);
      const warn = (what: Readonly<Record<string, string>>): void =>
        options.log.warn({ environment: change.environment, ...what }, 'an API asks for something unsafe');
      const { apis, released } = applyApis(change, { before, taken, nacks, entryOptions, warn });
      environments.set(change.environment, {
        organization: change.organization,
        environment: change.environment,
        seq: change.seq,
        apis,
        subscriptions,
      });
      if (before === undefined) admission.take(change);
      else if (apis !== before.apis) route();
      streams.review(change.environment, touched);
      // After the swap, so that no new request finds a pool that is closing.
      for (const compiled of released) release(compiled, options.log);
      refuseUnknownKinds(change, nacks);
      for (const nack of nacks)
        options.log.warn({ environment: change.environment, ...nack }, 'a record was refused');
      return nacks;
    },
    confirm: (environment) => admission.of(environment).then(() => []),
    settled: () => admission.all(),
    match: (host, path) => router.match(host, path),
    hasConfiguration: () => environments.size > 0 && admission.served.length > 0,
    environments: () => admission.served,
    streams,
    state: () => [...environments.values()].map(describe),
    close() {
      for (const { apis } of environments.values()) {
        for (const { served } of apis.values()) release(served.compiled, options.log);
      }
      environments.clear();
      route();
    },
  };
}

/** What throws while it is released must keep neither the others nor what comes next. */
function release(compiled: CompiledApi | undefined, log: Log): void {
  try {
    compiled?.release();
  } catch (error) {
    log.error({ err: error }, 'a policy threw while it was released');
  }
}

const entryOptionsOf = (
  { upstreams, host, security, build = buildPolicy, records, log }: DeploymentsOptions,
  { organization, environment }: ConfigChange,
  subscriptions: Subscriptions,
): EntryOptions => ({
  upstreams,
  host: { ...host, counters: host.counters.within(environment) },
  security,
  build,
  records,
  organization,
  environment,
  subscriptions,
  // Nobody but us can mend it, and the nack says no more than that.
  onBug: (error, api) => log.error({ environment, api, err: error }, 'a definition ran into a bug'),
});

const kinds = new Set(['api', 'subscription', 'api-key', 'gateway-settings']);

function refuseUnknownKinds(change: ConfigChange, nacks: Nack[]): void {
  for (const { kind, id, seq } of change.set) {
    if (kinds.has(kind)) continue;
    nacks.push({
      kind,
      id,
      seq,
      code: 'kind.unsupported',
      reason: `This version does not run records of kind ${kind}.`,
    });
  }
}

/**
 * Subscriptions and keys change in place: each is looked up whole by one request, and a revocation must not wait for
 * anything. A full change starts from an empty set.
 */
function applySubscriptions(
  change: ConfigChange,
  {
    before,
    nacks,
    seenMax,
  }: { readonly before: Environment | undefined; readonly nacks: Nack[]; readonly seenMax: number },
): Subscriptions {
  const isFresh = change.isFull || before === undefined;
  const subscriptions = isFresh ? new Subscriptions(change.environment, seenMax) : before.subscriptions;
  for (const { kind, id } of change.removed) {
    if (kind === 'subscription') subscriptions.delete(id);
    if (kind === 'api-key') subscriptions.keys.delete(id);
  }
  for (const record of change.set) {
    if (record.kind !== 'subscription' && record.kind !== 'api-key') continue;
    try {
      if (record.kind === 'subscription') subscriptions.set(decodeSubscription(record.payload));
      else subscriptions.keys.set(decodeApiKey(record.payload));
    } catch (error) {
      const { kind, id, seq } = record;
      nacks.push({ kind, id, seq, ...reasonOf(error) });
      if (isFresh && before !== undefined) keepBefore(record, before.subscriptions, subscriptions);
    }
  }
  return subscriptions;
}

/** A record that cannot be read keeps its previous revision, also when the whole set is replaced. */
function keepBefore({ kind, id }: SetRecord, before: Subscriptions, now: Subscriptions): void {
  const subscription = kind === 'subscription' ? before.get(id) : undefined;
  if (subscription !== undefined) now.set(subscription);
  const key = kind === 'api-key' ? before.keys.get(id) : undefined;
  if (key !== undefined) now.keys.set(key);
}

interface ApisOptions {
  readonly before: Environment | undefined;
  readonly taken: ReadonlyMap<string, Claim>;
  readonly nacks: Nack[];
  readonly entryOptions: EntryOptions;
  readonly warn: (what: Readonly<Record<string, string>>) => void;
}

function applyApis(
  change: ConfigChange,
  { before, taken, nacks, entryOptions, warn }: ApisOptions,
): { readonly apis: ReadonlyMap<string, ApiEntry>; readonly released: readonly CompiledApi[] } {
  const records = change.set.filter((record) => record.kind === 'api');
  const old = before?.apis ?? new Map<string, ApiEntry>();
  const gone = change.isFull
    ? [...old.keys()].filter((id) => !records.some((record) => record.id === id))
    : change.removed.filter(({ kind, id }) => kind === 'api' && old.has(id)).map(({ id }) => id);
  const sameSubscriptions = before?.subscriptions === entryOptions.subscriptions;
  if (records.length === 0 && gone.length === 0 && sameSubscriptions) return { apis: old, released: [] };

  const apis = new Map(old);
  for (const id of gone) apis.delete(id);
  // What stays claims its paths first; then the changed ones in the order of their publication.
  const claims = new Map(taken);
  for (const record of records) apis.delete(record.id);
  for (const [id, entry] of apis) claimPlaces(claims, { id, environment: change.environment }, entry.places);
  for (const record of records) {
    const previous = old.get(record.id);
    const owner = { id: record.id, environment: change.environment };
    const built = reuse(record, previous, entryOptions) ?? buildEntry(record, previous, entryOptions);
    const result = takeIn(record, built, { claims, entryOptions });
    if (result.kind === 'built') {
      apis.set(record.id, result.entry);
      for (const warning of result.compiled?.endpoints.warnings ?? []) warn({ api: record.id, warning });
      continue;
    }
    nacks.push(result.nack);
    const entry = refusedEntry(record, { ...result, before: previous }, entryOptions);
    const isFree = claimPlaces(claims, owner, entry.places) === undefined;
    apis.set(record.id, isFree ? entry : { ...entry, places: [] });
  }
  return { apis: withSubscriptions(apis, entryOptions.subscriptions), released: unused(old, apis) };
}

/** Gives a built entry its places and starts it; refused when either cannot be. */
function takeIn(
  record: SetRecord,
  built: EntryResult,
  { claims, entryOptions }: { readonly claims: Map<string, Claim>; readonly entryOptions: EntryOptions },
): EntryResult {
  if (built.kind === 'refused') return built;
  const { name } = built.entry.served;
  const owner = { id: record.id, environment: entryOptions.environment };
  const clash = claimPlaces(claims, owner, built.entry.places);
  if (clash !== undefined) return { kind: 'refused', nack: clashNack(record, clash), places: [], name };
  const nack = startEntry(record, built.compiled, entryOptions);
  return nack === undefined ? built : { kind: 'refused', nack, places: built.entry.places, name };
}

/** A record that came again as it was (a full sync) is left as it is. */
function reuse(record: SetRecord, previous: ApiEntry | undefined, options: EntryOptions) {
  if (previous?.served.seq !== record.seq || previous.nack !== undefined) return undefined;
  if (previous.served.organization !== options.organization) return undefined;
  if (Buffer.compare(previous.payload, record.payload) !== 0) return undefined;
  return { kind: 'built', entry: previous, compiled: undefined } as const;
}

function withSubscriptions(
  apis: ReadonlyMap<string, ApiEntry>,
  subscriptions: Subscriptions,
): ReadonlyMap<string, ApiEntry> {
  return new Map(
    [...apis].map(([id, entry]) => [
      id,
      entry.served.subscriptions === subscriptions
        ? entry
        : { ...entry, served: { ...entry.served, subscriptions } },
    ]),
  );
}

function unused(
  old: ReadonlyMap<string, ApiEntry>,
  now: ReadonlyMap<string, ApiEntry>,
): readonly CompiledApi[] {
  return [...old].flatMap(([id, { served }]) =>
    served.compiled === undefined || now.get(id)?.served.compiled === served.compiled
      ? []
      : [served.compiled],
  );
}

function clashNack({ kind, id, seq }: SetRecord, clash: Claim): Nack {
  const reason = `The context path ${clash.place} is taken by API ${clash.id} of environment ${clash.environment}.`;
  return { kind, id, seq, code: 'path.taken', reason };
}

function claimsOfOthers(
  environments: ReadonlyMap<string, Environment>,
  own: string,
): ReadonlyMap<string, Claim> {
  const claims = new Map<string, Claim>();
  for (const { environment, apis } of environments.values()) {
    if (environment === own) continue;
    for (const [id, entry] of apis) claimPlaces(claims, { id, environment }, entry.places);
  }
  return claims;
}

function* routesOf(environments: Iterable<Environment>) {
  for (const { apis } of environments) {
    for (const { served, places } of apis.values()) {
      for (const { host, path } of places) yield { host, path, target: served };
    }
  }
}

function describe({ organization, environment, seq, apis, subscriptions }: Environment): DeployedEnvironment {
  return {
    organization,
    environment,
    seq,
    subscriptions: subscriptions.size,
    keys: subscriptions.keys.size,
    apis: [...apis.values()].map(({ served, places, nack }) => ({
      id: served.id,
      name: served.name,
      revision: served.compiled === undefined ? undefined : served.revision,
      seq: served.compiled === undefined ? undefined : served.seq,
      state: served.compiled === undefined ? 'failed' : nack === undefined ? 'started' : 'outdated',
      paths: places.map(({ host, path }) => `${host ?? ''}${path}`),
      nack,
    })),
  };
}
