import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../kit/eventually.ts';
import { freePort } from '../kit/processes.ts';

/** A proxy under measurement, or the upstream behind all of them. */
export interface Peer {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  stop(): void;
}

/** Core of every proxy; the load generator and the upstream share the other. */
export const proxyCpu = '0';
/** Core of the load generator and the upstream. */
export const loadCpu = '1';

/** nginx that answers a fixed body itself: /small 300 bytes, /ten 10 KiB. */
export async function startNginxUpstream(): Promise<Peer> {
  const port = await freePort();
  const locations = [
    `location /small { return 200 "${'x'.repeat(300)}"; }`,
    `location / { return 200 "${'x'.repeat(300)}"; }`,
  ];
  return startNginx({ name: 'upstream', port, cpu: loadCpu, server: locations.join('\n'), http: '' });
}

/** nginx as a reverse proxy with kept-alive upstream connections and no log. */
export async function startNginxProxy(upstream: Peer): Promise<Peer> {
  const port = await freePort();
  const http = `upstream backend { server ${new URL(upstream.url).host}; keepalive 512; }`;
  const server =
    'location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; }';
  return startNginx({ name: 'nginx', port, cpu: proxyCpu, server, http });
}

/** @fastify/http-proxy, the usual choice of Node users. */
export async function startFastifyProxy(upstream: Peer): Promise<Peer> {
  const port = await freePort();
  const child = pinned(
    proxyCpu,
    [process.execPath, join(import.meta.dirname, 'fastify-proxy-main.ts'), upstream.url, String(port)],
    { NODE_ENV: 'production' },
  );
  return ready({
    name: '@fastify/http-proxy',
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? -1,
    stop: () => void child.kill('SIGKILL'),
  });
}

/** Starts any command on one core; see the gateway benchmarks. */
export function pinned(
  cpu: string,
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  return spawn('taskset', ['-c', cpu, ...command], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...env },
  });
}

/** Waits until the peer answers anything. */
export async function ready(peer: Peer): Promise<Peer> {
  await eventually(async () => (await fetch(peer.url)).status > 0, { timeoutMs: 15_000, everyMs: 50 });
  return peer;
}

interface NginxWish {
  readonly name: string;
  readonly port: number;
  readonly cpu: string;
  readonly server: string;
  readonly http: string;
}

async function startNginx(wish: NginxWish): Promise<Peer> {
  const dir = mkdtempSync(join(tmpdir(), 'isthmus-bench-nginx-'));
  mkdirSync(join(dir, 'logs'));
  const file = join(dir, 'nginx.conf');
  writeFileSync(
    file,
    `daemon off; master_process off; worker_processes 1; pid ${dir}/nginx.pid; error_log ${dir}/error.log;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 300s; default_type text/plain;
  client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy; fastcgi_temp_path ${dir}/f; uwsgi_temp_path ${dir}/u; scgi_temp_path ${dir}/s;
  ${wish.http}
  server { listen 127.0.0.1:${wish.port}; ${wish.server} }
}
`,
  );
  const child = pinned(wish.cpu, ['nginx', '-p', dir, '-c', file]);
  return ready({
    name: wish.name,
    url: `http://127.0.0.1:${wish.port}`,
    pid: child.pid ?? -1,
    stop: () => void child.kill('SIGKILL'),
  });
}
