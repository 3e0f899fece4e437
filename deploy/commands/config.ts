import { Argument, type Command } from 'commander';
import { createCommand, loadFor, withConfig, type ConfigFlags } from '../command.ts';
import { processNames, processSchemas, type ProcessName } from '../processes.ts';
import { print, say } from '../terminal.ts';

/** `isthmus config`: checks, and with --print shows every value with its source. */
export function configCommand(): Command {
  const command = createCommand({
    name: 'config',
    summary: 'Checks the configuration, or prints every value with where it comes from.',
    examples: [
      'isthmus config --print',
      'isthmus config gateway --print --config isthmus.yaml',
      'ISTHMUS_GATEWAY__LISTEN__PORT=9000 isthmus config gateway --print --json',
      'isthmus config --config isthmus.yaml     # exit code 2 when something is wrong',
    ],
  });
  return withConfig(command)
    .addArgument(new Argument('[process]', 'only this process').choices(processNames))
    .option('--print', 'print every value and its source; secrets are ***')
    .option('--json', 'print as JSON')
    .action((only: ProcessName | undefined, flags: ConfigFlags & { print?: true; json?: true }) => {
      const names = only === undefined ? processNames : [only];
      const loaded = names.map((name) => ({
        name,
        config: loadFor(processSchemas[name], { process: name, flags }),
      }));
      if (flags.json === true) {
        print(
          JSON.stringify(
            Object.fromEntries(loaded.map(({ name, config }) => [name, config.entries()])),
            undefined,
            2,
          ),
        );
      } else if (flags.print === true) {
        print(loaded.map(({ name, config }) => `# ${name}\n${config.print()}`).join('\n'));
      } else {
        say(`valid: ${names.join(', ')}`);
      }
    });
}
