import { Command, CommanderError } from 'commander';
import { explain, say } from './terminal.ts';
import { version } from './version.ts';

const wrongUse = 2;

/**
 * Every command, in the order of the help. Only the one that is named is loaded, and it loads the rooms that it needs: a gateway has no
 * schema of the control plane in its memory, and `version` no database.
 */
const commands = new Map<string, (onExit: (code: number) => void) => Promise<Command>>([
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
  [
    'gateway',
    async (onExit) => {
      await import('../proto/process/heap/small-start.ts');
      return (await import('./commands/gateway.ts')).gatewayCommand(onExit);
    },
  ],
  [
    'shipper',
    async (onExit) => {
      await import('../proto/process/heap/small-start.ts');
      return (await import('./commands/shipper.ts')).shipperCommand(onExit);
    },
  ],
  ['enroll', async () => (await import('./commands/enroll.ts')).enrollCommand()],
  ['token', async () => (await import('./commands/token.ts')).tokenCommand()],
  ['fleet', async () => (await import('./commands/fleet.ts')).fleetCommand()],
  ['migrate', async () => (await import('./commands/database.ts')).migrateCommand()],
  ['backup', async () => (await import('./commands/database.ts')).backupCommand()],
  ['restore', async () => (await import('./commands/database.ts')).restoreCommand()],
  ['bucket', async (onExit) => (await import('./commands/bucket.ts')).bucketCommand(onExit)],
  ['reset-password', async () => (await import('./commands/reset-password.ts')).resetPasswordCommand()],
  ['keys', async () => (await import('./commands/keys.ts')).keysCommand()],
  ['lake', async () => (await import('./commands/lake.ts')).lakeCommand()],
  ['check', async (onExit) => (await import('./commands/check.ts')).checkCommand(onExit)],
  [
    'doctor',
    async (onExit) => {
      const { customerDoctors } = await import('./doctor/doctors.ts');
      const { platformDoctors } = await import('./doctor/platform-doctors.ts');
      const { doctorCommand } = await import('./commands/doctor.ts');
      return doctorCommand(new Map([...platformDoctors, ...customerDoctors]), onExit);
    },
  ],
  ['config', async () => (await import('./commands/config.ts')).configCommand()],
  ['version', async () => (await import('./commands/version.ts')).versionCommand()],
]);

/**
 * The one executable.
 *
 * Exit codes: 0 done, 1 failed, 2 used wrongly (options, configuration).
 */
export async function runCommand(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const onExit = (code: number): void => void (exitCode = code);
  const program = new Command('isthmus')
    .description('Open hybrid API management.')
    .addHelpText(
      'before',
      'Examples:\n  isthmus up                        # everything on this machine, data in ./isthmus-data\n  isthmus gateway --local ./apis    # a gateway from files, no control plane\n  isthmus up --help                 # examples of one command\n',
    )
    .version(version)
    .showHelpAfterError('(--help shows examples)')
    .exitOverride();
  // Help, and a slip that resembles a name, need them all.
  const named = commands.get(args[0] ?? '');
  for (const load of named === undefined ? commands.values() : [named])
    program.addCommand(await load(onExit));
  try {
    await program.parseAsync(args.length === 0 ? ['--help'] : [...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has said already what was wrong; help and version end by an exception too.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : wrongUse;
    const explanation = explain(error);
    say(explanation.text);
    return explanation.exitCode;
  }
}
