import { join, relative } from 'node:path';
import { inspect } from 'node:util';

const root = join(import.meta.dirname, '..');

interface Told {
  readonly type: string;
  readonly data: {
    readonly name: string;
    /** How many tests and suites are around it. */
    readonly nesting: number;
    /** What declares it. */
    readonly file?: string;
    /** What its process was started with. */
    readonly entryFile?: string;
    readonly details?: {
      readonly error?: {
        readonly exitCode?: number | null;
        readonly signal?: string | null;
        readonly failureType?: string;
        readonly cause?: unknown;
      };
    };
  };
}

/** Characters of a failure that are said again at the end. */
const saidMax = 1_000;
const saidMark = '# ';

/**
 * A reporter of `node --test`: the path of the file of every failed test, one a line, for the second try of `run.ts`; behind a tab what
 * its process died of, when that and no test failed. Beside them, a line each, which tests failed and how (`readSaid`).
 */
// oxlint-disable-next-line import/no-default-export -- node --test loads a reporter by its default export
export default async function* failedFiles(events: AsyncIterable<Told>): AsyncGenerator<string> {
  const told = new Set<string>();
  for await (const { type, data } of events) {
    const said = type === 'test:fail' ? sayFailure(data) : undefined;
    if (said !== undefined) yield `${saidMark}${JSON.stringify(said)}\n`;
    // What a failed test stands in has failed too.
    if (type !== 'test:fail' || data.file === undefined || data.nesting > 0) continue;
    // A file that runs in company is a test of its name; one may also have its tests from files that several share.
    const file =
      data.file === join(root, 'test/together.ts') ? join(root, data.name) : (data.entryFile ?? data.file);
    if (told.has(file)) continue;
    told.add(file);
    const { exitCode, signal } = data.details?.error ?? {};
    const cause = signal ?? (typeof exitCode === 'number' ? `exit code ${exitCode}` : undefined);
    yield cause === undefined ? `${file}\n` : `${file}\t${cause}\n`;
  }
}

/** What failed and how; undefined for what only has a failed test inside. */
function sayFailure({ name, file, entryFile, details }: Told['data']): string | undefined {
  if (details?.error?.failureType === 'subtestsFailed') return undefined;
  const cause = details?.error?.cause;
  const how = cause instanceof Error ? cause.message : inspect(cause ?? details?.error);
  return `${relative(root, file ?? entryFile ?? '')}: ${name}\n  ${how.slice(0, saidMax).replaceAll('\n', '\n  ')}\n`;
}

/** Which tests failed, and how: what stands far above in the output of a long run, to be said again at its end. */
export const readSaid = (list: string): readonly string[] =>
  list
    .split('\n')
    .filter((line) => line.startsWith(saidMark))
    .map((line) => JSON.parse(line.slice(saidMark.length)) as string);

/** A process that ended before its files had. */
export interface Died {
  /** What it ran, in order. */
  readonly files: readonly string[];
  /** Those that had not come to their end; the first is the one that ran. None when it died at the end of the last. */
  readonly left: readonly string[];
  /** E.g. `exit code 13`, `SIGKILL`. */
  readonly cause: string;
}

/** What became of a run. */
export interface Failures {
  /** Files with a failed test, but for those of a process that died. */
  readonly files: readonly string[];
  readonly died: readonly Died[];
}

/**
 * Reads what the reporter wrote. Of processes with several files, by their program, it is also told which died without a word, or with
 * another: the files that are not among those that ended say so.
 */
export function readFailures(
  list: string,
  of: {
    readonly companies: ReadonlyMap<string, readonly string[]>;
    readonly ended: ReadonlySet<string>;
  },
): Failures {
  const causes = new Map<string, string | undefined>();
  for (const line of list.split('\n')) {
    if (line === '' || line.startsWith(saidMark)) continue;
    const [file = '', cause] = line.split('\t');
    causes.set(file, cause);
  }
  const died: Died[] = [];
  for (const [program, files] of of.companies) {
    const left = files.filter((file) => !of.ended.has(file));
    if (left.length > 0 || causes.has(program))
      died.push({ files, left, cause: causes.get(program) ?? 'nothing was said' });
  }
  // What it had said last is lost with it: also a file that came to its end may have failed, and is one of its files.
  const isIn = new Set(died.flatMap(({ files }) => files));
  const files: string[] = [];
  for (const [file, cause] of causes) {
    if (of.companies.has(file) || isIn.has(file)) continue;
    if (cause === undefined || of.ended.has(file)) files.push(file);
    else died.push({ files: [file], left: [file], cause });
  }
  return { files, died };
}

/** Says what each process died of and in which file; nothing when none did. */
export function describeDied(died: readonly Died[]): string {
  return died
    .map(({ files, left, cause }) => {
      const first = left[0] ?? files.at(-1) ?? '';
      const others = files.length === 1 ? '' : `; ${left.length} of its ${files.length} files had not ended`;
      return `a process died in ${relative(root, first)}: ${cause}${others}\n`;
    })
    .join('');
}
