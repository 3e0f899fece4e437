import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { startBridge } from '../bridge/start.ts';
import { bridgeConfigSchema } from '../bridge/config.ts';
import { readPassword } from '../control-plane/access/passwords.ts';
import { adminPasswordVariable, startControlPlane, type ControlPlane } from '../control-plane/start.ts';
import { enrol } from '../data-plane/sync/enrol.ts';
import { gatewayConfigSchema } from '../data-plane/config.ts';
import { startGateway } from '../data-plane/start.ts';
import { Fault } from '../proto/faults/fault.ts';
import { createOutbound } from '../proto/process/outbound.ts';
import { openKeyring } from '../proto/process/secrets.ts';
import { loadIdentity } from '../proto/trust/identity.ts';
import { shipperConfigSchema } from '../shipper/config.ts';
import { startShipper } from '../shipper/start.ts';
import { createAnalyticsOpener } from './analytics.ts';
import { loadFor } from './command.ts';
import type { UpFlags } from './commands/up.ts';
import { startEchoServer } from './echo-server.ts';
import { controlPlaneProcessSchema } from './processes.ts';
import type { ProcessParts } from './run-process.ts';
import { print } from './terminal.ts';
import { version } from './version.ts';

/** Where the demo APIs' backend listens, before the offset. */
const echoPort = 18_085;
const readyMsMax = 20_000;
const readyPollMs = 20;
/** Age of the first line of a batch that is sent, unless the configuration says something else. */
const batchMsMax = 1_000;

/** What `addresses.json` holds: origins, for scripts and tests. */
interface Addresses {
  readonly gateway: string;
  readonly management: string;
  readonly bridge: string;
  readonly gatewayNode: string;
  readonly controlPlaneNode: string;
  readonly shipperNode: string;
  readonly echo: string;
}

/**
 * Starts everything in this process and prints what runs where.
 *
 * The control plane hands its repository and its bucket to the bridge; everything else is as in separate processes: the
 * gateway enrols with a token and dials the bridge over a real socket, the shipper uploads through it.
 */
export async function up(flags: UpFlags, parts: ProcessParts): Promise<void> {
  const configs = loadConfigs(flags);
  const adminPassword = readPassword(process.env[adminPasswordVariable], adminPasswordVariable);
  const addressFile = join(flags.dataDir, 'addresses.json');
  const echoWish = readEchoPort(addressFile) ?? echoPort + flags.portOffset;
  await checkPorts(portsOf(configs, echoWish));
  mkdirSync(flags.dataDir, { recursive: true });

  const echo = await startEchoServer(echoWish, parts.lifecycle);
  const controlPlane = await startControlPlane({
    ...parts,
    config: configs.controlPlane,
    adminPassword,
    demoTarget: `http://127.0.0.1:${echo}`,
    openAnalytics: createAnalyticsOpener(configs.controlPlane.analytics),
  });
  const { repository, blobs } = controlPlane;
  const bridge = await startBridge({
    ...parts,
    config: configs.bridge,
    repository,
    blobs,
    urlsOf: bridgeUrls,
  });
  await enrolGateway({ dataDir: configs.gateway.dataDir, bridge: bridge.url, controlPlane }, parts);
  const gatewayConfig = {
    ...configs.gateway,
    bridge: { ...configs.gateway.bridge, url: bridge.url },
    outbound: allowing(configs.gateway.outbound, bridge.url),
  };
  const gateway = await startGateway({ ...parts, config: gatewayConfig, version });
  const shipperConfig = { ...configs.shipper, outbound: allowing(configs.shipper.outbound, bridge.url) };
  const shipper = await startShipper({ ...parts, config: shipperConfig });

  const at = (port: number | undefined): string => `http://localhost:${port ?? 0}`;
  const addresses: Addresses = {
    gateway: at(gateway.port),
    management: at(controlPlane.port),
    bridge: at(bridge.port),
    gatewayNode: at(gateway.adminPort),
    controlPlaneNode: at(controlPlane.nodePort),
    shipperNode: at(shipper.adminPort),
    echo: at(echo),
  };
  await untilReady(`${addresses.gatewayNode}/health/ready`, parts);
  writeFileSync(addressFile, `${JSON.stringify(addresses, undefined, 2)}\n`);
  print(describe(addresses, controlPlane, flags));
}

function loadConfigs(flags: UpFlags) {
  const { portOffset } = flags;
  const moved = <Listen extends { readonly port: number }>(listen: Listen): Listen =>
    listen.port === 0 ? listen : { ...listen, port: listen.port + portOffset };
  const gatewayDir = join(flags.dataDir, 'gateway');
  const load = { flags: flags.config === undefined ? {} : { config: flags.config } };
  const controlPlane = loadFor(controlPlaneProcessSchema, {
    process: 'control-plane',
    ...load,
    more: { dataDir: flags.dataDir },
  }).config;
  const bridge = loadFor(bridgeConfigSchema, { process: 'bridge', ...load }).config;
  const { config: gateway, sources: gatewaySources } = loadFor(gatewayConfigSchema, {
    process: 'gateway',
    ...load,
    more: { dataDir: gatewayDir },
  });
  // Nobody balances load in front of it, and whoever tries it out waits for its end.
  const lameDuckMs = gatewaySources.get('lameDuckMs') === 'default' ? 0 : gateway.lameDuckMs;
  const { config: shipper, sources } = loadFor(shipperConfigSchema, {
    process: 'shipper',
    ...load,
    more: { dataDir: gatewayDir },
  });
  // On one machine an upload costs nothing, and whoever tries it out waits for the first figures.
  const isPatient = sources.get('batch.msMax') !== 'default';
  const batch = isPatient ? shipper.batch : { ...shipper.batch, msMax: batchMsMax };
  return {
    controlPlane: { ...controlPlane, listen: moved(controlPlane.listen), admin: moved(controlPlane.admin) },
    bridge: { ...bridge, listen: moved(bridge.listen) },
    gateway: { ...gateway, lameDuckMs, listen: moved(gateway.listen), admin: moved(gateway.admin) },
    shipper: { ...shipper, batch, admin: moved(shipper.admin) },
  };
}

/** What this machine is called: its addresses and name, so that gateways elsewhere may dial the bridge of `up` too. */
function bridgeUrls(port: number): readonly string[] {
  const nowMs = performance.now();
  if (knownUrls?.port === port && nowMs - knownUrls.atMs < urlsMsMax) return knownUrls.urls;
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const names = addresses
    // A link-local address with its zone is no host of a URL.
    .filter(({ address }) => !address.startsWith('fe80:'))
    .map(({ address, family }) => (family === 'IPv6' ? `[${address}]` : address));
  const urls = [...new Set(['localhost', hostname(), ...names])].map((name) => `http://${name}:${port}`);
  knownUrls = { port, urls, atMs: nowMs };
  return urls;
}
/** Laptops change networks; asking the machine for every request would cost more than the request. */
const urlsMsMax = 10_000;
let knownUrls: { readonly port: number; readonly urls: readonly string[]; readonly atMs: number } | undefined;

interface WantedPort {
  readonly who: string;
  readonly host: string;
  readonly port: number;
}

function portsOf(configs: ReturnType<typeof loadConfigs>, echo: number): readonly WantedPort[] {
  const { controlPlane, bridge, gateway, shipper } = configs;
  return [
    { who: 'gateway', ...gateway.listen },
    { who: 'management API', ...controlPlane.listen },
    { who: 'bridge', ...bridge.listen },
    { who: "gateway's node API", ...gateway.admin },
    { who: "control plane's node API", ...controlPlane.admin },
    { who: "shipper's node API", ...shipper.admin },
    { who: 'echo server', host: '127.0.0.1', port: echo },
  ];
}

/** Tries every port before anything is opened, so that a taken one is one clear line and leaves nothing half started. */
async function checkPorts(wanted: readonly WantedPort[]): Promise<void> {
  for (const { who, host, port } of wanted) {
    if (port === 0) continue;
    const server = createServer();
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, resolve);
      });
    } catch (cause) {
      const isTaken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
      if (isTaken)
        throw new Fault('process.port_taken', { detail: `port ${port} (${who}) is in use.`, cause });
      throw new Fault('process.port_refused', { detail: `port ${port} (${who}) cannot be opened.`, cause });
    }
    await new Promise((resolve) => server.close(resolve));
  }
}

async function enrolGateway(
  wish: { readonly dataDir: string; readonly bridge: string; readonly controlPlane: ControlPlane },
  { clock }: ProcessParts,
): Promise<void> {
  const { dataDir, bridge, controlPlane } = wish;
  const keyring = openKeyring({ dir: join(dataDir, 'secrets') });
  if (loadIdentity(dataDir, keyring) !== undefined) return;
  const token = await controlPlane.enrolmentToken(bridge, 1);
  const outbound = createOutbound({
    profile: 'private',
    allow: [bridge],
    connectMsMax: 5_000,
    responseBytesMax: 1_000_000,
  });
  try {
    await enrol({ token, dir: dataDir, keyring, outbound, clock, version });
  } finally {
    await outbound.close();
  }
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

function describe(addresses: Addresses, { boot }: ControlPlane, { dataDir }: UpFlags): string {
  const isGiven = process.env['ISTHMUS_ADMIN_PASSWORD'] !== undefined;
  const password = boot.adminPassword ?? (isGiven ? '$ISTHMUS_ADMIN_PASSWORD' : '<password>');
  const shown =
    boot.adminPassword === undefined ? '' : `  admin password   ${boot.adminPassword}   (shown this once)\n`;
  const orders =
    boot.demo === undefined
      ? `  # the key of the demo API /orders was shown at the first start\n`
      : `  curl -H 'X-Gravitee-Api-Key: ${boot.demo.ordersKey}' ${addresses.gateway}/orders   # key shown this once\n`;
  return `Isthmus ${version}

  gateway          ${addresses.gateway}
  management API   ${addresses.management}/management   (user admin)
  bridge           ${addresses.bridge}
  node APIs        ${addresses.gatewayNode}/health  ${addresses.controlPlaneNode}/health  ${addresses.shipperNode}/health
  data             ${dataDir}
${shown}
Try:
  curl ${addresses.gateway}/echo
${orders}  curl -u "admin:${password}" ${addresses.management}/management/v2/environments/DEFAULT/apis

Ready. Ctrl-C stops everything.
`;
}
