import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { Json } from '../../proto/definition/opened.ts';
import { type Note, readIdleParts } from '../../proto/definition/read.ts';
import { Objects } from '../../proto/definition/resources.ts';
import { readOrganizationFlows, readSharedPolicyGroup } from '../../proto/definition/shared-flows.ts';
import { sharedGroupsOf } from '../../proto/model/api/shared-policy-group.ts';
import { Fault, type FaultDetail } from '../../proto/faults/fault.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { createLog } from '../../proto/process/log.ts';
import { systemWords } from '../../proto/process/system-words.ts';
import {
  decodeApi,
  decodeOrganizationFlows,
  decodeSharedPolicyGroup,
  encodeApi,
} from '../../proto/wire/payloads.ts';
import { recordKinds } from '../../proto/wire/published.ts';
import type { GatewayConfig } from '../config.ts';
import { pathInFile } from '../gateway/deploy/change.ts';
import { missingServers, readDefinition } from '../gateway/deploy/definitions.ts';
import { createDeployments } from '../gateway/deploy/deployments.ts';
import { noCallouts } from '../callouts.ts';
import { createMemoryCounters } from '../limits/memory.ts';
import { OwnDoors } from '../../proto/process/outbound/own-doors.ts';
import { guardOf } from '../endpoints/guard.ts';
import { policyPartsOf } from '../policy-ground.ts';
import { expressionHostOf, securityHostOf, type SecuritySettings } from '../serving.ts';
import { serversOf } from '../servers/settings.ts';
import { listFolder, readFiles, readGivenFile } from './files.ts';
import { idleSubscriptions } from './idle-subscriptions.ts';
import { linesOf } from './lines.ts';
import { localTenant } from './local.ts';
import { isApi, type LocalRecord, objectsOf, recordsOf, settingsRecord, wholeApi } from './records.ts';
import { settingsNames } from './settings-file.ts';
import { unreadManifests } from './unread-manifests.ts';

/** A file with everything that a gateway would refuse in it. */
export interface CheckedFile {
  readonly file: string;
  /** Each with its place in the file, '' for the whole. Empty: a gateway of these settings serves it. */
  readonly problems: readonly InDocument<FaultDetail>[];
  /** What a gateway does not look at, and what may not be meant as it stands. */
  readonly notes: readonly InDocument<Note>[];
}

/** What of a gateway's settings a definition is judged by. */
type CheckSettings = SecuritySettings &
  Pick<GatewayConfig, 'upstream' | 'admin' | 'tags' | 'tenant' | 'secretReferences' | 'policy'>;

/** Something said of a file, with the number of the document when it holds several, and the line where that can be told. */
type InDocument<Said extends object> = Said & { readonly document?: number; readonly line?: number };

/**
 * Judges definitions as a gateway in local mode would, together (two APIs on one path clash), and opens nothing: no port, no
 * connection, no folder.
 *
 * Paths are files, or folders, whose JSON and YAML files are meant. Errors: config.unreadable for a path that is not there.
 */
export async function checkFiles(
  paths: readonly string[],
  config: CheckSettings,
): Promise<readonly CheckedFile[]> {
  const problems = new Map<string, InDocument<FaultDetail>[]>();
  const notes = new Map<string, InDocument<Note>[]>();
  const records: LocalRecord[] = [];
  const unserved = new Set<string>();
  /** Those of one kind and id, of which a gateway takes the first. */
  const byKey = new Map<string, LocalRecord[]>();
  const tell = (file: string, ...found: readonly InDocument<FaultDetail>[]): void =>
    void problems.set(file, [...(problems.get(file) ?? []), ...found]);
  const note = (file: string, ...found: readonly InDocument<Note>[]): void =>
    void notes.set(file, [...(notes.get(file) ?? []), ...found]);
  const files = await filesOf(paths);
  const servers = serversOf(config).map(({ id }) => id);
  const options = {
    ...localTenant,
    tags: config.tags,
    objects: new Objects(objectsOf(files.map(({ file }) => file))),
  };
  for (const { path, file } of files) {
    tell(path);
    if (file.problem !== undefined) {
      tell(path, { path: '', message: file.problem });
      continue;
    }
    try {
      const said = recordsOf(file, options);
      note(path, ...unreadManifests(file));
      tell(path, ...said.problems);
      for (const id of said.unserved) unserved.add(id);
      for (const record of said.records) {
        const own = { ...record, file: path };
        const key = keyOf(record);
        const same = byKey.get(key) ?? [];
        const [other] = same;
        if (other !== undefined)
          tell(path, { path: 'id', message: `${record.kind} "${record.id}" is in ${other.file} already` });
        if (isWhole(own, { tell, note, servers })) {
          byKey.set(key, [...same, own]);
          if (other === undefined) records.push(own);
        }
        if (record.warning !== undefined)
          note(path, within(record, { path: '', kind: 'doubt', message: record.warning }));
      }
    } catch (error) {
      tell(path, { path: '', message: error instanceof Error ? error.message : String(error) });
    }
  }
  for (const { file, message } of idleSubscriptions(records, unserved))
    note(file, { path: '', kind: 'doubt', message });
  for (const { file, ...doubt } of missingGroups(records)) note(file, doubt);
  for (const { file, message } of judgeAll(records, byKey, config)) tell(file, { path: '', message });
  return withLines(
    [...problems].map(([file, found]) => ({ file, problems: found, notes: notes.get(file) ?? [] })),
  );
}

/** Judges a document as whoever imports it would. Errors: request.invalid with a detail per fault. */
export type JudgeDocument = (document: Json) => readonly Note[];

/** Judges the definitions among files one by one, as an importer takes them. Errors: config.unreadable for a path that is not there. */
export async function checkDocuments(
  paths: readonly string[],
  judgeDocument: JudgeDocument,
): Promise<readonly CheckedFile[]> {
  const files = await filesOf(paths);
  const objects = new Objects(objectsOf(files.map(({ file }) => file)));
  const checked = files.map(({ path, file }): CheckedFile => {
    const problems: InDocument<FaultDetail>[] =
      file.problem === undefined ? [] : [{ path: '', message: file.problem }];
    const notes: InDocument<Note>[] = [];
    if (settingsNames.includes(file.name)) notes.push({ path: '', kind: 'doubt', message: ofFilesAlone });
    else
      for (const [index, each] of file.documents.entries()) {
        const place = file.documents.length > 1 ? { document: index + 1 } : {};
        if (!isApi({ document: each })) continue;
        try {
          const told = judgeDocument(wholeApi(each, objects));
          notes.push(...told.map((one) => ({ ...one, ...place })));
        } catch (error) {
          problems.push(...faultsOf(error).map((one) => ({ ...one, ...place })));
        }
      }
    return { file: path, problems, notes };
  });
  return withLines(checked);
}

const ofFilesAlone =
  'is read by gateways of files alone; subscriptions, dictionaries and flows of the organization have operations of their own';

function faultsOf(error: unknown): readonly FaultDetail[] {
  if (!(error instanceof Fault))
    return [{ path: '', message: error instanceof Error ? error.message : String(error) }];
  return error.details.length === 0 ? [{ path: '', message: error.detail }] : error.details;
}

function withLines(files: readonly CheckedFile[]): Promise<readonly CheckedFile[]> {
  return Promise.all(
    files.map(async ({ file, ...said }) => {
      if (said.problems.length + said.notes.length === 0) return { file, ...said };
      const lineOf = await linesOf(file);
      const placed = <Said extends InDocument<{ readonly path: string }>>(one: Said): Said => {
        const line = lineOf(one.path, one.document);
        return line === undefined ? one : { ...one, line };
      };
      return { file, problems: said.problems.map(placed), notes: said.notes.map(placed) };
    }),
  );
}

/** Folders in the given folders, in which no gateway looks. */
export async function skippedFolders(paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    paths.map(async (path) =>
      (await isFolder(path)) ? (await listFolder(path)).folders.map((name) => join(path, name)) : [],
    ),
  );
  return found.flat();
}

/** The form alone, of which all faults are told; what its parts mean together the judge says. */
function isWhole(
  record: LocalRecord,
  {
    tell,
    note,
    servers,
  }: {
    readonly tell: (file: string, ...found: readonly FaultDetail[]) => void;
    readonly note: (file: string, ...found: readonly Note[]) => void;
    /** Ids of those that the gateway has. */
    readonly servers: readonly string[];
  },
): boolean {
  const { file, at } = record;
  try {
    const told = readRecord(record, servers);
    note(file, ...told.map((one) => within(record, one)));
    return true;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const found = faultsOf(error);
    tell(file, ...found.map(({ path, message }) => within(record, { path: pathInFile(path, at), message })));
    return false;
  }
}

function groupOf(payload: Uint8Array): object {
  const { id, name, definition } = decodeSharedPolicyGroup(payload);
  return { ...(JSON.parse(definition) as object), id, name };
}

/** Errors: request.invalid with a detail per fault of its form. */
function readRecord({ kind, payload }: LocalRecord, servers: readonly string[]): readonly Note[] {
  if (kind === 'organization-flows')
    readOrganizationFlows(JSON.parse(decodeOrganizationFlows(payload).definition));
  if (kind === 'shared-policy-group') readSharedPolicyGroup(groupOf(payload));
  if (kind !== 'api') return [];
  const { definition } = decodeApi(payload);
  const { api, notes } = readDefinition(definition);
  return [...notes, ...missingServers(api, servers), ...readIdleParts(JSON.parse(definition))];
}

/** Steps of groups that are not among the files. */
function missingGroups(
  records: readonly LocalRecord[],
): readonly (InDocument<Note> & { readonly file: string })[] {
  const groups = new Set(records.filter(({ kind }) => kind === 'shared-policy-group').map(({ id }) => id));
  return records
    .filter(({ kind }) => kind === 'api')
    .flatMap((record) => {
      const { api } = readDefinition(decodeApi(record.payload).definition);
      return sharedGroupsOf(api)
        .filter(({ group }) => !groups.has(group))
        .map(({ group, path }) => {
          const message = `the shared policy group "${group}" is not among the files: whoever reaches this step is refused`;
          return within(record, { file: record.file, path, kind: 'doubt' as const, message });
        });
    });
}

/** Two files may not have one path on a server of another gateway either: the control plane would refuse the second. */
function namedServers(records: readonly LocalRecord[]): readonly string[] {
  return records
    .filter(({ kind }) => kind === 'api')
    .flatMap(({ payload }) => readDefinition(decodeApi(payload).definition).api.listeners)
    .flatMap(({ servers }) => servers);
}

function within<Said extends object>({ document }: LocalRecord, said: Said): InDocument<Said> {
  return document === undefined ? said : { ...said, document };
}

/** A nack's code. */
const pathTaken = 'path.taken';

const keyOf = ({ kind, id }: Pick<LocalRecord, 'kind' | 'id'>): string => `${kind}\0${id}`;

/**
 * What a gateway would refuse, all of it at once: it does not look at the path of an API that does not compile, nor at a second record of
 * one id, and who has mended the one would only then hear of the other.
 */
function judgeAll(
  records: readonly LocalRecord[],
  byKey: ReadonlyMap<string, readonly LocalRecord[]>,
  config: CheckSettings,
): readonly { readonly file: string; readonly message: string }[] {
  const told = (among: readonly LocalRecord[], nacks: ReturnType<typeof judge>) =>
    nacks.flatMap((nack) => {
      const record = among.find((each) => keyOf(each) === keyOf(nack));
      return record === undefined ? [] : [{ file: record.file, message: nack.reason }];
    });
  const nacks = judge(records, config);
  const broken = new Set(nacks.flatMap((nack) => (nack.code === pathTaken ? [] : [keyOf(nack)])));
  const standing = records.map((record) => (broken.has(keyOf(record)) ? placeAlone(record) : record));
  const taken = broken.size === 0 ? [] : judge(standing, config);
  const hidden = taken.filter((nack) => nack.code === pathTaken && broken.has(keyOf(nack)));
  const most = Math.max(0, ...[...byKey.values()].map((same) => same.length));
  // Seconds of all ids, then thirds: each beside what the first ones of the others are.
  const others = Array.from({ length: Math.max(0, most - 1) }, (_, index) => {
    const seconds = [...byKey.values()].flatMap((same) => same[index + 1] ?? []);
    const keys = new Set(seconds.map(keyOf));
    const among = [...records.filter((record) => !keys.has(keyOf(record))), ...seconds];
    return told(seconds, judge(among, config));
  });
  return [...told(records, nacks), ...told(records, hidden), ...others.flat()];
}

/** An API of which nothing is left but where it is served. */
function placeAlone(record: LocalRecord): LocalRecord {
  if (record.kind !== 'api') return record;
  const message = decodeApi(record.payload);
  const { api } = readDefinition(message.definition);
  const endpointGroups = [{ name: 'nobody', type: 'http-proxy', endpoints: [] }];
  const definition = JSON.stringify({ ...api, plans: [], flows: [], resources: [], endpointGroups });
  return { ...record, payload: encodeApi({ ...message, definition }) };
}

function judge(records: readonly LocalRecord[], config: CheckSettings) {
  const clock = systemClock;
  const log = createLog({ name: 'check', level: 'silent' });
  const deployments = createDeployments({
    guard: guardOf(config, new OwnDoors([config.admin.port])),
    upstreams: undefined,
    host: {
      clock,
      counters: createMemoryCounters({ windowsMax: 1, clock }),
      outbound: noCallouts,
      ...policyPartsOf(config, clock),
    },
    security: securityHostOf(config, { clock, log, outbound: noCallouts }),
    expressions: expressionHostOf({ config, gateway: '', version: '', clock }),
    records: undefined,
    log,
    keysSeenMax: 1,
    streamMsMax: 0,
    onThrown: () => undefined,
    servers: [...new Set([...serversOf(config).map(({ id }) => id), ...namedServers(records)])],
  });
  const settings = settingsRecord({ tags: config.tags, tenant: config.tenant });
  const set = [settings, ...records]
    .toSorted((a, b) => recordKinds.indexOf(a.kind) - recordKinds.indexOf(b.kind))
    .map(({ kind, id, payload, file, at }) => ({ kind, id, payload, file, at, seq: 1, revision: '1' }));
  const nacks = deployments.apply({ ...localTenant, seq: 1, isFull: true, set, removed: [] });
  deployments.close();
  return nacks;
}

async function filesOf(paths: readonly string[]) {
  const found = await Promise.all(
    paths.map(async (path) => {
      if (await isFolder(path))
        return [...(await readFiles(path, (await listFolder(path)).names, new Map())).values()].map(
          (file) => ({ path: join(path, file.name), file }),
        );
      const file = await readGivenFile(path);
      return file === undefined ? [] : [{ path, file }];
    }),
  );
  return found.flat();
}

async function isFolder(path: string): Promise<boolean> {
  if (path === '-') return false;
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    const isGone = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new Fault('config.unreadable', {
      detail: isGone ? `There is no file or folder ${path}.` : `${path} ${systemWords(cause)}.`,
      hint: 'Check the path for a slip, and whether this user may read it.',
      cause,
    });
  }
}
