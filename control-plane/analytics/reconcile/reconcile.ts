import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../../../proto/faults/fault.ts';
import type { ListedBlob } from '../../../proto/wire/blobs.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import type { Duck } from '../duck.ts';
import { literal } from '../lake-columns.ts';
import type { Lake, LakeParts } from '../lake.ts';
import type { Adoption } from './reconcile.store.ts';
import { type FileFacts, type LakeFile, type PendingFile, readFileBytesMax } from '../lake.store.ts';
import { inFolder } from '../own-folder.ts';
import type { Covered, LakeProof } from '../proof.ts';
import { GoneFiles } from './gone-files.ts';
import { readLakeFile, writeLakeFile } from '../lake-file.ts';
import { deleteLakeFile } from '../rollups/rollup-file.ts';

/** What a reconcile works with. */
export interface ReconcileOptions
  extends
    Pick<LakeParts, 'storage' | 'settings' | 'blobs' | 'log' | 'clock'>,
    Pick<Lake, 'store' | 'manifest' | 'workDir'> {
  readonly duck: Duck;
  /** Says what would be done, and does nothing. */
  readonly isDryRun?: boolean;
  /** Reads files again that are known to be unreadable. */
  readonly looksAgain?: boolean;
}

/** What a reconcile found, in files; records are those that count now and did not before. */
export interface Reconciled {
  seen: number;
  adopted: number;
  adoptedRecords: number;
  /** Adopted in part, because the rest counts already. */
  trimmed: number;
  /** Deleted, because everything in them counts already. */
  doubled: number;
  /** Say nothing of themselves, or cannot be read: left as they are. */
  unreadable: number;
  /** Named by the manifest, and not in the bucket or damaged there. */
  missing: number;
  /** Named by the manifest, and not in the bucket because their time is over or they were asked to be deleted. */
  ended: number;
}

/** What became of a file that the manifest does not name. */
type Settled = 'adopted' | 'cut' | 'unreadable' | 'undecided' | 'unfetched' | 'gone';

/** Nothing found yet. */
export const nothingReconciled = (): Reconciled => ({
  seen: 0,
  adopted: 0,
  adoptedRecords: 0,
  trimmed: 0,
  doubled: 0,
  unreadable: 0,
  missing: 0,
  ended: 0,
});

const lakePrefix = 'lake/v1/';
const fileKey =
  /^lake\/v1\/org=([A-Za-z0-9._-]{1,128})\/env=([A-Za-z0-9._-]{1,128})\/ingested=[0-9-]{10}\/(?:stream=logs\/)?([0-9a-f-]{36})\.parquet$/;
/** Files compared in one step. */
const reconcilePageMax = 500;
/** Files that cannot be fetched in one step, until the others of it are left for the next comparison: each may take as long as a call may. */
const unfetchedMax = 3;
const dayMs = 86_400_000;

/**
 * Compares the lake in the bucket with the manifest, and lets the bucket prove what the manifest forgot.
 *
 * A restored database knows less than the bucket: files that it does not name come in again with the ranges that they say they
 * cover, in part when others cover the rest, so that each record counts once. A file that a dead or sleeping ingester left is
 * the same case. A file that is named and gone is said and counts no longer.
 */
export class Reconciler {
  readonly #options: ReconcileOptions;
  readonly #gone: GoneFiles;

  constructor(options: ReconcileOptions) {
    this.#options = options;
    this.#gone = new GoneFiles(options);
  }

  /** A live file that somebody did not find, found to be another one, or could not read. */
  async missing(file: LakeFile & EnvironmentRef, found: Reconciled): Promise<void> {
    await this.#gone.missing(file, found);
  }

  /** Files that were named before they were written, by an ingester that is dead or by a database that was restored. */
  async settlePending(found: Reconciled): Promise<void> {
    const { store } = this.#options;
    for (const { id, key, bytes } of await store.leftBehind()) {
      const kind = await this.#settle({ key, bytes, writtenMs: undefined }, found);
      if (kind === 'adopted') continue;
      // It was cut off while it was written: its landing objects are still there.
      if (kind === 'cut') await this.#remove(key);
      await store.abandon(id);
    }
  }

  /**
   * The files of each environment since the manifest last changed, a day earlier to be safe from clocks.
   *
   * Before anything is ingested: what a restored database forgot must count again before its landing objects, if they still
   * are there or come again, count a second time.
   */
  async recent(found: Reconciled): Promise<void> {
    const { blobs, manifest } = this.#options;
    for await (const folder of blobs.folders(lakePrefix, 2)) {
      const [, organization, environment] = /^org=([^/]+)\/env=([^/]+)$/.exec(folder) ?? [];
      if (organization === undefined || environment === undefined) continue;
      const newestMs = await manifest.newestChangeMs({ organization, environment });
      const day = new Date(Math.max(0, newestMs - dayMs)).toISOString().slice(0, 10);
      const prefix = `${lakePrefix}${folder}/`;
      let after: string | undefined = `${prefix}ingested=${day}`;
      while (after !== undefined) after = await this.step(found, { prefix, after });
    }
  }

  /** All files; `onPage` after each page. */
  async whole(found: Reconciled, onPage: (found: Reconciled) => void): Promise<void> {
    let after: string | undefined = lakePrefix;
    while (after !== undefined) {
      after = await this.step(found, { prefix: lakePrefix, after });
      onPage(found);
    }
  }

  /** One page of files behind a key, both ways; resolves to the key to go on behind, undefined at the end. */
  async step(
    found: Reconciled,
    { prefix, after }: { readonly prefix: string; readonly after: string },
  ): Promise<string | undefined> {
    const { blobs, manifest, isDryRun, looksAgain } = this.#options;
    const page: ListedBlob[] = [];
    for await (const listed of blobs.list(prefix, { after }))
      if (page.push(listed) === reconcilePageMax) break;
    const last = page.length === reconcilePageMax ? page.at(-1)?.key : undefined;
    const keys = new Map(page.map(({ key, bytes }) => [key, bytes]));
    const upTo = last ?? `${prefix}~`;
    const unreadable = await manifest.unreadableBetween(after, upTo);
    if (isDryRun !== true)
      await manifest.forgetUnreadable([...unreadable.keys()].filter((key) => !keys.has(key)));
    const states = await manifest.states([...keys.keys()]);
    let unfetched = 0;
    for (const listed of page) {
      found.seen += 1;
      const state = states.get(listed.key);
      const isOpen = state === undefined || state === 'lost' || (isDryRun === true && state === 'pending');
      if (!isOpen) continue;
      const isKnown = looksAgain !== true && unreadable.get(listed.key) === listed.bytes;
      if (isKnown || unfetched >= unfetchedMax) found.unreadable += 1;
      else if ((await this.#look(listed, found, unreadable.has(listed.key))) === 'unfetched') unfetched += 1;
    }
    // Last, so that a file that was merged is not missed before that into which it was.
    for (const file of await manifest.liveBetween(after, upTo))
      if (keys.get(file.key) !== file.bytes) await this.#gone.missing(file, found);
    return last;
  }

  /** Reads a file that the manifest does not name, and remembers when it cannot be read: a start must not cost as much as all of those. */
  async #look(listed: ListedBlob, found: Reconciled, isRemembered: boolean): Promise<Settled> {
    const { manifest, clock, isDryRun } = this.#options;
    const outcome = await this.#settle(listed, found);
    if (isDryRun === true) return outcome;
    if (outcome === 'unreadable' || outcome === 'cut') await manifest.saveUnreadable(listed, clock.now());
    else if (isRemembered && outcome !== 'unfetched') await manifest.forgetUnreadable([listed.key]);
    return outcome;
  }

  async #settle(listed: ListedBlob, found: Reconciled): Promise<Settled> {
    const { workDir, log } = this.#options;
    const [, organization, environment, id] = fileKey.exec(listed.key) ?? [];
    if (listed.bytes > readFileBytesMax) {
      found.unreadable += 1;
      return 'undecided';
    }
    const bytes = id === undefined ? undefined : await this.#fetch(listed);
    if (id === undefined || bytes === undefined) return 'gone';
    if (bytes === 'unfetched') {
      found.unreadable += 1;
      return bytes;
    }
    // A Parquet file begins and ends so.
    if (Buffer.from(bytes.subarray(-4)).toString('latin1') !== 'PAR1') {
      found.unreadable += 1;
      return 'cut';
    }
    const file = { id, organization: organization ?? '', environment: environment ?? '', key: listed.key };
    return inFolder(workDir, async (dir) => {
      const path = join(dir, 'found.parquet');
      await writeFile(path, bytes);
      const read = await readLakeFile(this.#options.duck, path, file);
      if (read === 'unreadable' || read === 'undecided') {
        found.unreadable += 1;
        log.warn({ file: file.key }, 'a file of the lake does not say what it covers; it is left as it is');
        return read;
      }
      return this.#adopt({ file, path, ...read, bytes: bytes.length }, found);
    });
  }

  /**
   * One that cannot be fetched alone (archived, under a key that is not ours) stops nobody: listing still answers. What it covers counts
   * once, whoever brings it first: it is compared again later.
   */
  async #fetch({ key }: ListedBlob): Promise<Uint8Array | 'unfetched' | undefined> {
    const { blobs, log } = this.#options;
    try {
      return await blobs.get(key, { bytesMax: readFileBytesMax });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      log.warn({ file: key, err: error }, 'a file of the lake cannot be fetched; it is compared again later');
      return 'unfetched';
    }
  }

  /** What cannot be deleted counts nowhere, and is looked at again. */
  async #remove(key: string): Promise<void> {
    const { blobs, log } = this.#options;
    try {
      await deleteLakeFile(blobs, key);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      log.warn({ file: key, err: error }, 'a file of the lake cannot be deleted; it is tried again later');
    }
  }

  async #adopt(
    read: FileFacts & { readonly file: PendingFile; readonly path: string; readonly proof: LakeProof },
    found: Reconciled,
  ): Promise<'adopted' | 'gone'> {
    const { manifest, log, clock, isDryRun } = this.#options;
    const { file, proof, records } = read;
    const { covered } = proof;
    const adopt = async (absent: readonly string[] = []): Promise<Adoption | undefined> =>
      isDryRun === true
        ? manifest.judge(file, covered, absent)
        : manifest.adopt(file, { ...read, covered }, clock.now());
    let adoption = await adopt();
    if (adoption !== undefined && adoption.kind !== 'adopted') {
      const absent = await this.#gone.loseAbsent({ file, covered }, adoption.by, found);
      if (absent.length > 0) adoption = await adopt(absent);
    }
    if (adoption === undefined) throw new Fault('analytics.failed', { internal: 'the lease was lost' });
    if (adoption.kind === 'adopted') {
      found.adopted += 1;
      found.adoptedRecords += records;
      if (isDryRun !== true)
        log.warn({ file: file.key, records }, 'a file that the manifest forgot counts again');
      return 'adopted';
    }
    if (adoption.kind === 'overlapping') await this.#trim(read, adoption.parts, found);
    else found.doubled += 1;
    if (isDryRun === true) return 'gone';
    log.warn({ file: file.key, found: adoption.kind }, 'a file whose records count already is deleted');
    await this.#remove(file.key);
    return 'gone';
  }

  /** What of a file does not count yet goes into one of its own. */
  async #trim(
    { file, path }: { readonly file: PendingFile; readonly path: string },
    parts: readonly Covered[],
    found: Reconciled,
  ): Promise<void> {
    const { store, blobs, duck, clock, isDryRun } = this.#options;
    const rows = await duck.query(
      `SELECT count(*)::DOUBLE AS records FROM read_parquet(${literal(path)}) WHERE ${within(parts)}`,
    );
    found.trimmed += 1;
    found.adoptedRecords += Number(rows[0]?.['records'] ?? 0);
    if (isDryRun === true) return;
    const id = randomUUID();
    const made: PendingFile = { ...file, id, key: file.key.replace(file.id, id) };
    const output = `${path}.trimmed`;
    await store.begin(made, clock.now());
    const facts = await writeLakeFile(duck, {
      from: [path],
      where: within(parts),
      file: made,
      covered: parts,
      output,
    });
    const bytes = await readFile(output);
    await blobs.put(made.key, bytes);
    const commit = { file: made, ...facts, bytes: bytes.length, covered: parts, done: [] };
    if (!(await store.commit(commit, { nowMs: clock.now(), graceMs: 0 })))
      throw new Fault('analytics.failed', { internal: 'the lease was lost' });
  }
}

/** The rows of some ranges; spools are hex digits and offsets numbers, as the proof's schema says. */
const within = (parts: readonly Covered[]): string =>
  parts
    .map(
      ({ spool, first, last }) => `(spool = ${literal(spool)} AND spool_offset BETWEEN ${first} AND ${last})`,
    )
    .join(' OR ');
