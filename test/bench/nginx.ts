import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../kit/processes/processes.ts';
import { pathBytes, ready, type Peer } from './peer.ts';
import { loadCpu, proxyCpu, type Stage } from './stage.ts';

/** What every proxy is told. */
export interface ProxyWish {
  readonly upstreamUrl: string;
  /** Speaks TLS with this certificate; undefined is plain HTTP. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
}

/** nginx as the upstream of all, on the load's core: /small and /ten from memory, /big a static file. */
export async function startNginxUpstream(stage: Stage): Promise<Peer> {
  const dir = stage.folder('upstream');
  writeFileSync(join(dir, 'big'), Buffer.alloc(pathBytes['/big'], 'x'));
  const port = await freePort();
  const server = [
    `location = /small { return 200 "${'x'.repeat(pathBytes['/small'])}"; }`,
    // A parameter of nginx's configuration is at most 4 KiB; variables are joined.
    `set $kib "${'x'.repeat(1024)}";`,
    `location = /ten { return 200 "${'$kib'.repeat(pathBytes['/ten'] / 1024)}"; }`,
    `location = /big { root ${dir}; }`,
  ];
  return startNginx(stage, {
    name: 'upstream',
    dir,
    cpu: loadCpu,
    listen: `127.0.0.1:${port}`,
    server: server.join('\n'),
    http: 'sendfile on; tcp_nopush on; open_file_cache max=10;',
    url: `http://127.0.0.1:${port}`,
  });
}

/**
 * nginx as a reverse proxy with kept-alive upstream connections and no log, otherwise with its defaults; but a large answer must not go
 * through a temporary file.
 *
 * isTuned: with buffers of 32 KiB instead of 4, which halves what it spends on large answers.
 */
export async function startNginxProxy(
  stage: Stage,
  wish: ProxyWish & { readonly isTuned: boolean },
): Promise<Peer> {
  const port = await freePort();
  const backend = `upstream backend { server ${new URL(wish.upstreamUrl).host}; keepalive 512; keepalive_requests 1000000000; }`;
  const server = [
    wish.isTuned ? 'proxy_buffer_size 16k; proxy_buffers 8 32k; proxy_busy_buffers_size 64k;' : '',
    'location / { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_max_temp_file_size 0; }',
    ...(wish.tls === undefined
      ? []
      : [
          // Debian's nginx speaks only 1.2 unless told; the other peers speak 1.3, and both must do the same work.
          `ssl_certificate ${wish.tls.certFile}; ssl_certificate_key ${wish.tls.keyFile}; ssl_protocols TLSv1.2 TLSv1.3;`,
        ]),
  ];
  return startNginx(stage, {
    name: wish.isTuned ? 'nginx tuned' : 'nginx',
    dir: stage.folder('nginx'),
    cpu: proxyCpu,
    listen: `127.0.0.1:${port}${wish.tls === undefined ? '' : ' ssl'}`,
    server: server.join('\n'),
    http: backend,
    url: `${wish.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
  });
}

interface NginxWish {
  readonly name: string;
  readonly dir: string;
  readonly cpu: string;
  readonly listen: string;
  readonly server: string;
  readonly http: string;
  readonly url: string;
}

async function startNginx(stage: Stage, wish: NginxWish): Promise<Peer> {
  const { dir } = wish;
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
  server { listen ${wish.listen}; ${wish.server} }
}
`,
  );
  const child = stage.start(wish.cpu, ['nginx', '-p', dir, '-c', file, '-e', join(dir, 'error.log')]);
  return ready({ name: wish.name, url: wish.url, headers: [], child });
}
