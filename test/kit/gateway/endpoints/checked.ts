import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

import { eventually } from '../../eventually.ts';
import { createFakeClock, type FakeClock } from '../../fake-clock.ts';
import { type LocalGateway, startLocalGateway } from '../gateway.ts';

/** A backend whose answers to checks can be chosen. */
export interface CheckedBackend {
  readonly url: string;
  readonly name: string;
  /** Where it sends those who ask for anything else; undefined answers them. */
  redirectTo: string | undefined;
  /** What `/health` answers; `hang` does not. */
  health: number | 'hang';
  /** What checks are answered; as JSON the name unless it is set. */
  answer: string;
  /** Checks so far, newest last. */
  readonly checks: readonly {
    readonly line: string;
    readonly headers: IncomingMessage['headers'];
    readonly body: string;
  }[];
  /** Checks that are not answered. */
  hanging(): number;
}

/** Starts one; every path that begins with `/health` is a check, all others answer its name. */
export async function startCheckedBackend(
  t: Pick<TestContext, 'after'>,
  name: string,
  at: { readonly host?: string; readonly port?: number } = {},
): Promise<CheckedBackend> {
  const checks: CheckedBackend['checks'][number][] = [];
  let hanging = 0;
  const redirectTo = undefined as string | undefined;
  const backend = {
    name,
    redirectTo,
    health: 200 as CheckedBackend['health'],
    checks,
    url: '',
    answer: `{"of":"${name}"}`,
    hanging: () => hanging,
  };
  const server = createServer((incoming, answer) => {
    const { url = '', method = '' } = incoming;
    if (!url.startsWith('/health')) {
      if (backend.redirectTo !== undefined) answer.writeHead(302, { location: backend.redirectTo });
      return void answer.end(name);
    }
    let body = '';
    incoming.on('data', (piece: Buffer) => (body += String(piece)));
    incoming.on('end', () => {
      checks.push({ line: `${method} ${url}`, headers: incoming.headers, body });
      if (backend.health !== 'hang') return void answer.writeHead(backend.health).end(backend.answer);
      hanging += 1;
      answer.once('close', () => (hanging -= 1));
    });
  });
  const { host = '127.0.0.1', port = 0 } = at;
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  t.after(() => server.close().closeAllConnections());
  backend.url = `http://${host}:${(server.address() as AddressInfo).port}`;
  return backend;
}

/** A gateway whose time stands still between its checks. */
export interface CheckingGateway extends LocalGateway {
  readonly clock: FakeClock;
  /** States by name of endpoint. */
  states(): Promise<Readonly<Record<string, string>>>;
  /** One second passes; resolves when these backends have been asked, every check has ended, and the states are these. */
  tick(asked: readonly CheckedBackend[], states: string): Promise<void>;
  /** Names of the backends that so many requests found, or statuses. */
  found(path: string, count: number): Promise<string>;
}

interface Shown {
  readonly endpoint: string;
  readonly state: string;
  readonly checkedAt?: string;
}

/** Starts one; checks are on time unless the settings say otherwise. */
export async function startCheckingGateway(
  t: Pick<TestContext, 'after'>,
  apis: Readonly<Record<string, object | string>>,
  config: Readonly<Record<string, unknown>> = {},
): Promise<CheckingGateway> {
  const clock = createFakeClock();
  const healthCheck = { jitterMsMax: 0, ...(config['healthCheck'] as object | undefined) };
  const gateway = await startLocalGateway(t, { apis, clock, config: { ...config, healthCheck } });
  const shown = async (): Promise<readonly Shown[]> => {
    const answer = await fetch(`${gateway.nodeApi}/endpoints`);
    return ((await answer.json()) as { readonly data: readonly Shown[] }).data;
  };
  const states = async (): Promise<Record<string, string>> =>
    Object.fromEntries((await shown()).map(({ endpoint, state }) => [endpoint, state]));
  return {
    ...gateway,
    clock,
    states,
    async tick(asked, expected) {
      const before = asked.map(({ checks }) => checks.length);
      await clock.advance(1_000);
      await eventually(() => asked.every(({ checks }, at) => checks.length > (before[at] ?? 0)));
      await eventually(async () => {
        const all = await shown();
        const said = Object.entries(await states())
          .map(([endpoint, state]) => `${endpoint} ${state}`)
          .join(', ');
        if (said !== expected) throw new Error(said);
        // Whoever is still at it leaves the next check out.
        return all.every(({ checkedAt = '' }) => Date.parse(checkedAt) > clock.now() - 1_000);
      });
    },
    async found(path, count) {
      const names: string[] = [];
      for (let at = 0; at < count; at += 1) {
        const { status, text } = await gateway.call(path);
        names.push(status === 200 ? text : String(status));
      }
      return names.join(' ');
    },
  };
}

/** A health check that is due every second. */
export const everySecond = (more: object = {}) => ({
  healthCheck: {
    enabled: true,
    type: 'http-health-check',
    configuration: { schedule: '*/1 * * * * *', target: '/health', ...more },
  },
});

/** Endpoints of backends, by their names; `more` by name changes one. */
export const endpointsOf = (
  backends: readonly CheckedBackend[],
  more: Readonly<Record<string, object>> = {},
) =>
  backends.map(({ name, url }) => ({
    name,
    type: 'http-proxy',
    configuration: { target: url },
    ...more[name],
  }));

/** Backends of these names. */
export const startCheckedBackends = (
  t: Pick<TestContext, 'after'>,
  names: string,
): Promise<readonly CheckedBackend[]> =>
  Promise.all(names.split('').map((name) => startCheckedBackend(t, name)));

/** A group of endpoints, as a part of a definition. */
export const groupOf = (endpoints: readonly object[], more: object = {}) => ({
  endpointGroups: [{ name: 'default', type: 'http-proxy', endpoints, ...more }],
});
