import { type LoadCommand, runOf } from './command-line.ts';
import { customerCommands } from './customer-commands.ts';

/** The commands of the package isthmus, by name. */
export const commands: ReadonlyMap<string, LoadCommand> = new Map<string, LoadCommand>([
  ['up', async (onExit) => (await import('./commands/up.ts')).upCommand(onExit)],
  [
    'control-plane',
    async (onExit) => (await import('./commands/control-plane.ts')).controlPlaneCommand(onExit),
  ],
  [
    'bridge',
    async (onExit) => {
      await import('../proto/process/heap/small-start.ts');
      return (await import('./commands/bridge.ts')).bridgeCommand(onExit);
    },
  ],
  ...customerCommands,
  ['token', async () => (await import('./commands/token.ts')).tokenCommand()],
  ['fleet', async () => (await import('./commands/fleet.ts')).fleetCommand()],
  ['samples', async () => (await import('./commands/samples.ts')).samplesCommand()],
  ['migrate', async () => (await import('./commands/database.ts')).migrateCommand()],
  ['backup', async () => (await import('./commands/database.ts')).backupCommand()],
  ['restore', async () => (await import('./commands/database.ts')).restoreCommand()],
  ['bucket', async (onExit) => (await import('./commands/bucket.ts')).bucketCommand(onExit)],
  ['reset-password', async () => (await import('./commands/reset-password.ts')).resetPasswordCommand()],
  ['break-glass', async () => (await import('./commands/break-glass.ts')).breakGlassCommand()],
  ['keys', async (onExit) => (await import('./commands/keys.ts')).keysCommand(onExit)],
  ['lake', async () => (await import('./commands/lake.ts')).lakeCommand()],
  ['login', async () => (await import('./client/login.ts')).loginCommand()],
  ['logout', async () => (await import('./client/login.ts')).logoutCommand()],
  ['context', async () => (await import('./client/context.ts')).contextCommand()],
  ['get', async () => (await import('./client/get.ts')).getCommand()],
  ['describe', async () => (await import('./client/get.ts')).describeCommand()],
  ['create', async () => (await import('./client/change.ts')).createObjectCommand()],
  ['apply', async () => (await import('./client/change.ts')).applyCommand()],
  ['delete', async () => (await import('./client/change.ts')).deleteCommand()],
  ['debug', async (onExit) => (await import('./client/debug.ts')).debugCommand(onExit)],
  ['call', async () => (await import('./client/call.ts')).callCommand()],
  ['completion', async () => (await import('./client/completion.ts')).completionCommand()],
  ['audit', async (onExit) => (await import('./commands/audit.ts')).auditCommand(onExit)],
  // In the place of those of the customer's side, which know half of the processes.
  [
    'check',
    async (onExit) => {
      const importing = async () => (await import('./import-judge.ts')).judgeImport;
      return (await import('./commands/check.ts')).checkCommand(onExit, importing);
    },
  ],
  [
    'doctor',
    async (onExit) => {
      const { customerDoctors } = await import('./doctor/doctors.ts');
      const { platformDoctors } = await import('./doctor/platform-doctors.ts');
      const { doctorCommand } = await import('./commands/doctor.ts');
      const { examineUp } = await import('./doctor/up.ts');
      return doctorCommand(new Map([...platformDoctors, ...customerDoctors]), onExit, examineUp);
    },
  ],
  [
    'config',
    async () => {
      const { processSchemas } = await import('./processes.ts');
      return (await import('./commands/config.ts')).configCommand(processSchemas);
    },
  ],
]);

const examples = [
  'isthmus up                        # everything on this machine, data in ./isthmus-data',
  'isthmus gateway --local ./apis    # a gateway from files, no control plane',
  'isthmus up --help                 # examples of one command',
];

/** The command line of the package isthmus, and of a checkout. Gives back the exit code. */
export function runCommand(args: readonly string[]): Promise<number> {
  return runOf({ commands, examples }, args);
}
