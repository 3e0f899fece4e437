import { closeBuiltIns } from '../proto/process/built-ins.ts';
import { outliveReaders } from '../proto/process/log.ts';
import { followLauncher } from './launcher.ts';
import { runCommand } from './run-command.ts';

closeBuiltIns();
outliveReaders();
// Whatever this process and those that it starts make is for its user alone: folders 0700, files 0600.
process.umask(0o077);
followLauncher();
// Not `process.exitCode`: a socket that a library keeps open must not hold a process that has closed.
process.exit(await runCommand(process.argv.slice(2)));
