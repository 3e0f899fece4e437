import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createAuthority } from '../servers/certificates.ts';
import { startConnectProxy } from '../engine/connect-proxy.ts';
import { testDatabases } from '../servers/databases.ts';
import { eventually } from '../eventually.ts';
import { startFaultyProxy, type FaultyProxy } from '../servers/faulty-proxy.ts';
import { createManagementClient, type ManagementClient } from '../control-plane/management-client.ts';
import { freePort, runIsthmus, startIsthmus, type HouseProcess, type StartOptions } from './processes.ts';
import { startS3Server } from '../servers/s3-server.ts';
import { tempDir } from '../temp-dir.ts';

/** Names of the processes of a hybrid installation; gateways and shippers are numbered from 0. */
export type ProcessName = 'control-plane' | 'bridge' | `gateway-${number}` | `shipper-${number}`;

/** What the installation should be made of. */
export interface HybridWish {
  readonly database: 'sqlite' | 'postgres';
  readonly bucket: 'folder' | 's3';
  /** TLS with an own CA at the bridge, reached only through a CONNECT proxy with a password. */
  readonly isBorderStrict: boolean;
  readonly gateways: number;
}

/** A control plane, a bridge, and gateways with their shippers, each a process of its own. */
export interface Hybrid {
  readonly dir: string;
  readonly client: ManagementClient;
  readonly management: string;
  readonly bridge: string;
  /** Origin of each gateway. */
  readonly gateways: readonly string[];
  /** Origin of each gateway's node API. */
  readonly nodeApis: readonly string[];
  /** The border's proxy, when there is one. */
  readonly proxy: { connections(): number; setBlocked(isBlocked: boolean): void } | undefined;
  /** In front of the S3-protocol server, when there is one. */
  readonly bucket: FaultyProxy | undefined;
  /** Where blobs lie when the bucket is a folder. */
  readonly blobDir: string;
  /** url for tests that look into the database; undefined is SQLite in the control plane's folder. */
  readonly databaseUrl: string | undefined;
  process(name: ProcessName): HouseProcess;
  /** Starts a process (again) with the same folder and ports and waits until it is ready; its clock may be off. */
  start(name: ProcessName, options?: Pick<StartOptions, 'clock'>): Promise<void>;
  /** Starts without waiting. */
  startUnready(name: ProcessName, options?: Pick<StartOptions, 'clock'>): void;
  kill(name: ProcessName, signal?: NodeJS.Signals): Promise<void>;
}

const password = 'correct-horse-battery';
const proxyUser = 'border';
const proxyPassword = 'p@ss:word';

/** Starts everything, enrols the gateways, and waits until all are ready. */
export async function startHybrid(t: TestContext, wish: HybridWish): Promise<Hybrid> {
  const dir = tempDir(t, 'isthmus-hybrid');
  const ports = {
    management: await freePort(),
    controlNode: await freePort(),
    bridge: await freePort(),
    bridgeNode: await freePort(),
    gateways: await freePorts(wish.gateways),
    gatewayNodes: await freePorts(wish.gateways),
    shipperNodes: await freePorts(wish.gateways),
  };
  const database = testDatabases.find((candidate) => candidate.name === wish.database);
  const databaseUrl = await database?.create();
  const authority = createAuthority(join(dir, 'ca'));
  const certificate = authority.issue('bridge');
  const bridge = `${wish.isBorderStrict ? 'https' : 'http'}://127.0.0.1:${ports.bridge}`;
  const blobDir = join(dir, 'blobs');
  const s3 = wish.bucket === 's3' ? await startS3Server(t, join(dir, 's3')) : undefined;
  const bucket = s3 === undefined ? undefined : await startFaultyProxy(t, s3.endpoint);
  const proxy = wish.isBorderStrict
    ? await startConnectProxy({ username: proxyUser, password: proxyPassword })
    : undefined;
  if (proxy !== undefined) t.after(() => proxy.close());

  const blobs =
    s3 === undefined || bucket === undefined
      ? { dir: blobDir }
      : {
          s3: {
            endpoint: bucket.url,
            region: 'us-east-1',
            bucket: s3.bucket,
            accessKeyId: s3.accessKeyId,
            secretAccessKey: s3.secretAccessKey,
            forcePathStyle: true,
          },
        };
  const databaseConfig = databaseUrl === undefined ? {} : { database: { url: databaseUrl } };
  const outbound = {
    allow: ['127.0.0.1'],
    ...(proxy === undefined ? {} : { proxy: { url: withCredentials(proxy.url) } }),
    ...(wish.isBorderStrict ? { caFile: authority.caFile } : {}),
  };

  const configs = new Map<
    ProcessName,
    { readonly args: readonly string[]; readonly config: object; readonly readyUrl: string }
  >();
  configs.set('control-plane', {
    args: ['control-plane'],
    config: {
      dataDir: join(dir, 'control-plane'),
      lameDuckMs: 0,
      listen: { port: ports.management },
      admin: { port: ports.controlNode },
      blobs,
      ...databaseConfig,
    },
    readyUrl: `http://127.0.0.1:${ports.management}/management/openapi.json`,
  });
  configs.set('bridge', {
    args: ['bridge'],
    config: {
      dataDir: join(dir, 'control-plane'),
      publicUrls: [bridge],
      lameDuckMs: 0,
      admin: { port: ports.bridgeNode },
      listen: { port: ports.bridge, ...(wish.isBorderStrict ? { tls: certificate } : {}) },
      blobs,
      ...databaseConfig,
    },
    readyUrl: '',
  });
  for (let n = 0; n < wish.gateways; n += 1) {
    const gatewayDir = join(dir, `gateway-${n}`);
    configs.set(`gateway-${n}`, {
      args: ['gateway'],
      config: {
        dataDir: gatewayDir,
        listen: { port: ports.gateways[n] },
        admin: { port: ports.gatewayNodes[n] },
        lameDuckMs: 0,
        bridge: { url: bridge },
        outbound,
      },
      readyUrl: `http://127.0.0.1:${ports.gatewayNodes[n]}/health/ready`,
    });
    configs.set(`shipper-${n}`, {
      args: ['shipper'],
      config: {
        dataDir: gatewayDir,
        admin: { port: ports.shipperNodes[n] },
        batch: { msMax: 500 },
        outbound,
      },
      readyUrl: `http://127.0.0.1:${ports.shipperNodes[n]}/health`,
    });
  }

  const running = new Map<ProcessName, HouseProcess>();
  const configOf = (name: ProcessName): { args: readonly string[]; readyUrl: string; file: string } => {
    const entry = configs.get(name);
    if (entry === undefined) throw new Error(`no process ${name}`);
    const file = join(dir, `${name}.yaml`);
    mkdirSync(dir, { recursive: true });
    writeFileSync(file, JSON.stringify(entry.config));
    return { args: entry.args, readyUrl: entry.readyUrl, file };
  };
  const hybrid: Hybrid = {
    dir,
    client: createManagementClient(`http://127.0.0.1:${ports.management}`, password),
    management: `http://127.0.0.1:${ports.management}`,
    bridge,
    gateways: ports.gateways.map((port) => `http://127.0.0.1:${port}`),
    nodeApis: ports.gatewayNodes.map((port) => `http://127.0.0.1:${port}`),
    proxy,
    bucket,
    blobDir,
    databaseUrl,
    process(name) {
      const found = running.get(name);
      if (found === undefined) throw new Error(`${name} was not started`);
      return found;
    },
    startUnready(name, options = {}) {
      const { args, file } = configOf(name);
      const env = { ISTHMUS_ADMIN_PASSWORD: password };
      running.set(name, startIsthmus(t, [...args, '--config', file], { env, ...options }));
    },
    async start(name, options) {
      hybrid.startUnready(name, options);
      const { readyUrl } = configOf(name);
      await eventually(() => isReady(hybrid.process(name), readyUrl), { timeoutMs: 20_000, everyMs: 20 });
    },
    async kill(name, signal = 'SIGKILL') {
      hybrid.process(name).kill(signal);
      await hybrid.process(name).ended;
    },
  };

  await hybrid.start('control-plane');
  await hybrid.start('bridge');
  for (let n = 0; n < wish.gateways; n += 1) {
    await enrol(t, { hybrid, file: configOf(`gateway-${n}`).file });
    await hybrid.start(`gateway-${n}`);
    await hybrid.start(`shipper-${n}`);
  }
  return hybrid;
}

async function enrol(
  t: TestContext,
  wish: { readonly hybrid: Hybrid; readonly file: string },
): Promise<void> {
  const { client, bridge } = wish.hybrid;
  const fleets = await client.call<{ data: { id: string }[] }>('GET', '/v2/organizations/DEFAULT/fleets');
  const path = `/v2/organizations/DEFAULT/fleets/${fleets.data[0]?.id}/enrolment-tokens`;
  const made = await client.call<{ token: string }>('POST', path, { body: { bridge, usesMax: 1 } });
  await runIsthmus(t, ['enroll', '--config', wish.file, '--token', made.token]);
}

async function isReady(child: HouseProcess, url: string): Promise<boolean> {
  if (!child.isRunning()) throw new Error(`the process ended:\n${child.output()}`);
  if (url === '') return /listening/.test(child.output());
  return (await fetch(url)).ok;
}

function withCredentials(url: string): string {
  const full = new URL(url);
  full.username = encodeURIComponent(proxyUser);
  full.password = encodeURIComponent(proxyPassword);
  return full.href;
}

async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(await freePort());
  return ports;
}
