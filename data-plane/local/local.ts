import { watch } from 'node:fs';

import { Objects } from '../../proto/definition/resources.ts';
import { Fault, type FaultDetail } from '../../proto/faults/fault.ts';
import type { Clock } from '../../proto/process/clock.ts';
import type { Lifecycle } from '../../proto/process/lifecycle.ts';
import type { Log } from '../../proto/process/log.ts';
import { systemWords } from '../../proto/process/system-words.ts';
import { type Nack, recordKinds } from '../../proto/wire/published.ts';
import type {
  ApplyChange,
  ConfirmChange,
  HearTakenLate,
  RemovedRecord,
  SetRecord,
} from '../gateway/deploy/change.ts';
import { folderNote, listFolder, type LocalFile, readFiles } from './files.ts';
import { lostSubscriptions } from './idle-subscriptions.ts';
import {
  type FileRecords,
  hasResource,
  type LocalRecord,
  type LocalStanding,
  objectsOf,
  recordsOf,
  settingsRecord,
} from './records.ts';
import { unreadManifests } from './unread-manifests.ts';

/** What local mode needs. */
export interface LocalOptions {
  readonly folder: string;
  /** Sharding tags and tenant of this gateway. */
  readonly standing: LocalStanding;
  readonly apply: ApplyChange;
  /** See {@link ConfirmChange}. */
  readonly confirm?: ConfirmChange | undefined;
  /** Tells of what is in service although it was refused; see {@link HearTakenLate}. */
  readonly onTakenLate?: ((hear: HearTakenLate) => void) | undefined;
  readonly log: Log;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
}

/** A folder in service. */
export interface Local {
  /** What the files hold that is not in service, by file; its previous state is. */
  problems(): readonly LocalProblem[];
  /** Number of the last change that was applied. */
  seq(): number;
}

/** A file that is not in service as it stands. */
export interface LocalProblem {
  readonly file: string;
  readonly reason: string;
}

/** Names of the tenant of local mode; a spool folder is named after them. */
export const localTenant = { organization: 'DEFAULT', environment: 'DEFAULT' } as const;

const pollMsMin = 500;
const settleMs = 30;
const unreadableWords = 'the folder cannot be read; what it said before stays in service';
/** In one line of the log. */
const foldersToldMax = 20;
/** Of one file, in the log and in readiness. */
const problemsToldMax = 20;

/**
 * Serves the definitions of a folder and follows it: a saved file is live within a second, a broken one keeps what was
 * there before.
 *
 * The operating system's notices only hurry a poll that would come anyway, since network and container file systems do
 * not always send them. The poll takes at most a fiftieth of the time, however many files there are.
 * Errors: config.invalid when the folder cannot be read at the start.
 */
export async function startLocal(options: LocalOptions): Promise<Local> {
  const { folder, clock, lifecycle } = options;
  const follower = new Follower(options);
  options.onTakenLate?.((_environment, record) => follower.takenLate(record));
  try {
    await follower.read();
  } catch (error) {
    throw new Fault('config.invalid', {
      details: [
        { path: 'local', message: `must be a folder of API definitions; ${folder} ${systemWords(error)}` },
      ],
      hint: 'Check the path for a slip, and that the user of this process may read and enter the folder.',
      cause: error,
    });
  }
  let wake = (): void => undefined;
  const watcher = watchFolder(folder, () => wake());
  lifecycle.onClose('local files', () => watcher?.close());
  const follow = async (): Promise<void> => {
    let pollMs = pollMsMin;
    while (!lifecycle.signal.aborted) {
      const woken = new Promise<void>((resolve) => (wake = resolve));
      await Promise.race([woken, clock.delay(pollMs, lifecycle.signal)]);
      // Editors write in pieces; the second notice comes at once.
      await clock.delay(settleMs, lifecycle.signal);
      if (lifecycle.signal.aborted) return;
      const startedMs = clock.monotonicMs();
      await follower.readAgain();
      pollMs = Math.max(pollMsMin, 50 * (clock.monotonicMs() - startedMs));
    }
  };
  lifecycle.task('local files', follow());
  return { problems: () => follower.problems(), seq: () => follower.seq };
}

/** Without notices (a file system that has none) the poll does it alone. */
function watchFolder(folder: string, onChange: () => void) {
  try {
    return watch(folder, { persistent: false }, onChange).on('error', () => undefined);
  } catch {
    return undefined;
  }
}

class Follower {
  seq = 0;
  #files: ReadonlyMap<string, LocalFile> = new Map();
  #folders: ReadonlySet<string> = new Set();
  /** What each file last said that could be used, so that a broken one keeps it. */
  #good = new Map<string, FileRecords>();
  #broken = new Map<string, readonly string[]>();
  #clashes = new Map<string, string>();
  /** By file: subscriptions to what is not there. */
  #lost: ReadonlyMap<string, readonly string[]> = new Map();
  #nacks: readonly (Nack & { readonly file: string })[] = [];
  #served = new Map<string, LocalRecord>();
  /** Why the folder could not be read last; undefined when it could. */
  #unreadable: string | undefined = undefined;
  readonly #options: LocalOptions;

  constructor(options: LocalOptions) {
    this.#options = options;
  }

  async read(): Promise<void> {
    const { folder, log } = this.#options;
    const { names, folders } = await listFolder(folder);
    this.#tellFolders(folders);
    if (this.seq === 0 && names.length === 0)
      log.warn({ folder }, 'the folder holds no JSON or YAML file; every request is answered with 404');
    const files = await readFiles(folder, names, this.#files);
    if (this.seq > 0 && isSame(files, this.#files)) return;
    const before = this.#files;
    this.#files = files;
    const isChanged = (file: LocalFile): boolean => before.get(file.name) !== file;
    const left = [...before.values()].filter((file) => files.get(file.name) !== file);
    const changed = [...files.values()].filter(isChanged);
    const objects = objectsOf(files.values());
    // What custom resources refer to may stand in another file.
    const isMoved = objectsOf([...left, ...changed]).length > 0;
    const isToTake = (file: LocalFile): boolean => isChanged(file) || (isMoved && hasResource(file));
    for (const name of this.#good.keys()) if (!files.has(name)) this.#good.delete(name);
    for (const name of this.#broken.keys()) if (!files.has(name)) this.#broken.delete(name);
    const known = new Objects(objects);
    for (const file of files.values()) if (isToTake(file)) this.#take(file, known);
    await this.#serve();
    this.#tellLost();
  }

  /** The same, of a folder that was read: one that cannot be read any more is told once, and once more when it is back. What is served stays. */
  async readAgain(): Promise<void> {
    const { folder, log } = this.#options;
    try {
      await this.read();
      if (this.#unreadable !== undefined) log.info({ folder }, 'the folder can be read again');
      this.#unreadable = undefined;
    } catch (error) {
      const reason = systemWords(error);
      // What is none of the system's is a bug, and wants its stack.
      const bug = error instanceof Error && 'syscall' in error ? {} : { err: error };
      if (reason !== this.#unreadable) log.error({ folder, reason, ...bug }, unreadableWords);
      this.#unreadable = reason;
    }
  }

  takenLate({ kind, id }: Pick<Nack, 'kind' | 'id'>): void {
    this.#nacks = this.#nacks.filter((nack) => nack.kind !== kind || nack.id !== id);
    this.#options.log.info({ kind, id }, 'what was refused for a taken path is in service: the path is free');
  }

  problems(): readonly LocalProblem[] {
    return [
      ...(this.#unreadable === undefined
        ? []
        : [{ file: this.#options.folder, reason: `${unreadableWords}: it ${this.#unreadable}` }]),
      ...[...this.#broken, ...this.#lost].flatMap(([file, reasons]) =>
        reasons.map((reason) => ({ file, reason })),
      ),
      ...[...this.#clashes].map(([file, reason]) => ({ file, reason })),
      ...this.#nacks.map(({ file, kind, id, reason }) => ({
        file,
        reason: kind === 'api' ? reason : `${kind} "${id}": ${reason}`,
      })),
    ];
  }

  /** Once, when one is found: whoever laid definitions there waits for them. */
  #tellFolders(folders: readonly string[]): void {
    const found = folders.filter((name) => !this.#folders.has(name));
    this.#folders = new Set(folders);
    if (found.length === 0) return;
    this.#options.log.warn({ folders: found.slice(0, foldersToldMax), count: found.length }, folderNote);
  }

  /** Of each file what is new; an API that is laid there later makes its subscriptions right. */
  #tellLost(): void {
    const unserved = new Set([...this.#good.values()].flatMap((file) => file.unserved));
    const before = this.#lost;
    const found = Map.groupBy(lostSubscriptions(this.#served.values(), unserved), ({ file }) => file);
    this.#lost = new Map([...found].map(([file, lost]) => [file, toldOf(lost)]));
    for (const [file, reasons] of this.#lost)
      if (before.get(file)?.join('\n') !== reasons.join('\n'))
        this.#options.log.warn({ file, reasons }, 'subscriptions of the folder let nobody in');
  }

  #take(file: LocalFile, objects: Objects): void {
    const { standing, log } = this.#options;
    const { name } = file;
    try {
      if (file.problem !== undefined) throw new Error(file.problem);
      const options = { ...localTenant, objects, tags: standing.tags };
      const said = recordsOf(file, options, this.#good.get(name));
      this.#good.set(name, said);
      this.#broken.delete(name);
      for (const { message, document } of unreadManifests(file))
        log.warn({ file: name, document }, `a document of the folder ${message}`);
      if (said.problems.length === 0) return;
      const reasons = toldOf(said.problems);
      this.#broken.set(name, reasons);
      log.error({ file: name, reasons }, 'a part of a file is broken; what it said before stays');
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#broken.set(name, [reason]);
      log.error({ file: name, reason }, 'a file is broken; what it said before stays');
    }
  }

  async #serve(): Promise<void> {
    const wanted = this.#wanted();
    const set = [...wanted].flatMap(([key, record]) => {
      const before = this.#served.get(key);
      return before !== undefined && Buffer.compare(before.payload, record.payload) === 0 ? [] : [record];
    });
    const removed: RemovedRecord[] = [...this.#served]
      .filter(([key]) => !wanted.has(key))
      .map(([, { kind, id }]) => ({ kind, id }));
    const isFirst = this.seq === 0;
    if (!isFirst && set.length === 0 && removed.length === 0) return;
    const seq = this.seq + 1;
    const settings = isFirst ? [settingsRecord(this.#options.standing)] : [];
    const records: SetRecord[] = [...settings, ...set]
      .toSorted((a, b) => recordKinds.indexOf(a.kind) - recordKinds.indexOf(b.kind))
      .map(({ kind, id, payload, file, at }) => ({
        kind,
        id,
        payload,
        file,
        at,
        seq,
        revision: String(seq),
      }));
    const { apply, confirm, log } = this.#options;
    for (const { file, id, warning } of set) if (warning !== undefined) log.warn({ file, id }, warning);
    const refused = apply({ ...localTenant, seq, isFull: isFirst, set: records, removed });
    const nacks = [...refused, ...((await confirm?.(localTenant.environment)) ?? [])];
    this.seq = seq;
    this.#served = wanted;
    const stands = this.#nacks.filter(
      (nack) => wanted.has(keyOf(nack)) && !set.some((record) => keyOf(record) === keyOf(nack)),
    );
    this.#nacks = [
      ...stands,
      ...nacks.map((nack) => ({ ...nack, file: wanted.get(keyOf(nack))?.file ?? '' })),
    ];
    this.#options.log.info(
      {
        seq,
        set: set.length,
        removed: removed.length,
        refused: this.#nacks.length,
        broken: this.#broken.size + this.#clashes.size,
      },
      'the folder is in service',
    );
  }

  /** All records by key; of two files that say the same thing the first by name counts. */
  #wanted(): Map<string, LocalRecord> {
    const wanted = new Map<string, LocalRecord>();
    this.#clashes = new Map();
    for (const [file, { records }] of [...this.#good].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      for (const record of records) {
        const other = wanted.get(keyOf(record));
        if (other === undefined) wanted.set(keyOf(record), record);
        else this.#clashes.set(file, `${record.kind} "${record.id}" is in ${other.file} already`);
      }
    }
    return wanted;
  }
}

function toldOf(problems: readonly FaultDetail[]): readonly string[] {
  const told = problems
    .slice(0, problemsToldMax)
    .map(({ path, message }) => (path === '' ? message : `${path} ${message}`));
  const left = problems.length - told.length;
  return left === 0 ? told : [...told, `and ${left} more; isthmus check names all`];
}

const keyOf = ({ kind, id }: { readonly kind: string; readonly id: string }): string => `${kind}\0${id}`;

function isSame(one: ReadonlyMap<string, LocalFile>, other: ReadonlyMap<string, LocalFile>): boolean {
  return one.size === other.size && [...one].every(([name, file]) => other.get(name) === file);
}
