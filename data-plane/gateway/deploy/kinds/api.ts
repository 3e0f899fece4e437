import { type Note, placesIn } from '../../../../proto/definition/read.ts';
import { decodeApi } from '../../../../proto/wire/payloads.ts';
import type { Nack } from '../../../../proto/wire/published.ts';
import { type CompiledApi, compileApi } from '../../compile/compile.ts';
import type { SetRecord } from '../change.ts';
import { missingServers, placesOf, placesOfRefused, withPlacesOf } from '../definitions.ts';
import { judge, type JudgedApi, stillHolds } from '../judged.ts';
import { placeText, type TakenPlace } from '../places.ts';
import { readOf } from '../read-ahead.ts';
import { nackOf } from '../refused.ts';
import { type ApiEntry, deploy } from './api-entry.ts';
import type { Kind, Site } from './kind.ts';

/** What became of a definition, aside. */
interface TakenApi {
  readonly entry: ApiEntry;
  /** What was newly compiled and has to be started; undefined when the closures of the entry before go on. */
  readonly fresh: CompiledApi | undefined;
  /** What of it may not be meant as it stands. */
  readonly doubts: readonly Note[];
}

/** APIs: a definition becomes closures, which are started, given their places, and take the place of those before. */
export const apis: Kind<TakenApi> = {
  read(record, site) {
    const before = site.environment.apis.get(record.id);
    const isAgain = site.builds.has(record.id);
    if (before !== undefined && !isAgain && isAsBefore(record, before, site))
      return { entry: before, fresh: undefined, doubts: [] };
    const { judged } = record;
    if (before === undefined && judged !== undefined && stillHolds(judged, site.environment))
      return { entry: waiting(record, judged, site), fresh: undefined, doubts: [] };
    const { definition: text, name } = decodeApi(record.payload);
    const { payload, secrets } = record;
    const compiled = before?.served.compiled;
    if (before?.definition === text && compiled !== undefined && !isAgain) {
      const served = deploy(record, { name, compiled }, site);
      return {
        entry: { ...before, served, payload, secrets, nack: undefined },
        fresh: undefined,
        doubts: [],
      };
    }
    const { api: definition, notes } = readOf(record, text);
    const fresh = withPlacesOf(
      () => placesIn(JSON.parse(text)),
      () => compileApi(definition, site.compile),
    );
    const served = deploy(record, { name, compiled: fresh }, site);
    // Built again: a newer revision that was refused stays refused.
    const isOlder = isAgain && before?.served.seq === record.seq && before.nack?.seq !== record.seq;
    const nack = isOlder ? before.nack : undefined;
    const places = placesOf(definition, site.servers);
    const missing = missingServers(definition, site.servers);
    // What is missing is said at every start.
    const mayBeKept =
      missing.length > 0 ? undefined : judge({ name, places, compiled: fresh }, site.environment);
    return {
      entry: { served, places, definition: text, payload, secrets, judged: mayBeKept, nack },
      fresh,
      doubts: [...notes.filter((note) => note.kind === 'doubt'), ...missing],
    };
  },

  withdraw(id, site) {
    const before = site.environment.apis.get(id);
    if (before !== undefined) leavePlaces(before, site);
  },

  apply(record, { entry, fresh, doubts }, site) {
    const { environment, log } = site;
    const taken = site.places.claim(entry.served, entry.places);
    site.places.forget(entry.served, record.seq);
    if (taken !== undefined) site.places.await({ owner: entry.served, places: entry.places, record });
    const nack = taken === undefined ? start(record, { entry, fresh }, site) : takenNack(record, taken, site);
    if (nack !== undefined) {
      if (taken === undefined) site.places.release(entry.served, entry.places);
      keepBefore(
        record,
        { nack, name: entry.served.name, places: taken === undefined ? entry.places : [] },
        site,
      );
      return nack;
    }
    for (const warning of fresh?.endpoints.warnings ?? []) {
      const what = { environment: environment.environment, api: record.id, warning };
      log.warn(what, 'an API asks for something unsafe');
    }
    for (const { path, message } of [...doubts, ...(fresh?.groups.doubts ?? [])])
      log.warn({ environment: environment.environment, api: record.id, path }, message);
    put(entry, site);
    return undefined;
  },

  refuse(record, nack, site) {
    const { name, definition } = readAsFarAsPossible(record);
    site.places.forget({ id: record.id, environment: site.environment.environment }, record.seq);
    keepBefore(record, { nack, name, places: placesOfRefused(definition, site.servers) }, site);
  },

  remove(id, site) {
    const before = site.environment.apis.get(id);
    if (before === undefined) return;
    leavePlaces(before, site);
    site.places.forget(before.served, Infinity);
    site.environment.apis.delete(id);
    site.environment.forSome.delete(id);
    site.environment.groups.use(id, new Set());
    site.environment.dictionaries.use(id, new Set());
    site.durations?.leave(id, site.environment.environment);
    if (before.served.compiled !== undefined) site.released.push(before.served.compiled);
  },

  ids: (environment) => environment.apis.keys(),

  reach(id, _environment, reached) {
    reached.apis.add(id);
  },
};

/** Its places are known, and nothing else is until somebody asks for it. */
function waiting(record: SetRecord, judged: JudgedApi, site: Site): ApiEntry {
  const { name, places } = judged;
  const { payload, secrets } = record;
  const served = deploy(record, { name, compiled: undefined, isWaiting: true }, site);
  return { served, places, definition: undefined, payload, secrets, judged, nack: undefined };
}

/** A record that came again as it was (a full sync). */
function isAsBefore(record: SetRecord, { served, nack, payload }: ApiEntry, { environment }: Site): boolean {
  return (
    served.seq === record.seq &&
    nack === undefined &&
    served.organization === environment.organization &&
    Buffer.compare(payload, record.payload) === 0
  );
}

/** Starts what was newly compiled, where requests run or endpoints are checked. */
function start(
  record: SetRecord,
  { entry: { served }, fresh }: Pick<TakenApi, 'entry' | 'fresh'>,
  { upstreams, health, discovery, ...site }: Site,
): Nack | undefined {
  const { surroundings, environment, organization, id, name } = served;
  if ((upstreams ?? health ?? discovery) === undefined || surroundings === undefined) return undefined;
  try {
    fresh?.start({
      key: `${environment}/${record.id}`,
      upstreams,
      health,
      discovery,
      api: { organization, environment, id, name, surroundings, isRecorded: fresh.isRecorded },
    });
    return undefined;
  } catch (error) {
    return nackOf(record, error, site);
  }
}

/** The newest revision was refused: the one before stays, or its paths answer 503, as far as they are free. */
function keepBefore(
  record: SetRecord,
  refused: Pick<ApiEntry, 'places'> & { readonly nack: Nack; readonly name: string },
  site: Site,
): void {
  const before = site.environment.apis.get(record.id);
  const { nack, name, places } = refused;
  // What waits is as good as what serves, unless this is its own first compilation.
  const isKept =
    before?.served.compiled !== undefined ||
    (before?.served.isWaiting === true && before.served.seq !== record.seq);
  const entry: ApiEntry = isKept
    ? { ...before, nack }
    : {
        served: deploy(record, { name, compiled: undefined }, site),
        places,
        definition: undefined,
        payload: record.payload,
        secrets: record.secrets,
        judged: undefined,
        nack,
      };
  const isFree = site.places.claim(entry.served, entry.places) === undefined;
  put(isFree ? entry : { ...entry, places: [] }, site);
  if (Buffer.from(record.payload).includes('#dictionaries')) site.environment.dictionaries.await(record.id);
}

function put(entry: ApiEntry, { environment, routers, released }: Site): void {
  const { served } = entry;
  const before = environment.apis.get(served.id)?.served.compiled;
  environment.apis.set(served.id, entry);
  const isForSome = served.compiled?.isForSome ?? entry.judged?.isForSome;
  if (isForSome === true) environment.forSome.add(served.id);
  else environment.forSome.delete(served.id);
  environment.groups.use(served.id, served.compiled?.groups.ids ?? new Set(entry.judged?.groups));
  environment.dictionaries.use(served.id, served.compiled?.dictionaries ?? new Set());
  for (const place of entry.places) routers?.set(place, served);
  if (before !== undefined && before !== served.compiled) released.push(before);
}

function leavePlaces({ served, places }: ApiEntry, site: Site): void {
  site.places.release(served, places);
  for (const place of places) site.routers?.delete(place);
}

function takenNack({ kind, id, seq }: SetRecord, taken: TakenPlace, { servers }: Site): Nack {
  const on = servers.length === 1 ? '' : ` on server ${taken.place.server}`;
  const reason = `The context path ${placeText(taken.place)}${on} is taken by API ${taken.id} of environment ${taken.environment}${taken.file === undefined ? '' : ` (${taken.file})`}.`;
  return { kind, id, seq, code: 'path.taken', reason };
}

/** What a refused record still says of itself: its name, and the text in which its paths may stand. */
function readAsFarAsPossible({ id, payload }: SetRecord): {
  readonly name: string;
  readonly definition: string;
} {
  try {
    return decodeApi(payload);
  } catch {
    return { name: id, definition: '' };
  }
}
