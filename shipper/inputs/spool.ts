import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { listSpools, readCheckpoint, writeCheckpoint, type SpoolRef } from '../../proto/spool/folder.ts';
import { readOwner } from '../../proto/spool/owner.ts';
import { createSpoolReader } from '../../proto/spool/reader.ts';
import type { Input, Source } from '../topology.ts';

/** Where a gateway's spools lie and where it looks for acknowledgements. */
export interface SpoolInputOptions {
  readonly dir: string;
  readonly checkpointDir: string;
}

/** Tails the spools of the gateway on this machine; reads only, but for the acknowledgements. */
export function createSpoolInput({ dir, checkpointDir }: SpoolInputOptions): Input {
  const known = new Map<string, SpoolRef>();
  return {
    name: 'spool',
    async discover() {
      const found = await listSpools(dir);
      known.clear();
      for (const ref of found) known.set(ref.spool, ref);
      return new Set(known.keys());
    },
    async open(id) {
      const ref = known.get(id);
      const owner = ref === undefined ? undefined : readOwner(ref.dir);
      return ref === undefined || owner === undefined ? undefined : openSource(ref, owner, checkpointDir);
    },
    forget: (id) => rmSync(join(checkpointDir, `${id}.json`), { force: true }),
  };
}

function openSource(
  { spool, stream, environment, dir }: SpoolRef,
  { organization, gateway }: { readonly organization: string; readonly gateway: string },
  checkpointDir: string,
): Source {
  const reader = createSpoolReader({ dir, spool, from: readCheckpoint(checkpointDir, spool) });
  return {
    spool,
    stream,
    environment,
    organization,
    gateway,
    read: () => reader.read(),
    acknowledged: () => readCheckpoint(checkpointDir, spool),
    acknowledge: (next) => writeCheckpoint(checkpointDir, spool, next),
    close: () => reader.close(),
  };
}
