import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../kit/processes/processes.ts';
import type { ProxyWish } from './nginx.ts';
import { ready, type Peer } from './peer.ts';
import { proxyCpu, type Stage } from './stage.ts';

/** Where Envoy is: no package of Debian has it. */
const binary = process.env['ISTHMUS_BENCH_ENVOY'] ?? 'envoy';

/** Says whether this machine has Envoy on its path, or where `ISTHMUS_BENCH_ENVOY` says. */
export const hasEnvoy = spawnSync(binary, ['--version']).status === 0;

/** Envoy as a reverse proxy with one worker, kept-alive upstream connections and no access log; plain HTTP only. */
export async function startEnvoy(stage: Stage, wish: ProxyWish): Promise<Peer> {
  const port = await freePort();
  const file = join(stage.folder('envoy'), 'envoy.json');
  writeFileSync(file, JSON.stringify(bootstrap(port, new URL(wish.upstreamUrl))));
  const command = [binary, '-c', file, '--concurrency', '1', '--disable-hot-restart', '-l', 'error'];
  return ready({
    name: 'envoy',
    url: `http://127.0.0.1:${port}`,
    headers: [],
    child: stage.start(proxyCpu, command, { isQuiet: true }),
  });
}

function bootstrap(port: number, upstream: URL): unknown {
  const at = (address: string, portValue: number): unknown => ({
    socket_address: { address, port_value: portValue },
  });
  const routes = [{ match: { prefix: '/' }, route: { cluster: 'upstream' } }];
  const manager = {
    '@type':
      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'bench',
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes }] },
    http_filters: [
      {
        name: 'router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  };
  const breakers = [{ max_connections: 4_096, max_pending_requests: 4_096, max_requests: 4_096 }];
  return {
    static_resources: {
      listeners: [
        {
          address: at('127.0.0.1', port),
          filter_chains: [{ filters: [{ name: 'http', typed_config: manager }] }],
        },
      ],
      clusters: [
        {
          name: 'upstream',
          type: 'STATIC',
          connect_timeout: '5s',
          circuit_breakers: { thresholds: breakers },
          load_assignment: {
            cluster_name: 'upstream',
            endpoints: [
              {
                lb_endpoints: [{ endpoint: { address: at(upstream.hostname, Number(upstream.port)) } }],
              },
            ],
          },
        },
      ],
    },
  };
}
