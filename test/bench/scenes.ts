import { paths } from './peer.ts';
import { nodeProxies } from './node-proxies.ts';
import { peerNames, type PeerName } from './roster.ts';

/** One way to load everybody, and whom. nginx is always first. */
export interface Scene {
  readonly path: (typeof paths)[number];
  readonly isNewConnections: boolean;
  readonly isTls: boolean;
  readonly connections: number;
  readonly peers: readonly PeerName[];
}

/** How long and how often every row of a plan is measured. */
export interface Plan {
  readonly scenes: readonly Scene[];
  readonly rounds: number;
  readonly secondsPerRun: number;
}

const servers: readonly PeerName[] = ['nginx', 'isthmus bare', 'haproxy'];
const bigServers: readonly PeerName[] = [...servers, 'nginx tuned'];
const gateways: readonly PeerName[] = [...servers, ...nodeProxies];
const keptSmall = { path: '/small', isNewConnections: false, isTls: false, connections: 64 } as const;

/** What `npm run bench:gateway` measures: every size, kind of connection and number of them, but not every combination. */
export const defaultPlan: Plan = {
  rounds: 7,
  secondsPerRun: 2,
  scenes: [
    { ...keptSmall, peers: peerNames.filter((name) => name !== 'nginx tuned') },
    { ...keptSmall, connections: 512, peers: gateways },
    { ...keptSmall, connections: 1, peers: servers },
    { ...keptSmall, path: '/ten', peers: gateways },
    { ...keptSmall, path: '/ten', connections: 512, peers: servers },
    { ...keptSmall, path: '/big', peers: [...bigServers, ...nodeProxies] },
    { ...keptSmall, isNewConnections: true, peers: gateways },
    { ...keptSmall, isTls: true, peers: gateways },
    { ...keptSmall, isTls: true, isNewConnections: true, peers: servers },
    { ...keptSmall, isTls: true, path: '/big', peers: bigServers },
  ],
};

/** Every combination with everybody; some hours. */
export const fullPlan: Plan = {
  ...defaultPlan,
  scenes: [false, true].flatMap((isTls) =>
    [false, true].flatMap((isNewConnections) =>
      paths.flatMap((path) =>
        [1, 64, 512].map((connections) => ({ path, isNewConnections, isTls, connections, peers: peerNames })),
      ),
    ),
  ),
};

/** What a change has to pass: only what the targets need, within two minutes. */
export const gatePlan: Plan = {
  rounds: 3,
  secondsPerRun: 1,
  scenes: [
    {
      ...keptSmall,
      peers: [
        'nginx',
        'isthmus bare',
        'isthmus record',
        'isthmus full',
        'isthmus crowded',
        '@fastify/http-proxy',
        'http-proxy',
      ],
    },
    { ...keptSmall, connections: 512, peers: ['nginx', 'isthmus bare'] },
    { ...keptSmall, path: '/ten', peers: ['nginx', 'isthmus bare'] },
    { ...keptSmall, path: '/ten', connections: 512, peers: ['nginx', 'isthmus bare'] },
    { ...keptSmall, path: '/big', peers: ['nginx', 'isthmus bare'] },
  ],
};

/** The scene of `npm run bench`: who costs what on 64 kept connections. */
export const overviewScene: Scene = {
  ...keptSmall,
  peers: ['nginx', 'isthmus bare', 'isthmus record', 'isthmus full', '@fastify/http-proxy'],
};

const sizes = { '/small': '0.3 KiB', '/ten': '10 KiB', '/big': '1 MiB' } as const;

/** e.g. `0.3 KiB, keep-alive, plain, 64 connections`. */
export function titleOf(scene: Scene): string {
  return [
    sizes[scene.path],
    scene.isNewConnections ? 'new connections' : 'keep-alive',
    scene.isTls ? 'TLS' : 'plain',
    `${scene.connections} connection${scene.connections === 1 ? '' : 's'}`,
  ].join(', ');
}

/** Keeps the rows whose `<title>: <peer>` holds every one of the texts; nginx stays wherever somebody is compared with it. */
export function only(plan: Plan, texts: readonly string[]): Plan {
  const wanted = texts.map((text) => text.toLowerCase());
  const scenes = plan.scenes.flatMap((scene) => {
    const kept = scene.peers.filter((peer) => {
      const label = `${titleOf(scene)}: ${peer}`.toLowerCase();
      return wanted.every((text) => label.includes(text));
    });
    return kept.length === 0
      ? []
      : [{ ...scene, peers: scene.peers.filter((peer) => peer === 'nginx' || kept.includes(peer)) }];
  });
  return { ...plan, scenes };
}
