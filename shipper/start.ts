import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { Fault } from '../proto/faults/fault.ts';
import type { Clock } from '../proto/process/clock.ts';
import type { Lifecycle } from '../proto/process/lifecycle.ts';
import type { Log } from '../proto/process/log.ts';
import type { Metrics } from '../proto/process/metrics.ts';
import { createOutbound, toOutboundOptions } from '../proto/process/outbound.ts';
import { openKeyring } from '../proto/process/secrets.ts';
import { gatewayFolders } from '../proto/spool/folder.ts';
import { loadIdentity, type EnrolledIdentity } from '../proto/trust/identity.ts';
import type { ShipperConfig } from './config.ts';
import { createSpoolInput } from './inputs/spool.ts';
import { openIntents } from './intents.ts';
import { createBridgeOutput } from './outputs/bridge.ts';
import { createFolderOutput } from './outputs/folder.ts';
import { createS3Output } from './outputs/s3.ts';
import { createMeters, shipAll } from './shipment.ts';
import type { Output } from './topology.ts';

/** What a shipper is started with. */
export interface ShipperOptions {
  readonly config: Readonly<ShipperConfig>;
  readonly log: Log;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
}

/** A running shipper; it stops with its life-cycle. */
export interface RunningShipper {
  /** Of the node API; 0 when it has none. */
  readonly adminPort: number;
}

/**
 * Starts shipping what the gateway beside it records.
 *
 * With the bridge as output it waits until the gateway has enrolled: both may be started at once.
 * Errors: process.port_taken for the node API.
 */
export async function startShipper(options: ShipperOptions): Promise<RunningShipper> {
  const { config, lifecycle, metrics, clock } = options;
  const meters = createMeters(metrics);
  const state = { isReady: false };
  const adminPort = await startAdmin(options, () => ({
    status: state.isReady ? 'UP' : 'WAITING',
    output: config.output,
  }));
  const stop = new AbortController();
  const signal = AbortSignal.any([lifecycle.signal, stop.signal]);
  const run = async (): Promise<void> => {
    const identity = await waitForIdentity(options, signal);
    if (signal.aborted) return;
    const { spools, checkpoints } = gatewayFolders(config.dataDir);
    mkdirSync(checkpoints, { recursive: true });
    const output = createOutput(options, identity);
    state.isReady = true;
    try {
      await shipAll({
        input: createSpoolInput({ dir: spools, checkpointDir: checkpoints }),
        filters: [],
        output,
        intents: openIntents(join(config.dataDir, 'shipper')),
        identity: { fleet: identity?.fleet ?? config.tenant.fleet, gateway: identity?.gateway },
        bounds: {
          batchBytesMax: config.batch.bytesMax,
          batchMsMax: config.batch.msMax,
          pollMs: config.pollMs,
          discoverMs: config.discoverMs,
          retryMsMin: config.retry.msMin,
          retryMsMax: config.retry.msMax,
        },
        log: options.log,
        clock,
        meters,
        signal,
      });
    } finally {
      await output.close();
    }
  };
  const done = run();
  lifecycle.task('shipper', done);
  lifecycle.onClose('shipper', async () => {
    stop.abort();
    await done.catch(() => undefined);
  });
  return { adminPort };
}

function createOutput({ config, clock }: ShipperOptions, identity: EnrolledIdentity | undefined): Output {
  switch (config.output) {
    case 'folder':
      return createFolderOutput(config.folder.dir);
    case 's3':
      return createS3Output(config.s3, config.timeoutMs);
    case 'bridge': {
      if (identity === undefined)
        throw new Fault('config.invalid', { internal: 'the bridge needs an identity' });
      const outbound = toOutboundOptions(config.outbound, 'private');
      return createBridgeOutput({
        // The operator pasted the token that names the bridge: that is leave enough to call it wherever it is.
        outbound: createOutbound({ ...outbound, allow: [...outbound.allow, identity.bridge] }),
        identity,
        clock,
        timeoutMs: config.timeoutMs,
      });
    }
  }
}

async function waitForIdentity(
  { config, log, clock }: ShipperOptions,
  signal: AbortSignal,
): Promise<EnrolledIdentity | undefined> {
  const keyring = (): ReturnType<typeof openKeyring> => openKeyring({ dir: join(config.dataDir, 'secrets') });
  // The ring is only opened once there is something to open: the gateway makes it, and its folder, at its first start.
  for (let isSaid = false; !signal.aborted;) {
    const lazily = {
      seal: (plain: Uint8Array, context: string) => keyring().seal(plain, context),
      open: (sealed: Uint8Array, context: string) => keyring().open(sealed, context),
    };
    const identity = loadIdentity(config.dataDir, lazily);
    if (identity !== undefined || config.output !== 'bridge') return identity;
    if (!isSaid) log.info({ dataDir: config.dataDir }, 'waiting for the gateway to enrol');
    isSaid = true;
    await clock.delay(config.discoverMs, signal);
  }
  return undefined;
}

async function startAdmin(
  { config, lifecycle, metrics }: ShipperOptions,
  health: () => { readonly status: string; readonly output: string },
): Promise<number> {
  const app = new Hono();
  app.get('/health', (context) => context.json(health()));
  app.get('/metrics', async (context) =>
    context.body(await metrics.text(), 200, { 'content-type': metrics.contentType }),
  );
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = serve(
    { fetch: app.fetch, hostname: config.admin.host, port: config.admin.port },
    (address) => resolve(address.port),
  );
  server.on('error', (error: NodeJS.ErrnoException) =>
    reject(
      error.code === 'EADDRINUSE'
        ? new Fault('process.port_taken', { detail: `Port ${config.admin.port} is in use.`, cause: error })
        : error,
    ),
  );
  const port = await promise;
  lifecycle.onClose('shipper node API', () => new Promise((closed) => void server.close(() => closed())));
  return port;
}
