import { bridgeConfigSchema } from '../bridge/config.ts';
import { gatewayConfigSchema } from '../data-plane/config.ts';
import { serversOf } from '../data-plane/servers/settings.ts';
import { Fault, type FaultDetail } from '../proto/faults/fault.ts';
import { defaultDataDir, foldersOf } from '../proto/process/data-folder.ts';
import { bindOf, tryAddress, type ListenWish } from '../proto/process/listen.ts';
import type { LogLevel } from '../proto/process/log.ts';
import { isPlainBeyondLoopback } from '../proto/process/plain-http.ts';
import { nearest } from '../proto/faults/nearest.ts';
import { shipperConfigSchema } from '../shipper/config.ts';
import { loadFor, movedBy, splitPair, type ConfigFlags } from './command.ts';
import { controlPlaneProcessSchema, processNames, type ProcessName } from './processes.ts';

/** What `isthmus up` was told. */
export interface UpFlags extends ConfigFlags {
  readonly portOffset: number;
  readonly logLevel: LogLevel;
  /** Samples at the first start. */
  readonly samples?: true;
  /** `process.path=value`, e.g. `gateway.workers=2`. */
  readonly set: readonly string[];
}

/** The settings of all its parts. */
export type UpConfigs = ReturnType<typeof loadUpConfigs>;

/** Whom its gateway believes: on one machine, or in one network of containers, what is in front of it is ours. */
const trustedProxies = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::1/128',
  'fc00::/7',
];

/** Nobody balances load in front of it, and whoever tries it out waits for its end: long enough for who keeps a connection to be told. */
const upLameDuckMs = 500;

/** Age of the first line of a batch that is sent, unless the configuration says something else. */
const batchMsMax = 1_000;

/** Loads the configuration of every part: `up` moves the ports, chooses the folders, and is less patient. */
export function loadUpConfigs(flags: UpFlags) {
  const { portOffset } = flags;
  const moved = <Listen extends { readonly port: number }>(listen: Listen, setting: string): Listen =>
    movedBy(listen, { setting, portOffset });
  const sets = setsByProcess(flags.set);
  const wish = (process: ProcessName) => ({
    process,
    isSectioned: true,
    flags: { ...(flags.config !== undefined && { config: flags.config }), set: sets.get(process) ?? [] },
  });
  const loads = new Loads();
  const loadedControlPlane = loads.load(controlPlaneProcessSchema, {
    ...wish('control-plane'),
    more: { dataDir: flags.dataDir },
  });
  // The control plane's is the folder of them all; what cannot be read is refused below.
  const gatewayDir = foldersOf(loadedControlPlane?.config.dataDir ?? defaultDataDir).gatewayOfUp;
  const loadedBridge = loads.load(bridgeConfigSchema, wish('bridge'));
  const loadedGateway = loads.load(gatewayConfigSchema, {
    ...wish('gateway'),
    more: { dataDir: gatewayDir },
  });
  const loadedShipper = loads.load(shipperConfigSchema, {
    ...wish('shipper'),
    more: { dataDir: gatewayDir },
  });
  if (!loadedControlPlane || !loadedBridge || !loadedGateway || !loadedShipper) throw loads.refusal();
  const { config: controlPlane, sources: controlPlaneSources } = loadedControlPlane;
  const { config: bridge, sources: bridgeSources } = loadedBridge;
  const { config: gateway, sources: gatewaySources } = loadedGateway;
  const { config: shipper, sources } = loadedShipper;
  // Passwords pass here: over plain HTTP no further than this machine, unless somebody says so.
  const isLocal =
    controlPlaneSources.get('listen.host') === 'default' && controlPlane.listen.tls === undefined;
  const lameDuckOf = (
    { lameDuckMs }: { readonly lameDuckMs: number },
    from: { get(path: string): string | undefined },
  ): number => (from.get('lameDuckMs') === 'default' ? upLameDuckMs : lameDuckMs);
  const isTrusting = gatewaySources.get('listen.trustedProxies') === 'default';
  // On one machine an upload costs nothing, and whoever tries it out waits for the first figures.
  const isPatient = sources.get('batch.msMax') !== 'default';
  const batch = isPatient ? shipper.batch : { ...shipper.batch, msMax: batchMsMax };
  return {
    controlPlane: {
      ...controlPlane,
      lameDuckMs: lameDuckOf(controlPlane, controlPlaneSources),
      listen: {
        ...moved(controlPlane.listen, 'control-plane.listen'),
        ...(isLocal && { host: '127.0.0.1' }),
      },
      admin: moved(controlPlane.admin, 'control-plane.admin'),
    },
    bridge: {
      ...bridge,
      lameDuckMs: lameDuckOf(bridge, bridgeSources),
      listen: moved(bridge.listen, 'bridge.listen'),
      admin: moved(bridge.admin, 'bridge.admin'),
    },
    gateway: {
      ...gateway,
      lameDuckMs: lameDuckOf(gateway, gatewaySources),
      listen: { ...moved(gateway.listen, 'gateway.listen'), ...(isTrusting && { trustedProxies }) },
      servers: gateway.servers.map((server, index) => moved(server, `gateway.servers[${index}]`)),
      admin: moved(gateway.admin, 'gateway.admin'),
    },
    shipper: { ...shipper, batch, admin: moved(shipper.admin, 'shipper.admin') },
  };
}

/** The settings of several processes in one place: what is wrong in all of them is told at once, each by the name that it has there. */
class Loads {
  readonly #found: (FaultDetail & { readonly process: string })[] = [];
  #first: Fault | undefined = undefined;

  /** Undefined when something is wrong with them. */
  load<Schema extends Parameters<typeof loadFor>[0]>(
    schema: Schema,
    wish: Parameters<typeof loadFor<Schema>>[1],
  ): ReturnType<typeof loadFor<Schema>> | undefined {
    try {
      return loadFor(schema, wish);
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'config.invalid') throw error;
      this.#first ??= error;
      this.#found.push(...error.details.map((detail) => ({ ...detail, process: wish.process })));
      return undefined;
    }
  }

  refusal(): Fault {
    const [first] = this.#found;
    // What is no section is told of by whoever reads the file, and belongs to none of them.
    const isOfFile = ({ path, message }: FaultDetail): boolean =>
      this.#found.filter((other) => other.path === path && other.message === message).length ===
      processNames.length;
    const details = this.#found
      .filter((found) => found.process === first?.process || !isOfFile(found))
      .map(({ process, path, message }) =>
        isOfFile({ path, message })
          ? { path, message }
          : {
              path: `${process}.${path}`,
              message: message.replace(`(--set ${path})`, `(--set ${process}.${path})`),
            },
      );
    const { detail, hint } = this.#first ?? new Fault('config.invalid');
    return new Fault('config.invalid', { detail, details, ...(hint !== undefined && { hint }) });
  }
}

/** `gateway.workers=2` is `workers=2` of the gateway. */
function setsByProcess(sets: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const byProcess = new Map<string, string[]>(processNames.map((name) => [name, []]));
  for (const pair of sets) {
    const [path] = splitPair(pair);
    const [process = '', ...rest] = path.split('.');
    const own = byProcess.get(process);
    if (own === undefined || rest.length === 0) {
      const near = nearest(process, processNames);
      const advice = near === undefined ? `takes one of ${processNames.join(', ')}` : `did you mean ${near}?`;
      throw new Fault('config.invalid', {
        detail: `--set ${path} names no process.`,
        details: [{ path, message: `must begin with the name of a process; ${advice} (flag --set)` }],
      });
    }
    own.push(pair.slice(process.length + 1));
  }
  return byProcess;
}

/** Which of its doors other machines reach, one line with how that is changed; empty when none. */
export function reachLine({ gateway, bridge, controlPlane }: UpConfigs): string {
  const doors = [
    ...serversOf(gateway).map(({ id, ...server }) => ({
      ...server,
      name: gateway.servers.length === 0 ? 'gateway' : `gateway ${id}`,
      setting: `gateway.${server.setting}.host`,
    })),
    { ...controlPlane.listen, name: 'control-plane', setting: 'control-plane.listen.host' },
    { ...bridge.listen, name: 'bridge', setting: 'bridge.listen.host' },
  ];
  const open = doors.filter((door) => isPlainBeyondLoopback(bindOf('http', door)));
  const [first] = open;
  if (first === undefined) return '';
  const binds = open.map(({ name, host }) => `${name} (${host})`);
  // One of a list cannot be set alone.
  const advice = first.setting.includes('[')
    ? `${first.setting}: 127.0.0.1`
    : `--set ${first.setting}=127.0.0.1`;
  return `open to others: ${binds.join(', ')}; ${advice} keeps it to this machine`;
}

/**
 * Tries every port before anything is opened, so that a taken one is one clear line and leaves nothing half started.
 *
 * Errors: process.port_taken, process.port_refused.
 */
export async function checkPorts(configs: UpConfigs, echo: number): Promise<void> {
  for (const wish of portsOf(configs, echo)) await tryAddress(wish);
}

function portsOf(configs: UpConfigs, echo: number): readonly ListenWish[] {
  const { controlPlane, bridge, gateway, shipper } = configs;
  return [
    ...serversOf(gateway).map((server) => ({ ...server, setting: `gateway.${server.setting}` })),
    { ...controlPlane.listen, setting: 'control-plane.listen' },
    { ...bridge.listen, setting: 'bridge.listen' },
    { ...gateway.admin, setting: 'gateway.admin' },
    { ...controlPlane.admin, setting: 'control-plane.admin' },
    { ...bridge.admin, setting: 'bridge.admin' },
    { ...shipper.admin, setting: 'shipper.admin' },
    { host: '127.0.0.1', port: echo },
  ];
}
