import type { z } from 'zod';
import { openBucket } from '../control-plane/storage/bucket.ts';
import { requireGrants } from '../control-plane/storage/grants-sql.ts';
import { bridgeGrants } from '../control-plane/storage/grants.ts';
import { openStorage, type Storage } from '../control-plane/storage/storage.ts';
import { Fault } from '../proto/faults/fault.ts';
import type { FaultCode } from '../proto/faults/codes.ts';
import type { UsedBucket } from '../proto/wire/blobs.ts';
import type { bridgeProcessSchema } from './processes.ts';
import type { ProcessParts } from './run-process.ts';

type BridgeProcessConfig = z.output<typeof bridgeProcessSchema>;

/** What the bridge in a process of its own is handed. */
export interface BridgeParts {
  readonly storage: Storage;
  readonly blobs: UsedBucket;
}

const pollMs = 1_000;

/** What the control plane's first start, or the operator who migrates, is about to put right. */
const passing: ReadonlySet<FaultCode> = new Set([
  'storage.older_schema',
  'storage.missing',
  'storage.not_granted',
  'blobs.unclaimed',
]);

/**
 * Opens the control plane's database and bucket for a bridge, which owns neither: it makes nothing and migrates nothing.
 *
 * Bridges are often started together with the control plane, or replaced just before it has migrated. So it waits a while
 * (`database.waitMsMax`), saying what it finds and wants, and does not listen meanwhile: to a load balancer it is not there
 * yet. What waiting does not mend (a newer schema, another bucket, a folder without a database) is refused at once.
 */
export async function openBridgeParts(
  config: BridgeProcessConfig,
  parts: ProcessParts,
): Promise<BridgeParts> {
  const { clock, lifecycle, log } = parts;
  const deadlineMs = clock.monotonicMs() + config.database.waitMsMax;
  for (let said = ''; ;) {
    try {
      return await open(config, parts);
    } catch (error) {
      const mayWait = clock.monotonicMs() < deadlineMs && !lifecycle.signal.aborted;
      if (!mayWait || !isPassing(error, config)) throw error;
      if (said !== error.message)
        log.warn({ err: error }, 'the bridge waits for the control plane and its database');
      said = error.message;
      await clock.delay(pollMs, lifecycle.signal);
    }
  }
}

async function open(
  config: BridgeProcessConfig,
  { log, clock, lifecycle }: ProcessParts,
): Promise<BridgeParts> {
  const { url, connectionsMax } = config.database;
  const storage = await openStorage({
    url,
    dataDir: config.dataDir,
    log,
    mode: 'existing',
    bounds: connectionsMax === undefined ? undefined : { connectionsMax },
  });
  try {
    const review = await requireGrants(storage, bridgeGrants);
    if (review !== undefined && review.excess.length > 0)
      log.warn(
        { role: review.role, excess: review.excess.length },
        'the database role of the bridge may do more than a bridge needs; isthmus migrate --print-grants makes one that may not',
      );
    const blobs = await openBucket({ storage, config, mayClaim: false, clock, log, lifecycle });
    lifecycle.onClose('storage', () => storage.close());
    return { storage, blobs };
  } catch (error) {
    await storage.close();
    throw error;
  }
}

function isPassing(error: unknown, { database }: BridgeProcessConfig): error is Fault {
  if (!(error instanceof Fault) || !passing.has(error.code)) return false;
  // A file that is not there is a slip in the path; a server's database without tables is a first start.
  return error.code !== 'storage.missing' || database.url !== undefined;
}
