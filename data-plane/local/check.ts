import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { Note } from '../../proto/definition/read.ts';
import { Objects } from '../../proto/definition/resources.ts';
import { sharedGroupsIn } from '../../proto/model/api/shared-policy-group.ts';
import { Fault, type FaultDetail } from '../../proto/faults/fault.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { createLog } from '../../proto/process/log.ts';
import { systemWords } from '../../proto/process/system-words.ts';
import { decodeApi, decodeSubscription } from '../../proto/wire/payloads.ts';
import { recordKinds } from '../../proto/wire/published.ts';
import type { GatewayConfig } from '../config.ts';
import { readDefinition } from '../gateway/deploy/definitions.ts';
import { createDeployments } from '../gateway/deploy/deployments.ts';
import { noCallouts } from '../callouts.ts';
import { createMemoryCounters } from '../limits/memory.ts';
import { OwnDoors } from '../../proto/process/outbound/own-doors.ts';
import { guardOf } from '../endpoints/guard.ts';
import { expressionHostOf, securityHostOf, type SecuritySettings } from '../serving.ts';
import { listFolder, readFiles, readGivenFile } from './files.ts';
import { localTenant } from './local.ts';
import { type LocalRecord, objectsOf, recordsOf, settingsRecord } from './records.ts';

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
  Pick<GatewayConfig, 'upstream' | 'admin' | 'tags' | 'tenant' | 'secretReferences'>;

/** Something said of a file, with the number of the document when it holds several. */
type InDocument<Said extends object> = Said & { readonly document?: number };

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
  const byKey = new Map<string, LocalRecord>();
  const tell = (file: string, ...found: readonly InDocument<FaultDetail>[]): void =>
    void problems.set(file, [...(problems.get(file) ?? []), ...found]);
  const note = (file: string, ...found: readonly InDocument<Note>[]): void =>
    void notes.set(file, [...(notes.get(file) ?? []), ...found]);
  const files = await filesOf(paths);
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
      tell(path, ...said.problems);
      for (const record of said.records) {
        const own = { ...record, file: path };
        const key = `${record.kind}\0${record.id}`;
        const other = byKey.get(key);
        if (other !== undefined)
          tell(path, { path: 'id', message: `${record.kind} "${record.id}" is in ${other.file} already` });
        else if (isWhole(own, { tell, note })) {
          byKey.set(key, own);
          records.push(own);
        }
        if (record.warning !== undefined)
          note(path, within(record, { path: '', kind: 'doubt', message: record.warning }));
      }
    } catch (error) {
      tell(path, { path: '', message: error instanceof Error ? error.message : String(error) });
    }
  }
  for (const { file, ...doubt } of [...idleSubscriptions(records), ...missingGroups(records)])
    note(file, doubt);
  for (const { kind, id, reason } of judge(records, config)) {
    const file = byKey.get(`${kind}\0${id}`)?.file;
    if (file !== undefined) tell(file, { path: '', message: reason });
  }
  return [...problems].map(([file, found]) => ({ file, problems: found, notes: notes.get(file) ?? [] }));
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
  }: {
    readonly tell: (file: string, ...found: readonly FaultDetail[]) => void;
    readonly note: (file: string, ...found: readonly Note[]) => void;
  },
): boolean {
  const { kind, payload, file } = record;
  if (kind !== 'api') return true;
  try {
    const { notes } = readDefinition(decodeApi(payload).definition);
    note(file, ...notes.map((one) => within(record, one)));
    return true;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const { details, detail } = error;
    const found = details.length === 0 ? [{ path: '', message: detail }] : details;
    tell(file, ...found.map((one) => within(record, one)));
    return false;
  }
}

/** Subscriptions of what is not among the files, most likely by a slip: their callers would be refused, and nobody would say why. */
function idleSubscriptions(records: readonly LocalRecord[]): readonly (Note & { readonly file: string })[] {
  const plans = new Map(
    records
      .filter(({ kind }) => kind === 'api')
      .map(({ id, payload }) => [
        id,
        readDefinition(decodeApi(payload).definition).api.plans.map((plan) => plan.id),
      ]),
  );
  return records
    .filter(({ kind }) => kind === 'subscription')
    .flatMap(({ id, payload, file }) => {
      const { api, plan } = decodeSubscription(payload);
      const known = plans.get(api);
      if (known?.includes(plan) === true) return [];
      const what =
        known === undefined
          ? `the API "${api}" is not among those that are served`
          : `the API "${api}" has no published plan "${plan}"`;
      return [{ file, path: '', kind: 'doubt', message: `subscription "${id}": ${what}` }];
    });
}

/** Steps of groups that are not among the files. */
function missingGroups(
  records: readonly LocalRecord[],
): readonly (InDocument<Note> & { readonly file: string })[] {
  const groups = new Set(records.filter(({ kind }) => kind === 'shared-policy-group').map(({ id }) => id));
  return records
    .filter(({ kind }) => kind === 'api')
    .flatMap((record) => {
      const { flows, plans } = readDefinition(decodeApi(record.payload).definition).api;
      const uses = [
        ...sharedGroupsIn(flows, 'flows'),
        ...plans.flatMap((plan, index) => sharedGroupsIn(plan.flows, `plans[${index}].flows`)),
      ];
      return uses
        .filter(({ group }) => !groups.has(group))
        .map(({ group, path }) => {
          const message = `the shared policy group "${group}" is not among the files: whoever reaches this step is refused`;
          return within(record, { file: record.file, path, kind: 'doubt' as const, message });
        });
    });
}

function within<Said extends object>({ document }: LocalRecord, said: Said): InDocument<Said> {
  return document === undefined ? said : { ...said, document };
}

function judge(records: readonly LocalRecord[], config: CheckSettings) {
  const clock = systemClock;
  const log = createLog({ name: 'check', level: 'silent' });
  const deployments = createDeployments({
    guard: guardOf(config, new OwnDoors([config.admin.port])),
    upstreams: undefined,
    host: { clock, counters: createMemoryCounters({ windowsMax: 1, clock }), outbound: noCallouts },
    security: securityHostOf(config, { clock, log, outbound: noCallouts }),
    expressions: expressionHostOf({ config, gateway: '', version: '', clock }),
    records: undefined,
    log,
    keysSeenMax: 1,
    streamMsMax: 0,
    onThrown: () => undefined,
  });
  const settings = settingsRecord({ tags: config.tags, tenant: config.tenant });
  const set = [settings, ...records]
    .toSorted((a, b) => recordKinds.indexOf(a.kind) - recordKinds.indexOf(b.kind))
    .map(({ kind, id, payload, file }) => ({ kind, id, payload, file, seq: 1, revision: '1' }));
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
