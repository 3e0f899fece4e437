import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { eventually } from '../eventually.ts';
import { createManagementClient, type ManagementClient } from '../control-plane/management-client.ts';
import { descendantsOf, startIsthmus, type HouseProcess } from './processes.ts';
import { tempDir } from '../temp-dir.ts';

/** A platform as `npm start` runs it. */
export interface Platform {
  readonly dir: string;
  readonly gateway: string;
  readonly management: string;
  readonly bridge: string;
  /** The gateway's node API. */
  readonly nodeApi: string;
  /** The node APIs of the others, by process. */
  readonly nodes: Readonly<Record<'control-plane' | 'bridge' | 'shipper', string>>;
  /** Key of the demo API /demo/orders, which is printed once. */
  readonly ordersKey: string;
  readonly portOffset: number;
  readonly process: HouseProcess;
  /** Of the gateway's process. */
  readonly gatewayPid: number;
  readonly client: ManagementClient;
}

/** The admin's password in every test platform. */
export const adminPassword = 'correct-horse-battery';

/** Starts `isthmus up` on free ports in a fresh folder (or the given one) and waits until it says that it is ready. */
export async function startPlatform(
  t: Pick<TestContext, 'after'>,
  options: {
    readonly dir?: string;
    readonly portOffset?: number;
    /** More of the command line. */
    readonly args?: readonly string[];
    /** More of the environment. */
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<Platform> {
  const dir = options.dir ?? tempDir(t, 'isthmus-up');
  const portOffset = options.portOffset ?? freePortOffset();
  const args = ['--data-dir', dir, '--port-offset', String(portOffset), ...(options.args ?? [])];
  const child = startIsthmus(t, ['up', ...args], {
    env: { ISTHMUS_ADMIN_PASSWORD: adminPassword, ...options.env },
  });
  const addresses = await eventually(
    () => {
      if (!child.isRunning()) throw new Error(`isthmus up ended:\n${child.output()}`);
      return (
        /ready/i.test(child.stdout()) &&
        (JSON.parse(readFileSync(join(dir, 'addresses.json'), 'utf8')) as Record<string, string>)
      );
    },
    { timeoutMs: 60_000 },
  );
  const ordersKey = /X-Gravitee-Api-Key: ([^\s'"]+)/i.exec(child.stdout())?.[1] ?? '';
  const { gateway = '', management = '', bridge = '', gatewayNode: nodeApi = '' } = addresses;
  return {
    dir,
    gateway,
    management,
    bridge,
    nodeApi,
    nodes: {
      'control-plane': addresses['controlPlaneNode'] ?? '',
      bridge: addresses['bridgeNode'] ?? '',
      shipper: addresses['shipperNode'] ?? '',
    },
    ordersKey,
    portOffset,
    process: child,
    gatewayPid: descendantsOf(child.pid).find(isGateway) ?? 0,
    client: createManagementClient(management, adminPassword),
  };
}

/** An offset below the range that the kernel hands out for outgoing connections, and rarely the same in two test processes. */
export function freePortOffset(): number {
  return 1_000 + Math.floor(Math.random() * 12_000);
}

function isGateway(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('gateway-main');
}
