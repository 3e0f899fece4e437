import { Argument, type Command } from 'commander';
import { createCommand, loadFor, withConfig, type ConfigFlags } from '../command.ts';
import type { NamedFinding, Subject } from '../doctor.ts';
import { bridgeProcessSchema, controlPlaneProcessSchema } from '../processes.ts';
import { print } from '../terminal.ts';

const schemas = { 'control-plane': controlPlaneProcessSchema, bridge: bridgeProcessSchema } as const;

/** `isthmus doctor`: looks at everything that a start needs, and changes nothing. */
export function doctorCommand(onExit: (code: number) => void): Command {
  const command = createCommand({
    name: 'doctor',
    summary: 'Checks settings, database and bucket of a control plane or bridge, and says what to do.',
    examples: [
      'isthmus doctor --config isthmus.yaml',
      'isthmus doctor bridge --config isthmus.yaml',
      'isthmus doctor --json    # exit code 1 when a check failed',
    ],
  });
  return withConfig(command)
    .addArgument(
      new Argument('[process]', 'whose settings').choices(Object.keys(schemas)).default('control-plane'),
    )
    .option('--json', 'as JSON')
    .action(async (process: Subject['process'], flags: ConfigFlags & { readonly json?: true }) => {
      const { examine } = await import('../doctor.ts');
      const { checks } = await import('../doctor-checks.ts');
      const load = () => loadFor(schemas[process], { process, flags });
      const findings = await examine({ process, load }, checks);
      print(flags.json === true ? JSON.stringify(findings, undefined, 2) : findings.map(line).join('\n'));
      onExit(findings.some(({ status }) => status === 'failed') ? 1 : 0);
    });
}

function line({ check, status, found, remedy }: NamedFinding): string {
  const text = `${status.padEnd(8)} ${check.padEnd(9)} ${found}`;
  return remedy === undefined ? text : `${text}\n${' '.repeat(19)}${remedy}`;
}
