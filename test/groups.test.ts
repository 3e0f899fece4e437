import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readCosts } from './costs.ts';
import { readFailures } from './failed-files.ts';
import { groupFiles } from './groups.ts';
import { heldExitCode } from './held.ts';
import { tempDir } from './kit/temp-dir.ts';

test('files of a room share a process, sixteen at most; one that touches its process is alone', () => {
  const small = Array.from({ length: 17 }, (_, n) => `proto/small-${n}.test.ts`);
  const texts: Readonly<Record<string, string>> = {
    'bridge/one.test.ts': '',
    'proto/environment.test.ts': "process.env['A'] = 'b';",
    'proto/starting.test.ts': "import { spawn } from 'node:child_process';",
    'proto/moving.test.ts': "test('moves', (t) => t.mock.timers.enable());",
    'shipper/asking.test.ts': "execFileSync(process.execPath, [join(process.cwd(), 'x')]);",
    'shipper/policy.test.ts': "step({ policy: 'mock' });",
  };
  const groups = groupFiles([...Object.keys(texts), ...small], (file) => texts[file] ?? '');
  assert.deepEqual(groups, [
    ['bridge/one.test.ts'],
    ['proto/environment.test.ts'],
    ['proto/starting.test.ts'],
    ['proto/moving.test.ts'],
    ['shipper/asking.test.ts', 'shipper/policy.test.ts'],
    small.slice(0, 16),
    small.slice(16),
  ]);
});

test('of files in one process, and of one alone, each is named when it fails, whatever declares its tests, begins when the one before has ended, and has costs of its own', (t) => {
  const dir = tempDir(t);
  const write = (name: string, text: string): string => {
    const file = join(dir, name);
    writeFileSync(file, text);
    return file;
  };
  const head = `import { test } from 'node:test'; import { existsSync, rmSync, writeFileSync } from 'node:fs';`;
  const mark = JSON.stringify(join(dir, 'mark'));
  const files = [
    write(
      'first.test.ts',
      `${head} test('a', (t) => { writeFileSync(${mark}, ''); t.after(() => rmSync(${mark})); });`,
    ),
    write(
      'second.test.ts',
      `${head} const early = existsSync(${mark}); test('b', (t) => t.assert.ok(!early));`,
    ),
    write(
      'unheld.test.ts',
      `${head} test('u', (t) => t.after(() => new Promise((ended) => setTimeout(ended, 100).unref())));`,
    ),
    write('failing.test.ts', `${head} test('c', () => { throw new Error('wrong'); });`),
    write('broken.test.ts', `import './not-there.ts';`),
    write('declared.test.ts', `import './shared.ts';`),
  ];
  write('shared.ts', `${head} test('d', () => { throw new Error('wrong'); });`);
  const alone = write('alone.test.ts', `import './shared.ts';`);
  const together = JSON.stringify(join(import.meta.dirname, 'together.ts'));
  const program = write(
    'together-1.ts',
    `import { runTogether } from ${together}; await runTogether(${JSON.stringify(files)});`,
  );
  const [list, failed] = [join(dir, 'costs'), join(dir, 'failed')];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const run = spawnSync(
    process.execPath,
    [
      '--test',
      `--test-reporter=${join(import.meta.dirname, 'failed-files.ts')}`,
      `--test-reporter-destination=${failed}`,
      program,
      alone,
    ],
    { env: { ...env, ISTHMUS_TEST_COSTS: list }, encoding: 'utf8' },
  );
  assert.equal(run.status, 1, run.stdout + run.stderr);
  const { files: failedFiles } = readFailures(readFileSync(failed, 'utf8'), {
    companies: new Map(),
    ended: new Set(),
  });
  assert.deepEqual(new Set(failedFiles), new Set([...files.slice(3), alone]));
  const costs = readCosts(list);
  assert.deepEqual(
    costs.map(({ file }) => file),
    files,
  );
  // A file of a few lines may cost less than is counted.
  assert.ok(costs.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) > 0);
});

test('a process that something keeps alive behind its last test ends, and says what held it', (t) => {
  const dir = tempDir(t);
  const file = join(dir, 'held.test.ts');
  writeFileSync(
    file,
    `import { createServer } from 'node:net'; import { test } from 'node:test'; test('a', () => createServer().listen(0, '127.0.0.1'));`,
  );
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const run = spawnSync(process.execPath, ['--import', join(import.meta.dirname, 'measured.ts'), file], {
    env: { ...env, ISTHMUS_TEST_COSTS: join(dir, 'costs'), ISTHMUS_TEST_PROCESS_MS_MAX: '200' },
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert.equal(run.status, heldExitCode, run.stdout + run.stderr);
  assert.match(run.stderr, /held\.test\.ts did not end within 0\.2 s: .*Server \{"address":"127\.0\.0\.1"/);
});
