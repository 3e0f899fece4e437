import { Command, CommanderError } from 'commander';
import { closeBuiltIns } from '../proto/process/built-ins.ts';
import { outliveReaders } from '../proto/process/log.ts';
import { followLauncher } from './launcher.ts';
import { explain, print, say } from './terminal.ts';
import { version } from './version.ts';

/** Loads a command; `onExit` hears the exit code of one that chooses its own. */
export type LoadCommand = (onExit: (code: number) => void) => Promise<Command>;

/** What a command line has. */
export interface CommandLine {
  /**
   * By name, in the order of the help. Only the one that is named is loaded, and it loads the rooms that it needs: a gateway has no schema of
   * the control plane in its memory, and `version` no database.
   */
  readonly commands: ReadonlyMap<string, LoadCommand>;
  /** Lead the help, a line each. */
  readonly examples: readonly string[];
}

const wrongUse = 2;

/**
 * Runs one command.
 *
 * Exit codes: 0 done, 1 failed, 2 used wrongly (options, configuration).
 */
export async function runOf({ commands, examples }: CommandLine, args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const onExit = (code: number): void => void (exitCode = code);
  const program = new Command('isthmus')
    .description('Open hybrid API management.')
    .addHelpText('before', `Examples:\n${examples.map((line) => `  ${line}\n`).join('')}`)
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
    // Whoever reads JSON finds there what went wrong, whichever command it was.
    if (args.includes('--json')) print(JSON.stringify({ error: explanation.error }, undefined, 2));
    return explanation.exitCode;
  }
}

/** Makes this process the executable; it ends with what `run` gives. */
export async function asExecutable(run: (args: readonly string[]) => Promise<number>): Promise<never> {
  closeBuiltIns();
  outliveReaders();
  // Whatever this process and those that it starts make is for its user alone: folders 0700, files 0600.
  process.umask(0o077);
  followLauncher();
  // Not `process.exitCode`: a socket that a library keeps open must not hold a process that has closed.
  process.exit(await run(process.argv.slice(2)));
}
