import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../kit/processes/processes.ts';
import type { ProxyWish } from './nginx.ts';
import { ready, type Peer } from './peer.ts';
import { proxyCpu, type Stage } from './stage.ts';

/** HAProxy as a reverse proxy on one thread, with kept-alive upstream connections and no log. */
export async function startHaproxy(stage: Stage, wish: ProxyWish): Promise<Peer> {
  const dir = stage.folder('haproxy');
  const port = await freePort();
  let bind = `127.0.0.1:${port}`;
  if (wish.tls !== undefined) {
    // It reads certificate and key from one file.
    const pem = join(dir, 'server.pem');
    writeFileSync(pem, `${readFileSync(wish.tls.certFile, 'utf8')}${readFileSync(wish.tls.keyFile, 'utf8')}`);
    bind += ` ssl crt ${pem}`;
  }
  const file = join(dir, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 4096
  tune.pool-low-fd-ratio 100
  tune.pool-high-fd-ratio 100
defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout connect 5s
  timeout client 300s
  timeout server 300s
frontend bench
  bind ${bind}
  default_backend upstream
backend upstream
  server one ${new URL(wish.upstreamUrl).host} pool-max-conn 512 pool-purge-delay 300s
`,
  );
  return ready({
    name: 'haproxy',
    url: `${wish.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    headers: [],
    child: stage.start(proxyCpu, ['haproxy', '-db', '-q', '-f', file]),
  });
}
