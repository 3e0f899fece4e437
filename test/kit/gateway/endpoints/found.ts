import type { TestContext } from 'node:test';

import { eventually } from '../../eventually.ts';
import type { ConsulServer, Registered } from '../../servers/consul.ts';
import type { CheckedBackend } from './checked.ts';
import { apiDefinition, type LocalGateway, startLocalGateway } from '../gateway.ts';

/** How a gateway of a test finds endpoints: as quickly as it can. */
export const quickly = (more: object = {}, dns: object = {}) => ({
  discovery: {
    everyMsMin: 1,
    retryMsMax: 20,
    dns: { ttlMsMin: 1, ttlMsMax: 60_000, answerMsMax: 200, ...dns },
    ...more,
  },
});

/** A group that Consul is asked for. */
export const byConsul = (consul: Pick<ConsulServer, 'url'>, more: object = {}) => ({
  services: {
    discovery: {
      enabled: true,
      type: 'consul-service-discovery',
      configuration: { url: consul.url, service: 'web', ...more },
    },
  },
});

/** A group that DNS is asked for. */
export const byDns = (configuration: object) => ({
  services: { discovery: { enabled: true, type: 'dns-service-discovery', configuration } },
});

/** A definition with one group. */
export const grouped = (id: string, group: object, more: object = {}) =>
  apiDefinition(id, '', {
    endpointGroups: [{ name: 'default', type: 'http-proxy', endpoints: [], ...group }],
    ...more,
  });

/** A backend as an instance of a service. */
export const instanceOf = ({ name, url }: CheckedBackend, more: Partial<Registered> = {}): Registered => ({
  id: name,
  address: '127.0.0.1',
  port: Number(new URL(url).port),
  ...more,
});

/** A gateway that finds endpoints. */
export interface FindingGateway extends LocalGateway {
  /** Resolves when these backends and no others are found by requests to `/api`; the names that so many requests found, in order. */
  meets(names: string, path?: string): Promise<readonly string[]>;
  /** Groups as the node API shows them. */
  shown(): Promise<readonly Shown[]>;
  /** Resolves with what it says once something went wrong. */
  problem(): Promise<string>;
}

/** A group as the node API shows it. */
export interface Shown {
  readonly api: string;
  readonly group: string;
  readonly type: string;
  readonly asked: string;
  readonly endpoints?: readonly {
    readonly name: string;
    readonly target: string;
    readonly weight: number;
    readonly secondary: boolean;
    readonly tenants: readonly string[];
  }[];
  readonly answeredAt?: string;
  readonly problem?: string;
}

/** Starts one. */
export async function startFindingGateway(
  t: Pick<TestContext, 'after'>,
  apis: Readonly<Record<string, object>>,
  config: Readonly<Record<string, unknown>> = quickly(),
): Promise<FindingGateway> {
  const gateway = await startLocalGateway(t, { apis, config });
  const shown = async (): Promise<readonly Shown[]> => {
    const answer = await fetch(`${gateway.nodeApi}/discovery`);
    return ((await answer.json()) as { readonly data: readonly Shown[] }).data;
  };
  return {
    ...gateway,
    shown,
    async meets(names, path = '/api') {
      let met: string[] = [];
      await eventually(async () => {
        met = [];
        for (let count = 0; count < 8; count += 1) {
          const { status, text } = await gateway.call(path);
          met.push(status === 200 ? text : String(status));
        }
        const said = [...new Set(met)].toSorted().join(' ');
        if (said !== names) throw new Error(`${said} instead of ${names}`);
        return true;
      });
      return met;
    },
    problem: () => eventually(async () => (await shown())[0]?.problem ?? ''),
  };
}
