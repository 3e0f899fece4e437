import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

/** One measured run of one peer. */
export interface Run {
  readonly requestsPerSecond: number;
  /** User plus system time of the peer's processes, in microseconds per request. */
  readonly cpuUsPerRequest: number;
  /** Answers that were not 2xx or 3xx, and socket errors. */
  readonly failures: number;
}

/** What to load and how hard. */
export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly headers?: readonly string[];
  /** CPU list for the load generator, e.g. '1'. */
  readonly cpus: string;
}

// Linux counts process times in ticks of 10 ms (getconf CLK_TCK, 100 wherever Node runs).
const tickUs = 1_000_000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Loads a URL with wrk and reads what the processes with those ids, and their children, spent meanwhile. */
export async function measure(pid: number, load: Load): Promise<Run> {
  const before = cpuUs(pid);
  const report = await wrk(load);
  const spentUs = cpuUs(pid) - before;
  const requests = Number(/(\d+) requests in/.exec(report)?.[1] ?? 0);
  const failures = Number(/Non-2xx or 3xx responses: (\d+)/.exec(report)?.[1] ?? 0) + socketErrors(report);
  if (requests === 0) throw new Error(`no request was answered by ${load.url}:\n${report}`);
  return {
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(report)?.[1] ?? 0),
    cpuUsPerRequest: spentUs / requests,
    failures,
  };
}

/** The middle one of the values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function socketErrors(report: string): number {
  const found = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(report);
  return found === null ? 0 : found.slice(1).reduce((sum, text) => sum + Number(text), 0);
}

async function wrk(load: Load): Promise<string> {
  const headers = (load.headers ?? []).flatMap((header) => ['-H', header]);
  const args = [
    '-c',
    load.cpus,
    'wrk',
    '-t1',
    `-c${load.connections}`,
    `-d${load.seconds}s`,
    ...headers,
    load.url,
  ];
  const child = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const parts: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => parts.push(text));
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  return parts.join('');
}

/** CPU time of a process and all its descendants since they began, in microseconds. */
function cpuUs(pid: number): number {
  return family(pid).reduce((sum, member) => {
    // Fields 14 and 15 after the command, which may itself hold spaces and brackets.
    const fields = readFileSync(`/proc/${member}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) * tickUs;
  }, 0);
}

function family(pid: number): readonly number[] {
  const children = readdirSync(`/proc/${pid}/task`)
    .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' '))
    .filter((text) => text !== '')
    .map(Number);
  return [pid, ...children.flatMap(family)];
}
