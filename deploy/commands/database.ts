import { join } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Reconciled } from '../../control-plane/analytics/reconcile/reconcile.ts';
import type { Storage, StorageMode, Trx } from '../../control-plane/storage/storage.ts';
import type { FaultCode } from '../../proto/faults/codes.ts';
import { Fault } from '../../proto/faults/fault.ts';
import { foldersOf } from '../../proto/process/data-folder.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { holdFolder } from '../../proto/process/disk/folder-hold.ts';
import { openKeyring } from '../../proto/process/secrets.ts';
import { createCommand, loadFor, withConfig, type ConfigFlags } from '../command.ts';
import { databaseCommandSchema } from '../processes.ts';
import { createCommandLog, explain, print, say } from '../terminal.ts';
import { rebuild } from '../lake.ts';
import { describeReconciled } from './lake.ts';

type Flags = ConfigFlags & { readonly json?: true; readonly yes?: true };
type Opened = Awaited<ReturnType<typeof open>>;
type RestoreFlags = Flags & { readonly anyBucket?: true };
type MigrateFlags = Flags & {
  readonly printGrants?: true;
  readonly for: 'bridge' | 'control-plane';
  readonly role?: string;
};

/** `isthmus migrate`: moves the schema forward without starting anything. */
export function migrateCommand(): Command {
  const command = createCommand({
    name: 'migrate',
    summary: "Makes the control plane's database or moves it to the newest schema; starting does the same.",
    examples: [
      'isthmus migrate',
      'isthmus migrate --config isthmus.yaml --json',
      'isthmus migrate --print-grants | psql "$OWNER_URL"    # the role of the bridge; again after each upgrade',
      'isthmus migrate --print-grants --for control-plane    # for a control plane that does not own its tables',
    ],
  });
  return withConfig(command)
    .option('--print-grants', 'print the SQL of a role for psql, and do nothing')
    .addOption(
      new Option('--for <process>', 'whose role').choices(['bridge', 'control-plane']).default('bridge'),
    )
    .option('--role <name>', 'its name; default isthmus_bridge or isthmus_control_plane', roleName)
    .option('--json', 'say the result as JSON')
    .action(async (flags: MigrateFlags) => {
      if (flags.printGrants === true) return printGrants(flags);
      const { storage, config } = await open(flags, 'migrate');
      await storage.close();
      const { dialect, schema } = storage;
      const where = dialect === 'sqlite' ? ` in ${config.dataDir}` : '';
      if (flags.json === true) print(JSON.stringify({ dialect, isCurrent: true, schema }));
      else say(schemaWords[schema](`the ${dialect} database${where}`));
    });
}

/** A slip in a path or URL makes an empty database: whoever meant another one has to see it. */
const schemaWords: Readonly<Record<Storage['schema'], (database: string) => string>> = {
  made: (database) => `${database} was empty and is new: nothing of yours is in it yet`,
  moved: (database) => `${database} was moved to the newest schema`,
  kept: (database) => `${database} has the newest schema`,
};

async function printGrants(flags: MigrateFlags): Promise<void> {
  const { grantStatements } = await import('../../control-plane/storage/grants-sql.ts');
  const { grantedRoles } = await import('../../control-plane/storage/grants.ts');
  const { role, grants } = grantedRoles[flags.for];
  // A psql that reads on after an error would exit with 0, without a role.
  print(`\\set ON_ERROR_STOP on\n${grantStatements(flags.role ?? role, grants)}`);
}

function roleName(text: string): string {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(text))
    throw new InvalidArgumentError('It must be lower-case letters, digits and _, 63 at the most.');
  return text;
}

/** `isthmus backup <file>`. */
export function backupCommand(): Command {
  const command = createCommand({
    name: 'backup',
    summary: 'Writes the whole control plane database to one file, while it runs.',
    examples: [
      'isthmus backup isthmus.backup',
      'isthmus backup --config isthmus.yaml /backups/$(date +%FT%H%M).isthmus    # never over a file that is there',
      '# keep <data-dir>/secrets/kek too, elsewhere: without it sealed keys in the backup do not open',
    ],
  });
  return withConfig(command)
    .argument('<file>', 'the file to write; it must not be there')
    .option('--json', 'say the result as JSON')
    .action(async (file: string, flags: Flags) => {
      // An older schema as it is: a backup before an upgrade must not be the upgrade.
      const { storage } = await open(flags, 'any');
      const { backup } = await import('../../control-plane/publish/backup.ts');
      try {
        const result = await backup(storage, file, systemClock);
        if (flags.json === true) print(JSON.stringify({ file, ...result }));
        else say(`${file}: ${result.rows} rows of ${result.tables} tables`);
      } finally {
        await storage.close();
      }
    });
}

/** What says nothing about whose bucket it is. */
const passing: ReadonlySet<FaultCode> = new Set(['blobs.unavailable', 'blobs.unclaimed']);

/** `isthmus restore <file>`. */
export function restoreCommand(): Command {
  const command = createCommand({
    name: 'restore',
    summary: 'Replaces the control plane database by a backup; gateways follow by themselves.',
    examples: [
      'isthmus restore --yes isthmus.backup',
      'isthmus restore --config isthmus.yaml --yes /backups/today.isthmus',
      '# on a fresh machine: put secrets/kek in the data folder, then isthmus migrate, then isthmus restore',
      'isthmus restore --yes --any-bucket today.isthmus    # the bucket is lost: what was ingested since is not looked for',
    ],
  });
  return withConfig(command)
    .argument('<file>', 'the file that backup wrote, from either database')
    .option('--yes', 'yes, replace everything that is in the database now')
    .option('--any-bucket', 'restore although the bucket is not the one of the database')
    .option('--json', 'say the result as JSON')
    .action(async (file: string, flags: RestoreFlags) => {
      if (flags.yes !== true) command.error('restore replaces everything in the database; say --yes');
      const { requireFile, restore } = await import('../../control-plane/publish/backup.ts');
      const { storage, config, log } = await open(flags, 'any', () => requireFile(file));
      const closers: (() => Promise<void> | void)[] = [() => storage.close()];
      try {
        const lifecycle = {
          onClose: (_: string, closer: () => Promise<void> | void) => void closers.push(closer),
          // Seconds of which one would be lost to whoever deletes the lock file; the database says the rest.
          task: (_: string, promise: Promise<unknown>) => void promise.catch(() => undefined),
        };
        holdFolder(config.dataDir, 'control-plane', { lifecycle, log });
        const dir = config.secrets.dir ?? foldersOf(config.dataDir).secrets;
        const keyring = openKeyring({ dir, mustExist: true });
        const accept = flags.anyBucket === true ? undefined : await bucketJudge(config);
        const keyFile = join(dir, 'kek');
        const result = await restore({ storage, keyring, keyFile, clock: systemClock, log, accept }, file);
        if (flags.json !== true) say(`restored ${result.rows} rows of ${result.tables} tables`);
        const lake = await proveLake({ storage, config });
        if (flags.json === true) print(JSON.stringify({ file, ...result, lake }));
        else say(await nextStep({ storage, config }));
      } finally {
        for (const close of closers.toReversed()) await close();
      }
    });
}

/**
 * Refuses another bucket than the restored database's, in which nothing would be found of what was ingested since. One that does not
 * answer is no other: the control plane compares at its start.
 */
async function bucketJudge(config: Opened['config']): Promise<(trx: Trx) => Promise<void>> {
  const { placeBlobs } = await import('../../control-plane/storage/bucket.ts');
  const { requireBucket } = await import('../../control-plane/storage/bucket-identity.ts');
  const placed = await placeBlobs(config);
  return async (trx) => {
    try {
      await requireBucket(trx, placed);
    } catch (error) {
      const isWrong = error instanceof Fault && error.code === 'blobs.wrong_bucket';
      if (isWrong)
        throw new Fault('blobs.wrong_bucket', {
          detail: error.detail,
          internal: error.internal,
          hint: 'Nothing was changed. Point blobs at the bucket of this database, or say --any-bucket: then what was ingested since the backup does not count again.',
        });
      if (!(error instanceof Fault) || !passing.has(error.code)) throw error;
    }
  };
}

/** A control plane does not start with another bucket than the database's, which `--any-bucket` lets pass. */
async function nextStep({ storage, config }: Pick<Opened, 'storage' | 'config'>): Promise<string> {
  const { placeBlobs } = await import('../../control-plane/storage/bucket.ts');
  const { requireBucket } = await import('../../control-plane/storage/bucket-identity.ts');
  try {
    await requireBucket(storage.db, await placeBlobs(config));
  } catch (error) {
    if (error instanceof Fault && error.code === 'blobs.wrong_bucket')
      return 'the bucket is not the one of the database: isthmus bucket adopt first, with the same settings, then start the control plane again';
    if (!(error instanceof Fault) || !passing.has(error.code)) throw error;
  }
  return 'start the control plane again';
}

/** What was ingested since the backup lies in the bucket and not in the database: the files of the lake say what they hold. */
async function proveLake({
  storage,
  config,
}: Pick<Opened, 'storage' | 'config'>): Promise<Reconciled | undefined> {
  try {
    const found = await rebuild({
      storage,
      config,
      dir: foldersOf(config.dataDir).analytics,
      // A file that the database forgot is what it looks for: counted, not told one by one.
      log: createCommandLog('error'),
      clock: systemClock,
      isDryRun: false,
      operator: 'isthmus restore',
    });
    say(describeReconciled(found, false));
    return found;
  } catch (error) {
    say(`the lake was not compared: ${explain(error).text}`);
    say('the control plane does it at its start, before it ingests; or run isthmus lake rebuild');
    return undefined;
  }
}

/** `before` runs when the settings hold and nothing is open. */
async function open(flags: Flags, mode: StorageMode, before?: () => Promise<void>) {
  const { config } = loadFor(databaseCommandSchema, { process: 'control-plane', flags });
  await before?.();
  const log = createCommandLog();
  const { openStorage } = await import('../../control-plane/storage/storage.ts');
  const storage = await openStorage({ url: config.database.url, dataDir: config.dataDir, log, mode });
  return { storage, config, log };
}
