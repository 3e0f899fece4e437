import type { Command } from 'commander';
import { createCommand } from '../command.ts';
import { print } from '../terminal.ts';
import { version } from '../version.ts';

/** `isthmus version`. */
export function versionCommand(): Command {
  return createCommand({
    name: 'version',
    summary: 'Says which version this is.',
    examples: ['isthmus version', 'isthmus version --json'],
  })
    .option('--json', 'as JSON, with the runtime')
    .action(({ json }: { json?: true }) => {
      print(json === true ? JSON.stringify({ version, node: process.versions.node }) : version);
    });
}
