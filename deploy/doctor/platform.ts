import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { z } from 'zod';
import { placeBlobs } from '../../control-plane/storage/bucket.ts';
import {
  readBucketRow,
  requireClaimable,
  verifyBucket,
} from '../../control-plane/storage/bucket-identity.ts';
import { hasRoot, openKeyringOf } from '../../control-plane/publish/sealed.ts';
import { few, reviewRole } from '../../control-plane/storage/grants-sql.ts';
import { grantedRoles } from '../../control-plane/storage/grants.ts';
import { databaseNowMs, readNow } from '../../control-plane/storage/leases.ts';
import { readSchema, refuseSchema } from '../../control-plane/storage/migrate.ts';
import { migrations } from '../../control-plane/storage/migrations/index.ts';
import { openStorage, type Storage } from '../../control-plane/storage/storage.ts';
import { Fault, invariant } from '../../proto/faults/fault.ts';
import { systemClock } from '../../proto/process/clock.ts';
import type { LoadedConfig } from '../../proto/process/config.ts';
import { foldersOf } from '../../proto/process/data-folder.ts';
import type { ListenAddress } from '../../proto/process/listen.ts';
import type { ListenTlsSettings } from '../../proto/process/listening/tls-settings.ts';
import type { controlPlaneProcessSchema } from '../processes.ts';
import { besideUp } from './beside-up.ts';
import type { Check, Examined, Finding } from './doctor.ts';
import { examineDisk, examineListenTls } from './machine.ts';
import { examineModes } from './modes.ts';
import { examinePorts, type PortsConfig } from './ports.ts';
import { describeSettings } from './settings.ts';

/** What the checks look at of a control plane or a bridge. */
export type PlatformConfig = Pick<
  z.output<typeof controlPlaneProcessSchema>,
  'dataDir' | 'database' | 'blobs'
> & {
  /** A bridge has none. */
  readonly secrets?: { readonly dir?: string | undefined };
  readonly admin: PortsConfig['admin'];
  readonly listen: ListenAddress & {
    /** A control plane's or a bridge's. */
    readonly tls?: ListenTlsSettings | undefined;
  };
};

/** A control plane or a bridge. */
export interface PlatformSubject extends Examined {
  readonly process: 'control-plane' | 'bridge';
  /** True for a part of `isthmus up`. */
  readonly isOfUp?: boolean;
  load(): Pick<LoadedConfig<PlatformConfig>, 'config' | 'sources'>;
  config?: PlatformConfig;
  storage?: Storage;
  /** True when there is no database that a first start of this process would not make. */
  isFresh?: boolean;
  /** True when there is a database, and nothing in it. */
  isEmpty?: boolean;
  /** True when the schema is the one of this version. */
  isCurrent?: boolean;
}

const silent = { info: () => undefined, warn: () => undefined };
/** What analytics and uploads need to go on for a while. */
const roomBytes = 1024 * 1024 * 1024;
/** Two clocks that differ more make figures hard to read; nothing depends on it. */
const clockMsMax = 5_000;

/** Every question about a control plane or a bridge, in the order in which they are asked. */
export const platformChecks: readonly Check<PlatformSubject>[] = [
  { name: 'settings', needs: [], examine: examineSettings },
  { name: 'database', needs: ['config'], examine: examineDatabase },
  { name: 'schema', needs: ['storage'], concerns: hasDatabase, examine: examineSchema },
  { name: 'role', needs: ['storage', 'isCurrent'], concerns: hasDatabase, examine: examineRole },
  { name: 'keys', needs: ['storage', 'isCurrent'], concerns: opensKeys, examine: examineKeys },
  { name: 'bucket', needs: ['storage', 'isCurrent'], concerns: hasTables, examine: examineBucket },
  { name: 'bucket', needs: ['config'], concerns: isBeforeAll, examine: examineFirstBucket },
  { name: 'clock', needs: ['storage'], concerns: hasDatabase, examine: examineClock },
  { name: 'certificates', needs: ['config'], examine: examineTls },
  { name: 'ports', needs: ['config'], examine: examineListeners },
  { name: 'disk', needs: ['config'], examine: examineRoom },
  { name: 'modes', needs: ['config'], examine: examineFiles },
  besideUp,
];

async function examineSettings(subject: PlatformSubject): Promise<Finding> {
  const { config, sources } = subject.load();
  subject.config = config;
  return describeSettings(sources);
}

/** Of one that is made later nothing can be said yet. */
function hasDatabase({ isFresh }: PlatformSubject): boolean {
  return isFresh !== true;
}

async function examineDatabase(subject: PlatformSubject): Promise<Finding> {
  const { config } = subject;
  invariant(config !== undefined, 'the check needs the settings');
  const { url } = config.database;
  let storage: Storage;
  try {
    storage = await openStorage({ url, dataDir: config.dataDir, log: silent, mode: 'any' });
  } catch (error) {
    const isMissing = error instanceof Fault && error.code === 'storage.missing';
    if (!isMissing || subject.process !== 'control-plane') throw error;
    subject.isFresh = true;
    return {
      status: 'warning',
      found: `${error.detail} The first start makes it.`,
      remedy: 'If there was a first start already, check database.url and dataDir for a slip.',
    };
  }
  subject.storage = storage;
  subject.close = () => storage.close();
  const place = url === undefined ? `SQLite in ${resolve(config.dataDir)}` : withoutPassword(url);
  return { status: 'ok', found: `reachable: ${place}` };
}

async function examineSchema(subject: PlatformSubject): Promise<Finding> {
  invariant(subject.storage !== undefined, 'the check needs the database');
  const state = await readSchema(subject.storage.db, migrations);
  const fault = refuseSchema(state);
  if (state.found === 0) subject.isEmpty = true;
  if (fault !== undefined) throw fault;
  subject.isCurrent = true;
  return { status: 'ok', found: `${state.found}, as this version needs` };
}

async function examineRole({ storage, process }: PlatformSubject): Promise<Finding> {
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

/** A bridge opens none. */
function opensKeys(subject: PlatformSubject): boolean {
  return subject.process === 'control-plane' && hasDatabase(subject);
}

async function examineKeys({ storage, config }: PlatformSubject): Promise<Finding> {
  invariant(storage !== undefined && config !== undefined, 'the check needs the database and the settings');
  const dir = config.secrets?.dir ?? foldersOf(config.dataDir).secrets;
  if (!(await hasRoot(storage.db)))
    return { status: 'ok', found: 'nothing is sealed yet; the first start makes what is' };
  const { keyIds } = await openKeyringOf(storage.db, { dir });
  return { status: 'ok', found: `${join(dir, 'kek')} opens what the database holds: ${keyIds.join(', ')}` };
}

async function examineBucket(subject: PlatformSubject): Promise<Finding> {
  const { storage, config, process } = subject;
  invariant(storage !== undefined && config !== undefined, 'the check needs the database and the settings');
  const row = await readBucketRow(storage.db);
  const isUnclaimed = row === undefined || row.confirmed_at_ms === null;
  if (process === 'control-plane' && isUnclaimed) return ofFirstBucket(config, row);
  const placed = await placeBlobs(config);
  const identity = await verifyBucket({ ...placed, storage, clock: systemClock });
  return { status: 'ok', found: `${placed.location} bears ${identity}, as the database wants` };
}

function hasTables(subject: PlatformSubject): boolean {
  return hasDatabase(subject) && !isBeforeAll(subject);
}

/** Before the first start of a control plane, which claims the bucket; a bridge waits for that. */
function isBeforeAll({ process, isFresh, isEmpty }: PlatformSubject): boolean {
  return process === 'control-plane' && (isFresh === true || isEmpty === true);
}

async function examineFirstBucket({ config }: PlatformSubject): Promise<Finding> {
  invariant(config !== undefined, 'the check needs the settings');
  return ofFirstBucket(config, undefined);
}

/** It is asked as the first start asks it, and stays as it is. */
async function ofFirstBucket(
  config: PlatformConfig,
  row: Awaited<ReturnType<typeof readBucketRow>>,
): Promise<Finding> {
  const placed = await placeBlobs(config);
  await requireClaimable(placed, row);
  return {
    status: 'ok',
    found: `${placed.location} ${config.blobs.s3 === undefined ? 'is free' : 'answers and is free'}: the first start makes it the bucket of this database`,
  };
}

/** Leases and heads are dated by the database, so a wrong clock here costs nothing but confusion. */
async function examineClock({ storage }: PlatformSubject): Promise<Finding> {
  invariant(storage !== undefined, 'the check needs the database');
  if (storage.dialect === 'sqlite') return { status: 'ok', found: "the database has this machine's" };
  const offMs = systemClock.now() - (await readNow(storage.db, databaseNowMs(storage.dialect)));
  const found = `${(Math.abs(offMs) / 1_000).toFixed(1)} s ${offMs < 0 ? 'behind' : 'ahead of'} the database's`;
  if (Math.abs(offMs) <= clockMsMax) return { status: 'ok', found };
  return { status: 'warning', found, remedy: 'Set the clocks by NTP; certificates are judged by this one.' };
}

async function examineTls({ config }: PlatformSubject): Promise<Finding> {
  invariant(config !== undefined, 'the check needs the settings');
  const { tls } = config.listen;
  return examineListenTls(
    { listeners: [{ setting: 'listen', tls }], judgesClients: false, others: [] },
    systemClock.now(),
  );
}

async function examineListeners({ config, process }: PlatformSubject): Promise<Finding> {
  invariant(config !== undefined, 'the check needs the settings');
  const { listen, admin, dataDir } = config;
  return examinePorts(process, {
    listen: [{ ...listen, setting: 'listen' }],
    admin,
    heldDir: process === 'bridge' ? undefined : dataDir,
  });
}

async function examineRoom({ config, process }: PlatformSubject): Promise<Finding> {
  invariant(config !== undefined, 'the check needs the settings');
  // A bridge on PostgreSQL makes no folder: what it keeps is in database and bucket.
  if (process === 'bridge' && config.database.url !== undefined && !existsSync(config.dataDir))
    return { status: 'ok', found: `needs none: nothing is kept in ${resolve(config.dataDir)}` };
  return examineDisk(config.dataDir, { wantedBytes: roomBytes, why: 'below it gets tight:' });
}

async function examineFiles({ config }: PlatformSubject): Promise<Finding> {
  invariant(config !== undefined, 'the check needs the settings');
  const { dataDir, secrets, listen } = config;
  const dirs = [dataDir, ...(secrets?.dir === undefined ? [] : [secrets.dir])];
  return examineModes({ dirs, keyFiles: [listen.tls?.keyFile] });
}

function withoutPassword(url: string): string {
  const { hostname, port, pathname, username } = new URL(url);
  return `${hostname}${port === '' ? '' : `:${port}`}${pathname} as ${decodeURIComponent(username)}`;
}
