import type { TestContext } from 'node:test';
import { bridgeConfigSchema } from '../../../bridge/config.ts';
import { startBridge } from '../../../bridge/start.ts';
import { controlPlaneConfigSchema } from '../../../control-plane/config.ts';
import { type ControlPlane, startControlPlane } from '../../../control-plane/start.ts';
import { gatewayConfigSchema } from '../../../data-plane/config.ts';
import { type RunningGateway, startGateway } from '../../../data-plane/start.ts';
import { systemClock } from '../../../proto/process/clock.ts';
import { createLifecycle } from '../../../proto/process/lifecycle.ts';
import { createLog } from '../../../proto/process/log.ts';
import { createMetrics } from '../../../proto/process/metrics.ts';
import { createManagementClient, type ManagementClient } from '../control-plane/management-client.ts';
import { tempDir } from '../temp-dir.ts';
import { adminPassword } from './up.ts';

/** Control plane and bridge in this process, and gateways as they are started. */
export interface Whole {
  readonly controlPlane: ControlPlane;
  readonly client: ManagementClient;
  /** Where gateways dial. */
  readonly bridge: { readonly url: string };
  /** The control plane's data folder. */
  readonly dir: string;
  /** What all of them logged, one JSON text per line. */
  readonly logged: readonly string[];
  /** Ends the bridge; what it gives back starts it again on the same port. */
  cutBorder(): Promise<() => Promise<unknown>>;
  /** Starts a gateway in a folder; with a token of the first fleet where it has not enrolled there yet. */
  startGateway(wish?: GatewayOfWhole): Promise<RunningGateway & { close(): Promise<void> }>;
}

/** What a test may choose of a gateway. */
export interface GatewayOfWhole {
  readonly dir?: string;
  /** Another bridge than the real one, e.g. a hostile one in front of it. */
  readonly bridgeUrl?: string;
  readonly isEnrolled?: boolean;
  readonly config?: object;
}

/** Starts control plane and bridge; all ends with the test. */
export async function startWhole(
  t: TestContext,
  given: { readonly databaseUrl?: string | undefined; readonly dir?: string } = {},
): Promise<Whole> {
  const logged: string[] = [];
  const destination = { write: (line: string) => void logged.push(line) };
  const log = createLog({ name: 'test', level: 'debug', destination });
  const begin = () => {
    const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 5_000 });
    t.after(() => lifecycle.close());
    return { log, clock: systemClock, lifecycle, metrics: createMetrics(), version: '0.0.0-test' };
  };
  const parts = begin();
  const dir = given.dir ?? tempDir(t);
  const { databaseUrl } = given;
  const controlPlane = await startControlPlane({
    ...parts,
    adminPassword,
    config: controlPlaneConfigSchema.parse({
      dataDir: dir,
      listen: { host: '127.0.0.1', port: 0 },
      admin: { port: 0 },
      ...(databaseUrl !== undefined && { database: { url: databaseUrl } }),
    }),
  });
  const { repository, blobs } = controlPlane;
  const open = (port: number) =>
    startBridge({
      ...parts,
      metrics: createMetrics(),
      config: bridgeConfigSchema.parse({ listen: { host: '127.0.0.1', port }, admin: { port: 0 } }),
      repository,
      blobs,
    });
  const bridge = await open(0);
  return {
    controlPlane,
    client: createManagementClient(controlPlane.url, adminPassword),
    bridge,
    dir,
    logged,
    async cutBorder() {
      await bridge.close();
      return () => open(bridge.port);
    },
    async startGateway({
      dir: dataDir = tempDir(t),
      bridgeUrl = bridge.url,
      isEnrolled = false,
      config,
    } = {}) {
      const own = begin();
      const token = isEnrolled ? undefined : await controlPlane.enrolmentToken(bridgeUrl);
      const gateway = await startGateway({
        ...own,
        config: gatewayConfigSchema.parse({
          dataDir,
          listen: { host: '127.0.0.1', port: 0 },
          admin: { port: 0 },
          bridge: { url: bridgeUrl, ...(token !== undefined && { token }) },
          report: { enabled: false },
          ...config,
        }),
      });
      return { ...gateway, close: () => own.lifecycle.close() };
    },
  };
}
