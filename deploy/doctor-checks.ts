import { resolve } from 'node:path';
import { placeBlobs } from '../control-plane/storage/bucket.ts';
import { verifyBucket } from '../control-plane/storage/bucket-identity.ts';
import { few, reviewRole } from '../control-plane/storage/grants-sql.ts';
import { grantedRoles } from '../control-plane/storage/grants.ts';
import { readSchema, refuseSchema } from '../control-plane/storage/migrate.ts';
import { migrations } from '../control-plane/storage/migrations/index.ts';
import { openStorage } from '../control-plane/storage/storage.ts';
import { invariant } from '../proto/faults/fault.ts';
import { systemClock } from '../proto/process/clock.ts';
import type { Check, Finding, Subject } from './doctor.ts';

const silent = { info: () => undefined, warn: () => undefined };

/** Every question of `isthmus doctor`, in the order in which they are asked. */
export const checks: readonly Check[] = [
  { name: 'settings', needs: [], examine: examineSettings },
  { name: 'database', needs: ['config'], examine: examineDatabase },
  { name: 'schema', needs: ['storage'], examine: examineSchema },
  { name: 'role', needs: ['storage', 'isCurrent'], examine: examineRole },
  { name: 'bucket', needs: ['storage', 'isCurrent'], examine: examineBucket },
];

async function examineSettings(subject: Subject): Promise<Finding> {
  const { config, sources } = subject.load();
  subject.config = config;
  const given = [...sources.values()].filter((source) => source !== 'default');
  return { status: 'ok', found: `valid; ${given.length} of ${sources.size} are not the defaults` };
}

async function examineDatabase(subject: Subject): Promise<Finding> {
  const { config } = subject;
  invariant(config !== undefined, 'the check needs the settings');
  const { url } = config.database;
  subject.storage = await openStorage({ url, dataDir: config.dataDir, log: silent, mode: 'any' });
  const place = url === undefined ? `SQLite in ${resolve(config.dataDir)}` : withoutPassword(url);
  return { status: 'ok', found: `reachable: ${place}` };
}

async function examineSchema(subject: Subject): Promise<Finding> {
  invariant(subject.storage !== undefined, 'the check needs the database');
  const state = await readSchema(subject.storage.db, migrations);
  const fault = refuseSchema(state);
  if (fault !== undefined) throw fault;
  subject.isCurrent = true;
  return { status: 'ok', found: `${state.found}, as this version needs` };
}

async function examineRole({ storage, process }: Subject): Promise<Finding> {
  invariant(storage !== undefined, 'the check needs the database');
  const review = await reviewRole(storage, grantedRoles[process].grants);
  if (review === undefined)
    return { status: 'ok', found: 'none on SQLite: who can open the file can do everything' };
  const remedy = `Apply isthmus migrate --print-grants --for ${process} as the owner of the tables.`;
  const { role, missing, excess } = review;
  if (missing.length > 0)
    return { status: 'failed', found: `${role} lacks ${missing.length} grants: ${few(missing)}`, remedy };
  // A control plane may well own its tables; a bridge that does can be made to sign what a thief wants.
  if (excess.length > 0 && process === 'bridge')
    return { status: 'warning', found: `${role} may do more than a bridge needs: ${few(excess)}`, remedy };
  return { status: 'ok', found: `${role} has its grants` };
}

async function examineBucket({ storage, config }: Subject): Promise<Finding> {
  invariant(storage !== undefined && config !== undefined, 'the check needs the database and the settings');
  const placed = await placeBlobs(config);
  const identity = await verifyBucket({ ...placed, storage, clock: systemClock });
  return { status: 'ok', found: `${placed.location} bears ${identity}, as the database wants` };
}

function withoutPassword(url: string): string {
  const { hostname, port, pathname, username } = new URL(url);
  return `${hostname}${port === '' ? '' : `:${port}`}${pathname} as ${decodeURIComponent(username)}`;
}
