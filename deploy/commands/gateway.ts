import type { Command } from 'commander';
import type { RunningGateway } from '../../data-plane/start.ts';
import { type GatewayConfig, gatewayConfigSchema, secretParametersOf } from '../../data-plane/config.ts';
import { OwnDoors } from '../../proto/process/outbound/own-doors.ts';
import { holdFolder } from '../../proto/process/disk/folder-hold.ts';
import { createCommand, loadFor, splitPair, withConfig, type ConfigFlags } from '../command.ts';
import { hasSetting, namesSetting } from '../../proto/process/settings.ts';
import { createLifecycle, type Lifecycle } from '../../proto/process/lifecycle.ts';
import { closeMsMax, runProcess, type ProcessParts } from '../run-process.ts';
import { say } from '../terminal.ts';

type Flags = ConfigFlags & { readonly withShipper?: true; readonly local?: string };

/** `isthmus gateway`. */
export function gatewayCommand(onExit: (code: number) => void): Command {
  const command = createCommand({
    name: 'gateway',
    summary: 'Runs a gateway: enrolled at a bridge, or alone from a folder of definitions.',
    examples: [
      'isthmus gateway --local ./apis                          # files, no control plane',
      'isthmus gateway --with-shipper --config isthmus.yaml    # after isthmus enroll',
      'isthmus gateway --data-dir /var/lib/isthmus-gateway --set listen.port=80',
      'isthmus gateway --local ./apis --set workers=auto       # a process per core on one port',
      'HTTPS_PROXY=http://user:password@proxy:3128 isthmus gateway --with-shipper',
    ],
  });
  return withConfig(command)
    .option(
      '--with-shipper',
      'carry its records upstream in the same process; --set shipper.x=1 sets x of it where both have one',
    )
    .option('--local <folder>', 'serve the definitions in this folder; a saved file is live within a second')
    .action(async (flags: Flags) => {
      const { set = [] } = flags;
      const sets = flags.withShipper === true ? await setsOfBoth(set) : { gateway: set, shipper: [] };
      const ofGateway = { ...flags, set: sets.gateway };
      const read = () =>
        loadFor(gatewayConfigSchema, { process: 'gateway', flags: ofGateway, more: { local: flags.local } })
          .config;
      const config = read();
      const ofShipper = { ...flags, set: sets.shipper };
      const shipper = flags.withShipper === true ? await loadShipper(ofShipper, config) : undefined;
      const secretParameters = secretParametersOf(config);
      const reload = { settings: config, read };
      const wish = { name: 'gateway', level: config.log.level, secretParameters, reload };
      const code = await runProcess(wish, async (parts) => {
        await (await import('../../data-plane/load.ts')).loadRooms();
        const { startGateway } = await import('../../data-plane/start.ts');
        const obey = listenToSignals();
        holdFolder(config.dataDir, 'gateway', parts);
        if (shipper !== undefined) holdFolder(shipper.dataDir, 'shipper', parts);
        let shipRest = async (): Promise<void> => undefined;
        const lifecycle = shipper === undefined ? parts.lifecycle : ofGatewayBefore(parts, () => shipRest());
        const doors = new OwnDoors(shipper === undefined ? [] : [shipper.admin.port]);
        const gateway = await startGateway({ ...parts, lifecycle, config, doors });
        obey(gateway);
        say(`gateway listening on ${portWords(config, gateway)}, node API on port ${gateway.adminPort}`);
        if (shipper === undefined) return;
        const { startShipper, shipRestMsMax } = await import('../../shipper/start.ts');
        const running = await startShipper({ ...parts, config: shipper, adminSetting: 'shipper.admin' });
        doors.add(running.adminPort);
        shipRest = () => running.drain(shipRestMsMax);
        say(`shipper running, node API on port ${running.adminPort}`);
      });
      onExit(code);
    });
}

/**
 * A life-cycle for the gateway alone, which ends first: what it records until its last answer is shipped before the shipper beside it
 * closes, so that nothing waits on a machine that may not start again.
 */
function ofGatewayBefore({ log, clock, lifecycle }: ProcessParts, rest: () => Promise<void>): Lifecycle {
  const own = createLifecycle({ log, clock, closeMsMax, onFailed: () => void lifecycle.end(1) });
  lifecycle.beforeClose('gateway', async (asked) => {
    await own.close(asked);
    await rest();
  });
  lifecycle.onReload('gateway', async () => (await own.reload(), true));
  // A part of it that has failed closes it: then everything ends.
  own.signal.addEventListener('abort', () => void lifecycle.close());
  return own;
}

/**
 * Of two processes in one: `shipper.x=1` is x of the shipper, and so is what only a shipper has. Everything else is the gateway's; the way
 * out (`outbound`) is that of both, unless the shipper is told its own.
 */
export async function setsOfBoth(
  set: readonly string[],
): Promise<Readonly<Record<'gateway' | 'shipper', readonly string[]>>> {
  const { shipperConfigSchema } = await import('../../shipper/config.ts');
  const prefix = 'shipper.';
  const told = set.filter((each) => each.startsWith(prefix)).map((each) => each.slice(prefix.length));
  const rest = set.filter((each) => !each.startsWith(prefix));
  const isShippers = (each: string): boolean => {
    const [path] = splitPair(each);
    // Whoever names it comes before whoever would take it for a part of a value: `tenant` is the gateway's, `tenant.fleet` the shipper's.
    if (namesSetting(gatewayConfigSchema, path)) return false;
    if (namesSetting(shipperConfigSchema, path)) return true;
    return !hasSetting(gatewayConfigSchema, path) && hasSetting(shipperConfigSchema, path);
  };
  return {
    gateway: rest.filter((each) => !isShippers(each)),
    shipper: [...rest.filter((each) => isShippers(each) || each.startsWith('outbound.')), ...told],
  };
}

/** The shipper's data folder is the gateway's: it reads the spool and the identity there; it dials the bridge that the gateway dials unless told. */
async function loadShipper(flags: Flags, { dataDir, bridge }: Pick<GatewayConfig, 'dataDir' | 'bridge'>) {
  const { shipperConfigSchema } = await import('../../shipper/config.ts');
  const load = (more: Readonly<Record<string, unknown>>) =>
    loadFor(shipperConfigSchema, { process: 'shipper', flags, more: { dataDir, ...more } }).config;
  const own = load({});
  return own.bridge.url === undefined ? load({ 'bridge.url': bridge.url }) : own;
}

/** `port 8082`, or each server's by its id. */
function portWords({ servers }: Pick<GatewayConfig, 'servers'>, { port, ports }: RunningGateway): string {
  if (servers.length === 0) return `port ${port}`;
  return `ports ${[...ports].map(([id, at]) => `${at} (${id})`).join(', ')}`;
}

/**
 * SIGUSR2 replaces the workers. Listened to from before the start, since a signal that nobody listens to ends the process; what comes
 * before there is a gateway needs nothing, as it starts with what is there.
 */
function listenToSignals(): (gateway: RunningGateway) => void {
  let gateway: RunningGateway | undefined;
  process.on('SIGUSR2', () => void gateway?.replaceWorkers());
  return (running) => void (gateway = running);
}
