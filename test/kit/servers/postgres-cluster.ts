import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { childrenCpuSeconds } from '../../costs.ts';
import { freePort } from '../processes/processes.ts';

/** Debian's PostgreSQL, the newest; undefined when there is none. */
export function findPostgres(): string | undefined {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return undefined;
  const versions = readdirSync(root).toSorted((a, b) => Number(b) - Number(a));
  return versions
    .map((version) => join(root, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'postgres')));
}

/** Where all test files of one run find the same cluster: `run.ts` gives the run a folder; a file that is started by itself uses the machine's. */
function clusterFolder(): string {
  const run = process.env['ISTHMUS_TEST_RUN'];
  if (run !== undefined) return inRun(run);
  return join(tmpdir(), `isthmus-test-postgres-${process.getuid?.() ?? 0}`);
}

const inRun = (run: string): string => join(run, 'postgres');

// No test asks what is left when the machine dies: nothing waits for a disk, and no page is written twice. Hundreds of databases live for
// seconds each, and a vacuum that visits one after the other would cost more than they do.
const settings = [
  'listen_addresses=127.0.0.1',
  "unix_socket_directories=''",
  'max_connections=300',
  'fsync=off',
  'full_page_writes=off',
  'wal_level=minimal',
  'max_wal_senders=0',
  'autovacuum=off',
];

const stopMsMax = 5_000;

/** Starts the cluster unless it runs, and says the address of its database `postgres`; the postgres user owns it, because the server refuses root. */
export async function startCluster(): Promise<string> {
  const bin = findPostgres();
  if (bin === undefined) throw new Error('PostgreSQL is not installed: apt-get install postgresql');
  const dir = clusterFolder();
  const options = settings.map((setting) => `-c ${setting}`).join(' ');
  // flock: test files run in several processes, and only one may make the cluster. The lock must not pass on to the server.
  const script = `set -e
exec 9>"${dir}.lock"; flock 9
if [ ! -f "${dir}/PG_VERSION" ]; then
  printf isthmus > "${dir}.pw"
  "${bin}/initdb" -D "${dir}" -U isthmus --pwfile="${dir}.pw" --auth=scram-sha-256 -E UTF8 --no-locale --no-sync >/dev/null
  rm -f "${dir}.pw"
fi
"${bin}/pg_ctl" -D "${dir}" status >/dev/null 2>&1 ||
  "${bin}/pg_ctl" -D "${dir}" -w -l "${dir}.log" -o "-p ${await freePort()} ${options}" start >/dev/null 9>&-
# The fourth line is the port.
sed -n 4p "${dir}/postmaster.pid"
`;
  const [command, ...args] =
    process.getuid?.() === 0 ? ['su', 'postgres', '-s', '/bin/sh', '-c', script] : ['/bin/sh', '-c', script];
  const port = execFileSync(command ?? '', args, { encoding: 'utf8', stdio: 'pipe', cwd: '/' }).trim();
  return `postgresql://isthmus:isthmus@127.0.0.1:${port}/postgres`;
}

/** Ends the cluster of a run, with its databases; says how much CPU time it took, 0 when no test needed it. */
export function stopCluster(run: string): number {
  const pidFile = join(inRun(run), 'postmaster.pid');
  if (!existsSync(pidFile)) return 0;
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  const cpuSeconds = childrenCpuSeconds(pid);
  // At once: nobody needs its databases any more.
  process.kill(pid, 'SIGQUIT');
  const untilMs = performance.now() + stopMsMax;
  while (existsSync(pidFile) && performance.now() < untilMs)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  return cpuSeconds;
}
