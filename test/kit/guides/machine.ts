import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { eventually } from '../eventually.ts';
import { openShell, type Shell } from './shell.ts';

/** What a piece of a guide is: where it stands, so that shell and reader name the same line. */
export interface Piece {
  /** Of the guide, e.g. `docs/guides/files.md`. */
  readonly path: string;
  /** Of its first line. */
  readonly line: number;
  readonly text: string;
}

/** A reader's machine: a home, a folder in it, a shell that stays, and terminals beside it. */
export interface Machine {
  /** Where its reader is. */
  readonly dir: string;
  /** Runs it in the shell and resolves with all it printed. Errors: an Error that names guide, line and command, and quotes the output. */
  run(piece: Piece): Promise<string>;
  /** The same for what may fail: its variables are not kept. */
  attempt(piece: Piece): Promise<{ readonly exitCode: number; readonly output: string }>;
  /** Starts it in a terminal of its own and resolves when it says that it serves. */
  start(piece: Piece, env?: Readonly<Record<string, string | undefined>>): Promise<void>;
  /** Ctrl-C in the terminal that runs this command; resolves when everything in it has ended. */
  stop(command: string): Promise<void>;
  /** What the terminals printed, for a failure. */
  terminals(): string;
}

/** What a process of ours says when it serves, and a reader waits for. */
const serving = /^Ready\.|\blistening on |^shipper running\b/m;
const blockMsMax = 120_000;
const servingMsMax = 60_000;

/** Lays out an empty machine below `dir`; everything on it ends with the test. */
export function layOutMachine(
  t: Pick<TestContext, 'after'>,
  dir: string,
  env: Readonly<Record<string, string>>,
): Machine {
  const home = join(dir, 'home');
  const papers = createPapers(join(dir, 'papers'));
  mkdirSync(home, { recursive: true });
  const open = (args: readonly string[], own: Readonly<Record<string, string | undefined>> = {}): Shell => {
    const shell = openShell(args, { cwd: home, env: { ...env, HOME: home, ...own } });
    t.after(() => shell.end('SIGKILL'));
    return shell;
  };
  const terminals: { readonly text: string; readonly shell: Shell }[] = [];
  const session = open([]);
  session.stdin?.write(
    `set -eEuo pipefail\ntrap 'echo "\${BASH_SOURCE[0]-}:$LINENO: $BASH_COMMAND: exit code $?" >&2' ERR\n`,
  );
  return {
    dir: home,
    async run(piece) {
      const before = session.said().length;
      const line = (call: string, done: string): string => `${call}; echo 0 > '${done}'`;
      const { exitCode, output } = await hand(session, papers, { piece, line });
      if (exitCode === 0) return output;
      await session.closed;
      const said = papers.plain(session.said().slice(before));
      throw new Error(`${piece.path}:${piece.line}: the block failed\n${output}${said}`);
    },
    attempt(piece) {
      const line = (call: string, done: string): string =>
        `set +e; ( set -e; ${call} ); echo $? > '${done}'; set -e`;
      return hand(session, papers, { piece, line });
    },
    async start(piece, own) {
      const shell = open(['-eu', papers.write(piece).file], own);
      terminals.push({ text: piece.text, shell });
      const serves = (): boolean => serving.test(shell.said());
      await eventually(() => serves() || shell.exitCode() !== undefined, {
        timeoutMs: servingMsMax,
        everyMs: 50,
      }).catch(() => undefined);
      const exitCode = shell.exitCode();
      if (serves() && exitCode === undefined) return;
      const why = exitCode === undefined ? 'it does not serve' : `it ended with ${exitCode}`;
      throw new Error(`${piece.path}:${piece.line}: ${why}\n${shell.said()}`);
    },
    async stop(command) {
      const running = terminals.filter(({ shell }) => shell.exitCode() === undefined);
      const terminal = running.findLast(({ text }) => text.includes(command));
      if (terminal === undefined) throw new Error(`no terminal runs ${command}`);
      await terminal.shell.end('SIGINT');
    },
    terminals: () => terminals.map(({ text, shell }) => `--- ${text}\n${shell.said()}`).join('\n'),
  };
}

/** Hands a piece to the shell that stays, and resolves with its exit code; -1 when the shell has ended with it. */
async function hand(
  session: Shell,
  papers: Papers,
  { piece, line }: { readonly piece: Piece; line(call: string, done: string): string },
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const { file, log, done } = papers.write(piece);
  session.stdin?.write(`${line(`. '${file}' < /dev/null > '${log}' 2>&1`, done)}\n`);
  const isDone = (): boolean => session.exitCode() !== undefined || readOr(done, '').endsWith('\n');
  const inTime = await eventually(isDone, { timeoutMs: blockMsMax, everyMs: 20 }).catch(() => false);
  const output = papers.plain(readOr(log, ''));
  if (!inTime)
    throw new Error(`${piece.path}:${piece.line}: does not end within ${blockMsMax} ms\n${output}`);
  return { exitCode: Number(readOr(done, '-1')), output };
}

interface Papers {
  /** Writes a piece so that each line has the number that it has in the guide. */
  write(piece: Piece): { readonly file: string; readonly log: string; readonly done: string };
  /** What a shell says of them, as a reader would see it: pages are called by their names. */
  plain(text: string): string;
}

function createPapers(dir: string): Papers {
  let pieces = 0;
  return {
    write({ path, line, text }) {
      pieces += 1;
      const folder = join(dir, String(pieces));
      const file = join(folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `${'\n'.repeat(line - 1)}${text}\n`);
      return { file, log: join(folder, 'output'), done: join(folder, 'done') };
    },
    plain: (text) => text.replaceAll(new RegExp(`${dir}/\\d+/`, 'g'), ''),
  };
}

function readOr(file: string, fallback: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return fallback;
  }
}
