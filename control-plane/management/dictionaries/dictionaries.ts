import { randomUUID } from 'node:crypto';
import { Fault } from '../../../proto/faults/fault.ts';
import { type Words, wordsOfText } from '../../../proto/model/fetched/words.ts';
import { encodeDictionary } from '../../../proto/wire/payloads.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Actor } from '../../access/actor.ts';
import { lockInUse } from '../../publish/tenant-locks.ts';
import type { Queries } from '../../storage/storage.ts';
import type { AuditEvent } from '../audit/events.ts';
import {
  type AuditedObject,
  change,
  type Change,
  type Desk,
  isAsBefore,
  laterThan,
  type Told,
  toldRow,
} from '../desk.ts';
import { type Fetcher, wordsOf } from '../fetches/fetches.ts';
import { wordsQuestion } from '../fetches/fetching.ts';
import {
  beginFetching,
  endFetching,
  fetchedOf,
  type FetchedRef,
  findFetched,
} from '../fetches/fetches.store.ts';
import { checkIfMatch } from '../route.ts';
import {
  deleteDictionaryRow,
  type DictionaryRow,
  findDictionary,
  insertDictionary,
  listDictionaryRows,
  lockDictionary,
  updateDictionaryRow,
} from './dictionaries.store.ts';
import {
  checkUnchanged,
  dictionaryBounds,
  dictionaryItem,
  type DictionaryUpdate,
  dictionaryView,
  type DictionaryView,
  type DictionaryWish,
  keyOfName,
  providerOf,
  sourceOf,
} from './dictionary-shape.ts';

/** Most dictionaries of an environment: the list has no pages, and is whole. */
export const dictionariesMax = 1_000;

/** Which dictionary is meant. */
export interface DictionaryRef {
  readonly at: EnvironmentRef;
  readonly id: string;
}

/** Makes a dictionary that gateways do not have. Errors: dictionary.exists, dictionary.key_collides_with_id. */
export function createDictionary(
  desk: Desk,
  actor: Actor,
  { at, wish }: { readonly at: EnvironmentRef; readonly wish: DictionaryWish },
): Promise<DictionaryView> {
  return change(desk, { actor, at }, async (now) => {
    const key = wish.key ?? keyOfName(wish.name);
    if (key === '')
      throw new Fault('request.invalid', {
        details: [{ path: 'key', message: 'is required: no key can be made of the name' }],
      });
    const other = await findDictionary(now.trx, at, { column: 'id', value: key });
    if (other !== undefined)
      throw new Fault('dictionary.key_collides_with_id', {
        detail: `"${key}" is the id of the dictionary "${other.name}".`,
      });
    const id = randomUUID();
    const row: DictionaryRow = {
      ...at,
      id,
      key,
      ...(await written(now, wish, { id })),
      type: wish.type,
      state: 'STOPPED',
      version: 0,
      created_at_ms: now.nowMs,
      updated_at_ms: now.nowMs,
      deployed_at_ms: null,
    };
    if (!(await insertDictionary(now.trx, row)))
      throw new Fault('dictionary.exists', { detail: `There is a dictionary with the key "${key}".` });
    // The environment is locked last: whoever deletes the one that had the key holds that, and locks the environment next.
    await lockInUse(now.trx, at);
    if ((await listDictionaryRows(now.trx, at, dictionariesMax + 1)).length > dictionariesMax)
      throw new Fault('request.conflict', {
        detail: `An environment has at most ${dictionariesMax} dictionaries.`,
      });
    await audit(now, 'DICTIONARY_CREATED', { after: row });
    return dictionaryView(row, undefined);
  });
}

/** One dictionary. */
export async function getDictionary(desk: Desk, { at, id }: DictionaryRef): Promise<DictionaryView> {
  const { db } = desk.storage;
  const row = await findDictionary(db, at, { column: 'id', value: id });
  return oneView(db, row ?? (await notFound(db, at, id)));
}

/** All dictionaries of an environment by name. */
export async function listDictionaries(desk: Desk, at: EnvironmentRef) {
  const { db } = desk.storage;
  const rows = await listDictionaryRows(db, at, dictionariesMax);
  const dynamic = rows.filter(({ type }) => type === 'DYNAMIC').map(({ id }) => id);
  const fetched = await fetchedOf(db, at, { kind: 'dictionary', ids: dynamic });
  return rows.map((row) => dictionaryItem(row, fetched.get(row.id)));
}

/** Replaces what can be written. Gateways learn words of a manual one with the next deployment; a dynamic one is fetched anew at once. */
export function updateDictionary(
  desk: Desk,
  actor: Actor,
  ref: DictionaryRef & { readonly wish: DictionaryUpdate; readonly ifMatch?: string | undefined },
): Promise<DictionaryView> {
  return changeDictionary({ desk, actor, ref }, async (now, row) => {
    checkIfMatch(ref.ifMatch, row.updated_at_ms);
    const { wish } = ref;
    checkUnchanged(wish, row, wordsOf(await findFetched(now.trx, fetchedRef(row))));
    const set = await written(now, wish, row);
    if (isAsBefore(row, set)) return row;
    const after = await updateDictionaryRow(now.trx, row, { ...set, ...later(now, row) });
    const isAskedAnew = after.provider !== row.provider || after.trigger !== row.trigger;
    if (row.state === 'STARTED' && isAskedAnew) await beginFetching(now.trx, fetchedRef(row), now.nowMs);
    await audit(now, 'DICTIONARY_UPDATED', { before: row, after });
    return after;
  });
}

/** Removes a dictionary, from gateways too. */
export async function deleteDictionary(
  desk: Desk,
  actor: Actor,
  ref: DictionaryRef & { readonly ifMatch?: string | undefined },
): Promise<void> {
  await changeDictionary({ desk, actor, ref }, async (now, row) => {
    checkIfMatch(ref.ifMatch, row.updated_at_ms);
    withdraw(now, row);
    await endFetching(now.trx, fetchedRef(row));
    await deleteDictionaryRow(now.trx, row);
    await audit(now, 'DICTIONARY_DELETED', { before: row });
    return row;
  });
}

/** Sends the words of a manual dictionary to gateways. Errors: dictionary.wrong_type. */
export function deployDictionary(desk: Desk, actor: Actor, ref: DictionaryRef): Promise<DictionaryView> {
  return changeDictionary({ desk, actor, ref }, async (now, row) => {
    demandType(row, 'MANUAL');
    const words = new Map(Object.entries(JSON.parse(row.properties) as Readonly<Record<string, string>>));
    const after = await publishWords(now, row, words);
    await audit(now, 'DICTIONARY_DEPLOYED', { before: row, after });
    return after;
  });
}

/** Takes a manual dictionary from gateways. Errors: dictionary.wrong_type. */
export function undeployDictionary(desk: Desk, actor: Actor, ref: DictionaryRef): Promise<DictionaryView> {
  return changeDictionary({ desk, actor, ref }, async (now, row) => {
    demandType(row, 'MANUAL');
    if (row.state === 'STOPPED') return row;
    const after = await stopped(now, row);
    await audit(now, 'DICTIONARY_UNDEPLOYED', { before: row, after });
    return after;
  });
}

/** Starts to fetch a dynamic dictionary, or stops it and takes it from gateways. Errors: dictionary.wrong_type, dictionary.wrong_state. */
export function actOnDictionary(
  desk: Desk,
  actor: Actor,
  ref: DictionaryRef & { readonly action: 'START' | 'STOP' },
): Promise<DictionaryView> {
  return changeDictionary({ desk, actor, ref }, async (now, row) => {
    demandType(row, 'DYNAMIC');
    const state = ref.action === 'START' ? 'STARTED' : 'STOPPED';
    if (row.state === state)
      throw new Fault('dictionary.wrong_state', {
        detail: `The dictionary is ${state.toLowerCase()} already.`,
      });
    const isStarted = state === 'STARTED';
    if (isStarted) await beginFetching(now.trx, fetchedRef(row), now.nowMs);
    else await endFetching(now.trx, fetchedRef(row));
    const after = isStarted
      ? await updateDictionaryRow(now.trx, row, { state, ...later(now, row) })
      : await stopped(now, row);
    await audit(now, isStarted ? 'DICTIONARY_STARTED' : 'DICTIONARY_STOPPED', { before: row, after });
    return after;
  });
}

/** Dynamic dictionaries, for whoever polls. */
export const dictionaryFetcher: Fetcher = {
  async question({ trx, at, secrets }, id) {
    const row = await findDictionary(trx, at, { column: 'id', value: id });
    if (row?.state !== 'STARTED') return undefined;
    const { definition } = await secrets.open(providerOf(row), { kind: 'dictionary', id });
    const source = sourceOf(row, definition);
    return source && wordsQuestion(source, dictionaryBounds);
  },
  async lock(now, id) {
    const row = await lockDictionary(now.trx, now.at, id);
    if (row?.state !== 'STARTED') return undefined;
    return {
      ...audited(now, row),
      events: { failed: 'DICTIONARY_FETCH_FAILED', recovered: 'DICTIONARY_FETCH_RECOVERED' },
      async publish(text) {
        await publishWords(now, row, wordsOfText(text));
        return undefined;
      },
    };
  },
};

/** Gateways have these words from now on. */
function publishWords(now: Change, row: DictionaryRow, words: Words): Promise<DictionaryRow> {
  const version = row.version + 1;
  const entries = [...words].map(([key, value]) => ({ key, value }));
  const payload = encodeDictionary({ id: row.id, name: row.key, entries });
  now.publish([{ kind: 'dictionary', id: row.id, revision: String(version), tags: [], payload }]);
  const moment = later(now, row);
  // One moment, so that what was made and deployed within a millisecond does not look as if it was written after its deployment.
  const set = { state: 'STARTED', version, deployed_at_ms: moment.updated_at_ms, ...moment } as const;
  return updateDictionaryRow(now.trx, row, set);
}

function stopped(now: Change, row: DictionaryRow): Promise<DictionaryRow> {
  withdraw(now, row);
  return updateDictionaryRow(now.trx, row, { state: 'STOPPED', deployed_at_ms: null, ...later(now, row) });
}

function withdraw(now: Change, row: DictionaryRow): void {
  if (row.version > 0) now.publish([{ kind: 'dictionary', id: row.id, isDeleted: true }]);
}

function demandType(row: DictionaryRow, type: 'MANUAL' | 'DYNAMIC'): void {
  if (row.type === type) return;
  throw new Fault('dictionary.wrong_type', {
    detail: `The dictionary is ${row.type}.`,
    hint:
      type === 'MANUAL'
        ? 'A DYNAMIC dictionary is started and stopped: POST ?action=START.'
        : 'A MANUAL dictionary is deployed and undeployed: POST _deploy.',
  });
}

/** What was written, as it is kept: headers of a provider may hold secrets. */
async function written(
  now: Change,
  wish: DictionaryUpdate,
  before: Pick<DictionaryRow, 'id'> & Partial<DictionaryRow>,
) {
  const owner = { kind: 'dictionary', id: before.id } as const;
  const { provider } = await now.secrets.seal({ provider: wish.provider }, owner, providerOf(before));
  return {
    name: wish.name,
    name_key: wish.name.toLowerCase(),
    description: wish.description ?? '',
    properties: JSON.stringify(wish.type === 'MANUAL' ? (wish.properties ?? {}) : {}),
    provider: provider === undefined ? null : JSON.stringify(provider),
    trigger: wish.trigger === undefined ? null : JSON.stringify(wish.trigger),
  };
}

const later = (now: Change, row: DictionaryRow) => ({
  updated_at_ms: laterThan(row.updated_at_ms, now.nowMs),
});

const fetchedRef = (row: DictionaryRow): FetchedRef => ({ at: row, kind: 'dictionary', id: row.id });

async function oneView(db: Queries, row: DictionaryRow): Promise<DictionaryView> {
  return dictionaryView(row, row.type === 'DYNAMIC' ? await findFetched(db, fetchedRef(row)) : undefined);
}

/** Whoever wrote a key, as expressions do, learns the id. */
async function notFound(db: Queries, at: EnvironmentRef, id: string): Promise<never> {
  const named = await findDictionary(db, at, { column: 'key', value: id });
  throw new Fault('request.not_found', {
    detail: `There is no dictionary with the id "${id}" here.`,
    ...(named === undefined ? {} : { hint: `"${id}" is the key of a dictionary; its id is ${named.id}.` }),
  });
}

function changeDictionary(
  { desk, actor, ref }: { readonly desk: Desk; readonly actor: Actor; readonly ref: DictionaryRef },
  work: (now: Change, row: DictionaryRow) => Promise<DictionaryRow>,
): Promise<DictionaryView> {
  return change(desk, { actor, at: ref.at }, async (now) => {
    const row = (await lockDictionary(now.trx, ref.at, ref.id)) ?? (await notFound(now.trx, ref.at, ref.id));
    return oneView(now.trx, await work(now, row));
  });
}

function audited(
  now: Change,
  { id }: DictionaryRow,
): { readonly object: AuditedObject; readonly touched: Readonly<Record<string, string>> } {
  return { object: { type: 'ENVIRONMENT', id: now.at.environment }, touched: { DICTIONARY: id } };
}

function audit(now: Change, event: AuditEvent, told: Told<DictionaryRow>): Promise<void> {
  const { object, touched } = audited(now, toldRow(told));
  return now.audit(event, { ...object, ...told }, touched);
}
