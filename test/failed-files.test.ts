import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readCosts } from './costs.ts';
import { describeDied, readFailures, readSaid } from './failed-files.ts';
import { tempDir } from './kit/temp-dir.ts';

test('a process that dies is told once with what it died of and with its files, whether they had failed or not', (t) => {
  const dir = tempDir(t);
  const write = (name: string, text: string): string => {
    const file = join(dir, name);
    writeFileSync(file, text);
    return file;
  };
  const together = JSON.stringify(join(import.meta.dirname, 'together.ts'));
  const companies = new Map<string, readonly string[]>();
  const writeCompany = (name: string, killing: string, failing = ''): readonly string[] => {
    const head = "import { test } from 'node:test';";
    const files = [
      write(`${name}-first.test.ts`, `${head} test('a', () => { ${failing} });`),
      write(`${name}-killing.test.ts`, `${head} test('b', () => { ${killing} });`),
      write(`${name}-left.test.ts`, `${head} test('c', () => undefined);`),
    ];
    const program = `import { runTogether } from ${together}; await runTogether(${JSON.stringify(files)});`;
    companies.set(write(`together-${name}.ts`, program), files);
    return files;
  };
  const exiting = writeCompany('exiting', 'process.exit(3);');
  const killed = writeCompany('killed', "process.kill(process.pid, 'SIGKILL');");
  const silent = writeCompany('silent', 'process.exit(0);');
  // Whether its failure is told before it dies is chance.
  const failing = writeCompany(
    'failing',
    "process.kill(process.pid, 'SIGKILL');",
    "throw new Error('wrong');",
  );
  const [list, failed] = [join(dir, 'costs'), join(dir, 'failed')];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  spawnSync(
    process.execPath,
    [
      '--test',
      `--test-reporter=${join(import.meta.dirname, 'failed-files.ts')}`,
      `--test-reporter-destination=${failed}`,
      ...companies.keys(),
    ],
    { env: { ...env, ISTHMUS_TEST_COSTS: list } },
  );
  const ended = new Set(readCosts(list).map(({ file }) => file));
  const found = readFailures(readFileSync(failed, 'utf8'), { companies, ended });
  assert.deepEqual(found.files, []);
  const ofFailing = found.died.find(({ files }) => files === failing);
  assert.deepEqual(ofFailing?.left, failing.slice(1));
  assert.deepEqual(
    found.died.filter((each) => each !== ofFailing),
    [
      { files: exiting, left: exiting.slice(1), cause: 'exit code 3' },
      { files: killed, left: killed.slice(1), cause: 'SIGKILL' },
      { files: silent, left: silent.slice(1), cause: 'nothing was said' },
    ],
  );
  assert.match(
    describeDied(found.died),
    /^a process died in \S*exiting-killing\.test\.ts: exit code 3; 2 of its 3 files had not ended\n/,
  );
});

test('what failed and how is told beside the files, without what it stands in', (t) => {
  const dir = tempDir(t);
  const file = join(dir, 'a.test.ts');
  const [failed, inner] = [join(dir, 'failed'), "t.test('inner', () => { throw new Error('two\\nlines'); })"];
  writeFileSync(
    file,
    `import { test } from 'node:test'; test('outer', async (t) => { await ${inner}; }); test('good', () => {});`,
  );
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  spawnSync(
    process.execPath,
    [
      '--test',
      `--test-reporter=${join(import.meta.dirname, 'failed-files.ts')}`,
      `--test-reporter-destination=${failed}`,
      file,
    ],
    { env },
  );
  const list = readFileSync(failed, 'utf8');
  const [said = '', ...others] = readSaid(list);
  assert.deepEqual(others, []);
  assert.match(said, /a\.test\.ts: inner\n {2}two\n {2}lines\n$/);
  assert.deepEqual(readFailures(list, { companies: new Map(), ended: new Set() }).files, [file]);
});
