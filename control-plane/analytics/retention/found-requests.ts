import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IngesterOptions } from '../ingester.ts';
import { literal } from '../lake-columns.ts';
import { readFileBytesMax } from '../lake.store.ts';
import { requestsOf, searchedFiles, type Subject } from './subject.ts';

const folderOf = (deletion: string): string => `deletions/v1/${deletion}/`;

/**
 * Hashes of the requests of a subject whose records went, as Parquet files in the bucket: the logs of those are found by nothing else, and may
 * come later than the records. They go when the deletion is done.
 */
export class FoundRequests {
  readonly #options: IngesterOptions;

  constructor(options: IngesterOptions) {
    this.#options = options;
  }

  /** Notes those of a local file; before its records go, and under its name, so that a repetition notes them once. */
  async note(
    deletion: Subject & { readonly id: string },
    file: { readonly id: string; readonly path: string },
  ): Promise<void> {
    const { workDir, duck, blobs } = this.#options;
    await mkdir(workDir, { recursive: true });
    const output = join(workDir, `${randomUUID()}.requests.parquet`);
    try {
      await duck.query(
        `COPY (${requestsOf(deletion, searchedFiles([file.path]))}) TO ${literal(output)} (FORMAT parquet, COMPRESSION zstd)`,
      );
      await blobs.put(`${folderOf(deletion.id)}${file.id}.parquet`, await readFile(output));
    } finally {
      await rm(output, { force: true });
    }
  }

  /** Puts them into a local folder; resolves to the files. Errors: blobs.unavailable. */
  async fetch(deletion: { readonly id: string }, dir: string): Promise<readonly string[]> {
    const { blobs } = this.#options;
    const paths: string[] = [];
    for await (const { key } of blobs.list(folderOf(deletion.id))) {
      const bytes = await blobs.get(key, { bytesMax: readFileBytesMax });
      if (bytes === undefined) continue;
      const path = join(dir, `${deletion.id}.${paths.length}.parquet`);
      await writeFile(path, bytes);
      paths.push(path);
    }
    return paths;
  }

  /** The deletion is done. */
  async forget(deletion: { readonly id: string }): Promise<void> {
    const { blobs } = this.#options;
    const keys: string[] = [];
    for await (const { key } of blobs.list(folderOf(deletion.id))) keys.push(key);
    for (const key of keys) await blobs.delete(key);
  }
}
