import { join } from 'node:path';
import { freePort } from '../kit/processes/processes.ts';
import type { ProxyWish } from './nginx.ts';
import { ready, type Peer } from './peer.ts';
import { proxyCpu, type Stage } from './stage.ts';

/**
 * What else runs on Node: the floor (floor-main.ts), and proxies of the npm registry, each in the way its README shows. They keep connections to the upstream, but for http-proxy, which does
 * so only when it is handed an agent: `http-proxy + agent`.
 */
export const nodeProxies = [
  'floor',
  '@fastify/http-proxy',
  'http-proxy',
  'http-proxy + agent',
  'fast-gateway',
] as const;

const mains = {
  floor: 'floor-main.ts',
  '@fastify/http-proxy': 'fastify-proxy-main.ts',
  'http-proxy': 'http-proxy-main.ts',
  'http-proxy + agent': 'http-proxy-main.ts',
  'fast-gateway': 'fast-gateway-main.ts',
} as const;

/** Starts one of them on the proxies' core. */
export async function startNodeProxy(
  stage: Stage,
  name: (typeof nodeProxies)[number],
  wish: ProxyWish,
): Promise<Peer> {
  const port = await freePort();
  const command = [
    process.execPath,
    // http-proxy uses what Node has deprecated; its warning is not our reader's business.
    '--no-deprecation',
    join(import.meta.dirname, mains[name]),
    wish.upstreamUrl,
    String(port),
    ...(wish.tls === undefined ? [] : [wish.tls.certFile, wish.tls.keyFile]),
  ];
  return ready({
    name,
    url: `${wish.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    headers: [],
    child: stage.start(proxyCpu, command, {
      env: { NODE_ENV: 'production', UPSTREAM_KEEP_ALIVE: name === 'http-proxy' ? 'no' : 'yes' },
    }),
  });
}
