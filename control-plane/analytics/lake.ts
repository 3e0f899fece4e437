import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../proto/process/clock.ts';
import type { Log } from '../../proto/process/log.ts';
import type { BlobStore } from '../../proto/wire/blobs.ts';
import type { Storage } from '../storage/storage.ts';
import { createDuck, type Duck, type DuckOptions } from './duck.ts';
import { LakeStore } from './lake.store.ts';
import { openOwnFolder } from './own-folder.ts';
import { ReconcileStore } from './reconcile/reconcile.store.ts';
import type { AnalyticsSettings } from './settings.ts';

/** What whoever works on the lake is handed. */
export interface LakeParts {
  readonly storage: Storage;
  readonly blobs: BlobStore;
  /** The analytics folder of this machine: what is converted, and lake files for queries. */
  readonly dir: string;
  readonly settings: AnalyticsSettings;
  readonly log: Log;
  readonly clock: Clock;
}

/** The lake as one process has it. */
export interface Lake {
  readonly store: LakeStore;
  readonly manifest: ReconcileStore;
  /** A folder of this process's own for what is being written. */
  readonly workDir: string;
  /** Makes a DuckDB; its process starts with its first job. */
  createDuck(bounds: Pick<DuckOptions, 'timeoutMs' | 'queueMax'>): Duck;
  /** Removes the process's own folder. */
  close(): Promise<void>;
}

/** Opens it under a name of its own, which the lease knows it by. */
export async function openLake({ storage, dir, settings }: LakeParts): Promise<Lake> {
  const ownDir = await openOwnFolder(join(dir, 'run'));
  const store = new LakeStore({ storage, holder: randomUUID(), leaseMs: settings.leaseMs });
  const { memoryBytesMax, spillBytesMax, threads } = settings;
  const limits = { dir, spillsDir: join(ownDir, 'spill'), memoryBytesMax, spillBytesMax, threads };
  return {
    store,
    manifest: new ReconcileStore(storage, store),
    workDir: join(ownDir, 'work'),
    createDuck: (bounds) => createDuck({ ...limits, ...bounds }),
    close: () => rm(ownDir, { recursive: true, force: true }),
  };
}
