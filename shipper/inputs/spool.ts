import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  inspectCheckpoint,
  listSpools,
  shippedOf,
  writeCheckpoint,
  type SpoolRef,
} from '../../proto/spool/folder.ts';
import { ownerFile, readOwner } from '../../proto/spool/owner.ts';
import { createSpoolReader } from '../../proto/spool/reader.ts';
import { makeFolder } from '../own-folder.ts';
import type { Quarantine } from '../quarantine.ts';
import type { Input, Source } from '../topology.ts';

/** Where a gateway's spools lie and where it looks for acknowledgements. */
export interface SpoolInputOptions {
  readonly dir: string;
  readonly checkpointDir: string;
  readonly quarantine: Quarantine;
  readonly damaged: (file: string, reason: string) => void;
}

/** Tails the spools of the gateway on this machine; reads only, but for the acknowledgements. */
export function createSpoolInput(options: SpoolInputOptions): Input {
  const { dir, checkpointDir } = options;
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
      if (ref === undefined) return undefined;
      const owner = readOwner(ref.dir) ?? (await ownerByRecords(ref, options));
      if (owner === undefined) return undefined;
      clearCheckpoint(id, options);
      return openSource(ref, owner, checkpointDir);
    },
    forget: (id) => rmSync(join(checkpointDir, `${id}.json`), { recursive: true, force: true }),
  };
}

type Owner = Pick<Source, 'organization' | 'gateway'>;

function openSource(ref: SpoolRef, { organization, gateway }: Owner, checkpointDir: string): Source {
  const { spool, stream, environment, dir } = ref;
  const acknowledged = (): number => shippedOf(ref, checkpointDir);
  const reader = createSpoolReader({ dir, spool, from: acknowledged() });
  return {
    spool,
    stream,
    environment,
    organization,
    gateway,
    read: () => reader.read(),
    acknowledged,
    acknowledge: (next) => writeCheckpoint(checkpointDir, spool, next),
    close: () => reader.close(),
  };
}

/** Moves an acknowledgement aside that cannot be read: what is still there is shipped again, and the far end trims it. */
function clearCheckpoint(spool: string, { checkpointDir, quarantine, damaged }: SpoolInputOptions): void {
  const inTheWay = makeFolder(checkpointDir);
  if (inTheWay !== undefined) damaged(inTheWay, 'a file stood in place of a folder');
  if (inspectCheckpoint(checkpointDir, spool) !== 'damaged') return;
  const file = quarantine.moveAside(join(checkpointDir, `${spool}.json`));
  damaged(file, 'the acknowledgement cannot be read');
}

const RecordTenant = z.object({ org_id: z.string(), env_id: z.string(), gateway_id: z.string() });

/**
 * Whose a spool is by its own records, when the file that says it is lost: without an owner nobody would ship it.
 *
 * The file is the gateway's, so it is left where it is. Undefined while there is no record, as in a spool that is being made.
 */
async function ownerByRecords(
  { dir, spool, environment }: SpoolRef,
  { damaged }: SpoolInputOptions,
): Promise<Owner | undefined> {
  const reader = createSpoolReader({ dir, spool, from: 0 });
  try {
    for (const entry of await reader.read()) {
      if (entry.kind !== 'batch') continue;
      for (const line of Buffer.from(entry.lines).toString().split('\n')) {
        const tenant = tenantOf(line);
        if (tenant?.env_id !== environment) continue;
        damaged(join(dir, ownerFile), 'it does not say whose records these are; they do, and are shipped');
        return { organization: tenant.org_id, gateway: tenant.gateway_id };
      }
    }
    return undefined;
  } finally {
    await reader.close();
  }
}

function tenantOf(line: string): z.infer<typeof RecordTenant> | undefined {
  try {
    return RecordTenant.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
