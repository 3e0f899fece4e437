import { Fault } from '../proto/faults/fault.ts';
import { createLog, type Log } from '../proto/process/log.ts';
import { systemFault } from '../proto/process/system-words.ts';

/** Data goes to standard output, so that it can be piped. */
export function print(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** Talk goes to standard error. */
export function say(text: string): void {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
}

/** A text that stands on one line and that no terminal obeys, whoever wrote it. */
export const plainLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ');

/** `12 µs`, `4.1 ms`, `2.03 s`, out of microseconds. */
export function lengthOf(us: number): string {
  if (us < 1_000) return `${Math.round(us)} µs`;
  if (us < 1_000_000) return `${(us / 1_000).toFixed(1)} ms`;
  return `${(us / 1_000_000).toFixed(2)} s`;
}

/**
 * Rows as lines, one line each: columns as wide as their widest cell, two blanks apart; the first `toTheRight` of them end where the next begins.
 */
export function tableOf(cells: readonly (readonly string[])[], toTheRight = 0): string {
  const rows = cells.map((row) => row.map(plainLine));
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const padded = (cell: string, column: number): string =>
    column < toTheRight ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
  return rows.map((row) => row.map(padded).join('  ').trimEnd()).join('\n');
}

/** The log of a command that somebody runs by hand: what rooms log stands among its talk as a sentence, `warn: <message> (file: a, records: 5)`. */
export function createCommandLog(level: 'warn' | 'error' = 'warn'): Log {
  return createLog({ name: 'isthmus', level, destination: { write: (line) => say(sentenceOf(line)) } });
}

function sentenceOf(line: string): string {
  const { level, time: _, pid: __, name: ___, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const facts = Object.entries(fields).map(([key, value]) =>
    key === 'err' ? wordsOf(value as LoggedError) : `${key}: ${textOf(value)}`,
  );
  return `${String(level)}: ${String(msg)}${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`;
}

interface LoggedError {
  readonly code?: string;
  readonly message?: string;
  readonly internal?: string;
}

const wordsOf = ({ code, message, internal }: LoggedError): string =>
  [code, message, internal].filter((each) => each !== undefined).join(': ');
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** What a failed command says and how it exits: 1 it failed, 2 it was used wrongly; what a part that was killed exits with. */
export interface Explanation {
  readonly text: string;
  readonly exitCode: number;
  /** The same for programs; a bug has its message alone. */
  readonly error?: Readonly<Record<string, unknown>> | undefined;
}

/** A part that runs in a process of its own failed: its words and its exit code are ours. */
export class PartFailure extends Error {
  readonly explanation: Explanation;

  constructor(explanation: Explanation) {
    super(explanation.text);
    this.explanation = explanation;
  }
}

const wrongUse: ReadonlySet<string> = new Set(['config.invalid', 'config.unreadable']);

/** Puts a failure into words: one line per fault with what to do about it; a bug keeps its stack. */
export function explain(error: unknown): Explanation {
  if (error instanceof PartFailure) return error.explanation;
  const said = systemFault(error);
  if (said !== error) return explain(said);
  if (!(error instanceof Fault)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return {
      text: `isthmus: unexpected error, please report it\n${text}`,
      exitCode: 1,
      error: { code: 'platform.bug', detail: error instanceof Error ? error.message : String(error) },
    };
  }
  const lines =
    error.details.length === 0
      ? [`isthmus: ${error.detail}`]
      : ['isthmus: this is not valid:', ...error.details.map(({ path, message }) => `  ${path}: ${message}`)];
  const why = error.internal === undefined ? '' : ` (${error.internal})`;
  lines[0] = `${lines[0] ?? ''}${why} [${error.code}]`;
  if (error.hint !== undefined) lines.push(error.hint);
  return {
    text: lines.join(error.details.length === 0 ? ' ' : '\n'),
    exitCode: wrongUse.has(error.code) ? 2 : 1,
    error: {
      code: error.code,
      detail: error.detail,
      internal: error.internal,
      hint: error.hint,
      details: error.details.map(({ path, message }) => ({ path, message })),
    },
  };
}
