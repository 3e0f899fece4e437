import type { Command } from 'commander';
import { systemClock } from '../../proto/process/clock.ts';
import { createLog } from '../../proto/process/log.ts';
import { openKeyring } from '../../proto/process/secrets.ts';
import { join } from 'node:path';
import { createCommand, loadFor, withConfig, type ConfigFlags } from '../command.ts';
import { controlPlaneProcessSchema } from '../processes.ts';
import { print, say } from '../terminal.ts';

type Flags = ConfigFlags & { readonly json?: true; readonly yes?: true };

/** `isthmus migrate`: moves the schema forward without starting anything. */
export function migrateCommand(): Command {
  const command = createCommand({
    name: 'migrate',
    summary: "Moves the control plane's database to the newest schema; starting does the same.",
    examples: ['isthmus migrate', 'isthmus migrate --config isthmus.yaml --json'],
  });
  return withConfig(command)
    .option('--json', 'say the result as JSON')
    .action(async (flags: Flags) => {
      const { storage } = await open(flags);
      await storage.close();
      if (flags.json === true) print(JSON.stringify({ dialect: storage.dialect, isCurrent: true }));
      else say(`the ${storage.dialect} database has the newest schema`);
    });
}

/** `isthmus backup <file>`. */
export function backupCommand(): Command {
  const command = createCommand({
    name: 'backup',
    summary: 'Writes the whole control plane database to one file, while it runs.',
    examples: [
      'isthmus backup isthmus.backup',
      'isthmus backup --config isthmus.yaml /backups/$(date +%F).isthmus',
      '# keep <data-dir>/secrets/kek too, elsewhere: without it sealed keys in the backup do not open',
    ],
  });
  return withConfig(command)
    .argument('<file>', 'the file to write')
    .option('--json', 'say the result as JSON')
    .action(async (file: string, flags: Flags) => {
      const { storage } = await open(flags);
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

/** `isthmus restore <file>`. */
export function restoreCommand(): Command {
  const command = createCommand({
    name: 'restore',
    summary: 'Replaces the control plane database by a backup; gateways follow by themselves.',
    examples: [
      'isthmus restore --yes isthmus.backup',
      'isthmus restore --config isthmus.yaml --yes /backups/today.isthmus',
    ],
  });
  return withConfig(command)
    .argument('<file>', 'the file that backup wrote, from either database')
    .option('--yes', 'yes, replace everything that is in the database now')
    .option('--json', 'say the result as JSON')
    .action(async (file: string, flags: Flags) => {
      if (flags.yes !== true) command.error('restore replaces everything in the database; say --yes');
      const { storage, config, log } = await open(flags);
      const { restore } = await import('../../control-plane/publish/backup.ts');
      try {
        const keyring = openKeyring({ dir: config.secrets.dir ?? join(config.dataDir, 'secrets') });
        const result = await restore({ storage, keyring, clock: systemClock, log }, file);
        if (flags.json === true) print(JSON.stringify({ file, ...result }));
        else say(`restored ${result.rows} rows of ${result.tables} tables; start the control plane again`);
      } finally {
        await storage.close();
      }
    });
}

async function open(flags: Flags) {
  const { config } = loadFor(controlPlaneProcessSchema, { process: 'control-plane', flags });
  const log = createLog({ name: 'isthmus', level: 'warn' });
  const { openStorage } = await import('../../control-plane/storage/storage.ts');
  const storage = await openStorage({ url: config.database.url, dataDir: config.dataDir, log });
  return { storage, config, log };
}
