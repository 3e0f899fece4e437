import { randomBytes } from 'node:crypto';
import { Fault } from '../proto/faults/fault.ts';
import type { Clock } from '../proto/process/clock.ts';
import type { Lifecycle } from '../proto/process/lifecycle.ts';
import type { Log } from '../proto/process/log.ts';
import type { Metrics } from '../proto/process/metrics.ts';
import { startNodeApi } from '../proto/process/node-api.ts';
import { foldersOf } from '../proto/process/data-folder.ts';
import { createOutbound, createTlsReload, toOutboundOptions } from '../proto/process/outbound/outbound.ts';
import { isPlainBeyondLoopback } from '../proto/process/plain-http.ts';
import { createLazyKeyring } from '../proto/process/secrets.ts';
import { loadIdentity, type EnrolledIdentity } from '../proto/trust/identity.ts';
import { ticketFile } from '../proto/trust/seat-file.ts';
import { createBacklog, type BacklogWatch } from './backlog.ts';
import type { BorderTrouble } from '../proto/trust/border.ts';
import { Condition } from './condition.ts';
import type { ShipperConfig } from './config.ts';
import { makeFolder } from './own-folder.ts';
import { createSpoolInput } from './inputs/spool.ts';
import { createBridgeOutput } from './outputs/bridge.ts';
import { createFolderOutput } from './outputs/folder.ts';
import { ofOwnBucket, openS3Output, requireOutput } from './outputs/of-s3.ts';
import { openParcels } from './parcels.ts';
import { openQuarantine } from './quarantine.ts';
import { createMeters, shipAll, type ShipmentOptions } from './shipment.ts';
import type { Output } from './topology.ts';
import { WireSize } from './wire-size.ts';

/** What a shipper is started with. */
export interface ShipperOptions {
  readonly config: Readonly<ShipperConfig>;
  readonly log: Log;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  /** This program's version. */
  readonly version: string;
  /** What its settings call `admin` where they stand among others', e.g. `shipper.admin`. Default: `admin`. */
  readonly adminSetting?: string | undefined;
}

/** Longest time for the last records to arrive when a gateway ends and its shipper with it; what is left stays in the spool. */
export const shipRestMsMax = 5_000;

/** A running shipper; it stops with its life-cycle. */
export interface RunningShipper {
  /** Of the node API. */
  readonly adminPort: number;
  /**
   * Ships what lies in the spools at once, without waiting for a batch to fill, and resolves when nothing waits or after `msMax`. For an
   * end after which nobody ships for a while; nothing is lost without it.
   */
  drain(msMax: number): Promise<void>;
}

/**
 * Starts shipping what the gateway beside it records.
 *
 * With the bridge as output it waits until the gateway has enrolled: both may be started at once.
 * Errors: process.port_taken, process.port_refused for the node API; config.invalid for an output that is not installed.
 */
export async function startShipper(options: ShipperOptions): Promise<RunningShipper> {
  const { config, lifecycle, metrics, clock, log } = options;
  // Before anything listens: what is not installed is a wrong setting.
  await requireOutput(config.output);
  const { spools, checkpoints } = foldersOf(config.dataDir);
  const backlog = createBacklog({ dir: spools, checkpointDir: checkpoints, clock, metrics });
  const returned = async (awayMs: number): Promise<void> => {
    // Before any of them counts as arrived.
    const records = await backlog.records().catch(() => undefined);
    log.info(
      { records, awaySeconds: Math.round(awayMs / 1_000) },
      'the far end takes records again; these wait',
    );
  };
  const condition = new Condition({
    clock,
    metrics,
    log,
    stuckMsMax: config.stuckMsMax,
    onReturn: returned,
  });
  const instance = `shipper-${randomBytes(16).toString('hex')}`;
  const adminPort = await startNode(options, { condition, backlog, instance });
  const pace = { isHurried: false };
  const stop = new AbortController();
  const signal = AbortSignal.any([lifecycle.signal, stop.signal]);
  const run = async (): Promise<void> => {
    const identity = await waitForIdentity(options, condition, signal);
    if (signal.aborted) return;
    const output = await createOutput(options, identity, instance);
    lifecycle.task('look at the bucket', untilThere(output, options, { condition, signal }));
    try {
      await shipAll(shipmentOf(options, { identity, output, condition, pace, signal }));
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
  return {
    adminPort,
    async drain(msMax) {
      pace.isHurried = true;
      const deadlineMs = clock.monotonicMs() + msMax;
      // Without an identity nobody takes anything, however long it waits.
      while (
        condition.isReady &&
        !(await backlog.isEmpty()) &&
        clock.monotonicMs() < deadlineMs &&
        !signal.aborted
      )
        await clock.delay(drainPollMs, signal);
    },
  };
}

/**
 * Asks a bucket of our own at the start whether it is there, and again until it is or has taken something: until there is something to send,
 * nobody else would hear that it is not.
 */
async function untilThere(
  output: Output,
  { config, clock, log }: ShipperOptions,
  { condition, signal }: { readonly condition: Condition; readonly signal: AbortSignal },
): Promise<void> {
  let said: string | undefined;
  while (!signal.aborted && condition.facts().lastDelivery === undefined) {
    const missing = await output.look?.(signal);
    if (signal.aborted || (missing === undefined && said === undefined)) return;
    await condition.looked({ isConnected: missing === undefined, trouble: missing?.trouble });
    if (missing === undefined) return;
    const { reason } = missing;
    if (said !== reason) log.warn({ output: output.name, reason }, 'the bucket takes nothing yet');
    said = reason;
    await clock.delay(config.retry.msMax, signal);
  }
}

/** Its health is 200 whatever stands in it: a restart mends nothing of that, and an orchestrator would make one of anything else. */
function startNode(
  options: ShipperOptions,
  {
    condition,
    backlog,
    instance,
  }: { readonly condition: Condition; readonly backlog: BacklogWatch; readonly instance: string },
): Promise<number> {
  const { config, clock, lifecycle } = options;
  const watch = async (): Promise<void> => {
    while (!lifecycle.signal.aborted) {
      await backlog.measure();
      await clock.delay(backlogEveryMs, lifecycle.signal);
    }
  };
  lifecycle.task('backlog', watch());
  return startNodeApi({
    ...options,
    process: 'shipper',
    address: config.admin,
    setting: options.adminSetting,
    health: async () => ({
      degraded: [
        ...(condition.isStuck ? ['deliveries'] : []),
        ...(condition.trouble === undefined ? [] : [farEndOf(condition.trouble)]),
      ],
      facts: {
        output: config.output,
        ...(config.output === 'bridge' && { instance }),
        ...condition.facts(),
        backlog: await backlog.measure(),
      },
    }),
    ready: () => {
      const { waitsFor, trouble } = condition.facts();
      return {
        parts: { identity: condition.isReady },
        facts: { ...(waitsFor !== undefined && { waitsFor }), ...(trouble !== undefined && { trouble }) },
      };
    },
  });
}

const farEndOf = ({ code }: BorderTrouble): string => (code.startsWith('blobs.') ? 'bucket' : 'bridge');

/** How often the gauges of the backlog follow the disk. */
const backlogEveryMs = 5_000;
const drainPollMs = 20;

/** Opens the folders and puts the nodes together. */
function shipmentOf(
  { config, log, clock, metrics }: ShipperOptions,
  parts: Pick<ShipmentOptions, 'output' | 'condition' | 'pace' | 'signal'> & {
    readonly identity: EnrolledIdentity | undefined;
  },
): ShipmentOptions {
  const { identity, condition } = parts;
  const meters = createMeters(metrics);
  const damaged = (file: string, reason: string): void => {
    log.error({ file, reason }, 'a damaged file was moved aside; what it said is made again');
    condition.setAside(file, reason);
  };
  const { shipper: own, shipperQuarantine: quarantineDir, spools, checkpoints } = foldersOf(config.dataDir);
  for (const dir of [own, quarantineDir]) {
    const inTheWay = makeFolder(dir);
    if (inTheWay !== undefined) damaged(inTheWay, 'a file stood in place of a folder');
  }
  const quarantine = openQuarantine(quarantineDir, config.quarantine.bytesMax);
  const input = createSpoolInput({ dir: spools, checkpointDir: checkpoints, quarantine, damaged });
  const parcels = openParcels({ dir: own, quarantine, damaged });
  condition.ready(() => quarantine.content());
  const { batch, retry, pollEveryMs, discoverEveryMs } = config;
  return {
    ...parts,
    input,
    filters: [],
    parcels,
    quarantine,
    size: new WireSize({ clock, bytesMax: batch.wireBytesMax, growEveryMs: batch.growEveryMs }),
    identity: { fleet: identity?.fleet ?? config.tenant.fleet, gateway: identity?.gateway },
    bounds: {
      batchBytesMax: batch.bytesMax,
      batchMsMax: batch.msMax,
      pollEveryMs,
      discoverEveryMs,
      retryMsMin: retry.msMin,
      retryMsMax: retry.msMax,
    },
    log,
    clock,
    meters,
  };
}

async function createOutput(
  { config, clock, log, lifecycle }: ShipperOptions,
  identity: EnrolledIdentity | undefined,
  instance: string,
): Promise<Output> {
  switch (config.output) {
    case 'folder':
      return ofOwnBucket(createFolderOutput(config.folder.dir), config, clock);
    case 's3':
      return openS3Output(config, clock);
    case 'bridge': {
      if (identity === undefined)
        throw new Fault('config.invalid', { internal: 'the bridge needs an identity' });
      const bridge = config.bridge.url ?? identity.bridge;
      if (isPlainBeyondLoopback(bridge))
        log.warn({ bridge }, 'the bridge is dialled over plain HTTP: records can be read on the way');
      const options = toOutboundOptions(config.outbound, 'private');
      // The operator pasted the token or wrote the setting that names the bridge: that is leave enough to call it wherever it is.
      const outbound = createOutbound({ ...options, allow: [...options.allow, bridge] });
      lifecycle.onReload('certificates of outbound calls', createTlsReload(outbound, config.outbound));
      return createBridgeOutput({
        outbound,
        identity: { ...identity, bridge },
        tickets: ticketFile(foldersOf(config.dataDir).shipperSeat),
        instance,
        clock,
        log,
        timeoutMs: config.deliveryMsMax,
      });
    }
  }
}

async function waitForIdentity(
  { config, log, clock }: ShipperOptions,
  condition: Condition,
  signal: AbortSignal,
): Promise<EnrolledIdentity | undefined> {
  // Opened only once there is something to open; it is the gateway's, so the shipper never makes one.
  const keyring = createLazyKeyring(foldersOf(config.dataDir).secrets);
  for (let said = ''; !signal.aborted;) {
    let waitsFor = 'the gateway to enrol';
    try {
      const identity = loadIdentity(config.dataDir, keyring);
      if (identity !== undefined || config.output !== 'bridge') return identity;
    } catch (error) {
      // A human has to mend it; the records wait in the spool meanwhile.
      waitsFor = error instanceof Error ? error.message : String(error);
    }
    condition.waits(waitsFor);
    if (said !== waitsFor) log.info({ dataDir: config.dataDir }, `waiting for ${waitsFor}`);
    said = waitsFor;
    await clock.delay(config.discoverEveryMs, signal);
  }
  return undefined;
}
