import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { landingFolder } from '../../../proto/wire/landing.ts';
import { zstdDecompressSync } from 'node:zlib';
import type { LRUCache } from 'lru-cache';
import { streams } from '../../../proto/spool/folder.ts';
import type { LandingKey } from '../../../proto/wire/blobs.ts';
import type { IngesterOptions } from '../ingester.ts';
import { tenantFolder } from '../landed.ts';
import { dataFrames } from '../zstd-frames.ts';
import type { RetentionStore } from './retention.store.ts';

const quarantineFolder = (stream: LandingKey['stream']): string => `quarantine/${landingFolder(stream)}`;
/** Objects that are deleted in one go. */
const endedMax = 1_000;

/** When the oldest object of a tenant came into quarantine, by its folder, as far as that is known; ms since the epoch. Later ones are younger. */
export type OldestQuarantined = LRUCache<string, number>;

/**
 * Deletes what came into quarantine so long ago that records of that time have had theirs, of every environment that has such; true when there is more.
 *
 * Nobody can say when the calls in it were, so it goes by when it came, as a whole. Errors: blobs.unavailable, storage.unavailable.
 */
export async function endQuarantined(
  { blobs, clock, log }: Pick<IngesterOptions, 'blobs' | 'clock' | 'log'>,
  store: RetentionStore,
  oldest: OldestQuarantined,
): Promise<boolean> {
  let ended = 0;
  for (const stream of streams)
    for await (const folder of blobs.folders(quarantineFolder(stream), 2)) {
      if (ended === endedMax) break;
      const [, organization, environment] = tenantFolder.exec(folder) ?? [];
      if (organization === undefined || environment === undefined) continue;
      const path = `${quarantineFolder(stream)}${folder}/`;
      const nowMs = clock.now();
      const cutoffMs = await store.cutoffMs({ organization, environment }, stream, nowMs);
      if ((oldest.get(path) ?? 0) >= cutoffMs) continue;
      const due: string[] = [];
      let oldestMs = nowMs;
      for await (const { key, writtenMs = nowMs } of blobs.list(path)) {
        if (ended + due.length === endedMax) break;
        if (writtenMs < cutoffMs) due.push(key);
        else oldestMs = Math.min(oldestMs, writtenMs);
      }
      for (const key of due) await blobs.delete(key);
      ended += due.length;
      // Otherwise there are more, of which nothing is known.
      if (ended < endedMax) oldest.set(path, oldestMs);
    }
  if (ended > 0) log.info({ objects: ended }, 'objects in quarantine have had their time');
  return ended === endedMax;
}

/** What is looked for in quarantine, and where no more. */
export interface QuarantineSearch {
  /** Of the deletion. */
  readonly id: string;
  readonly value: string;
  readonly sinceMs?: number;
  /** Objects that do not name what a deletion is about, each as it was when it was read. */
  readonly searched: LRUCache<string, true>;
}

/**
 * Deletes what lies in quarantine of an environment and names a value anywhere, or cannot be read; resolves to how many those were.
 * With `sinceMs` what came there earlier is passed over, since it was searched before, as is what `searched` names, to which what is read is added.
 *
 * What is there is for a human, and of no question: an object is not taken apart.
 */
export async function deleteQuarantined(
  { blobs, settings }: Pick<IngesterOptions, 'blobs' | 'settings'>,
  at: EnvironmentRef,
  { id, value, sinceMs = 0, searched }: QuarantineSearch,
): Promise<number> {
  // As a value of a field, and as one of the metrics, which are JSON in a text.
  const word = JSON.stringify(value);
  const words = [word, JSON.stringify(word).slice(1, -1)].map((each) => Buffer.from(each));
  const named: string[] = [];
  for (const stream of streams) {
    const prefix = `${quarantineFolder(stream)}org=${at.organization}/env=${at.environment}/`;
    for await (const { key, bytes, writtenMs } of blobs.list(prefix)) {
      if (writtenMs !== undefined && writtenMs < sinceMs) continue;
      // A store that does not say when one was written may have another one under its key.
      const version = writtenMs === undefined ? undefined : `${id} ${key} ${bytes} ${writtenMs}`;
      if (version !== undefined && searched.has(version)) continue;
      if (bytes > settings.objectBytesMax) named.push(key);
      else {
        const found = await blobs.get(key, { bytesMax: settings.objectBytesMax });
        const lines = found === undefined ? [] : linesOf(Buffer.from(found), settings.objectLineBytesMax);
        if (lines === undefined || lines.some((line) => words.some((each) => line.includes(each))))
          named.push(key);
        else if (version !== undefined) searched.set(version, true);
      }
    }
  }
  for (const key of named) await blobs.delete(key);
  return named.length;
}

/** Decompressed, frame by frame; undefined for what is none or is larger than it may be. */
function linesOf(bytes: Buffer, bytesMax: number): readonly Buffer[] | undefined {
  try {
    return dataFrames(bytes)?.map((frame) => zstdDecompressSync(frame, { maxOutputLength: bytesMax }));
  } catch {
    // It is no zstd, or more than may be: whoever cannot read it cannot say whom it names.
    return undefined;
  }
}
