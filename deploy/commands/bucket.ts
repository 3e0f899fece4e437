import type { Command } from 'commander';
import type { Adoption } from '../../control-plane/storage/bucket-adopt.ts';
import type { BucketParts } from '../../control-plane/storage/bucket-identity.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { createCommand, loadFor, withConfig, type ConfigFlags } from '../command.ts';
import { controlPlaneProcessSchema } from '../processes.ts';
import { createCommandLog, print } from '../terminal.ts';

type Flags = ConfigFlags & { readonly json?: true; readonly dryRun?: true; readonly bearing?: string };

/** `isthmus bucket`. */
export function bucketCommand(onExit: (code: number) => void): Command {
  return createCommand({
    name: 'bucket',
    summary: 'Shows which bucket belongs to the database, or moves to another one.',
    examples: [
      'isthmus bucket show --config isthmus.yaml',
      'isthmus bucket adopt --config isthmus.yaml --dry-run    # blobs in isthmus.yaml is the new bucket',
    ],
  })
    .addCommand(showCommand(onExit))
    .addCommand(adoptCommand());
}

function showCommand(onExit: (code: number) => void): Command {
  const command = createCommand({
    name: 'show',
    summary: 'Says which identity the database wants and which one the configured bucket bears.',
    examples: [
      'isthmus bucket show --config isthmus.yaml',
      'isthmus bucket show --json   # exit code 1 when they differ',
    ],
  });
  return withConfig(command)
    .option('--json', 'say it as JSON')
    .action(async (flags: Flags) => {
      await withBucket(flags, async (parts) => {
        const { readBorneIdentity, readBucketRow } =
          await import('../../control-plane/storage/bucket-identity.ts');
        const row = await readBucketRow(parts.storage.db);
        const borne = await readBorneIdentity(parts);
        const wanted = row === undefined || row.confirmed_at_ms === null ? undefined : row.identity;
        const isSame = wanted !== undefined && wanted === borne;
        onExit(isSame ? 0 : 1);
        if (flags.json === true) {
          const { location } = parts;
          return print(JSON.stringify({ wanted, wantedAt: row?.location, borne, location, isSame }));
        }
        print(
          `the database wants  ${wanted ?? 'none yet'}${wanted === undefined ? '' : ` (${row?.location})`}`,
        );
        print(`the bucket bears    ${borne ?? 'none'} (${parts.location})`);
      });
    });
}

function adoptCommand(): Command {
  const command = createCommand({
    name: 'adopt',
    summary: 'Makes the configured bucket the one that belongs to the database.',
    examples: [
      '# stop the control plane and the bridges, point blobs at the new bucket, then',
      'isthmus bucket adopt --config isthmus.yaml --dry-run',
      'isthmus bucket adopt --config isthmus.yaml',
      'isthmus bucket adopt --bearing 5f0c...    # it bears that identity, and it is ours: the database was lost',
    ],
  });
  return withConfig(command)
    .option('--dry-run', 'check and say, change nothing')
    .option(
      '--bearing <identity>',
      'the identity that the bucket bears, when it is neither empty nor the present one',
    )
    .option('--json', 'say the result as JSON')
    .action(async (flags: Flags) => {
      await withBucket(flags, async (parts) => {
        const { adoptBucket } = await import('../../control-plane/storage/bucket-adopt.ts');
        const { recordAdoption } = await import('../../control-plane/management/audit/adoption.ts');
        const adoption = await adoptBucket(parts, {
          bearing: flags.bearing,
          isDryRun: flags.dryRun === true,
          record: (trx, change) => recordAdoption(trx, change, systemClock.now()),
        });
        if (flags.json === true) print(JSON.stringify({ isDryRun: flags.dryRun === true, ...adoption }));
        else print(describe(adoption, parts.location));
      });
    });
}

function describe({ from, to, lake }: Adoption, location: string): string {
  const done =
    to.identity === undefined
      ? `dry run: ${location} can be adopted; nothing was changed`
      : `${location} is the bucket of this database now, with the identity ${to.identity}`;
  if (from === undefined || from.location === location) return done;
  return `${done}
copy from ${from.location}, unless they are there already:
  landing/     records that are not ingested yet
  lake/        ${lake.files} files, ${lake.bytes} bytes: analytics need them
  quarantine/  what was set aside
  ended/       what has had its time or was asked to be deleted, for a database that is restored from before that
  deletions/   which calls went, for deletions that still watch
do not copy isthmus-bucket.json. A control plane or bridge that still runs is refused the old bucket within 10 s: copy after that; then start the control plane and the bridges with the new setting
shippers with output s3 or folder put into the bucket themselves: give them the new one, and bucketIdentity`;
}

async function withBucket(flags: Flags, work: (parts: BucketParts) => Promise<void>): Promise<void> {
  const { config } = loadFor(controlPlaneProcessSchema, { process: 'control-plane', flags });
  const log = createCommandLog();
  const { openStorage } = await import('../../control-plane/storage/storage.ts');
  const { placeBlobs } = await import('../../control-plane/storage/bucket.ts');
  const { url } = config.database;
  // A restore that is asked for meanwhile is refused.
  const hold = { onLost: () => undefined };
  const storage = await openStorage({ url, dataDir: config.dataDir, log, mode: 'existing', hold });
  try {
    await work({ ...(await placeBlobs(config)), storage, clock: systemClock });
  } finally {
    await storage.close();
  }
}
