import type { EnvironmentRef } from '../../../proto/wire/published.ts';
import { landingFolder } from '../../../proto/wire/landing.ts';
import { zstdDecompressSync } from 'node:zlib';
import { streams } from '../../../proto/spool/folder.ts';
import type { IngesterOptions } from '../ingester.ts';
import { dataFrames } from '../zstd-frames.ts';

/**
 * Deletes what lies in quarantine of an environment and names a value anywhere, or cannot be read; resolves to how many those were.
 *
 * What is there is for a human, and of no question: an object is not taken apart.
 */
export async function deleteQuarantined(
  { blobs, settings }: Pick<IngesterOptions, 'blobs' | 'settings'>,
  at: EnvironmentRef,
  values: readonly string[],
): Promise<number> {
  // As a value of a field, and as one of the metrics, which are JSON in a text.
  const words = values
    .map((value) => JSON.stringify(value))
    .flatMap((word) => [word, JSON.stringify(word).slice(1, -1)])
    .map((word) => Buffer.from(word));
  const named: string[] = [];
  for (const stream of streams) {
    const prefix = `quarantine/${landingFolder(stream)}org=${at.organization}/env=${at.environment}/`;
    for await (const { key, bytes } of blobs.list(prefix)) {
      if (bytes > settings.objectBytesMax) named.push(key);
      else {
        const found = await blobs.get(key, { bytesMax: settings.objectBytesMax });
        const lines = found === undefined ? [] : linesOf(Buffer.from(found), settings.objectLineBytesMax);
        if (lines === undefined || lines.some((line) => words.some((word) => line.includes(word))))
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
