import { readFileSync, writeFileSync } from 'node:fs';
import { getPriority, hostname, setPriority } from 'node:os';
import { type Bridge, startBridge } from '../bridge/start.ts';
import { readPassword } from '../control-plane/access/passwords.ts';
import type { BootResult } from '../control-plane/boot.ts';
import { adminPasswordVariable, startControlPlane, type ControlPlane } from '../control-plane/start.ts';
import { secretParametersOf, type GatewayConfig } from '../data-plane/config.ts';
import { describeServers, serversOf } from '../data-plane/servers/settings.ts';
import { Fault } from '../proto/faults/fault.ts';
import { foldersOf } from '../proto/process/data-folder.ts';
import { readListenTls } from '../proto/process/listening/tls-settings.ts';
import { holdFolder } from '../proto/process/disk/folder-hold.ts';
import { ownUrlHosts } from '../proto/process/outbound/own-doors.ts';
import { createLazyKeyring } from '../proto/process/secrets.ts';
import { loadIdentity } from '../proto/trust/identity.ts';
import { type RunningShipper, shipRestMsMax, startShipper } from '../shipper/start.ts';
import { createAnalyticsOpener } from './analytics.ts';
import { createDebugRuns } from './debug/debug-runs.ts';
import { forkGateway } from './gateway-process.ts';
import type { ProcessParts } from './run-process.ts';
import { callSamples } from './samples.ts';
import { print } from './terminal.ts';
import { checkPorts, reachLine, type UpConfigs, type UpFlags } from './up-settings.ts';
import { version } from './version.ts';

/** Where the demo APIs' backend listens, before the offset. */
const echoPort = 18_085;
const readyMsMax = 20_000;
const readyPollMs = 20;
/** Longest end of a gateway from when it is asked: its lame duck, its closers (20 s), and some air. */
const gatewayCloseMsMax = 25_000;

/** How much nicer the rest is than the gateway's process; 19 is the most there is. */
const nicerBy = 5;
const niceMax = 19;

/** What `addresses.json` holds: origins, for scripts and tests. */
interface Addresses {
  readonly gateway: string;
  readonly management: string;
  readonly bridge: string;
  readonly gatewayNode: string;
  readonly controlPlaneNode: string;
  readonly bridgeNode: string;
  readonly shipperNode: string;
  readonly echo: string;
}

/**
 * Starts everything and prints what runs where: the gateway in a process of its own, the rest in this one.
 *
 * The control plane hands its repository and its bucket to the bridge; everything else is as in separate processes: the
 * gateway enrols with a token and dials the bridge over a real socket, the shipper uploads through it.
 */
export async function up(
  { flags, configs }: { readonly flags: UpFlags; readonly configs: UpConfigs },
  parts: ProcessParts,
): Promise<void> {
  const { lifecycle } = parts;
  const adminPassword = readPassword(process.env[adminPasswordVariable], adminPasswordVariable);
  // Before anything is made: a start that fails here can be tried again as the first one.
  for (const { tls } of [...serversOf(configs.gateway), configs.controlPlane.listen, configs.bridge.listen])
    await readListenTls(tls, { nowMs: parts.clock.now() });
  const { dataDir } = configs.controlPlane;
  holdFolder(dataDir, 'control-plane', parts);
  const addressFile = foldersOf(dataDir).addresses;
  const echo = readEchoPort(addressFile) ?? echoPort + flags.portOffset;
  await checkPorts(configs, echo);
  holdFolder(configs.shipper.dataDir, 'shipper', parts);

  const gatewayProcess = forkGateway(
    {
      level: flags.logLevel,
      secretParameters: secretParametersOf(configs.gateway),
      followsBridge: configs.gateway.local === undefined,
      closeMsMax: configs.gateway.lameDuckMs + gatewayCloseMsMax,
    },
    parts,
  );
  // First of all, while the bridge still takes what it has to say.
  let shipRest = async (): Promise<void> => undefined;
  lifecycle.beforeClose('gateway', async (asked) => {
    await gatewayProcess.close(asked);
    // Whoever looks at the figures next time finds what was answered until the end.
    await shipRest();
  });
  lifecycle.onReload('gateway', () => (gatewayProcess.reload(), true));
  // No later start can say it: an end before it is shown shows it, however it comes about.
  let unseen: BootResult | undefined;
  lifecycle.onClose('what is shown once', () => {
    const words = unseenWords(unseen, configs);
    if (words !== '') print(words);
  });
  let reached: GatewayConfig['upstream'] | undefined = undefined;
  const controlPlane = await startControlPlane({
    ...parts,
    config: withGateways(configs),
    adminPassword,
    demoTarget: `http://127.0.0.1:${echo}`,
    hasSamples: flags.samples === true,
    onBoot: (made) => void (unseen = made),
    openAnalytics: createAnalyticsOpener(configs.controlPlane.analytics),
    // What people try here stands on this machine as often as not, and the gateway beside us would call it.
    openDebug: (debugParts) => createDebugRuns(debugParts, () => reached),
  });
  const started = { controlPlane, gatewayProcess, echo };
  const { addresses, servers, shipper, upstream } = await startAround(started, configs, parts);
  reached = upstream;
  shipRest = () => shipper.drain(shipRestMsMax);
  lifecycle.signal.throwIfAborted();
  writeFileSync(addressFile, `${JSON.stringify(addresses, undefined, 2)}\n`);
  print(describe(addresses, controlPlane, { configs, servers }));
  unseen = undefined;
  showSamples(addresses.gateway, controlPlane.boot, parts);
  stepBehindGateway(parts);
}

/** Calls the samples that this start has made, so that logs and analytics are not empty; the platform is ready without that. */
function showSamples(gateway: string, { demo }: BootResult, { clock, lifecycle, log }: ProcessParts): void {
  if (demo?.stock === undefined) return;
  const { signal } = lifecycle;
  const calling = callSamples(gateway, demo, { clock, signal }).catch((error: unknown) => {
    if (!signal.aborted) log.warn({ error }, 'the samples were not called');
  });
  lifecycle.onClose('calls of samples', async () => void (await calling));
}

/**
 * Where there are fewer cores than work, callers of the gateway come before whoever manages it. Not before everything has started, which
 * would take longer. Linux counts it by thread: it is the main one, which has the work, and those that it makes from now on.
 */
function stepBehindGateway({ log }: ProcessParts): void {
  try {
    setPriority(Math.min(niceMax, getPriority() + nicerBy));
  } catch (error) {
    log.warn(
      { error },
      'callers of the gateway may wait while management works: no lower priority may be set',
    );
  }
}

/** Starts what needs a control plane: bridge, gateway, shipper. */
async function startAround(
  { controlPlane, gatewayProcess, echo }: Started,
  configs: UpConfigs,
  parts: ProcessParts,
): Promise<{
  readonly addresses: Addresses;
  readonly servers: GatewayUrls;
  readonly shipper: RunningShipper;
  /** Where the gateway may go: to none of our doors, its own node API among them. */
  readonly upstream: GatewayConfig['upstream'];
}> {
  const { repository, blobs } = controlPlane;
  const bridge = await startBridge({
    ...parts,
    config: configs.bridge,
    repository,
    blobs,
    urlsOf: (port) => bridgeUrls(schemeOf(configs.bridge.listen.tls), port),
  });
  const config = await gatewayConfig(configs, controlPlane, bridge);
  const gateway = await gatewayProcess.start({ config, echoPort: echo });
  const shipper = await startShipper({ ...parts, config: shipperConfig(configs, bridge) });

  const at = (port: number, tls?: object): string => `${schemeOf(tls)}://localhost:${port}`;
  const servers = gatewayUrls(configs.gateway, new Map(gateway.ports));
  const addresses: Addresses = {
    gateway: firstUrl(servers),
    management: at(controlPlane.port, configs.controlPlane.listen.tls),
    bridge: at(bridge.port, configs.bridge.listen.tls),
    gatewayNode: at(gateway.adminPort),
    controlPlaneNode: at(controlPlane.nodePort),
    bridgeNode: at(bridge.nodePort),
    shipperNode: at(shipper.adminPort),
    echo: at(echo),
  };
  await untilReady(`${addresses.gatewayNode}/health/ready`, parts);
  const deny = [...config.upstream.deny, ...ownDoors([gateway.adminPort])];
  return { addresses, servers, shipper, upstream: { ...config.upstream, deny } };
}

interface Started {
  readonly controlPlane: ControlPlane;
  readonly gatewayProcess: ReturnType<typeof forkGateway>;
  readonly echo: number;
}

/** Where each server of the gateway is reached from this machine, by its id. */
type GatewayUrls = ReadonlyMap<string, string>;

const gatewayUrls = (config: GatewayConfig, ports: ReadonlyMap<string, number>): GatewayUrls =>
  new Map(
    describeServers(config, ports).map(({ id, port, speaksTls }) => [
      id,
      `${speaksTls ? 'https' : 'http'}://localhost:${port}`,
    ]),
  );

/** Its settings with where callers reach the gateway here, unless they say it. */
function withGateways({ controlPlane, gateway }: UpConfigs): UpConfigs['controlPlane'] {
  const url = firstUrl(gatewayUrls(gateway, new Map()));
  // Nobody knows yet which free port it takes.
  return controlPlane.gatewaysUrl !== undefined || url.endsWith(':0')
    ? controlPlane
    : { ...controlPlane, gatewaysUrl: url };
}

const firstUrl = (urls: GatewayUrls): string => [...urls.values()][0] ?? '';

function gatewayLine(urls: GatewayUrls): string {
  if (urls.size === 1) return firstUrl(urls);
  return [...urls].map(([id, url]) => `${url} (${id})`).join('  ');
}

const schemeOf = (tls: object | undefined): string => (tls === undefined ? 'http' : 'https');

/** What this machine is called: its addresses and name, so that gateways elsewhere may dial the bridge of `up` too. */
function bridgeUrls(scheme: string, port: number): readonly string[] {
  const nowMs = performance.now();
  if (knownUrls?.port === port && nowMs - knownUrls.atMs < urlsMsMax) return knownUrls.urls;
  const urls = [...new Set(['localhost', hostname(), ...ownUrlHosts()])].map(
    (name) => `${scheme}://${name}:${port}`,
  );
  knownUrls = { port, urls, atMs: nowMs };
  return urls;
}
/** Laptops change networks; asking the machine for every request would cost more than the request. */
const urlsMsMax = 10_000;
let knownUrls: { readonly port: number; readonly urls: readonly string[]; readonly atMs: number } | undefined;

/** The gateway as it runs here: it dials our bridge, with a token when it has yet to enrol, and reaches none of our other doors. */
async function gatewayConfig(
  configs: UpConfigs,
  controlPlane: ControlPlane,
  bridge: Bridge,
): Promise<GatewayConfig> {
  const { gateway } = configs;
  // Its own node API a gateway denies by itself.
  const nodes = [controlPlane.nodePort, bridge.nodePort, configs.shipper.admin.port];
  const token = await tokenFor(gateway, controlPlane, bridge.url);
  return {
    ...gateway,
    bridge: { ...gateway.bridge, url: bridge.url, token },
    outbound: allowing(gateway.outbound, bridge.url),
    upstream: {
      ...gateway.upstream,
      deny: [...gateway.upstream.deny, ...ownDoors([controlPlane.port, bridge.port, ...nodes])],
    },
  };
}

/** The shipper as it runs here: what it enrolled with may name a port that our bridge had at an earlier start. */
function shipperConfig({ shipper }: UpConfigs, { url }: Bridge): UpConfigs['shipper'] {
  return {
    ...shipper,
    bridge: { url: shipper.bridge.url ?? url },
    outbound: allowing(shipper.outbound, url),
  };
}

/** Our own ports on this machine, which no published API may lead to: an API is what anybody calls, these are for those who run it. */
function ownDoors(ports: readonly number[]): readonly string[] {
  const hosts = ['127.0.0.0/8', '[::1]', ...ownUrlHosts()];
  return ports.filter((port) => port !== 0).flatMap((port) => hosts.map((host) => `${host}:${port}`));
}

/** A token for a gateway that has yet to enrol; it does so itself, as anywhere else. */
async function tokenFor(
  { dataDir, local }: GatewayConfig,
  controlPlane: ControlPlane,
  bridge: string,
): Promise<string | undefined> {
  if (local !== undefined) return undefined;
  const isEnrolled = loadIdentity(dataDir, createLazyKeyring(foldersOf(dataDir).secrets)) !== undefined;
  return isEnrolled ? undefined : controlPlane.enrolmentToken(bridge, 1);
}

/** The bridge is on loopback here, which outbound calls refuse unless the operator lists it; `up` is the operator. */
function allowing<
  Section extends { readonly allow: readonly string[]; readonly noProxy?: readonly string[] | undefined },
>(outbound: Section, bridge: string): Section {
  return {
    ...outbound,
    allow: [...outbound.allow, bridge],
    noProxy: [...(outbound.noProxy ?? []), '127.0.0.1'],
  };
}

async function untilReady(url: string, { clock, lifecycle }: ProcessParts): Promise<void> {
  const deadlineMs = clock.monotonicMs() + readyMsMax;
  while (!lifecycle.signal.aborted) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(1_000) });
      await answer.arrayBuffer();
      if (answer.ok) return;
    } catch {
      // Not there yet.
    }
    if (clock.monotonicMs() > deadlineMs) {
      throw new Fault('process.not_ready', {
        detail: `The gateway is not ready after ${readyMsMax / 1_000} s: ${url}`,
      });
    }
    await clock.delay(readyPollMs, lifecycle.signal);
  }
}

/** The demo APIs were made with the port of the first start; a later offset must not take their backend away. */
function readEchoPort(file: string): number | undefined {
  try {
    const { echo } = JSON.parse(readFileSync(file, 'utf8')) as Partial<Addresses>;
    return echo === undefined ? undefined : Number(new URL(echo).port);
  } catch {
    return undefined;
  }
}

/** What a first start made and no later one can say; empty when there is nothing. */
function passwordLine({ adminPassword }: BootResult): string {
  return adminPassword === undefined ? '' : `  admin password   ${adminPassword}   (shown this once)\n`;
}

/** Said by the start that made them. */
const samplesLine = ({ demo }: BootResult): string =>
  demo?.stock === undefined
    ? ''
    : '  samples          3 APIs, 2 applications and some calls, to look at; isthmus samples remove takes them away\n';

function ordersLine({ demo, demoPaths: { orders } }: BootResult, gateway: string): string {
  if (orders === undefined) return '';
  return demo === undefined
    ? `  # the key of the demo API ${orders} was shown once, when it was made\n`
    : `  curl -H 'X-Gravitee-Api-Key: ${demo.orders}' ${gateway}${orders}   # key shown this once\n`;
}

/** The same for a start that ends before it could say where everything is. */
function unseenWords(unseen: BootResult | undefined, { gateway: config }: UpConfigs): string {
  if (unseen === undefined) return '';
  const gateway = firstUrl(gatewayUrls(config, new Map()));
  return `${passwordLine(unseen)}${unseen.demo === undefined ? '' : ordersLine(unseen, gateway)}`;
}

function describe(
  addresses: Addresses,
  controlPlane: ControlPlane,
  { configs, servers }: { readonly configs: UpConfigs; readonly servers: GatewayUrls },
): string {
  const { boot } = controlPlane;
  const isGiven = process.env['ISTHMUS_ADMIN_PASSWORD'] !== undefined;
  const password = boot.adminPassword ?? (isGiven ? '$ISTHMUS_ADMIN_PASSWORD' : '<password>');
  // What the variable holds now nobody compares with what it held then.
  const doubt = isGiven && boot.demo === undefined ? '   # the password of the first start' : '';
  const reach = reachLine(configs);
  const { echo } = boot.demoPaths;
  const demo = `${echo === undefined ? '' : `  curl ${addresses.gateway}${echo}\n`}${ordersLine(boot, addresses.gateway)}`;
  return `Isthmus ${version}

  console          ${addresses.management}/console   (user admin)
  management API   ${addresses.management}/management
  gateway          ${gatewayLine(servers)}
  bridge           ${addresses.bridge}
  node APIs        ${addresses.gatewayNode}/health  ${addresses.controlPlaneNode}/health  ${addresses.bridgeNode}/health  ${addresses.shipperNode}/health
  data             ${configs.controlPlane.dataDir}
${reach === '' ? '' : `  ${reach}\n`}${samplesLine(boot)}${passwordLine(boot)}
Try:
${demo}  curl -u "admin:${password}" ${addresses.management}/management/v2/environments/DEFAULT/apis${doubt}

Ready. Ctrl-C stops everything.
`;
}
