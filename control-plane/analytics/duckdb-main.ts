/**
 * The child process that DuckDB runs in: a query or a file that makes it grow, hang or crash takes nobody with it.
 *
 * One job at a time; the parent kills it when it takes too long.
 */
import { rmSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { closeBuiltIns } from '../../proto/process/built-ins.ts';
import { convert, type Sql } from './convert.ts';
import type { DuckAnswer, DuckJob, DuckSettings } from './duck-jobs.ts';
import { literal } from './lake-columns.ts';
import { onlyFrom } from './questions/only-from.ts';

closeBuiltIns();

const settings = JSON.parse(process.argv[2] ?? '{}') as DuckSettings;
const instance = await DuckDBInstance.create(':memory:', {
  memory_limit: `${settings.memoryBytesMax}B`,
  threads: String(settings.threads),
  temp_directory: settings.spillDir,
  max_temp_directory_size: `${settings.spillBytesMax}B`,
});
const connection: DuckDBConnection = await instance.connect();
// It reads and writes files in its own folder and nowhere else, and no later statement can change that. In this order:
// the list is no start option, and closes with external access.
await connection.run(`SET allowed_directories = [${literal(settings.dir)}]`);
await connection.run('SET enable_external_access = false');
await connection.run('SET lock_configuration = true');

const sql: Sql = {
  run: (text) => connection.run(text),
  rows: async (text, values) => (await connection.runAndReadAll(text, { ...values })).getRowObjectsJson(),
};

async function run(job: DuckJob): Promise<unknown> {
  switch (job.kind) {
    case 'convert':
      return convert(sql, job);
    case 'ask':
      return sql.rows(await onlyFrom(sql, job), job.values);
    case 'query':
      return sql.rows(job.sql);
  }
}

const answer = (message: DuckAnswer): void => void process.send?.(message);
process.on('message', (job: DuckJob) => {
  run(job).then(
    (result) => answer({ kind: 'result', result }),
    (error: unknown) =>
      answer({ kind: 'error', message: error instanceof Error ? error.message : String(error) }),
  );
});
// Without a parent there is nobody to work for, and nobody who removes the spill. A query that runs would hold up an exit.
process.on('disconnect', () => {
  rmSync(settings.spillDir, { recursive: true, force: true });
  process.kill(process.pid, 'SIGKILL');
});
answer({ kind: 'ready' });
// Now and not at an end in order, which it never has.
flushCompileCache();
