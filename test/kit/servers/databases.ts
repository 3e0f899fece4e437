import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { skipWithout } from '../require.ts';

/** One database to run the same test on: `url` is undefined for SQLite in a folder. */
export interface TestDatabase {
  readonly name: 'sqlite' | 'postgres';
  /** Why its tests are skipped, or false. */
  readonly skip: false | string;
  /** Makes a fresh, empty database and says its url; undefined for SQLite. */
  create(): Promise<string | undefined>;
}

// One cluster for all test processes of this machine and user: starting one takes seconds, making a database milliseconds.
const clusterDir = join(tmpdir(), `isthmus-test-postgres-${process.getuid?.() ?? 0}`);
const clusterPort = 54_329;

/** Every database the stores must work on. */
export const testDatabases: readonly TestDatabase[] = [
  { name: 'sqlite', skip: false, create: async () => undefined },
  {
    name: 'postgres',
    skip: skipWithout('postgresql', findPostgres() !== undefined),
    create: createPostgresDatabase,
  },
];

function findPostgres(): string | undefined {
  if (process.env['ISTHMUS_TEST_POSTGRES_URL'] !== undefined) return 'given';
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return undefined;
  const versions = readdirSync(root).toSorted((a, b) => Number(b) - Number(a));
  return versions
    .map((version) => join(root, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'postgres')));
}

async function createPostgresDatabase(): Promise<string> {
  const admin = process.env['ISTHMUS_TEST_POSTGRES_URL'] ?? startCluster();
  const name = `isthmus_test_${randomBytes(6).toString('hex')}`;
  const { Client } = (await import('pg')).default;
  const client = new Client({ connectionString: admin });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  const url = new URL(admin);
  url.pathname = `/${name}`;
  return url.href;
}

/** Starts the machine-wide test cluster unless it runs; the postgres user owns it, because the server refuses root. */
function startCluster(): string {
  const bin = findPostgres();
  if (bin === undefined) throw new Error('PostgreSQL is not installed: apt-get install postgresql');
  const url = `postgresql://isthmus:isthmus@127.0.0.1:${clusterPort}/postgres`;
  const run = (command: string): void => {
    if (process.getuid?.() === 0)
      execFileSync('su', ['postgres', '-s', '/bin/sh', '-c', command], { stdio: 'pipe', cwd: '/' });
    else execFileSync('/bin/sh', ['-c', command], { stdio: 'pipe', cwd: '/' });
  };
  // flock: test files run in several processes, and only one may make the cluster.
  const script = join(tmpdir(), `isthmus-test-postgres-${process.pid}.sh`);
  mkdirSync(tmpdir(), { recursive: true });
  writeFileSync(
    script,
    `set -e
exec 9>"${clusterDir}.lock"; flock 9
if [ ! -f "${clusterDir}/PG_VERSION" ]; then
  printf isthmus > "${clusterDir}.pw"
  "${bin}/initdb" -D "${clusterDir}" -U isthmus --pwfile="${clusterDir}.pw" --auth=scram-sha-256 -E UTF8 --no-locale >/dev/null
  rm -f "${clusterDir}.pw"
fi
"${bin}/pg_ctl" -D "${clusterDir}" status >/dev/null 2>&1 || "${bin}/pg_ctl" -D "${clusterDir}" -w -l "${clusterDir}.log" \\
  -o "-p ${clusterPort} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=300 -c fsync=off" start >/dev/null 9>&-
`,
    { mode: 0o755 },
  );
  run(`sh ${script}`);
  return url;
}
