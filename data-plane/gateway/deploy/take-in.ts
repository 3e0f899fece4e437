import { type Nack, recordKinds } from '../../../proto/wire/published.ts';
import type { CompiledApi } from '../compile/compile.ts';
import { buildPolicy } from '../compile/step.ts';
import type { ConfigChange, SetRecord } from './change.ts';
import type { DeploymentsOptions } from './deployments.ts';
import { recordOf } from './kinds/api-entry.ts';
import { kinds as kindsOfThisVersion } from './kinds/index.ts';
import type { Kind, Kinds, Reached, Site } from './kinds/kind.ts';
import { nackOf } from './refused.ts';

/** What became of a change. */
interface TakenIn {
  readonly nacks: readonly Nack[];
  /** What depends on its records. */
  readonly reached: Reached;
  /** What nobody uses any more. */
  readonly released: readonly CompiledApi[];
}

/**
 * Takes the records of a change into service, kind by kind; see {@link Kind}.
 *
 * What it costs grows with the change and with what is made of its records, not with what else is deployed; a full change alone looks
 * at everything, since what it does not hold leaves.
 */
export function takeIn(
  change: ConfigChange,
  ground: Pick<Site, 'environment' | 'places' | 'router'>,
  options: DeploymentsOptions,
): TakenIn {
  const { upstreams, records, log, host, security, build = buildPolicy } = options;
  const { kinds = kindsOfThisVersion } = options;
  const { environment } = ground;
  const nacks: Nack[] = [];
  const released: CompiledApi[] = [];
  const reached = reachOf(change, kinds, environment);
  const { builds } = reached;
  // Two environments never count in one counter.
  const own = { ...host, counters: host.counters.within(change.environment) };
  const site: Site = {
    ...ground,
    compile: { host: own, security, build },
    upstreams,
    records,
    log,
    builds,
    released,
  };
  environment.organization = change.organization;
  environment.seq = change.seq;
  for (const id of recordKinds) {
    const kind = kinds[id];
    const set = change.set.filter((record) => record.kind === id);
    if (kind === undefined) nacks.push(...set.map(unsupported));
    else {
      const again = id === 'api' ? builtAgain(set, site) : [];
      for (const gone of goneOf(change, id, kind.ids(environment))) kind.remove(gone, site);
      nacks.push(...takeInKind(kind, [...set, ...again], site));
    }
  }
  return { nacks, reached, released };
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
  try {
    return { record, content: kind.read(record, site), nack: undefined };
  } catch (error) {
    return { record, content: undefined, nack: nackOf(record, error, site) };
  }
}

/** The records of APIs that are made of what has changed, and that the change itself does not hold. */
function builtAgain(set: readonly SetRecord[], { builds, environment }: Site): readonly SetRecord[] {
  if (builds.size === 0) return [];
  const own = new Set(set.map(({ id }) => id));
  return [...builds].flatMap((id) => {
    const entry = own.has(id) ? undefined : environment.apis.get(id);
    return entry === undefined ? [] : [recordOf(entry)];
  });
}

function reachOf(change: ConfigChange, kinds: Kinds, environment: Site['environment']): Reached {
  const reached: Reached = { builds: new Set(), apis: new Set(), subscriptions: new Set() };
  for (const { kind, id } of change.set) kinds[kind]?.reach(id, environment, reached);
  for (const { kind, id } of change.removed) kinds[kind]?.reach(id, environment, reached);
  return reached;
}

/** Ids of a kind that leave: those that are named, or of a full change those that it does not hold. */
function goneOf(change: ConfigChange, kind: string, inService: Iterable<string>): readonly string[] {
  if (!change.isFull) return change.removed.filter((record) => record.kind === kind).map(({ id }) => id);
  const kept = new Set(change.set.filter((record) => record.kind === kind).map(({ id }) => id));
  return [...inService].filter((id) => !kept.has(id));
}

function unsupported({ kind, id, seq }: SetRecord): Nack {
  const reason = `This version does not run records of kind ${kind}.`;
  return { kind, id, seq, code: 'kind.unsupported', reason };
}
