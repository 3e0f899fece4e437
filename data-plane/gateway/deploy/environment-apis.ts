import { Fault } from '../../../proto/faults/fault.ts';
import type { Nack } from '../../../proto/wire/published.ts';
import type { Upstreams } from '../../endpoints/upstreams.ts';
import { decodeApi } from '../../../proto/wire/payloads.ts';
import { type CompiledApi, compileApi, type CompileOptions } from '../compile/compile.ts';
import type { SetRecord } from './change.ts';
import type { DeployedApi } from './deployed.ts';
import { type Place, placesOf, placesOfRefused, readDefinition, reasonOf } from './definitions.ts';
import { createRecorders, type RecordTarget } from '../call/records.ts';
import type { Subscriptions } from '../../security/subscriptions.ts';

/** An API of one environment: what is in service, and what was refused since. */
export interface ApiEntry {
  readonly served: DeployedApi;
  readonly places: readonly Place[];
  /** The definition's text in service; equal text needs no second compilation. */
  readonly definition: string | undefined;
  readonly payload: Uint8Array;
  /** Why the newest revision is not in service. */
  readonly nack: Nack | undefined;
}

/** What building entries needs besides the record. */
export interface EntryOptions extends CompileOptions {
  /** Where the backends' pools come from; undefined where nothing is served and nothing starts. */
  readonly upstreams: Upstreams | undefined;
  readonly organization: string;
  readonly environment: string;
  readonly subscriptions: Subscriptions;
  readonly records: RecordTarget | undefined;
  /** Hears what a definition ran into that is no fault of its own. */
  readonly onBug: (error: unknown, api: string) => void;
}

/** What became of a record: a new entry, or a refusal that leaves the one before. */
export type EntryResult =
  | { readonly kind: 'built'; readonly entry: ApiEntry; readonly compiled: CompiledApi | undefined }
  | {
      readonly kind: 'refused';
      readonly nack: Nack;
      readonly places: readonly Place[];
      readonly name: string;
    };

/**
 * Builds the entry of an API record aside; nothing is in service yet, and nothing is open.
 *
 * `compiled` is what was newly compiled and has to be started; it is undefined when the entry took over the closures of the one
 * before, whose definition is the same.
 */
export function buildEntry(
  record: SetRecord,
  before: ApiEntry | undefined,
  options: EntryOptions,
): EntryResult {
  let text = '';
  let name = record.id;
  try {
    const payload = decodeApi(record.payload);
    text = payload.definition;
    name = payload.name;
    const isSame = before?.definition === text && before.served.compiled !== undefined;
    if (isSame) {
      const served = deploy(record, { name, compiled: before.served.compiled }, options);
      return {
        kind: 'built',
        compiled: undefined,
        entry: { ...before, served, payload: record.payload, nack: undefined },
      };
    }
    const definition = readDefinition(text);
    const compiled = compileApi(definition, options);
    const served = deploy(record, { name, compiled }, options);
    const places = placesOf(definition);
    const entry = { served, places, definition: text, payload: record.payload, nack: undefined };
    return { kind: 'built', compiled, entry };
  } catch (error) {
    return { kind: 'refused', nack: nackOf(record, error, options), places: placesOfRefused(text), name };
  }
}

/** Starts what was newly compiled, where requests run; a nack when it does not start. */
export function startEntry(
  record: SetRecord,
  compiled: CompiledApi | undefined,
  options: EntryOptions,
): Nack | undefined {
  if (options.upstreams === undefined) return undefined;
  try {
    compiled?.start(`${options.environment}/${record.id}`, options.upstreams);
    return undefined;
  } catch (error) {
    return nackOf(record, error, options);
  }
}

function nackOf({ kind, id, seq }: SetRecord, error: unknown, options: EntryOptions): Nack {
  if (!(error instanceof Fault)) options.onBug(error, id);
  return { kind, id, seq, ...reasonOf(error) };
}

/** The entry of an API whose newest revision was refused: the one before stays, or its paths answer 503. */
export function refusedEntry(
  record: SetRecord,
  refusal: {
    readonly nack: Nack;
    readonly places: readonly Place[];
    readonly name: string;
    readonly before: ApiEntry | undefined;
  },
  options: EntryOptions,
): ApiEntry {
  const { before, nack, places, name } = refusal;
  if (before?.served.compiled !== undefined) return { ...before, nack };
  const served = deploy(record, { name, compiled: undefined }, options);
  return { served, places, definition: undefined, payload: record.payload, nack };
}

function deploy(
  record: SetRecord,
  { name, compiled }: { readonly name: string; readonly compiled: CompiledApi | undefined },
  { organization, environment, subscriptions, records }: EntryOptions,
): DeployedApi {
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
    compiled,
    subscriptions,
    recorders: records === undefined ? undefined : createRecorders(records, prefix),
  };
}
