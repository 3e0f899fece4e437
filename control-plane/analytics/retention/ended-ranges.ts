import { randomUUID } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { BlobStore } from '../../../proto/wire/blobs.ts';
import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { type Covered, coveredSchema } from '../proof.ts';
import { joinRanges } from '../ranges.ts';

/** Where notes lie, below it by tenant. */
export const endedFolder = 'ended/v1/';
/** A note is forgotten after so long: a backup that is older names files that are then missing. */
export const endedKeptMs = 400 * 86_400_000;
/** Ranges of one note; more become several. */
const rangesPerNoteMax = 20_000;
/** Notes of one environment that are read, the newest; there is about one a day. */
const notesReadMax = 2_000;
const noteBytesMax = 16 * 1024 * 1024;
/** Tenants of which it is known how old their oldest note is. */
const tenantsKnownMax = 10_000;
const atDigits = 15;

/** `{"format":1,"covered":[{"spool":"<32 hex>","gateway":"g","hash8":"","first":0,"last":99}]}` */
const Note = z.object({ format: z.literal(1), covered: z.array(coveredSchema).max(rangesPerNoteMax) });

const folderOf = ({ organization, environment }: EnvironmentRef): string =>
  `${endedFolder}org=${organization}/env=${environment}/`;

/**
 * What of the lake has ended with nothing in its place: ranges of offsets whose records had their time, or were deleted as it was asked for.
 *
 * A database that was restored from before that names files that the bucket has no longer. Those of a merge are proven by the file that was made of
 * them; here no file is left, so the bucket says it by a note. It holds nothing of a record. Errors: blobs.unavailable.
 */
export class EndedRanges {
  readonly #blobs: BlobStore;
  /** Of when the oldest note of a tenant is, by its folder; later ones are younger. */
  readonly #oldestMs = new LRUCache<string, number>({ max: tenantsKnownMax });

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  /** Notes ranges, before the manifest lets go of their file: after a crash in between the file ends again, and is noted again. */
  async note(at: EnvironmentRef, covered: readonly Covered[], nowMs: number): Promise<void> {
    const joined = joinRanges(covered);
    for (let from = 0; from < joined.length; from += rangesPerNoteMax) {
      const note: z.input<typeof Note> = { format: 1, covered: joined.slice(from, from + rangesPerNoteMax) };
      const name = `${String(nowMs).padStart(atDigits, '0')}-${randomUUID()}.json`;
      await this.#blobs.put(`${folderOf(at)}${name}`, Buffer.from(JSON.stringify(note)));
    }
  }

  /** All that is noted of an environment. What cannot be read as a note says nothing. */
  async of(at: EnvironmentRef): Promise<readonly Covered[]> {
    const keys: string[] = [];
    for await (const { key } of this.#blobs.list(folderOf(at))) {
      keys.push(key);
      // In the order of their times.
      if (keys.length > notesReadMax) keys.shift();
    }
    const found: Covered[] = [];
    for (const key of keys) {
      const bytes = await this.#blobs.get(key, { bytesMax: noteBytesMax });
      if (bytes !== undefined) found.push(...rangesIn(bytes));
    }
    return found;
  }

  /** Deletes notes of before a moment, so many at most, of environments that have some; resolves to how many those were. */
  async forget(beforeMs: number, notesMax: number): Promise<number> {
    const old: string[] = [];
    for await (const folder of this.#blobs.folders(endedFolder, 2)) {
      if (old.length >= notesMax) break;
      if ((this.#oldestMs.get(folder) ?? 0) >= beforeMs) continue;
      for await (const { key } of this.#blobs.list(`${endedFolder}${folder}/`)) {
        const atMs = Number(key.slice(key.lastIndexOf('/') + 1).slice(0, atDigits));
        if (atMs < beforeMs && old.length < notesMax) {
          old.push(key);
          continue;
        }
        if (atMs >= beforeMs) this.#oldestMs.set(folder, atMs);
        break;
      }
    }
    for (const key of old) await this.#blobs.delete(key);
    return old.length;
  }
}

function rangesIn(bytes: Uint8Array): readonly Covered[] {
  try {
    return Note.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).covered;
  } catch {
    // Cut or foreign: the files that it would have told of are missing.
    return [];
  }
}
