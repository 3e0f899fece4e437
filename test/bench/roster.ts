import { issueCertificate, type CertificateFiles } from './certificate.ts';
import { gatewayRoles, startGatewayPeer } from './gateway-peer.ts';
import { startEnvoy } from './envoy.ts';
import { startHaproxy } from './haproxy.ts';
import { startNginxProxy, startNginxUpstream } from './nginx.ts';
import { nodeProxies, startNodeProxy } from './node-proxies.ts';
import type { Peer } from './peer.ts';
import type { Stage } from './stage.ts';

/**
 * Everybody who is measured. The gates are multiples of the floor and of the bare gateway, which run on the same runtime; nginx, haproxy
 * and envoy stand beside them. `nginx tuned` has larger buffers, see nginx.ts; `envoy` takes part where a machine has it, see envoy.ts.
 */
export const peerNames = [
  'nginx',
  'isthmus bare',
  'isthmus record',
  'isthmus full',
  'isthmus crowded',
  'nginx tuned',
  'haproxy',
  'envoy',
  ...nodeProxies,
] as const;

/** See {@link peerNames}. */
export type PeerName = (typeof peerNames)[number];

/** Starts peers when a plan first asks for them. */
export interface Roster {
  peer(name: PeerName, isTls: boolean): Promise<Peer>;
}

/** Opens a roster whose peers all forward to one nginx. nodeFlags are for the gateway alone, to try what they are worth. */
export async function openRoster(stage: Stage, nodeFlags: readonly string[] = []): Promise<Roster> {
  const upstream = await startNginxUpstream(stage);
  const started = new Map<string, Promise<Peer>>();
  let certificate: CertificateFiles | undefined;
  return {
    peer(name, isTls) {
      const key = `${name} ${isTls}`;
      const running = started.get(key);
      if (running !== undefined) return running;
      if (isTls) certificate ??= issueCertificate(stage);
      const wish = { upstreamUrl: upstream.url, tls: isTls ? certificate : undefined, nodeFlags };
      const starting = start(stage, name, wish);
      started.set(key, starting);
      return starting;
    },
  };
}

async function start(
  stage: Stage,
  name: PeerName,
  wish: {
    readonly upstreamUrl: string;
    readonly tls: CertificateFiles | undefined;
    readonly nodeFlags: readonly string[];
  },
): Promise<Peer> {
  if (name === 'nginx' || name === 'nginx tuned')
    return startNginxProxy(stage, { ...wish, isTuned: name === 'nginx tuned' });
  if (name === 'haproxy') return startHaproxy(stage, wish);
  if (name === 'envoy') return startEnvoy(stage, wish);
  const nodeProxy = nodeProxies.find((proxy) => proxy === name);
  if (nodeProxy !== undefined) return startNodeProxy(stage, nodeProxy, wish);
  const role = gatewayRoles.find((one) => name === `isthmus ${one}`);
  if (role === undefined) throw new Error(`nobody is called ${name}`);
  return startGatewayPeer(stage, { role, ...wish });
}
