import { paths } from './peer.ts';
import { nodeProxies } from './node-proxies.ts';
import { hasEnvoy } from './envoy.ts';
import { peerNames, type PeerName } from './roster.ts';

/** One way to load everybody, and whom. */
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

/** Whom everything is measured beside; the floor and Envoy stay out where they do not take part. */
const servers: readonly PeerName[] = ['nginx', 'floor', 'isthmus bare', 'haproxy', 'envoy'];
const proxies: readonly PeerName[] = [...servers, ...nodeProxies];
const keptSmall = { path: '/small', isNewConnections: false, isTls: false, connections: 64 } as const;

/** What `npm run bench:gateway` measures: every size, kind of connection and number of them, but not every combination. */
export const defaultPlan: Plan = {
  rounds: 7,
  secondsPerRun: 2,
  scenes: [
    scene({ ...keptSmall, peers: peerNames }),
    scene({ ...keptSmall, connections: 512, peers: proxies }),
    scene({ ...keptSmall, connections: 1, peers: servers }),
    scene({ ...keptSmall, path: '/ten', peers: proxies }),
    scene({ ...keptSmall, path: '/ten', connections: 512, peers: servers }),
    scene({ ...keptSmall, path: '/big', peers: [...proxies, 'nginx tuned'] }),
    scene({ ...keptSmall, isNewConnections: true, peers: proxies }),
    scene({ ...keptSmall, isTls: true, peers: proxies }),
    scene({ ...keptSmall, isTls: true, isNewConnections: true, peers: servers }),
    scene({ ...keptSmall, isTls: true, path: '/big', peers: [...servers, 'nginx tuned'] }),
  ],
};

/** Every combination with everybody; some hours. */
export const fullPlan: Plan = {
  ...defaultPlan,
  scenes: [false, true].flatMap((isTls) =>
    [false, true].flatMap((isNewConnections) =>
      paths.flatMap((path) =>
        [1, 64, 512].map((connections) =>
          scene({ path, isNewConnections, isTls, connections, peers: peerNames }),
        ),
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
        'floor',
        'isthmus bare',
        'isthmus record',
        'isthmus full',
        'isthmus crowded',
        '@fastify/http-proxy',
        'http-proxy',
      ],
    },
    { ...keptSmall, connections: 512, peers: ['floor', 'isthmus bare'] },
    { ...keptSmall, path: '/ten', peers: ['floor', 'isthmus bare'] },
    { ...keptSmall, path: '/ten', connections: 512, peers: ['floor', 'isthmus bare'] },
    { ...keptSmall, path: '/big', peers: ['@fastify/http-proxy', 'isthmus bare'] },
  ],
};

/** The scene of `npm run bench`: who costs what on 64 kept connections. */
export const overviewScene: Scene = {
  ...keptSmall,
  peers: ['nginx', 'floor', 'isthmus bare', 'isthmus record', 'isthmus full', '@fastify/http-proxy'],
};

/**
 * Leaves out who has no part in a scene: the floor and Envoy are there for small plain messages on kept connections, tuned buffers for
 * large answers.
 */
function scene(wish: Scene): Scene {
  const isPlainKept = !wish.isTls && !wish.isNewConnections && wish.path !== '/big';
  const isLeftOut = (peer: PeerName): boolean =>
    (peer === 'floor' && !isPlainKept) ||
    (peer === 'envoy' && !(isPlainKept && hasEnvoy)) ||
    (peer === 'nginx tuned' && wish.path !== '/big');
  return { ...wish, peers: wish.peers.filter((peer) => !isLeftOut(peer)) };
}

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

/** Keeps the rows whose `<title>: <peer>` holds every one of the texts; whom others are compared with stays. */
export function only(plan: Plan, texts: readonly string[]): Plan {
  const wanted = texts.map((text) => text.toLowerCase());
  const scenes = plan.scenes.flatMap((scene) => {
    const kept = scene.peers.filter((peer) => {
      const label = `${titleOf(scene)}: ${peer}`.toLowerCase();
      return wanted.every((text) => label.includes(text));
    });
    return kept.length === 0
      ? []
      : [
          {
            ...scene,
            peers: scene.peers.filter((peer) => peer === 'nginx' || peer === 'floor' || kept.includes(peer)),
          },
        ];
  });
  return { ...plan, scenes };
}
