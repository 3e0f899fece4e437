import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { eventually } from '../kit/eventually.ts';
import { createManagementClient, type ManagementClient } from '../kit/control-plane/management-client.ts';
import { tempDir } from '../kit/temp-dir.ts';
import { newcomersEnvironment, packTarball } from '../kit/processes/packed.ts';
import { freePortOffset } from '../kit/processes/up.ts';
import { isWithin } from '../kit/pace.ts';

const root = join(import.meta.dirname, '../..');
/** Calls of the samples to /demo/echo (deploy/samples.ts). */
const sampleCalls = 11;

test('a fresh clone: npm ci, npm start is ready within 5 s, and its demo APIs answer', async (t) => {
  const dir = tempDir(t, 'isthmus-clone');
  execFileSync('git', ['clone', '-q', root, dir]);
  execFileSync('npm', ['ci'], { cwd: dir, env: newcomersEnvironment, stdio: 'pipe' });
  await startAndAsk(t, { cwd: dir, command: ['npm', 'start', '--'], sampleCalls });
});

test('the packed tarball, installed in an empty folder, runs isthmus up', async (t) => {
  const installed = tempDir(t, 'isthmus-installed');
  const tarball = packTarball(t);
  writeFileSync(join(installed, 'package.json'), '{"private":true}');
  execFileSync('npm', ['install', tarball], { cwd: installed, env: newcomersEnvironment, stdio: 'pipe' });
  await startAndAsk(t, { cwd: installed, command: [join(installed, 'node_modules/.bin/isthmus'), 'up'] });
});

async function startAndAsk(
  t: TestContext,
  wish: {
    readonly cwd: string;
    readonly command: readonly string[];
    /** How often the start itself calls the API that is counted. */
    readonly sampleCalls?: number;
  },
): Promise<void> {
  const dataDir = join(wish.cwd, 'data');
  mkdirSync(dataDir, { recursive: true });
  const [command, ...args]: readonly string[] = [
    ...wish.command,
    '--data-dir',
    dataDir,
    '--port-offset',
    String(freePortOffset()),
  ];
  const startedMs = performance.now();
  const child = spawn(command ?? '', args, {
    cwd: wish.cwd,
    env: newcomersEnvironment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => killGroup(child));
  const output: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => output.push(text));
  let echoes = 0;
  const echo = async (gateway: string | undefined): Promise<number> => {
    const { status } = await fetch(`${gateway}/demo/echo`);
    echoes += 1;
    return status;
  };
  const addresses = await eventually(
    async () => {
      if (child.exitCode !== null) throw new Error(output.join(''));
      const found = JSON.parse(readFileSync(join(dataDir, 'addresses.json'), 'utf8')) as Record<
        string,
        string
      >;
      return (await echo(found['gateway'])) === 200 && found;
    },
    { timeoutMs: 60_000 },
  );
  const readyMs = performance.now() - startedMs;
  t.diagnostic(`answered ${readyMs.toFixed(0)} ms after the command, npm's own start included`);
  isWithin(readyMs, { msMax: 7_000, what: 'ready within 5 s and what npm takes to start' });
  const said = await eventually(() => /Ready\./.test(output.join('')) && output.join(''));
  const key = /X-Gravitee-Api-Key: ([^\s'"]+)/i.exec(said)?.[1] ?? '';
  assert.equal(
    (await fetch(`${addresses['gateway']}/demo/orders`, { headers: { 'X-Gravitee-Api-Key': key } })).status,
    200,
  );
  while (echoes < 50) assert.equal(await echo(addresses['gateway']), 200);
  const password = /admin password\s+(\S+)/.exec(said)?.[1] ?? '';
  const client = createManagementClient(addresses['management'] ?? '', password);
  const id = await echoOf(client);
  // Its process finds its program wherever that was installed, and no gateway counts what it calls.
  const { run, error } = await client.call<{
    run?: { response?: { statusCode: number } };
    error?: string;
  }>('POST', `${apisPath}/${id}/debug`, { body: {}, expected: [202] });
  assert.equal(run?.response?.statusCode, 200, error);
  await countExactly(client, id, 50 + (wish.sampleCalls ?? 0));
}

const apisPath = '/v2/environments/DEFAULT/apis';

/** Id of the demo API /demo/echo. */
async function echoOf(client: ManagementClient): Promise<string | undefined> {
  const { data } = await client.call<{ data: { id: string; name: string }[] }>('GET', apisPath);
  return data.find(({ name }) => name === 'Demo /demo/echo')?.id;
}

/** Waits until an API was counted so often, and makes sure that it was not more. */
async function countExactly(client: ManagementClient, id: string | undefined, wanted: number): Promise<void> {
  const path = `${apisPath}/${id}/analytics/requests-count?from=0&to=${Date.now() + 3_600_000}`;
  const count = async (): Promise<number> => (await client.call<{ total: number }>('GET', path)).total;
  await eventually(async () => (await count()) >= wanted, { timeoutMs: 20_000, everyMs: 250 });
  assert.equal(await count(), wanted);
}

/** Ends npm and everything that it started; `close` comes when the last of them has let go of the output. */
async function killGroup(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close');
  try {
    process.kill(-(child.pid ?? 0), 'SIGKILL');
  } catch {
    // It has ended already.
  }
  if (!child.stdout?.destroyed) await closed;
}
