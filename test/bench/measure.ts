import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer } from './peer.ts';
import { loadCpu, proxyCpu, type Stage } from './stage.ts';

/** One measured run of one peer. */
export interface Run {
  readonly requests: number;
  readonly requestsPerSecond: number;
  /** User plus system time of the peer's processes, in microseconds per request. */
  readonly cpuUsPerRequest: number;
  /** How much of its core the peer used, 0 to 1; far below 1 the load was the bound, not the peer. */
  readonly busy: number;
  /** How much of the proxies' core somebody else used meanwhile, 0 to 1: then CPU figures blur and throughput says little. */
  readonly othersBusy: number;
  /** Mean and 99th percentile of the time from a request to its answer, under the most that the connections can ask. */
  readonly latencyMeanUs: number;
  readonly latencyP99Us: number;
  /** Memory of the peer's processes at the end of the run, in MiB (VmRSS; what they share counts for each). */
  readonly residentMib: number;
  /** Answers that were not 2xx or 3xx, and socket errors. */
  readonly failures: number;
}

/** What to ask of a peer and how hard. */
export interface Load {
  readonly path: string;
  readonly connections: number;
  /** True: one connection per request. */
  readonly isNewConnections: boolean;
  readonly seconds: number;
  /** In HTTP/2 by prior knowledge, one stream at a time on each connection; then there is no 99th percentile. */
  readonly isHttp2?: boolean;
  /** What each request is, but in HTTP/2. Default: GET, with the peer's headers alone. */
  readonly sent?: SentRequest;
}

/** A request of a load. */
export interface SentRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

// Linux counts process times in ticks of 10 ms (getconf CLK_TCK, 100 wherever Node runs).
const tickUs = 1_000_000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/**
 * Loads a peer with wrk, or with h2load where it is HTTP/2, and reads what its processes spent meanwhile.
 *
 * Errors: when that is not there, the peer has ended, or nothing was answered.
 */
export async function measure(stage: Stage, peer: Peer, load: Load): Promise<Run> {
  const startedMs = performance.now();
  const coreBeforeUs = coreUs(proxyCpu);
  const beforeUs = cpuUs(peer.child.pid);
  const told = load.isHttp2 === true ? await h2load(stage, peer, load) : await wrk(stage, peer, load);
  if (!peer.child.isRunning()) throw new Error(`${peer.name} ended while ${load.path} was measured`);
  const spentUs = cpuUs(peer.child.pid) - beforeUs;
  const coreSpentUs = coreUs(proxyCpu) - coreBeforeUs;
  const elapsedUs = (performance.now() - startedMs) * 1000;
  const { report, ...figures } = told;
  const { requests } = figures;
  if (requests === 0) throw new Error(`${peer.name} answered no request for ${load.path}:\n${report}`);
  return {
    ...figures,
    cpuUsPerRequest: spentUs / requests,
    busy: spentUs / elapsedUs,
    othersBusy: Math.max(0, (coreSpentUs - spentUs) / elapsedUs),
    residentMib: residentMib(peer.child.pid),
  };
}

function numberIn(report: string, pattern: RegExp): number {
  return Number(pattern.exec(report)?.[1] ?? 0);
}

const unitUs = { us: 1, ms: 1_000, s: 1_000_000, m: 60_000_000 } as const;

function timeIn(report: string, pattern: RegExp): number {
  const found = pattern.exec(report);
  const unit = found?.[2];
  return unit === 'us' || unit === 'ms' || unit === 's' || unit === 'm'
    ? Number(found?.[1]) * unitUs[unit]
    : Number.NaN;
}

function socketErrors(report: string): number {
  const found = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(report);
  return found === null ? 0 : found.slice(1).reduce((sum, text) => sum + Number(text), 0);
}

/** What who loads says at its end. */
interface Told extends Pick<
  Run,
  'requests' | 'requestsPerSecond' | 'latencyMeanUs' | 'latencyP99Us' | 'failures'
> {
  readonly report: string;
}

async function h2load(stage: Stage, peer: Peer, load: Load): Promise<Told> {
  const headers = peer.headers.flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const connections = ['-c', String(load.connections), '-m', '1', '-D', String(load.seconds)];
  const child = stage.start(loadCpu, ['h2load', ...connections, ...headers, `${peer.url}${load.path}`]);
  const report = await child.output;
  const [, done = 0, succeeded = 0] = /(\d+) done, (\d+) succeeded/.exec(report)?.map(Number) ?? [];
  return {
    report,
    requests: done,
    requestsPerSecond: numberIn(report, /, ([\d.]+) req\/s/),
    latencyMeanUs: timeIn(report, /time for request:\s+\S+\s+\S+\s+([\d.]+)(us|ms|s|m)\b/),
    latencyP99Us: Number.NaN,
    failures: done - succeeded,
  };
}

async function wrk(stage: Stage, peer: Peer, load: Load): Promise<Told> {
  const headers = [
    ...peer.headers,
    ...(load.isNewConnections ? ([['Connection', 'close']] as const) : []),
  ].flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const child = stage.start(loadCpu, [
    'wrk',
    '-t1',
    '--latency',
    // A request that waits on a busy machine has not failed.
    '--timeout',
    '30s',
    `-c${load.connections}`,
    `-d${load.seconds}s`,
    ...headers,
    ...(load.sent === undefined ? [] : ['-s', scriptOf(stage, load.sent)]),
    `${peer.url}${load.path}`,
  ]);
  const report = await child.output;
  return {
    report,
    requests: numberIn(report, /(\d+) requests in/),
    requestsPerSecond: numberIn(report, /Requests\/sec:\s+([\d.]+)/),
    latencyMeanUs: timeIn(report, /Latency\s+([\d.]+)(us|ms|s|m)\b/),
    latencyP99Us: timeIn(report, /99%\s+([\d.]+)(us|ms|s|m)\b/),
    failures: numberIn(report, /Non-2xx or 3xx responses: (\d+)/) + socketErrors(report),
  };
}

/** A file that tells wrk what to send. */
function scriptOf(stage: Stage, { method, headers, body }: SentRequest): string {
  const file = join(stage.folder('wrk'), 'sent.lua');
  const lines = Object.entries(headers).map(
    ([name, value]) => `wrk.headers[${quoted(name)}] = ${quoted(value)}`,
  );
  const said = body === undefined ? [] : [`wrk.body = ${quoted(body)}`];
  writeFileSync(file, [`wrk.method = ${quoted(method)}`, ...lines, ...said, ''].join('\n'));
  return file;
}

/** A text of Lua, byte by byte. */
const quoted = (text: string): string =>
  `"${Array.from(Buffer.from(text), (byte) => `\\${String(byte).padStart(3, '0')}`).join('')}"`;

/** Busy time of a core since the machine began, in microseconds: all but idle and waiting for a disk. */
function coreUs(cpu: string): number {
  const line = new RegExp(`^cpu${cpu} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? '';
  // user nice system idle iowait irq softirq steal; guest time stands in user already.
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.split(' ').map(Number);
  return (user + nice + system + irq + softirq + steal) * tickUs;
}

/** What one thread of a process has spent since it began, in microseconds. */
export interface ThreadTime {
  readonly id: string;
  /** As the kernel knows it, at most 15 letters: `node` is the main thread. */
  readonly name: string;
  readonly userUs: number;
  readonly systemUs: number;
}

/** Times of all threads of a process. */
export function threadTimes(pid: number): readonly ThreadTime[] {
  return readdirSync(`/proc/${pid}/task`).map((id) => ({ id, ...timeOf(`/proc/${pid}/task/${id}/stat`) }));
}

/** CPU time of a process and all its descendants since they began, in microseconds. */
function cpuUs(pid: number): number {
  return family(pid).reduce((sum, member) => {
    const { userUs, systemUs } = timeOf(`/proc/${member}/stat`);
    return sum + userUs + systemUs;
  }, 0);
}

/** Memory of a process and all its descendants now, in MiB. */
export function residentMib(pid: number): number {
  return family(pid).reduce((sum, member) => {
    const text = readFileSync(`/proc/${member}/status`, 'utf8');
    return sum + numberIn(text, /^VmRSS:\s+(\d+) kB/m) / 1024;
  }, 0);
}

function timeOf(file: string): Omit<ThreadTime, 'id'> {
  const text = readFileSync(file, 'utf8');
  // The command stands in brackets and may itself hold spaces and brackets; user and system time are fields 14 and 15.
  const name = text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'));
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { name, userUs: Number(fields[11]) * tickUs, systemUs: Number(fields[12]) * tickUs };
}

function family(pid: number): readonly number[] {
  const children = readdirSync(`/proc/${pid}/task`)
    .flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(' '))
    .filter((text) => text !== '')
    .map(Number);
  return [pid, ...children.flatMap(family)];
}
