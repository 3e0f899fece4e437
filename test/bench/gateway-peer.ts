import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../kit/processes.ts';
import { pinned, proxyCpu, ready, type Peer } from './peers.ts';

/** Which of the gateway's duties a bench asks for. */
export interface GatewayWish {
  readonly name: string;
  readonly upstream: Peer;
  /** Write an access record per request. */
  readonly hasRecord: boolean;
  /** API key, rate limit in memory and a header transform. */
  readonly hasPolicies: boolean;
  /** Other APIs deployed beside the measured one. */
  readonly otherApis?: number;
}

/** The key that the measured API asks for when it has policies. */
export const benchKey = 'bench-key-0123456789abcdef';

/** Starts `isthmus gateway --local` on the proxies' core with one API at /small. */
export async function startGatewayPeer(wish: GatewayWish): Promise<Peer> {
  const dir = mkdtempSync(join(tmpdir(), 'isthmus-bench-gateway-'));
  const apis = join(dir, 'apis');
  mkdirSync(apis);
  writeFileSync(join(apis, 'small.json'), JSON.stringify(definition('small', wish)));
  for (let n = 0; n < (wish.otherApis ?? 0); n += 1)
    writeFileSync(join(apis, `other-${n}.json`), JSON.stringify(definition(`other-${n}`, wish)));
  if (wish.hasPolicies) {
    const subscription = {
      id: 'bench',
      api: 'small',
      plan: 'small-plan',
      application: 'bench',
      apiKeys: [benchKey],
    };
    writeFileSync(join(apis, 'isthmus.json'), JSON.stringify({ subscriptions: [subscription] }));
  }
  const port = await freePort();
  const script = join(import.meta.dirname, '../../deploy/isthmus.js');
  const child = pinned(proxyCpu, [process.execPath, script, 'gateway', '--local', apis], {
    ISTHMUS_DATA_DIR: join(dir, 'data'),
    ISTHMUS_GATEWAY__LISTEN__PORT: String(port),
    ISTHMUS_GATEWAY__ADMIN__PORT: '0',
    ISTHMUS_GATEWAY__REPORT__ENABLED: String(wish.hasRecord),
  });
  return ready({
    name: wish.name,
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? -1,
    stop: () => void child.kill('SIGKILL'),
  });
}

function definition(name: string, wish: GatewayWish): unknown {
  const flow = {
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
          { name: 'one', type: 'http-proxy', configuration: { target: `${wish.upstream.url}/small` } },
        ],
      },
    ],
    plans: {
      [`${name}-plan`]: {
        id: `${name}-plan`,
        name: 'plan',
        status: 'published',
        mode: 'standard',
        security: { type: wish.hasPolicies ? 'API_KEY' : 'KEY_LESS' },
        flows: [],
      },
    },
    flows: wish.hasPolicies ? [flow] : [],
    analytics: { enabled: wish.hasRecord },
  };
}
