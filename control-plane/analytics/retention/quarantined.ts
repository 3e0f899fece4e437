import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { landingFolder } from '../../../proto/wire/landing.ts';
import { zstdDecompressSync } from 'node:zlib';
import { streams } from '../../../proto/spool/folder.ts';
import type { LandingKey } from '../../../proto/wire/blobs.ts';
import type { IngesterOptions } from '../ingester.ts';
import { tenantFolder } from '../landed.ts';
import { dataFrames } from '../zstd-frames.ts';
import type { RetentionStore } from './retention.store.ts';

const quarantineFolder = (stream: LandingKey['stream']): string => `quarantine/${landingFolder(stream)}`;
/** Objects that are deleted in one go. */
const endedMax = 1_000;

/**
 * Deletes what came into quarantine so long ago that records of that time have had theirs, of every environment; true when there is more.
 *
 * Nobody can say when the calls in it were, so it goes by when it came, as a whole. Errors: blobs.unavailable, storage.unavailable.
 */
export async function endQuarantined(
  { blobs, clock, log }: Pick<IngesterOptions, 'blobs' | 'clock' | 'log'>,
  store: RetentionStore,
): Promise<boolean> {
  const ended: string[] = [];
  for (const stream of streams)
    for await (const folder of blobs.folders(quarantineFolder(stream), 2)) {
      const [, organization, environment] = tenantFolder.exec(folder) ?? [];
      if (organization === undefined || environment === undefined) continue;
      const cutoffMs = await store.cutoffMs({ organization, environment }, stream, clock.now());
      for await (const { key, writtenMs } of blobs.list(`${quarantineFolder(stream)}${folder}/`)) {
        if (ended.length === endedMax) break;
        if (writtenMs !== undefined && writtenMs < cutoffMs) ended.push(key);
      }
    }
  for (const key of ended) await blobs.delete(key);
  if (ended.length > 0) log.info({ objects: ended.length }, 'objects in quarantine have had their time');
  return ended.length === endedMax;
}

/**
 * Deletes what lies in quarantine of an environment and names a value anywhere, or cannot be read; resolves to how many those were.
 * With `sinceMs` what came there earlier is passed over, since it was searched before.
 *
 * What is there is for a human, and of no question: an object is not taken apart.
 */
export async function deleteQuarantined(
  { blobs, settings }: Pick<IngesterOptions, 'blobs' | 'settings'>,
  at: EnvironmentRef,
  { value, sinceMs = 0 }: { readonly value: string; readonly sinceMs?: number },
): Promise<number> {
  // As a value of a field, and as one of the metrics, which are JSON in a text.
  const word = JSON.stringify(value);
  const words = [word, JSON.stringify(word).slice(1, -1)].map((each) => Buffer.from(each));
  const named: string[] = [];
  for (const stream of streams) {
    const prefix = `${quarantineFolder(stream)}org=${at.organization}/env=${at.environment}/`;
    for await (const { key, bytes, writtenMs } of blobs.list(prefix)) {
      if (writtenMs !== undefined && writtenMs < sinceMs) continue;
      if (bytes > settings.objectBytesMax) named.push(key);
      else {
        const found = await blobs.get(key, { bytesMax: settings.objectBytesMax });
        const lines = found === undefined ? [] : linesOf(Buffer.from(found), settings.objectLineBytesMax);
        if (lines === undefined || lines.some((line) => words.some((each) => line.includes(each))))
          named.push(key);
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
