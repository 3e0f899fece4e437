import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Core of every proxy. */
export const proxyCpu = '0';
/** Core of the load generator and the upstream. */
export const loadCpu = '1';

/** A process that a benchmark started, pinned to one core. */
export interface Pinned {
  readonly pid: number;
  /** Resolves when it has ended, in whatever way. */
  readonly ended: Promise<void>;
  /** Everything it wrote to standard output, once it has ended. */
  readonly output: Promise<string>;
  isRunning(): boolean;
  kill(signal?: NodeJS.Signals): void;
}

/** See {@link Stage.start}. */
export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly isQuiet?: boolean;
}

/** Where a benchmark's processes and folders live; nothing of it outlives the benchmark. */
export interface Stage {
  /**
   * Starts a command on these cores. Its standard output is kept. What it says on standard error is shown; with isQuiet only when it
   * ends with an exit code other than 0.
   */
  start(cpus: string, command: readonly string[], options?: StartOptions): Pinned;
  /** Makes an empty folder. */
  folder(name: string): string;
  /** Kills what still runs and removes the folders. */
  close(): void;
}

/**
 * Opens a stage that is cleared at the end of this process: an ordinary end, a fault, Ctrl-C, SIGTERM. Should this process be killed
 * hard, the kernel kills the children (`setpriv --pdeathsig`) and only folders under the temporary directory are left.
 */
export function openStage(): Stage {
  const children = new Set<ChildProcess>();
  const folders: string[] = [];
  const close = (): void => {
    for (const child of children) child.kill('SIGKILL');
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  };
  process.on('exit', close);
  // Exit codes as a shell gives them: 128 and the number of the signal.
  for (const [signal, code] of [
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    process.on(signal, () => process.exit(code));
  return {
    start(cpus, command, { env = {}, isQuiet = false } = {}) {
      const child = spawn('taskset', ['-c', cpus, 'setpriv', '--pdeathsig', 'KILL', ...command], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...ownEnvironment(), ...env },
      });
      children.add(child);
      return follow(child, isQuiet, () => children.delete(child));
    },
    folder(name) {
      const folder = mkdtempSync(join(tmpdir(), `isthmus-bench-${name}-`));
      folders.push(folder);
      return folder;
    },
    close,
  };
}

function follow(child: ChildProcess, isQuiet: boolean, onEnd: () => void): Pinned {
  const parts: string[] = [];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => parts.push(text));
  const complaints: string[] = [];
  if (child.stderr !== null)
    createInterface({ input: child.stderr }).on('line', (line) => {
      // That a gateway listens is no news here; whatever else anybody says (a degraded spool, a crash) puts its figures in doubt.
      if (isQuiet) complaints.push(`${line}\n`);
      else if (!line.startsWith('gateway listening ')) process.stderr.write(`${line}\n`);
    });
  let isRunning = true;
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      isRunning = false;
      onEnd();
      if (code !== null && code !== 0) process.stderr.write(complaints.join(''));
      resolve();
    });
  });
  return {
    pid: child.pid ?? -1,
    ended,
    output: ended.then(() => parts.join('')),
    isRunning: () => isRunning,
    kill: (signal = 'SIGKILL') => void child.kill(signal),
  };
}

/** The caller's settings of the gateway, its proxies and its certificates (1 MiB in every process of Node) must not colour what is measured. */
function ownEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !name.startsWith('ISTHMUS_') && !/proxy/i.test(name) && !/^NODE_(OPTIONS|EXTRA_CA_CERTS)$/.test(name),
  );
  return Object.fromEntries(kept.map(([name, value]) => [name, value ?? '']));
}
