import { spawn, type ChildProcess } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { skipWithout } from '../require.ts';
import { tempDir } from '../temp-dir.ts';

const root = join(import.meta.dirname, '../../..');

/** A process of the house that a test started, as a user would. */
export interface HouseProcess {
  readonly pid: number;
  /** Everything said so far, both streams in order of arrival. */
  output(): string;
  stdout(): string;
  /** Resolves when it has ended, with its exit code, or -1 after a signal. */
  readonly ended: Promise<number>;
  isRunning(): boolean;
  kill(signal?: NodeJS.Signals): void;
  /** Closes both streams on this side, as when the terminal goes. */
  stopReading(): void;
}

/** How to start one; see {@link startIsthmus}. */
export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** How far its clock is off, as faketime has it, e.g. `+1h`, `-2y`; what it measures is right. */
  readonly clock?: string;
}

/**
 * Starts `isthmus <args>` from the checkout, with an environment that holds no setting of the caller's.
 *
 * It is killed when the test ends; its output is shown when the test fails by throwing it into the assertion.
 */
export function startIsthmus(
  t: Pick<TestContext, 'after'>,
  args: readonly string[],
  options: StartOptions = {},
): HouseProcess {
  return startNode(t, [launcher, ...args], options);
}

// Debian's package; preloaded, since the command of that name would stand between us and the process.
const [movedClock] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1');
/** For the `skip` of a test that moves the clock of a process. */
export const withoutFaketime = skipWithout('faketime', movedClock !== undefined);

/** Starts any script with this Node. */
export function startNode(
  t: Pick<TestContext, 'after'>,
  args: readonly string[],
  options: StartOptions = {},
): HouseProcess {
  const child = spawn(process.execPath, args, {
    cwd: options.cwd ?? root,
    env: { ...cleanEnvironment(), ...compileCacheOf(args), ...clockOf(options), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const handle = follow(child);
  t.after(async () => {
    if (handle.isRunning()) handle.kill('SIGKILL');
    await handle.ended;
  });
  return handle;
}

/** Processes that this one started, and those that they did. */
export function descendantsOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .map(Number);
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

/** Runs a command to its end; rejects with its output unless it exits with the expected code. */
export async function runIsthmus(
  t: Pick<TestContext, 'after'>,
  args: readonly string[],
  options: StartOptions & { readonly exitCode?: number } = {},
): Promise<string> {
  const handle = startIsthmus(t, args, options);
  const code = await handle.ended;
  if (code !== (options.exitCode ?? 0))
    throw new Error(`isthmus ${args.join(' ')} exited with ${code}:\n${handle.output()}`);
  return handle.stdout();
}

/** Below the range that the kernel hands out for outgoing connections: those would take the port of a process that restarts. */
const portsFrom = 20_000;
const portsCount = 12_000;
const portTriesMax = 100;

/** A port that is free now. Another process may take it before it is used; tests that can should pass port 0 instead. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < portTriesMax; tries += 1) {
    const port = portsFrom + Math.floor(Math.random() * portsCount);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port from ${portsFrom} on`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => resolve(true));
  });
  if (!(await listening)) return false;
  await new Promise((resolve) => server.close(resolve));
  return true;
}

const launcher = join(root, 'deploy/isthmus.js');

/** A folder for the path of a shell, in which `isthmus` is this one. */
export function isthmusOnPath(t: Pick<TestContext, 'after'>): string {
  const bin = tempDir(t);
  writeFileSync(join(bin, 'isthmus'), `#!/bin/sh\nexec ${process.execPath} ${launcher} "$@"\n`, {
    mode: 0o755,
  });
  return bin;
}

/** The executable knows where what it compiles is kept; other programs set other flags, so that each has a folder of its own. */
function compileCacheOf([file = '']: readonly string[]): Record<string, string> {
  const ours = process.env['NODE_COMPILE_CACHE'];
  return ours === undefined || file === launcher ? {} : { NODE_COMPILE_CACHE: `${ours}-${basename(file)}` };
}

function clockOf({ clock }: StartOptions): Record<string, string> {
  if (clock === undefined || movedClock === undefined) return {};
  return { LD_PRELOAD: movedClock, FAKETIME: clock, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}

function cleanEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !name.startsWith('ISTHMUS_') &&
      !/proxy/i.test(name) &&
      !['NODE_TEST_CONTEXT', 'NODE_COMPILE_CACHE'].includes(name),
  );
  return Object.fromEntries(kept.map(([name, value]) => [name, value ?? '']));
}

function follow(child: ChildProcess): HouseProcess {
  const all: string[] = [];
  const out: string[] = [];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (all.push(text), out.push(text)));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => all.push(text));
  let isRunning = true;
  const ended = new Promise<number>((resolve) => {
    child.once('error', (error) => (all.push(String(error)), (isRunning = false), resolve(-1)));
    child.once('close', (code) => ((isRunning = false), resolve(code ?? -1)));
  });
  return {
    pid: child.pid ?? -1,
    output: () => all.join(''),
    stdout: () => out.join(''),
    ended,
    isRunning: () => isRunning,
    kill: (signal = 'SIGTERM') => void child.kill(signal),
    stopReading: () => void (child.stdout?.destroy(), child.stderr?.destroy()),
  };
}
