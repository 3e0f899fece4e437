import type { Nack } from '../../../../proto/wire/published.ts';
import { createRecorders } from '../../call/records.ts';
import type { Surroundings } from '../../../../proto/expression/scope.ts';
import type { CompiledApi } from '../../compile/compile.ts';
import type { ApiFacts } from '../../compile/surroundings.ts';
import type { SetRecord } from '../change.ts';
import type { Place } from '../definitions.ts';
import type { DeployedApi } from '../deployed.ts';
import type { JudgedApi } from '../judged.ts';
import type { ServedEnvironment } from '../served.ts';
import type { Site } from './kind.ts';

/** An API of one environment: what is in service, and what was refused since. */
export interface ApiEntry {
  readonly served: DeployedApi;
  readonly places: readonly Place[];
  /** The definition's text in service; equal text needs no second compilation. */
  readonly definition: string | undefined;
  readonly payload: Uint8Array;
  /** See {@link SetRecord}. */
  readonly secrets: SetRecord['secrets'];
  /** What it was taken in by without being compiled, or what may be kept of it; undefined when nothing may. */
  readonly judged: JudgedApi | undefined;
  /** Why the newest revision is not in service. */
  readonly nack: Nack | undefined;
}

/** Makes what requests are given of an API; `compiled` is undefined for one that does not serve. */
export function deploy(
  record: SetRecord,
  {
    name,
    compiled,
    isWaiting = false,
  }: { readonly name: string; readonly compiled: CompiledApi | undefined; readonly isWaiting?: boolean },
  { environment: at, records, durations }: Site,
): DeployedApi {
  const { organization, environment, subscriptions } = at;
  const revision = Number(record.revision);
  const prefix = {
    organization,
    environment,
    api: record.id,
    apiName: name,
    apiRevision: Number.isSafeInteger(revision) ? revision : undefined,
    seq: record.seq,
    entrypoint: 'http-proxy',
  };
  return {
    id: record.id,
    name,
    organization,
    environment,
    revision: record.revision,
    seq: record.seq,
    file: record.file,
    isWaiting,
    compiled,
    surroundings: compiled === undefined ? undefined : surround(compiled.facts, at),
    subscriptions,
    around: at,
    recorders: records === undefined || isWaiting ? undefined : createRecorders(records, prefix),
    durations: isWaiting ? undefined : durations?.of(record.id, environment),
  };
}

/** What is the environment's is read as it is then. */
function surround(facts: ApiFacts, at: ServedEnvironment): Surroundings {
  return {
    ...facts,
    dictionaries: at.dictionaries.byName,
    get node() {
      const { tags, tenant } = at.standing;
      return { ...facts.node, tenant, shardingTags: tags };
    },
  };
}

/** The record that an entry serves, to be built again. */
export function recordOf({ served, payload, secrets }: ApiEntry): SetRecord {
  const { id, seq, revision, file } = served;
  return { kind: 'api', id, seq, revision, file, payload, secrets };
}
