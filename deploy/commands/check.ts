import type { Command } from 'commander';
import { gatewayConfigSchema } from '../../data-plane/config.ts';
import { createCommand, loadFor, withConfig, type ConfigFlags } from '../command.ts';
import { print } from '../terminal.ts';

/** `isthmus check`: what a gateway would refuse, before it is asked. */
export function checkCommand(onExit: (code: number) => void): Command {
  const command = createCommand({
    name: 'check',
    summary: 'Checks API definitions as a gateway would, without one: every fault with its place.',
    examples: [
      'isthmus check ./apis                  # all JSON and YAML files of a folder, together',
      'isthmus check orders.json billing.yaml',
      'isthmus check ./apis --json           # exit code 1 when a gateway would refuse something',
    ],
  });
  return withConfig(command)
    .argument('<files...>', 'definitions, isthmus.json with subscriptions, or folders of both')
    .option('--json', 'as JSON')
    .action(async (paths: readonly string[], flags: ConfigFlags & { readonly json?: true }) => {
      const { config } = loadFor(gatewayConfigSchema, { process: 'gateway', flags });
      const { checkFiles } = await import('../../data-plane/local/check.ts');
      const files = await checkFiles(paths, config);
      const lines = files.flatMap(({ file, problems }) =>
        problems.length === 0
          ? [`ok       ${file}`]
          : problems.map(
              ({ path, message }) => `refused  ${file}: ${path === '' ? '' : `${path} `}${message}`,
            ),
      );
      if (flags.json === true) print(JSON.stringify({ files }, undefined, 2));
      else print(lines.length === 0 ? 'There is no JSON or YAML file.' : lines.join('\n'));
      onExit(files.length > 0 && files.every(({ problems }) => problems.length === 0) ? 0 : 1);
    });
}
