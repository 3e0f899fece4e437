import { Command, CommanderError } from 'commander';
import { bridgeCommand } from './commands/bridge.ts';
import { bucketCommand } from './commands/bucket.ts';
import { configCommand } from './commands/config.ts';
import { controlPlaneCommand } from './commands/control-plane.ts';
import { backupCommand, migrateCommand, restoreCommand } from './commands/database.ts';
import { doctorCommand } from './commands/doctor.ts';
import { enrollCommand } from './commands/enroll.ts';
import { fleetCommand } from './commands/fleet.ts';
import { gatewayCommand } from './commands/gateway.ts';
import { lakeCommand } from './commands/lake.ts';
import { shipperCommand } from './commands/shipper.ts';
import { upCommand } from './commands/up.ts';
import { versionCommand } from './commands/version.ts';
import { closeBuiltIns } from '../proto/process/built-ins.ts';
import { outliveReaders } from '../proto/process/log.ts';
import { followLauncher } from './launcher.ts';
import { explain, say } from './terminal.ts';
import { version } from './version.ts';

const wrongUse = 2;

/**
 * The one executable. Rooms are imported by the commands that need them, so that `version` does not load a database.
 *
 * Exit codes: 0 done, 1 failed, 2 used wrongly (options, configuration).
 */
async function main(args: readonly string[]): Promise<number> {
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
  const commands = [
    upCommand(onExit),
    controlPlaneCommand(onExit),
    bridgeCommand(onExit),
    gatewayCommand(onExit),
    shipperCommand(onExit),
    enrollCommand(),
    fleetCommand(),
    migrateCommand(),
    backupCommand(),
    restoreCommand(),
    bucketCommand(onExit),
    lakeCommand(),
    doctorCommand(onExit),
    configCommand(),
    versionCommand(),
  ];
  for (const command of commands) program.addCommand(command);
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

closeBuiltIns();
outliveReaders();
// Whatever this process and those that it starts make is for its user alone: folders 0700, files 0600.
process.umask(0o077);
followLauncher();
// Not `process.exitCode`: a socket that a library keeps open must not hold a process that has closed.
process.exit(await main(process.argv.slice(2)));
