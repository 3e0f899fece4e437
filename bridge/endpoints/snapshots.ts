import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { createZstdCompress } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import { encodeDelimited } from '../../proto/wire/delimited.ts';
import { Fault } from '../../proto/faults/fault.ts';
import { changesSince, type ChangeSource } from '../changes/changes.ts';
import type { Services } from '../services.ts';

/** One immutable file: the whole set of an environment as one entitlement sees it. */
export interface Snapshot {
  readonly etag: string;
  readonly bytes: Uint8Array;
}

/** Builds each snapshot once and keeps it while there is room. */
export interface Snapshots {
  /** Errors: request.not_found while nothing was published. */
  of(source: ChangeSource): Promise<Snapshot>;
}

/** The head inside ages; after this a snapshot is made anew so that it does not look frozen. */
const ageMsMax = 5 * 60_000;

/** Makes the cache. */
export function createSnapshots({ repository, config }: Services): Snapshots {
  const made = new LRUCache<string, Snapshot>({
    maxSize: config.limits.snapshotCacheBytesMax,
    sizeCalculation: ({ bytes }) => Math.max(1, bytes.length),
    ttl: ageMsMax,
  });
  const building = new Map<string, Promise<Snapshot>>();

  return {
    async of(source) {
      const head = await repository.head(source.at);
      if (head === undefined)
        throw new Fault('request.not_found', { detail: 'Nothing was published there yet.' });
      const { at, entitlement } = source;
      const { organization, environment } = at;
      const key = JSON.stringify([
        organization,
        environment,
        entitlement.fleet,
        entitlement.tags.toSorted(),
        head.epoch,
        head.seq,
      ]);
      const known = made.get(key) ?? building.get(key);
      if (known !== undefined) return known;
      const work = build(source).finally(() => building.delete(key));
      building.set(key, work);
      const snapshot = await work;
      made.set(key, snapshot);
      return snapshot;
    },
  };
}

async function build(source: ChangeSource): Promise<Snapshot> {
  const frames = async function* (): AsyncGenerator<Uint8Array> {
    for await (const frame of changesSince(source, { epoch: 0, seq: 0 })) yield encodeDelimited(frame);
  };
  const body = Readable.from(frames(), { objectMode: true }).pipe(createZstdCompress());
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk as Uint8Array);
  const bytes = Buffer.concat(chunks);
  return { etag: `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"`, bytes };
}
