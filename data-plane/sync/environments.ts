import type { Log } from '../../proto/process/log.ts';
import type { EnrolledIdentity } from '../../proto/trust/identity.ts';
import { wireLimits } from '../../proto/wire/limits.ts';
import { Predecessors } from '../store/predecessors.ts';
import type { LoadedEnvironment, Store } from '../store/store.ts';
import { SecretOpener } from './secret-opener.ts';
import { Environment, type EnvironmentOptions } from './environment.ts';

/** The environments of this gateway. */
export interface Environments {
  readonly byName: ReadonlyMap<string, Environment>;
  /** The root under which everything verifies that is stored; undefined while some of it waits for the next root's certificates. */
  settledRoot(this: void): Uint8Array | undefined;
  /** Makes those that are new; one that is no longer named stays in service until a signed head says otherwise. */
  granted(names: readonly string[], tags: readonly string[]): void;
}

/** What every environment of a gateway shares. */
export type SharedOptions = Omit<
  EnvironmentOptions,
  'at' | 'fleet' | 'rootKey' | 'secrets' | 'predecessors'
> & {
  readonly identity: EnrolledIdentity;
  /** The root that the identity file has by now. */
  readonly root: { readonly kept: Uint8Array };
  readonly store: Store;
  readonly log: Log;
};

/** Takes into service what the store holds and can prove, and sets aside a file that holds anything else. */
export function openEnvironments({ identity, root, ...shared }: SharedOptions): Environments {
  const { store, log } = shared;
  const byName = new Map<string, Environment>();
  const settledRoot = (): Uint8Array | undefined => {
    const roots = [...byName.values()].flatMap((each) => each.certificates.savedRootKey ?? []);
    const [first] = roots;
    return roots.every((each) => first !== undefined && Buffer.compare(each, first) === 0)
      ? first
      : undefined;
  };
  const predecessorsOf = (environment: string): Predecessors =>
    new Predecessors(environment, identity.signing.privateKey);
  const open = (environment: string, rootKey: Uint8Array): Environment => {
    const { organization, fleet } = identity;
    const at = { organization, environment };
    const secrets = new SecretOpener(at, identity);
    const predecessors = predecessorsOf(environment);
    const opened = new Environment({ ...shared, at, fleet, rootKey, secrets, predecessors });
    byName.set(environment, opened);
    return opened;
  };

  /** One of which nothing is stored must not believe a root that the others have left. */
  const openNew = (environment: string): Environment => open(environment, root.kept);

  const { environments, seen } = store.load();
  const proven: LoadedEnvironment[] = [];
  const problems: string[] = [];
  for (const loaded of environments) {
    // By what was stored with it: another one may have come further.
    const environment = open(loaded.environment, identity.rootKey);
    const problem = environment.load(
      loaded,
      seen.find((each) => each.environment === loaded.environment),
    );
    if (problem === undefined) proven.push(loaded);
    else problems.push(problem);
    const { epoch, seq, ageMs, records } = environment.state();
    if (seq > 0) log.info({ environment: loaded.environment, epoch, records }, servingLine(seq, ageMs));
  }
  if (problems.length > 0) {
    store.setAside(problems.join('; '));
    // What did verify must not be lost with the file; a later change alone would leave a file that no head proves.
    for (const loaded of proven) keepProven(store, loaded, predecessorsOf(loaded.environment));
  }
  for (const name of identity.environments ?? []) if (!byName.has(name)) openNew(name);

  return {
    byName,
    settledRoot,
    granted(names, tags) {
      // Each welcome could name others: together they are as many as one may name.
      for (const name of names)
        if (!byName.has(name) && byName.size < wireLimits.environmentsMax) openNew(name);
      for (const environment of byName.values()) environment.granted(tags);
    },
  };
}

/** Writes an environment into a new file, with what its refused records were before where that is proven. */
function keepProven(
  store: Store,
  { records, ...state }: LoadedEnvironment,
  predecessors: Predecessors,
): void {
  const kept = records.map((record) =>
    record.previous === undefined || predecessors.holds(record)
      ? record
      : { header: record.header, bytes: record.bytes },
  );
  void store.save({ state, isFull: true, records: kept, gone: [] });
  void store.settle(state.environment, state.refused, predecessors.proofOf);
}

/** What an operator reads first when the border is cut, e.g. `serving seq 42, age 3h 5m`. */
function servingLine(seq: number, ageMs: number | undefined): string {
  const seconds = Math.floor((ageMs ?? 0) / 1_000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const age = hours > 0 ? `${hours}h ${minutes % 60}m` : minutes > 0 ? `${minutes}m` : `${seconds}s`;
  return `serving seq ${seq}, age ${age}`;
}
