import type { Command } from 'commander';
import type { Reconciled } from '../../control-plane/analytics/reconcile/reconcile.ts';
import { foldersOf } from '../../proto/process/data-folder.ts';
import { systemClock } from '../../proto/process/clock.ts';
import { createCommand, loadFor, withConfig, type ConfigFlags } from '../command.ts';
import { rebuild } from '../lake.ts';
import { controlPlaneProcessSchema } from '../processes.ts';
import { createCommandLog, print, say } from '../terminal.ts';

type Flags = ConfigFlags & { readonly json?: true; readonly dryRun?: true };

/** `isthmus lake`. */
export function lakeCommand(): Command {
  return createCommand({
    name: 'lake',
    summary: 'Compares the lake in the bucket with what the database knows of it.',
    examples: ['isthmus lake rebuild --config isthmus.yaml --dry-run'],
  }).addCommand(rebuildCommand());
}

function rebuildCommand(): Command {
  const command = createCommand({
    name: 'rebuild',
    summary:
      'Makes the manifest of the lake what its files prove; the control plane is stopped, or it is a dry run.',
    examples: [
      'isthmus lake rebuild --config isthmus.yaml --dry-run   # may run beside the control plane',
      'isthmus lake rebuild --config isthmus.yaml --json',
      '# an ingester does the same by itself: the newest files at its start, all of them every six hours',
    ],
  });
  return withConfig(command)
    .option('--dry-run', 'compare and say, change nothing')
    .option('--json', 'say the result as JSON')
    .action(async (flags: Flags) => {
      const { config } = loadFor(controlPlaneProcessSchema, { process: 'control-plane', flags });
      const log = createCommandLog('error');
      const { openStorage } = await import('../../control-plane/storage/storage.ts');
      const { url } = config.database;
      // A restore that is asked for meanwhile is refused.
      const hold = { onLost: () => undefined };
      const storage = await openStorage({ url, dataDir: config.dataDir, log, mode: 'existing', hold });
      const isDryRun = flags.dryRun === true;
      try {
        const found = await rebuild({
          storage,
          config,
          dir: foldersOf(config.dataDir).analytics,
          log,
          clock: systemClock,
          isDryRun,
          operator: 'isthmus lake rebuild',
          onProgress: ({ seen }) => say(`${seen} files compared`),
        });
        if (flags.json === true) print(JSON.stringify({ isDryRun, ...found }));
        else print(describeReconciled(found, isDryRun));
      } finally {
        await storage.close();
      }
    });
}

/** What a comparison found, for people. */
export function describeReconciled(found: Reconciled, isDryRun: boolean): string {
  const { seen, adopted, adoptedRecords, trimmed, doubled, unreadable, missing, ended } = found;
  return `${isDryRun ? 'dry run, nothing was changed; ' : ''}${seen} files of the lake compared
  ${adopted} that the database did not know count ${isDryRun ? 'then' : 'now'}, and parts of ${trimmed}: ${adoptedRecords} records
  ${doubled} whose records count already out of others are deleted
  ${unreadable} say nothing of themselves and are left as they are
  ${ended} are gone since their time is over or they were asked to be deleted
  ${missing} are gone from the bucket, and their records count no longer`;
}
