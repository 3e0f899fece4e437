import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../kit/processes/processes.ts';
import { paths, ready, type Peer } from './peer.ts';
import { proxyCpu, type Stage } from './stage.ts';

/**
 * The gateway in the roles that are measured.
 *
 * bare: keyless, no policies, no access record. record: bare with an access record per request. full: API key, rate limit in memory,
 * header transform and record. crowded: bare with 10,000 other APIs deployed. ten: record with ten APIs in all, for who asks what an idle
 * gateway takes.
 */
export const gatewayRoles = ['bare', 'record', 'full', 'crowded', 'ten'] as const;

/** See {@link gatewayRoles}. */
export type GatewayRole = (typeof gatewayRoles)[number];

/** How a gateway is started for a measurement. */
export interface GatewayWish {
  readonly role: GatewayRole;
  readonly upstreamUrl: string;
  /** Speaks TLS with this certificate; undefined is plain HTTP. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Flags of Node itself, e.g. `--cpu-prof`. */
  readonly nodeFlags?: readonly string[];
}

/** The key that the full role asks for. */
const benchKey = 'bench-key-0123456789abcdef';
const crowd = 10_000;

/** Starts `isthmus gateway --local` on the proxies' core with one API per upstream path: /small, /ten, /big. */
export async function startGatewayPeer(stage: Stage, wish: GatewayWish): Promise<Peer> {
  const dir = stage.folder('gateway');
  const apis = join(dir, 'apis');
  mkdirSync(apis);
  for (const path of paths) writeDefinition(apis, path, wish);
  for (let n = 0; n < othersOf(wish.role); n += 1) writeDefinition(apis, `/other-${n}`, wish);
  if (wish.role === 'full')
    writeFileSync(join(apis, 'isthmus.json'), JSON.stringify({ subscriptions: paths.map(subscription) }));
  const port = await freePort();
  const script = join(import.meta.dirname, '../../deploy/isthmus.js');
  const command = [process.execPath, ...(wish.nodeFlags ?? []), script, 'gateway', '--local', apis];
  const env = {
    ISTHMUS_DATA_DIR: join(dir, 'data'),
    ISTHMUS_GATEWAY__LOG__LEVEL: 'warn',
    ISTHMUS_GATEWAY__LISTEN__HOST: '127.0.0.1',
    ISTHMUS_GATEWAY__LISTEN__PORT: String(port),
    ISTHMUS_GATEWAY__ADMIN__PORT: '0',
    ISTHMUS_GATEWAY__LAME_DUCK_MS: '0',
    ISTHMUS_GATEWAY__REPORT__ENABLED: String(hasRecord(wish.role)),
    ...(wish.tls !== undefined && {
      ISTHMUS_GATEWAY__LISTEN__TLS__CERT_FILE: wish.tls.certFile,
      ISTHMUS_GATEWAY__LISTEN__TLS__KEY_FILE: wish.tls.keyFile,
    }),
  };
  const child = stage.start(proxyCpu, command, { env });
  return ready({
    name: `isthmus ${wish.role}`,
    url: `${wish.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    headers: wish.role === 'full' ? [['X-Gravitee-Api-Key', benchKey]] : [],
    child,
  });
}

/** APIs beside those that are measured. */
function othersOf(role: GatewayRole): number {
  if (role === 'crowded') return crowd;
  return role === 'ten' ? 10 - paths.length : 0;
}

function hasRecord(role: GatewayRole): boolean {
  return role === 'record' || role === 'full' || role === 'ten';
}

function subscription(path: string): unknown {
  return {
    id: `bench${path}`,
    api: path.slice(1),
    plan: `${path.slice(1)}-plan`,
    application: 'bench',
    apiKeys: [benchKey],
  };
}

function writeDefinition(folder: string, path: string, wish: GatewayWish): void {
  const name = path.slice(1);
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(definition(name, wish)));
}

function definition(name: string, wish: GatewayWish): unknown {
  const isFull = wish.role === 'full';
  return {
    id: name,
    name,
    gravitee: '4.0.0',
    type: 'proxy',
    apiVersion: '1.0',
    listeners: [{ type: 'http', paths: [{ path: `/${name}` }], entrypoints: [{ type: 'http-proxy' }] }],
    endpointGroups: [
      {
        name: 'default',
        type: 'http-proxy',
        sharedConfiguration: { http: { maxConcurrentConnections: 512 } },
        endpoints: [
          { name: 'one', type: 'http-proxy', configuration: { target: `${wish.upstreamUrl}/${name}` } },
        ],
      },
    ],
    plans: {
      [`${name}-plan`]: {
        id: `${name}-plan`,
        name: 'plan',
        status: 'published',
        mode: 'standard',
        security: { type: isFull ? 'API_KEY' : 'KEY_LESS' },
        flows: [],
      },
    },
    flows: isFull ? [fullFlow] : [],
    analytics: { enabled: hasRecord(wish.role) },
  };
}

const fullFlow = {
  name: 'flow',
  enabled: true,
  selectors: [{ type: 'http', path: '/', pathOperator: 'STARTS_WITH' }],
  request: [
    {
      name: 'limit',
      enabled: true,
      policy: 'rate-limit',
      configuration: { rate: { limit: 1_000_000_000, periodTime: 1, periodTimeUnit: 'MINUTES' } },
    },
    {
      name: 'headers',
      enabled: true,
      policy: 'transform-headers',
      configuration: { addHeaders: [{ name: 'X-Bench', value: 'yes' }], removeHeaders: ['X-Secret'] },
    },
  ],
  response: [],
};
