import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, mkdirSync, openSync, readSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually } from '../kit/eventually.ts';
import { freePort } from '../kit/processes/processes.ts';
import { idHeader } from './checking-upstream.ts';

/** One line of a server's access log: a request that it parsed, or something that it refused to. */
export interface LoggedRequest {
  /** The exchange it names; undefined for something that the gateway never sent as a request. */
  readonly id: string | undefined;
  readonly status: number;
  /** The gateway's port of that connection: what came before on it is the suspect. */
  readonly port: number;
}

/** A server of Debian that answers everything with 200 and logs every request. */
export interface RealServer {
  readonly name: RealServerName;
  readonly port: number;
  /** What was logged since the last call. */
  read(): readonly LoggedRequest[];
  readonly isRunning: boolean;
  stop(): Promise<void>;
}

/** The servers that the fuzz compares with; each is also the name of its Debian package. */
export const realServerNames = ['nginx', 'apache2', 'haproxy'] as const;
/** See {@link realServerNames}. */
export type RealServerName = (typeof realServerNames)[number];

// Debian puts servers where a user's PATH does not look.
const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` };

/** Whether that server is installed. */
export function isInstalled(name: RealServerName): boolean {
  return spawnSync(name, ['-v'], { env, stdio: 'ignore' }).error === undefined;
}

/**
 * Starts one on a free port, with all that it writes inside the folder; as root it serves as nobody where it insists on it.
 *
 * Errors: rejects when it does not answer within ten seconds; its error log is in the folder.
 */
export async function startRealServer(name: RealServerName, folder: string): Promise<RealServer> {
  const dir = join(folder, name);
  mkdirSync(dir, { recursive: true });
  const port = await freePort();
  const log = join(dir, 'access.log');
  const config = join(dir, `${name}.conf`);
  writeFileSync(config, configurations[name]({ dir, port, log }));
  const written = openSync(log, 'a');
  // haproxy logs to its stdout, and a file takes every line where a pipe or a socket may drop some.
  const child = spawn(name, commands[name](config, dir), { env, stdio: ['ignore', written, 'inherit'] });
  closeSync(written);
  const reader = new LogReader(log);
  let isRunning = true;
  child.once('error', () => (isRunning = false));
  child.once('exit', () => (isRunning = false));
  await eventually(() => answers(port), { timeoutMs: 10_000, everyMs: 50 });
  await eventually(() => reader.read().length > 0, { timeoutMs: 2_000 });
  return {
    name,
    port,
    read: () => reader.read(),
    get isRunning() {
      return isRunning;
    },
    stop: () => stop(child, reader),
  };
}

async function stop(child: ChildProcess, reader: LogReader): Promise<void> {
  reader.close();
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  // apache2 leaves its children behind when it is killed; all three stop at once when asked.
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 3_000);
  await ended;
  clearTimeout(timer);
}

/** True once the server has answered a request, which is then also the first line of its log. */
async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write(`GET / HTTP/1.1\r\nHost: fuzz.test\r\n${idHeader}: start\r\nConnection: close\r\n\r\n`);
    const [first] = await once(socket, 'data');
    return String(first).startsWith('HTTP/1.1 200');
  } finally {
    socket.destroy();
  }
}

/** Reads the lines that were added to a log; they are `<id or -> <status> <port>`. */
class LogReader {
  readonly #file: number;
  readonly #buffer = Buffer.alloc(256 * 1024);
  #offset = 0;
  #rest = '';

  constructor(path: string) {
    this.#file = openSync(path, 'r');
  }

  read(): readonly LoggedRequest[] {
    const logged: LoggedRequest[] = [];
    while (this.#offset < fstatSync(this.#file).size) {
      const count = readSync(this.#file, this.#buffer, 0, this.#buffer.length, this.#offset);
      if (count === 0) break;
      this.#offset += count;
      const lines = (this.#rest + this.#buffer.toString('latin1', 0, count)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) logged.push(parseLine(line));
    }
    return logged;
  }

  close(): void {
    closeSync(this.#file);
  }
}

function parseLine(line: string): LoggedRequest {
  const match = /^(\S+) (\d+) (\d+)$/.exec(line);
  if (match === null) throw new Error(`a log line in no format of ours: ${line}`);
  return { id: match[1] === '-' ? undefined : match[1], status: Number(match[2]), port: Number(match[3]) };
}

interface Place {
  readonly dir: string;
  readonly port: number;
  readonly log: string;
}

const commands: Readonly<Record<RealServerName, (config: string, dir: string) => readonly string[]>> = {
  nginx: (config, dir) => ['-p', dir, '-c', config],
  apache2: (config) => ['-X', '-f', config],
  haproxy: (config) => ['-db', '-f', config],
};

// Limits are set wide: what one of them refuses is to be refused for its shape, not for its size. haproxy has one thread: of
// two that log at one time it lets one give up, and the line is lost (one in about half a million cases).
const configurations: Readonly<Record<RealServerName, (place: Place) => string>> = {
  nginx: ({ dir, port, log }) => `
daemon off; master_process off; worker_processes 1; pid ${dir}/nginx.pid; error_log ${dir}/error.log;
events { worker_connections 4096; }
http {
  log_format fuzz '$fuzz_id $status $remote_port';
  map $http_x_fuzz_id $fuzz_id { "" "-"; default $http_x_fuzz_id; }
  access_log ${log} fuzz;
  keepalive_requests 1000000000; keepalive_timeout 600s; client_header_timeout 60s; client_body_timeout 60s;
  large_client_header_buffers 8 64k; client_max_body_size 10m; default_type text/plain; merge_slashes off;
  client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy; fastcgi_temp_path ${dir}/f; uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
  server {
    listen 127.0.0.1:${port};
    add_header ${idHeader} $http_x_fuzz_id always;
    return 200 "nginx $http_x_fuzz_id";
  }
}
`,
  apache2: ({ dir, port, log }) => `
ServerRoot ${dir}
ServerName fuzz.test
Listen 127.0.0.1:${port}
PidFile ${dir}/apache2.pid
DefaultRuntimeDir ${dir}
ErrorLog ${dir}/error.log
${['mpm_event', 'authz_core', 'rewrite', 'headers']
  .map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`)
  .join('\n')}
User nobody
Group nogroup
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 600
Timeout 60
ThreadLimit 128
ThreadsPerChild 128
MaxRequestWorkers 128
LimitRequestLine 65536
LimitRequestFieldSize 65536
LimitRequestFields 0
AllowEncodedSlashes NoDecode
TraceEnable extended
LogFormat "%{${idHeader}}i %>s %{remote}p" fuzz
CustomLog ${log} fuzz
Header always set ${idHeader} "expr=%{HTTP:${idHeader}}"
RewriteEngine On
RewriteRule .* - [R=200,L]
`,
  haproxy: ({ port }) => `
global
  log stdout format raw local0
  nbthread 1
  tune.bufsize 131072
  tune.http.maxhdr 1000
defaults
  mode http
  log global
  option dontlognull
  timeout client 600s
  timeout http-request 60s
  timeout http-keep-alive 600s
  timeout connect 5s
  timeout server 60s
frontend fuzz
  bind 127.0.0.1:${port}
  log-format "%[capture.req.hdr(0)] %ST %cp"
  http-request capture req.hdr(${idHeader}) len 64
  http-request wait-for-body time 60s at-least 131072
  http-request return status 200 content-type text/plain hdr ${idHeader} "%[req.hdr(${idHeader})]" lf-string "haproxy %[req.hdr(${idHeader})]"
`,
};
