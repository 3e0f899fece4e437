import { Argument, type Command } from 'commander';
import { createCommand, withConfig, type ConfigFlags } from '../command.ts';
import type { NamedFinding } from '../doctor/doctor.ts';
import { print } from '../terminal.ts';

/** Examines one kind of process; loads what that needs and no more. */
export type Doctor = (flags: ConfigFlags) => Promise<readonly NamedFinding[]>;

type Flags = ConfigFlags & { readonly json?: true };

/** `isthmus doctor`: looks at everything that a start needs, and changes nothing. The first process is meant when none is named. */
export function doctorCommand(doctors: ReadonlyMap<string, Doctor>, onExit: (code: number) => void): Command {
  const names = [...doctors.keys()];
  const [first = ''] = names;
  const command = createCommand({
    name: 'doctor',
    summary: `Checks everything that a start of ${names.join(', ')} needs, and says what to do.`,
    examples: [
      'isthmus doctor --config isthmus.yaml',
      ...names.slice(1).map((name) => `isthmus doctor ${name} --config isthmus.yaml`),
      'isthmus doctor --json    # exit code 1 when a check failed',
    ],
  });
  return withConfig(command)
    .addArgument(new Argument('[process]', 'whose settings').choices(names).default(first))
    .option('--json', 'as JSON')
    .action(async (process: string, flags: Flags) => {
      const findings = (await doctors.get(process)?.(flags)) ?? [];
      print(flags.json === true ? JSON.stringify(findings, undefined, 2) : findings.map(line).join('\n'));
      onExit(findings.some(({ status }) => status === 'failed') ? 1 : 0);
    });
}

function line({ check, status, found, remedy }: NamedFinding): string {
  const text = `${status.padEnd(8)} ${check.padEnd(12)} ${found}`;
  return remedy === undefined ? text : `${text}\n${' '.repeat(22)}${remedy}`;
}
