/**
 * Runs the tests: `npm test` the short ones (6 to 7 minutes on 2 cores), `npm run test:long` the long ones (`*.long.test.ts`).
 *
 * Arguments that are not flags narrow the run to paths that contain one of them: `npm test -- proto/spool bridge`.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const isLong = process.argv.includes('--long');

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

// Long runs kill processes and measure latencies: one file at a time, so that they do not disturb each other.
const concurrency = isLong ? 1 : 2;
const timeoutMs = isLong ? 900_000 : 120_000;
const runner = spawn(
  process.execPath,
  // As every process of ours, so that each test says that libraries live with closed prototypes.
  [
    '--import',
    './test/kit/closed-built-ins.ts',
    '--test',
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${timeoutMs}`,
    ...files,
  ],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
runner.on('exit', (code, signal) => {
  process.exitCode = signal === null ? (code ?? 1) : 1;
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => runner.kill(signal));
