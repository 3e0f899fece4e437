import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** A bash with all that it starts. */
export interface Shell {
  readonly stdin: ChildProcess['stdin'];
  /** Undefined while it runs; -1 after a signal. */
  exitCode(): number | undefined;
  /** All that has been printed. */
  said(): string;
  /** Sends a signal to it and to all that it started; resolves when the last of them has let go of its output. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** Resolves when it has ended, and everything that holds its output. */
  readonly closed: Promise<unknown>;
}

/** Opens one that reads no settings of its user. */
export function openShell(
  args: readonly string[],
  wish: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
): Shell {
  const child = spawn('bash', ['--noprofile', '--norc', ...args], {
    ...wish,
    // A group of its own: what is left in the background ends with the shell.
    detached: true,
    stdio: 'pipe',
  });
  const closed = once(child, 'close');
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  // A shell that has ended takes no more lines.
  child.stdin.on('error', () => undefined);
  return {
    stdin: child.stdin,
    exitCode: () => child.exitCode ?? (child.signalCode === null ? undefined : -1),
    said: () => said,
    async end(signal) {
      try {
        process.kill(-(child.pid ?? 0), signal);
      } catch {
        // All of it has ended already.
      }
      await closed;
    },
    closed,
  };
}
