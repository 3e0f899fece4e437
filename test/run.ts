/**
 * Runs the tests: `npm test` the short ones, `npm run test:long` the slow ones (`*.slow.test.ts`) and then the long ones
 * (`*.long.test.ts`); CONTRIBUTING.md says which are which and how long they take.
 *
 * Small files share processes (`groups.ts`), so that what they test is loaded once. A file that fails is tried once more, alone, when few
 * failed. At the end stands what the files cost, and which of them cost too much.
 *
 * `--minutes 60` begins no long file after so many minutes: each day starts with the next of them, and those that are left are named.
 *
 * `--times` names the ten dearest files. Arguments that are not flags narrow the run to paths that contain one of them, among short and
 * slow ones: `npm test -- proto/spool bridge`.
 */
import { spawn } from 'node:child_process';
import { chmodSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { describeCosts, readCosts } from './costs.ts';
import { describeDied, readFailures, readSaid } from './failed-files.ts';
import { groupFiles } from './groups.ts';
import { stopCluster } from './kit/servers/postgres-cluster.ts';

const root = join(import.meta.dirname, '..');
const { values: flags, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    long: { type: 'boolean', default: false },
    minutes: { type: 'string', default: 'Infinity' },
    times: { type: 'boolean', default: false },
  },
});
const isLong = flags.long;
const minutesMax = Number(flags.minutes);
if (!(minutesMax > 0)) {
  process.stderr.write('--minutes: a number above 0\n');
  process.exit(2);
}
/** With `--times` so many files are named with what they cost, however little. */
const dearest = flags.times ? 10 : undefined;

type Kind = 'short' | 'slow' | 'long';
const kindOf = (file: string): Kind =>
  file.endsWith('.long.test.ts') ? 'long' : file.endsWith('.slow.test.ts') ? 'slow' : 'short';
const kinds: readonly Kind[] = isLong ? ['slow', 'long'] : wanted.length > 0 ? ['short', 'slow'] : ['short'];

const files = globSync('{proto,data-plane,control-plane,bridge,shipper,deploy,test}/**/*.test.ts', {
  cwd: root,
})
  .filter((file) => kinds.includes(kindOf(file)))
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .toSorted();

if (files.length === 0) {
  process.stderr.write(`no test file matches ${wanted.join(', ')}\n`);
  process.exit(1);
}

// Long ones measure latencies and fill machines: one file at a time, so that they do not disturb each other. The others wait for most of
// their time, for a process to start or a server to answer.
const concurrencyOf = (kind: Kind): number =>
  ({ short: 3, slow: 2, long: 0 })[kind] * availableParallelism() || 1;
const timeoutMsOf = (kind: Kind): number => ({ short: 120_000, slow: 300_000, long: 900_000 })[kind];
/** So long a process lives that has one file, its tests and what keeps it alive behind them: a multiple of what one test may take. */
const processMsMaxOf = (kind: Kind): number => (kind === 'long' ? 2 : 4) * timeoutMsOf(kind);
/** More failed files and died processes than this are no accident of a busy machine. */
const secondTriesMax = 6;

/** Where there is no time for all long files, a day begins so many behind where the last did: fewer than there is ever time for. */
const longsADay = 7;

/** What the files of one run share; the database server's user has to enter it. */
const folder = mkdtempSync(join(tmpdir(), 'isthmus-run-'));
chmodSync(folder, 0o777);
const failedList = join(folder, 'failed');
const costsList = join(folder, 'costs');
process.on('exit', () => {
  stopCluster(folder);
  rmSync(folder, { recursive: true, force: true });
});

/** What processes run of which several files are made, by the path of the program that imports them. */
const companies = new Map<string, readonly string[]>();

/** The files that processes start with: a file for itself, or a program that runs a group of them. */
function programsOf(files: readonly string[], kind: Kind): readonly string[] {
  const groups =
    kind === 'long'
      ? files.map((file) => [file])
      : groupFiles(files, (file) => readFileSync(join(root, file), 'utf8'));
  return groups.map((group) => {
    const [file] = group;
    if (group.length === 1 && file !== undefined) return file;
    const program = join(folder, `together-${companies.size + 1}.ts`);
    const paths = group.map((path) => join(root, path));
    writeFileSync(
      program,
      `import { runTogether } from ${JSON.stringify(join(root, 'test/together.ts'))};\nawait runTogether(${JSON.stringify(paths)});\n`,
    );
    companies.set(program, paths);
    return program;
  });
}

/** Runs programs of tests and resolves with the exit code. */
function runFiles(
  of: readonly string[],
  limits: { readonly concurrency: number; readonly timeoutMs: number; readonly processMsMax: number },
): Promise<number> {
  const runner = spawn(
    process.execPath,
    [
      // As every process of ours, so that each test says that libraries live with closed prototypes.
      '--import',
      './test/kit/closed-built-ins.ts',
      '--import',
      './test/measured.ts',
      '--test',
      `--test-concurrency=${limits.concurrency}`,
      `--test-timeout=${limits.timeoutMs}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      '--test-reporter=./test/failed-files.ts',
      `--test-reporter-destination=${failedList}`,
      ...of,
    ],
    {
      cwd: root,
      stdio: 'inherit',
      env: {
        // What one file has compiled the next ones need not: half of what a small file costs.
        NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'isthmus-tests'),
        ...process.env,
        ISTHMUS_TEST_RUN: folder,
        ISTHMUS_TEST_COSTS: costsList,
        ISTHMUS_TEST_PROCESS_MS_MAX: String(limits.processMsMax),
      },
    },
  );
  const pass = (signal: NodeJS.Signals): void => void ((isStopped = true), runner.kill(signal));
  process.on('SIGINT', pass).on('SIGTERM', pass);
  return new Promise((resolve) => {
    runner.on('exit', (code, signal) => {
      process.off('SIGINT', pass).off('SIGTERM', pass);
      resolve(signal === null ? (code ?? 1) : 1);
    });
  });
}

let isStopped = false;
/** Which tests failed and how, those too that pass at their second try. */
const said: string[] = [];

/** Runs files of one kind, those that fail twice when they are few; says what it saw and returns the exit code. */
async function runRound(round: readonly string[], kind: Kind): Promise<number> {
  const limits = {
    concurrency: concurrencyOf(kind),
    timeoutMs: timeoutMsOf(kind),
    processMsMax: processMsMaxOf(kind),
  };
  companies.clear();
  let exitCode = await runFiles(programsOf(round, kind), limits);
  const list = readFileSync(failedList, 'utf8');
  said.push(...readSaid(list));
  const { files: failed, died } = readFailures(list, {
    companies,
    ended: new Set(readCosts(costsList).map(({ file }) => file)),
  });
  // One that ended in order although files were left has failed all the same.
  if (died.length > 0) exitCode = 1;
  // Some tests judge times, and a machine that others use may be busy at the wrong moment. What fails twice has failed; what passes alone
  // is named, so that somebody looks at it. A process that died counts once, and all its files are tried.
  const again = [...failed, ...died.flatMap(({ files }) => files)];
  const canRepeat = again.length > 0 && failed.length + died.length <= secondTriesMax;
  if (exitCode !== 0 && !isStopped && canRepeat) {
    const names = again.map((file) => relative(root, file)).join(', ');
    process.stdout.write(`\nfailed, tried once more alone: ${names}\n\n`);
    exitCode = await runFiles(again, { ...limits, concurrency: 1 });
    said.push(...readSaid(readFileSync(failedList, 'utf8')));
    if (exitCode === 0) process.stdout.write(`\npassed only at the second try: ${names}\n`);
  }
  if (!isStopped) process.stdout.write(`\n${describeDied(died)}`);
  return exitCode;
}

const endsAtMs = performance.now() + minutesMax * 60_000;

/** Long files one by one, as many as there is time for, from the day's first on: in some days each had its turn. */
async function runWhileTime(round: readonly string[]): Promise<void> {
  const dayMs = 24 * 60 * 60 * 1_000;
  const first = (Math.floor(Date.now() / dayMs) * longsADay) % round.length;
  const turned = [...round.slice(first), ...round.slice(0, first)];
  for (const [at, file] of turned.entries()) {
    if (isStopped) return;
    if (performance.now() >= endsAtMs) {
      process.stdout.write(`\nno time in ${minutesMax} minutes for: ${turned.slice(at).join(', ')}\n`);
      return;
    }
    if ((await runRound([file], 'long')) !== 0) process.exitCode = 1;
  }
}

for (const kind of isLong ? kinds : (['short'] as const)) {
  const round = isLong ? files.filter((file) => kindOf(file) === kind) : files;
  if (round.length === 0 || isStopped) continue;
  if (kind === 'long' && minutesMax < Infinity) await runWhileTime(round);
  else if ((await runRound(round, kind)) !== 0) process.exitCode = 1;
}
process.stdout.write(
  `\n${describeCosts(readCosts(costsList), {
    root,
    databaseCpuSeconds: stopCluster(folder),
    ...(dearest !== undefined && { dearest }),
  })}`,
);
if (said.length > 0) process.stdout.write(`\nwhat failed, said again:\n${said.join('')}`);
