/**
 * Runs the tests: `npm test` the short ones, `npm run test:long` the long ones (`*.long.test.ts`); CONTRIBUTING.md says how long they take.
 *
 * A file that fails is tried once more, alone, when few failed. At the end stands what the files cost, and which of them cost too much.
 *
 * `--times` names the ten dearest files. Arguments that are not flags narrow the run to paths that contain one of them: `npm test -- proto/spool bridge`.
 */
import { spawn } from 'node:child_process';
import { chmodSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describeCosts, readCosts } from './costs.ts';
import { stopCluster } from './kit/servers/postgres-cluster.ts';

const root = join(import.meta.dirname, '..');
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const isLong = process.argv.includes('--long');
/** With `--times` so many files are named with what they cost, however little. */
const dearest = process.argv.includes('--times') ? 10 : undefined;

const files = globSync('{proto,data-plane,control-plane,bridge,shipper,deploy,test}/**/*.test.ts', {
  cwd: root,
})
  .filter((file) => file.endsWith('.long.test.ts') === isLong)
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .toSorted();

if (files.length === 0) {
  process.stderr.write(`no test file matches ${wanted.join(', ')}\n`);
  process.exit(1);
}

// Long runs kill processes and measure latencies: one file at a time, so that they do not disturb each other. Short ones wait for most of
// their time, for a process to start or a server to answer.
const concurrency = isLong ? 1 : 2 * availableParallelism();
const timeoutMs = isLong ? 900_000 : 120_000;
/** More failed files than this are no accident of a busy machine. */
const secondTriesMax = 3;

/** What the files of one run share; the database server's user has to enter it. */
const folder = mkdtempSync(join(tmpdir(), 'isthmus-run-'));
chmodSync(folder, 0o777);
const failedList = join(folder, 'failed');
const costsList = join(folder, 'costs');
process.on('exit', () => {
  stopCluster(folder);
  rmSync(folder, { recursive: true, force: true });
});

/** Runs files and resolves with the exit code. */
function runFiles(of: readonly string[], concurrency: number): Promise<number> {
  const runner = spawn(
    process.execPath,
    [
      // As every process of ours, so that each test says that libraries live with closed prototypes.
      '--import',
      './test/kit/closed-built-ins.ts',
      '--import',
      './test/measured.ts',
      '--test',
      `--test-concurrency=${concurrency}`,
      `--test-timeout=${timeoutMs}`,
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
        NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'isthmus'),
        ...process.env,
        ISTHMUS_TEST_RUN: folder,
        ISTHMUS_TEST_COSTS: costsList,
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
process.exitCode = await runFiles(files, concurrency);
const failed = readFileSync(failedList, 'utf8').split('\n').filter(Boolean);
// Some tests judge times, and a machine that others use may be busy at the wrong moment. What fails twice has failed; what passes alone
// is named, so that somebody looks at it.
// A test that another file declares is named by that file, which alone tests nothing.
const canRepeat =
  failed.length > 0 && failed.length <= secondTriesMax && failed.every((file) => file.endsWith('.test.ts'));
if (process.exitCode !== 0 && !isStopped && canRepeat) {
  const names = failed.map((file) => relative(root, file)).join(', ');
  process.stdout.write(`\nfailed, tried once more alone: ${names}\n\n`);
  process.exitCode = await runFiles(failed, 1);
  if (process.exitCode === 0) process.stdout.write(`\npassed only at the second try: ${names}\n`);
}
process.stdout.write(
  `\n${describeCosts(readCosts(costsList), {
    root,
    databaseCpuSeconds: stopCluster(folder),
    ...(dearest !== undefined && { dearest }),
  })}`,
);
