import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { Fault } from '../../proto/faults/fault.ts';
import type { EnvironmentRef } from '../../proto/wire/published.ts';
import type { BlobStore } from '../../proto/wire/blobs.ts';
import { saysTheFile } from './lake-file.ts';
import { keysPerQueryMax, type LakeFile } from './lake.store.ts';

const missingMax = 1_000;
/** A file that was doubted is not doubted again for so long: a question may fail for reasons of its own. */
const doubtMs = 3_600_000;
const doubtedMax = 10_000;

/**
 * Lake files on local disk, since DuckDB reads objects of a bucket only through an extension that is a download.
 *
 * Files are immutable and named by id, so a copy is never stale. Past its bound the copies go that were not used longest.
 */
export class LakeCache {
  readonly #dir: string;
  readonly #blobs: BlobStore;
  readonly #bytesMax: number;
  /** In order of use. */
  readonly #sizes = new Map<string, number>();
  readonly #fetching = new Map<string, Promise<void>>();
  /** Files of the manifest that were not in the bucket, or not what the manifest says, when somebody asked. */
  readonly #missing = new Map<string, LakeFile & EnvironmentRef>();
  readonly #doubted = new LRUCache<string, true>({ max: doubtedMax, ttl: doubtMs });
  /** How many pieces of work read a file now. */
  readonly #held = new Map<string, number>();
  /** Files that are of the lake no longer, and are read still. */
  readonly #leaving = new Set<string>();
  #bytes = 0;

  constructor(options: { readonly dir: string; readonly blobs: BlobStore; readonly bytesMax: number }) {
    this.#dir = options.dir;
    this.#blobs = options.blobs;
    this.#bytesMax = options.bytesMax;
  }

  /** Finds what a former process left. */
  async open(): Promise<void> {
    await mkdir(this.#dir, { recursive: true });
    for (const name of await readdir(this.#dir)) {
      const id = /^([0-9a-f-]{36})\.parquet$/.exec(name)?.[1];
      if (id === undefined) await rm(join(this.#dir, name), { force: true });
      else this.#note(id, (await stat(join(this.#dir, name))).size);
    }
  }

  /** Takes over a file that was just written; it is moved. */
  async adopt(id: string, path: string): Promise<void> {
    const { size } = await stat(path);
    await rename(path, this.#path(id));
    this.#note(id, size);
  }

  /**
   * Works with the local paths of files, fetched where they are not here, which stay until the work is done, whatever others fetch meanwhile.
   *
   * Errors: blobs.unavailable, analytics.failed when one is gone; those of the work.
   */
  async hold<T>(
    files: readonly (LakeFile & EnvironmentRef)[],
    work: (paths: readonly string[]) => Promise<T>,
  ): Promise<T> {
    for (const { id } of files) this.#held.set(id, (this.#held.get(id) ?? 0) + 1);
    try {
      for (const file of files) await this.#ensure(file);
      await this.#evict();
      return await work(files.map(({ id }) => this.#path(id)));
    } finally {
      for (const { id } of files) await this.#release(id);
      await this.#evict();
    }
  }

  /** The same, where files are doubted when work on them fails over one that is wrong. */
  async read<T>(
    files: readonly (LakeFile & EnvironmentRef)[],
    work: (paths: readonly string[]) => Promise<T>,
  ): Promise<T> {
    return this.hold(files, async (paths) => {
      try {
        return await work(paths);
      } catch (error) {
        await this.doubtOver(files, error);
        throw error;
      }
    });
  }

  async #release(id: string): Promise<void> {
    const left = (this.#held.get(id) ?? 1) - 1;
    if (left > 0) this.#held.set(id, left);
    else {
      this.#held.delete(id);
      if (this.#leaving.delete(id)) await this.forget(id);
    }
  }

  async #ensure(file: LakeFile & EnvironmentRef): Promise<void> {
    const size = this.#sizes.get(file.id);
    if (size !== undefined) {
      this.#sizes.delete(file.id);
      this.#sizes.set(file.id, size);
      return;
    }
    const fetching =
      this.#fetching.get(file.id) ?? this.#fetch(file).finally(() => this.#fetching.delete(file.id));
    this.#fetching.set(file.id, fetching);
    await fetching;
  }

  /** A question failed over these: they are fetched anew, and one that is damaged in the bucket too is said to be missing. */
  async doubt(files: readonly (LakeFile & EnvironmentRef)[]): Promise<void> {
    for (const file of files) {
      if (this.#doubted.has(file.id)) continue;
      this.#doubted.set(file.id, true);
      this.#miss(file);
      await this.#drop(file.id);
    }
  }

  /** The same, where what failed says that it is a file that is wrong. */
  async doubtOver(files: readonly (LakeFile & EnvironmentRef)[], error: unknown): Promise<void> {
    if (error instanceof Fault && saysTheFile.test(error.internal ?? '')) await this.doubt(files);
  }

  /** A file is no longer of the lake. */
  async forget(id: string): Promise<void> {
    if (this.#held.has(id)) this.#leaving.add(id);
    else if (this.#sizes.has(id)) await this.#drop(id);
  }

  /** Removes copies of files that are of the lake no longer; `named` says which of some ids still are. */
  async dropUnnamed(named: (ids: readonly string[]) => Promise<ReadonlySet<string>>): Promise<void> {
    const ids = [...this.#sizes.keys()];
    for (let from = 0; from < ids.length; from += keysPerQueryMax) {
      const some = ids.slice(from, from + keysPerQueryMax);
      const kept = await named(some);
      for (const id of some) if (!kept.has(id)) await this.forget(id);
    }
  }

  /** Some of those that were missed or doubted. */
  takeMissing(filesMax: number): readonly (LakeFile & EnvironmentRef)[] {
    const files = [...this.#missing.values()].slice(0, filesMax);
    for (const { id } of files) this.#missing.delete(id);
    return files;
  }

  async #fetch(file: LakeFile & EnvironmentRef): Promise<void> {
    const { id, key } = file;
    const bytes = await this.#blobs.get(key);
    if (bytes?.length !== file.bytes) {
      this.#miss(file);
      const found =
        bytes === undefined ? 'not in the bucket' : `has ${bytes.length} bytes there, not ${file.bytes}`;
      throw new Fault('analytics.failed', { internal: `${key} is in the manifest and ${found}` });
    }
    const temporary = `${this.#path(id)}.${randomBytes(4).toString('hex')}`;
    await writeFile(temporary, bytes);
    await rename(temporary, this.#path(id));
    this.#note(id, bytes.length);
  }

  async #evict(): Promise<void> {
    for (const id of this.#sizes.keys()) {
      if (this.#bytes <= this.#bytesMax) return;
      if (!this.#held.has(id)) await this.#drop(id);
    }
  }

  async #drop(id: string): Promise<void> {
    this.#bytes -= this.#sizes.get(id) ?? 0;
    this.#sizes.delete(id);
    await rm(this.#path(id), { force: true });
  }

  #miss(file: LakeFile & EnvironmentRef): void {
    if (this.#missing.size < missingMax) this.#missing.set(file.id, file);
  }

  #note(id: string, size: number): void {
    if (this.#sizes.has(id)) return;
    this.#sizes.set(id, size);
    this.#bytes += size;
  }

  #path(id: string): string {
    return join(this.#dir, `${id}.parquet`);
  }
}
