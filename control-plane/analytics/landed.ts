import { Fault } from '../../proto/faults/fault.ts';
import type { BlobStore, LandingKey } from '../../proto/wire/blobs.ts';
import { isContentOf, landingNameOf } from '../../proto/wire/parcel.ts';
import { lineBytesMax } from './lake-columns.ts';
import type { AnalyticsSettings } from './settings.ts';
import { countLines, dataFrames } from './zstd-frames.ts';

/** The folder of an environment, below that of all tenants. */
export const tenantFolder = /^org=([A-Za-z0-9._-]{1,128})\/env=([A-Za-z0-9._-]{1,128})$/;

/** A landing object as the listing has it, with what its key says. */
export interface Landed {
  readonly name: string;
  readonly key: LandingKey;
  readonly bytes: number;
}

/** What was found out about a landing object by reading it. */
export type LandedState =
  /** The lines that its key promises; `frames` are the compressed bytes of just them. */
  | {
      readonly kind: 'sound';
      readonly frames: readonly Buffer[];
      readonly lineBytes: number;
      /** See LineCount. */
      readonly isOdd: boolean;
    }
  /** What is there is not what was put: half of a put that failed, which its shipper repeats. */
  | { readonly kind: 'unfinished' }
  /** What was put is not what its key says, and never will be. */
  | { readonly kind: 'bad'; readonly reason: string }
  | { readonly kind: 'gone' };

/** Bounds of what is read. */
export type LandedBounds = Pick<
  AnalyticsSettings,
  'objectBytesMax' | 'objectLineBytesMax' | 'linesPerFileMax'
>;

/**
 * Reads a landing object and proves it by its own bytes: hash, label, bounds, number of lines.
 *
 * Nothing is chosen or settled before that, so an object that is not what its key says never decides over another one. The tenant
 * that its records name is judged where they are parsed, in DuckDB, before anything is committed.
 */
export async function verify(
  blobs: Pick<BlobStore, 'get'>,
  { name, key, bytes: size }: Landed,
  bounds: LandedBounds,
): Promise<LandedState> {
  const lines = key.last - key.first + 1;
  if (lines > bounds.linesPerFileMax) return bad(`it says that it has ${lines} lines`);
  if (size > bounds.objectBytesMax) return bad(`it has ${size} bytes`);
  const found = await blobs.get(name, { bytesMax: bounds.objectBytesMax }).catch((error: unknown) => {
    // It has grown since it was listed; the next listing says how much.
    if (error instanceof Fault && error.code === 'blobs.too_large') return undefined;
    throw error;
  });
  if (found === undefined) return { kind: 'gone' };
  if (!isContentOf(name, found)) return { kind: 'unfinished' };
  const named = landingNameOf(found);
  if (named === undefined) return bad('it does not say whose lines it holds');
  if (named !== name) return bad(`it is a copy of ${named}`);
  const frames = dataFrames(Buffer.from(found.buffer, found.byteOffset, found.length));
  if (frames === undefined) return bad('it cannot be read');
  const counted = await countLines(frames, {
    bytesMax: bounds.objectLineBytesMax,
    linesMax: lines,
    lineBytesMax,
  });
  if (counted.kind === 'bad') return counted;
  if (counted.lines !== lines) return bad('its lines are not as many as its key says');
  return { kind: 'sound', frames, lineBytes: counted.bytes, isOdd: counted.isOdd };
}

const bad = (reason: string): LandedState => ({ kind: 'bad', reason });
