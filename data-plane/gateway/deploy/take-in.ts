import { type Nack, recordKinds } from '../../../proto/wire/published.ts';
import { buildPolicy } from '../compile/step.ts';
import { noExpressionHost } from '../compile/surroundings.ts';
import type { ConfigChange, SetRecord } from './change.ts';
import type { DeploymentsOptions } from './deployments.ts';
import { recordOf } from './kinds/api-entry.ts';
import { kinds as kindsOfThisVersion } from './kinds/index.ts';
import type { Kind, Kinds, Reached, Site } from './kinds/kind.ts';
import { nackOf } from './refused.ts';

/** What changes, and where requests find it. */
type Ground = Pick<Site, 'environment' | 'places' | 'servers' | 'routers'>;

/** What became of a change. */
interface TakenIn {
  readonly nacks: readonly Nack[];
  /** What depends on its records. */
  readonly reached: Reached;
  /** What nobody uses any more. */
  readonly released: Site['released'];
}

/**
 * Takes the records of a change into service, kind by kind; see {@link Kind}.
 *
 * What it costs grows with the change and with what is made of its records, not with what else is deployed; a full change alone looks
 * at everything, since what it does not hold leaves.
 */
export function takeIn(change: ConfigChange, ground: Ground, options: DeploymentsOptions): TakenIn {
  const { kinds = kindsOfThisVersion } = options;
  const { environment } = ground;
  const nacks: Nack[] = [];
  const { reached, causes } = reachOf(change, kinds, environment);
  // What they are made of is about to change: should they not compile with the new, they have to serve with the old.
  const first = buildWaiting(reached.builds, ground, options);
  environment.organization = change.organization;
  environment.seq = change.seq;
  const site = siteOf(ground, { builds: reached.builds, released: first.released }, options);
  const byKind = Map.groupBy(change.set, (record) => record.kind);
  for (const id of recordKinds) {
    const kind = kinds[id];
    const set = byKind.get(id) ?? [];
    if (kind === undefined) nacks.push(...set.map(unsupported));
    else {
      const removed = change.removed.flatMap((record) => (record.kind === id ? [record.id] : []));
      const gone = change.isFull ? missingOf(set, kind.ids(environment)) : removed;
      for (const each of gone) kind.remove(each, site);
      nacks.push(...takeInKind(kind, set, site));
    }
  }
  nacks.push(...buildAgain(causes, { change, apis: kinds.api, refused: nacks }, site));
  return { nacks, reached, released: site.released };
}

/** Compiles those APIs that wait for their first request. What does not compile answers 503 from then on; the nacks say why. */
export function buildWaiting(
  ids: ReadonlySet<string>,
  ground: Ground,
  options: DeploymentsOptions,
): Pick<TakenIn, 'nacks' | 'released'> & { readonly count: number } {
  const { kinds = kindsOfThisVersion } = options;
  const records = [...ids].flatMap((id) => {
    const entry = ground.environment.apis.get(id);
    return entry?.served.isWaiting === true ? [recordOf(entry)] : [];
  });
  if (records.length === 0 || kinds.api === undefined) return { nacks: [], released: [], count: 0 };
  const site = siteOf(ground, { builds: ids, released: [] }, options);
  return { nacks: takeInKind(kinds.api, records, site), released: site.released, count: records.length };
}

function siteOf(
  ground: Ground,
  { builds, released }: Pick<Site, 'builds' | 'released'>,
  options: DeploymentsOptions,
): Site {
  const { upstreams, records, durations, log, host, guard, security, build = buildPolicy } = options;
  const { expressions = noExpressionHost, circuits, outliers, health, discovery } = options;
  const { environment } = ground;
  // Two environments never count in one counter nor keep in one cache, of two organizations either, which may share a Redis.
  const tenant = `${environment.organization}/${environment.environment}`;
  const counters = host.counters.within(tenant);
  return {
    ...ground,
    // The settings of a change come before its APIs.
    compile: {
      host: { ...host, counters, tenant },
      guard,
      security,
      build,
      expressions,
      circuits,
      groups: environment.groups,
      dictionaries: environment.dictionaries.byName,
      outliers,
      get standing() {
        return environment.standing;
      },
    },
    upstreams,
    health,
    discovery,
    records,
    durations,
    log,
    builds,
    released,
  };
}

function takeInKind(kind: Kind, records: readonly SetRecord[], site: Site): readonly Nack[] {
  const read = records.map((record) => readAside(kind, record, site));
  for (const { id } of records) kind.withdraw?.(id, site);
  return read.flatMap(({ record, content, nack }) => {
    if (nack !== undefined) kind.refuse?.(record, nack, site);
    const refused = nack ?? kind.apply(record, content, site);
    return refused === undefined ? [] : [refused];
  });
}

interface ReadRecord {
  readonly record: SetRecord;
  readonly content: unknown;
  readonly nack: Nack | undefined;
}

function readAside(kind: Kind, record: SetRecord, site: Site): ReadRecord {
  const { refusal, id, seq } = record;
  if (refusal !== undefined)
    return { record, content: undefined, nack: { kind: record.kind, id, seq, ...refusal } };
  try {
    return { record, content: kind.read(record, site), nack: undefined };
  } catch (error) {
    return { record, content: undefined, nack: nackOf(record, error, site) };
  }
}

/** A record of the change, and the APIs that are made of it. */
interface Cause {
  readonly record: Pick<SetRecord, 'kind' | 'id' | 'seq'>;
  readonly apis: ReadonlySet<string>;
}

/**
 * Builds the APIs again that are made of what has changed and whose own records did not come.
 *
 * What can no longer be built keeps what serves, and is told of the record that broke it: that one came with this change and goes with a
 * later one.
 */
function buildAgain(
  causes: readonly Cause[],
  taken: {
    readonly change: ConfigChange;
    readonly apis: Kind | undefined;
    readonly refused: readonly Nack[];
  },
  site: Site,
): readonly Nack[] {
  const { change, apis, refused } = taken;
  if (apis === undefined) return [];
  const built = new Set(change.set.flatMap(({ kind, id }) => (kind === 'api' ? [id] : [])));
  return causes.flatMap(({ record, apis: users }) => {
    // What was refused is as it was.
    if (refused.some(({ kind, id }) => kind === record.kind && id === record.id)) return [];
    const before = new Set<string>();
    const again = [...users].flatMap((id) => {
      const entry = built.has(id) ? undefined : site.environment.apis.get(id);
      built.add(id);
      if (entry?.nack !== undefined) before.add(id);
      return entry === undefined ? [] : [recordOf(entry)];
    });
    // What was refused before is no worse for it.
    const [first, ...others] = takeInKind(apis, again, site).filter(({ id }) => !before.has(id));
    if (first === undefined) return [];
    const more = others.length === 0 ? '' : `, and ${others.length} more`;
    const reason = `API ${first.id} can no longer be built of it${more}: ${first.reason}`;
    return [{ kind: record.kind, id: record.id, seq: record.seq, code: first.code, reason }];
  });
}

function reachOf(
  change: ConfigChange,
  kinds: Kinds,
  environment: Site['environment'],
): { readonly reached: Reached; readonly causes: readonly Cause[] } {
  const reached: Reached = { builds: new Set(), apis: new Set(), subscriptions: new Set() };
  const causes: Cause[] = [];
  // One set for all: a full change has a hundred thousand records, of which hardly any builds anything again.
  const builds = new Set<string>();
  const look = (record: Cause['record']): void => {
    kinds[record.kind]?.reach(record.id, environment, { ...reached, builds });
    if (builds.size === 0) return;
    causes.push({ record, apis: new Set(builds) });
    for (const id of builds) reached.builds.add(id);
    builds.clear();
  };
  for (const record of change.set) look(record);
  for (const { kind, id } of change.removed) look({ kind, id, seq: change.seq });
  return { reached, causes };
}

/** Ids of a kind that a full change does not hold, and which leave for that. */
function missingOf(set: readonly SetRecord[], inService: Iterable<string>): readonly string[] {
  const before = [...inService];
  if (before.length === 0) return [];
  const kept = new Set(set.map(({ id }) => id));
  return before.filter((id) => !kept.has(id));
}

function unsupported({ kind, id, seq }: SetRecord): Nack {
  const reason = `This version does not run records of kind ${kind}.`;
  return { kind, id, seq, code: 'kind.unsupported', reason };
}
