import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createManagementClient, type ManagementClient } from '../kit/control-plane/management-client.ts';
import { eventually } from '../kit/eventually.ts';
import { freePort, type HouseProcess, startNode } from '../kit/processes/processes.ts';
import { adminPassword, freePortOffset } from '../kit/processes/up.ts';
import { tempDir } from '../kit/temp-dir.ts';

const root = join(import.meta.dirname, '../..');

// What this npm was told about this checkout must not reach the one that packs another.
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('npm_') || name === 'npm_config_registry'),
);

/**
 * What counts as the former version until there is a release: a commit of this repository, packed as a release would be. Whoever changes
 * the wire so that it cannot speak any more moves this on, and says in CHANGELOG.md what an operator has to do.
 */
const former = '62ab28f09f7378cec581baf5eab3782befa5898b';
const hasHistory =
  spawnSync('git', ['cat-file', '-e', `${former}^{commit}`], { cwd: root, stdio: 'ignore' }).status === 0;
const skip = hasHistory ? false : `needs the history of the repository (${former}): git fetch --unshallow`;

test('the two tarballs of this tree: a gateway without DuckDB and the AWS SDK, both with a shrinkwrap and the runtime', async (t) => {
  const { platform, gateway } = await installed(t);
  const packages = (dir: string): readonly string[] => readdirSync(join(dir, 'node_modules'));
  for (const dir of [platform, gateway])
    assert.ok(
      packages(dir).some((name) => name.startsWith('node-')),
      dir,
    );
  assert.ok(packages(platform).includes('@duckdb'));
  for (const name of ['@duckdb', '@aws-sdk', '@smithy', 'pg', 'kysely'])
    assert.ok(!packages(gateway).includes(name), name);
  assert.ok(!existsSync(join(gateway, 'node_modules/isthmus-gateway/dist/control-plane')));
  for (const [dir, name] of [
    [platform, 'isthmus'],
    [gateway, 'isthmus-gateway'],
  ] as const) {
    assert.ok(existsSync(join(dir, 'node_modules', name, 'npm-shrinkwrap.json')), name);
    const { stdout } = spawnSync('du', ['-sm', join(dir, 'node_modules')], { encoding: 'utf8' });
    t.diagnostic(`${name}: ${stdout.split('\t')[0]} MiB installed`);
  }
  // What it does not have is not a bug that prints a stack.
  const refused = startNode(
    t,
    [cliOf(gateway), 'shipper', '--data-dir', tempDir(t), '--set', 'output=s3', '--set', 'admin.port=0'],
    { cwd: gateway },
  );
  assert.equal(await refused.ended, 2, refused.output());
  assert.match(refused.output(), /output.*isthmus-gateway/s);
  assert.match(await output(t, [cliOf(gateway), '--help']), /enroll[^]*doctor/);
});

test(
  'a platform and gateways of the former version and of this one work together, whoever is upgraded first',
  { skip },
  async (t) => {
    const [now, before] = [await installed(t), installedFormer()];
    const platformDir = tempDir(t, 'isthmus-platform');
    const offset = freePortOffset();
    const old = await startUp(t, { package: before, dir: platformDir, offset });

    // N against N-1: gateway and shipper are ahead of control plane and bridge.
    const ahead = await enrolled(t, old, now.gateway);
    const first = await startGateway(t, now.gateway, ahead);
    await first.serves(20);
    await old.counted(20);

    // The platform is upgraded under a gateway that runs; its database is migrated, its bucket goes on.
    old.process.kill('SIGTERM');
    assert.equal(await old.process.ended, 0, old.process.output());
    const upgraded = await startUp(t, { package: now.platform, dir: platformDir, offset });
    await first.serves(20);
    await upgraded.counted(40);

    // N-1 against N: one of the former version enrols at the upgraded platform.
    const behind = await enrolled(t, upgraded, before);
    const second = await startGateway(t, before, behind);
    await second.serves(20);
    await upgraded.counted(60);

    // And is upgraded: identity, configuration and what still lay in its spool are read by this version.
    second.process.kill('SIGTERM');
    assert.equal(await second.process.ended, 0, second.process.output());
    const third = await startGateway(t, now.gateway, behind);
    await third.serves(20);
    await upgraded.counted(80);
  },
);

interface Installed {
  /** Folders with node_modules. */
  readonly platform: string;
  readonly gateway: string;
}

let ours: Promise<Installed> | undefined;
/** What is installed outlives the test that asked first; it goes with the process. */
const file = { after: () => undefined };

/** This tree as it is committed, packed and installed, once for all tests of this file. */
function installed(t: TestContext): Promise<Installed> {
  ours ??= (async () => {
    const source = tempDir(file, 'isthmus-source');
    execFileSync('git', ['clone', '-q', root, source]);
    const packed = pack(source);
    assert.deepEqual(packed.length, 2, packed.join(' '));
    const [platform = '', gateway = ''] = packed;
    for (const tarball of packed)
      t.diagnostic(`${basename(tarball)}: ${Math.round(statSync(tarball).size / 1024)} KiB`);
    return { platform: install(platform), gateway: install(gateway) };
  })();
  return ours;
}

function installedFormer(): string {
  const source = tempDir(file, 'isthmus-former');
  const archive = execFileSync('git', ['archive', former], { cwd: root, maxBuffer: 512 * 1024 * 1024 });
  execFileSync('tar', ['-x'], { cwd: source, input: archive });
  const [platform = ''] = pack(source);
  return install(platform);
}

/** Packs with the packages of this checkout, and gives back the tarballs, isthmus first. */
function pack(source: string): readonly string[] {
  const destination = tempDir(file, 'isthmus-pack');
  symlinkSync(join(root, 'node_modules'), join(source, 'node_modules'));
  execFileSync('npm', ['pack', '--pack-destination', destination], { cwd: source, env, stdio: 'pipe' });
  const names = readdirSync(destination).filter((name) => name.endsWith('.tgz'));
  return names.toSorted((a, b) => a.length - b.length).map((name) => join(destination, name));
}

function install(tarball: string): string {
  const dir = tempDir(file, 'isthmus-installed');
  writeFileSync(join(dir, 'package.json'), '{"private":true}');
  execFileSync('npm', ['install', tarball], { cwd: dir, env, stdio: 'pipe' });
  return dir;
}

function cliOf(dir: string): string {
  const [found = ''] = ['isthmus', 'isthmus-gateway']
    .map((name) => join(dir, 'node_modules', name, 'deploy/isthmus.js'))
    .filter((file) => existsSync(file));
  return found;
}

async function output(t: TestContext, args: readonly string[]): Promise<string> {
  const child = startNode(t, args);
  assert.equal(await child.ended, 0, child.output());
  return child.output();
}

interface Platform {
  readonly process: HouseProcess;
  readonly client: ManagementClient;
  readonly bridge: string;
  /** Waits until the lake holds so many requests of the demo API, and makes sure that it does not hold more. */
  counted(total: number): Promise<void>;
}

async function startUp(
  t: TestContext,
  wish: { readonly package: string; readonly dir: string; readonly offset: number },
): Promise<Platform> {
  const args = ['up', '--data-dir', wish.dir, '--port-offset', String(wish.offset)];
  const child = startNode(t, [cliOf(wish.package), ...args], {
    env: { ISTHMUS_ADMIN_PASSWORD: adminPassword },
  });
  await eventually(
    () => {
      if (!child.isRunning()) throw new Error(child.output());
      return /ready\./i.test(child.stdout());
    },
    { timeoutMs: 30_000 },
  );
  const client = createManagementClient(`http://127.0.0.1:${8083 + wish.offset}`, adminPassword);
  const apis = await client.call<{ data: { id: string; name: string }[] }>(
    'GET',
    '/v2/environments/DEFAULT/apis',
  );
  const id = apis.data.find(({ name }) => name === 'Demo /echo')?.id;
  const count = async (): Promise<number> => {
    const span = `from=0&to=${Date.now() + 60_000}`;
    const path = `/v2/environments/DEFAULT/apis/${id}/analytics/requests-count?${span}`;
    return (await client.call<{ total: number }>('GET', path)).total;
  };
  return {
    process: child,
    client,
    bridge: `http://127.0.0.1:${18_092 + wish.offset}`,
    async counted(total) {
      await eventually(async () => (await count()) >= total, { timeoutMs: 30_000, everyMs: 250 });
      assert.equal(await count(), total);
    },
  };
}

/** A folder in which a gateway has enrolled, with the command of its own version. */
async function enrolled(t: TestContext, { client, bridge }: Platform, from: string): Promise<string> {
  const fleets = await client.call<{ data: { id: string }[] }>('GET', '/v2/organizations/DEFAULT/fleets');
  const path = `/v2/organizations/DEFAULT/fleets/${fleets.data[0]?.id}/enrolment-tokens`;
  const { token } = await client.call<{ token: string }>('POST', path, { body: { bridge } });
  const dir = join(tempDir(t, 'isthmus-gateway'), 'data');
  mkdirSync(dir, { recursive: true });
  await output(t, [cliOf(from), 'enroll', '--token', token, '--data-dir', dir]);
  return dir;
}

async function startGateway(t: TestContext, from: string, dir: string) {
  const ports = { gateway: await freePort(), node: await freePort(), shipper: await freePort() };
  const child = startNode(t, [cliOf(from), 'gateway', '--with-shipper', '--data-dir', dir], {
    env: {
      ISTHMUS_GATEWAY__LISTEN__PORT: String(ports.gateway),
      ISTHMUS_GATEWAY__ADMIN__PORT: String(ports.node),
      ISTHMUS_GATEWAY__LAME_DUCK_MS: '0',
      ISTHMUS_SHIPPER__ADMIN__PORT: String(ports.shipper),
      ISTHMUS_SHIPPER__BATCH__MS_MAX: '500',
    },
  });
  const isConnected = async (): Promise<boolean> => {
    if (!child.isRunning()) throw new Error(child.output());
    const text = await (await fetch(`http://127.0.0.1:${ports.node}/metrics`)).text();
    return /^isthmus_sync_connected\{.*\} 1$/m.test(text);
  };
  return {
    process: child,
    /** Connected to its bridge, it answers so many requests. */
    async serves(requests: number): Promise<void> {
      await eventually(isConnected, { timeoutMs: 40_000 });
      await eventually(async () => (await fetch(`http://127.0.0.1:${ports.node}/health/ready`)).ok, {
        timeoutMs: 20_000,
      });
      for (let n = 0; n < requests; n += 1)
        assert.equal((await fetch(`http://127.0.0.1:${ports.gateway}/echo`)).status, 200);
    },
  };
}
