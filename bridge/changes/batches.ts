import { LRUCache } from 'lru-cache';
import { encodeFrame } from '../../proto/wire/frames.ts';
import type { PublishedHead } from '../../proto/wire/published.ts';
import { changesSince, type ChangeSource, type Position, type Reached } from './changes.ts';

/** Encoded frames that take a client from one position to a head. */
export interface Batch {
  readonly frames: readonly Uint8Array[];
  readonly reached: Reached | undefined;
}

/** Makes a small change once for all gateways that wait at the same place: a publish reaches a thousand of them. */
export interface Batches {
  /** The batch, or undefined when the way is too long to keep it in memory; the caller then streams it. */
  small(source: ChangeSource, from: Position, to: PublishedHead): Promise<Batch> | undefined;
}

const seqSpanMax = 64;
const batchBytesMax = 4 * 1024 * 1024;
const batchesMax = 128;

/** Makes the memory of small changes. */
export function createBatches(): Batches {
  const made = new LRUCache<string, Promise<Batch>>({ max: batchesMax });
  return {
    small(source, from, to) {
      if (from.epoch !== to.epoch || from.seq === 0 || to.seq - from.seq > seqSpanMax) return undefined;
      const { at, entitlement } = source;
      const headId = Buffer.from(to.bytes).toString('base64');
      const key = JSON.stringify([at.organization, at.environment, from, headId, entitlement]);
      const known = made.get(key);
      if (known !== undefined) return known;
      const batch = collect(source, from);
      made.set(key, batch);
      // A failure is told to those who wait and not kept; a giant is sent and not kept.
      batch.then(
        ({ frames }) => {
          if (frames.reduce((sum, frame) => sum + frame.length, 0) > batchBytesMax) made.delete(key);
        },
        () => made.delete(key),
      );
      return batch;
    },
  };
}

async function collect(source: ChangeSource, from: Position): Promise<Batch> {
  const frames: Uint8Array[] = [];
  const changes = changesSince(source, from);
  for (;;) {
    const step = await changes.next();
    if (step.done === true) return { frames, reached: step.value };
    frames.push(encodeFrame(step.value));
  }
}
