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

/** Where a gateway that is measured sends what it gets, and how it listens. */
interface GatewayPlace {
  readonly upstreamUrl: string;
  /** Speaks TLS with this certificate; undefined is plain HTTP. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Flags of Node itself, e.g. `--cpu-prof`. */
  readonly nodeFlags?: readonly string[];
}

/** How a gateway is started for a measurement. */
export interface GatewayWish extends GatewayPlace {
  readonly role: GatewayRole;
}

/** What every API of a measured gateway has. */
export interface Dress {
  readonly name: string;
  readonly isRecorded: boolean;
  readonly security: { readonly type: string; readonly configuration?: object };
  /** By which the caller's subscription is found, and what he sends for it. */
  readonly credential?: { readonly found: object; readonly header: readonly [name: string, value: string] };
  /** Of a plan that is looked at first and lets nobody in. */
  readonly otherSecurity?: Dress['security'];
  /** Steps of one flow; `condition` is that of the flow. */
  readonly steps?: readonly object[];
  readonly condition?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** APIs beside those that are measured. */
  readonly others?: number;
}

/** The key that the full role asks for. */
const benchKey = 'bench-key-0123456789abcdef';
const crowd = 10_000;

/** Starts one in a role; see {@link startDressedGateway}. */
export function startGatewayPeer(stage: Stage, wish: GatewayWish): Promise<Peer> {
  return startDressedGateway(stage, dressOf(wish.role), wish);
}

/** Starts `isthmus gateway --local` on the proxies' core with one API per upstream path: /small, /ten, /big. */
export async function startDressedGateway(stage: Stage, dress: Dress, wish: GatewayPlace): Promise<Peer> {
  const dir = stage.folder('gateway');
  const apis = join(dir, 'apis');
  mkdirSync(apis);
  const write = (path: string): void =>
    writeFileSync(
      join(apis, `${path.slice(1)}.json`),
      JSON.stringify(definition(path.slice(1), dress, wish.upstreamUrl)),
    );
  for (const path of paths) write(path);
  for (let n = 0; n < (dress.others ?? 0); n += 1) write(`/other-${n}`);
  const { credential } = dress;
  if (credential !== undefined)
    writeFileSync(
      join(apis, 'isthmus.json'),
      JSON.stringify({
        subscriptions: paths.map((path) => ({ ...subscription(path), ...credential.found })),
      }),
    );
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
    // A machine that others use too makes it late, and what it turns away costs nothing.
    ISTHMUS_GATEWAY__LISTEN__EVENT_LOOP_LAG_MS_MAX: '0',
    ISTHMUS_GATEWAY__REPORT__ENABLED: String(dress.isRecorded),
    ...dress.env,
    ...(wish.tls !== undefined && {
      ISTHMUS_GATEWAY__LISTEN__TLS__CERT_FILE: wish.tls.certFile,
      ISTHMUS_GATEWAY__LISTEN__TLS__KEY_FILE: wish.tls.keyFile,
    }),
  };
  const child = stage.start(proxyCpu, command, { env });
  return ready({
    name: `isthmus ${dress.name}`,
    url: `${wish.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    headers: credential === undefined ? [] : [credential.header],
    child,
  });
}

function dressOf(role: GatewayRole): Dress {
  const isFull = role === 'full';
  return {
    name: role,
    isRecorded: role === 'record' || isFull || role === 'ten',
    security: { type: isFull ? 'API_KEY' : 'KEY_LESS' },
    ...(isFull && { credential: keyCredential, steps: [memoryLimit, headers] }),
    others: role === 'crowded' ? crowd : role === 'ten' ? 10 - paths.length : 0,
  };
}

/** How the key of the bench is presented. */
export const keyCredential: NonNullable<Dress['credential']> = {
  found: { apiKeys: [benchKey] },
  header: ['X-Gravitee-Api-Key', benchKey],
};

function subscription(path: string): object {
  return {
    id: `bench${path}`,
    api: path.slice(1),
    plan: `${path.slice(1)}-plan`,
    application: 'bench',
  };
}

function definition(name: string, dress: Dress, upstreamUrl: string): unknown {
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
        endpoints: [{ name: 'one', type: 'http-proxy', configuration: { target: `${upstreamUrl}/${name}` } }],
      },
    ],
    plans: {
      ...(dress.otherSecurity !== undefined && {
        other: { id: 'other', name: 'other', status: 'published', security: dress.otherSecurity },
      }),
      [`${name}-plan`]: {
        id: `${name}-plan`,
        name: 'plan',
        status: 'published',
        mode: 'standard',
        security: dress.security,
        flows: [],
      },
    },
    flows: dress.steps === undefined ? [] : [flowOf(dress.steps, dress.condition)],
    analytics: { enabled: dress.isRecorded },
  };
}

const flowOf = (steps: readonly object[], condition: string | undefined): unknown => ({
  name: 'flow',
  enabled: true,
  selectors: [
    { type: 'http', path: '/', pathOperator: 'STARTS_WITH' },
    ...(condition === undefined ? [] : [{ type: 'condition', condition }]),
  ],
  request: steps,
  response: [],
});

/** A limit that nobody reaches. */
export const memoryLimit = {
  name: 'limit',
  enabled: true,
  policy: 'rate-limit',
  configuration: { rate: { limit: 1_000_000_000, periodTime: 1, periodTimeUnit: 'MINUTES' } },
};

/** Headers that are set and removed. */
export const headers = {
  name: 'headers',
  enabled: true,
  policy: 'transform-headers',
  configuration: { addHeaders: [{ name: 'X-Bench', value: 'yes' }], removeHeaders: ['X-Secret'] },
};
