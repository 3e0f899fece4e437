import { asExecutable } from './command-line.ts';
import { runCommand } from './run-command.ts';

await asExecutable(runCommand);
