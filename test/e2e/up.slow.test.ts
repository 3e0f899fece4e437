import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { foldersOf } from '../../proto/process/data-folder.ts';
import { listSpools, shippedOf } from '../../proto/spool/folder.ts';
import { eventually } from '../kit/eventually.ts';
import { isWithin } from '../kit/pace.ts';
import { descendantsOf, startIsthmus } from '../kit/processes/processes.ts';
import { tempDir } from '../kit/temp-dir.ts';
import { adminPassword, freePortOffset, startPlatform, type Platform } from '../kit/processes/up.ts';

const readyMsMax = 3_000;
const startsMax = 3;

/** How long the main threads of these processes stood ready and had no core: what others on this machine took. Linux counts it. */
function waitedForCoresMs(pids: readonly number[]): number {
  const waitsNs = pids.map((pid) => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]));
  return waitsNs.reduce((sum, waitNs) => sum + waitNs, 0) / 1e6;
}

/** Asks over one kept connection, again and again, until an answer says that it is the last. */
async function askUntilTold(url: string): Promise<{ readonly answers: number; readonly isTold: boolean }> {
  const { hostname, port, pathname } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.setEncoding('latin1');
  let text = '';
  socket.on('data', (part: string) => (text += part));
  const faults: Error[] = [];
  socket.on('error', (error) => faults.push(error));
  let answers = 0;
  let isTold = false;
  while (!isTold) {
    text = '';
    socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
    await eventually(() => {
      if (faults[0] !== undefined || (socket.destroyed && !text.includes('\r\n\r\n')))
        throw new Error(`after ${answers} answers`, { cause: faults[0] });
      return text.includes('\r\n\r\n');
    });
    answers += 1;
    isTold = /\r\nconnection: close\r\n/i.test(text);
  }
  socket.destroy();
  return { answers, isTold };
}

/** Starts a platform that is ready in time; where the machine was busy with something else, the next start may be. */
async function startInTime(t: TestContext): Promise<Platform> {
  for (let tries = 1; ; tries += 1) {
    const startedMs = performance.now();
    const up = await startPlatform(t, { env: { ISTHMUS_SECRET_WORD: 'sesame' } });
    const readyMs = performance.now() - startedMs;
    const waitedMs = waitedForCoresMs([up.process.pid, up.gatewayPid]);
    const said = `ready after ${readyMs.toFixed(0)} ms, ${waitedMs.toFixed(0)} of them without a core`;
    t.diagnostic(said);
    if (readyMs - waitedMs <= readyMsMax) return up;
    assert.ok(tries < startsMax, said);
    up.process.kill('SIGTERM');
    await up.process.ended;
  }
}

test('isthmus up on a fresh folder is ready within 3 s', async (t) => {
  const up = await startInTime(t);

  await t.test('isthmus up answers both demo APIs and counts requests exactly', async () => {
    for (let n = 0; n < 50; n += 1) assert.equal((await fetch(`${up.gateway}/demo/echo`)).status, 200);
    assert.equal((await fetch(`${up.gateway}/demo/orders`)).status, 401);
    assert.equal(
      (await fetch(`${up.gateway}/demo/orders`, { headers: { 'X-Gravitee-Api-Key': 'wrong' } })).status,
      401,
    );
    assert.equal(
      (await fetch(`${up.gateway}/demo/orders`, { headers: { 'X-Gravitee-Api-Key': up.ordersKey } })).status,
      200,
    );

    const apis = await up.client.call<{ data: { id: string; name: string }[] }>(
      'GET',
      '/v2/environments/DEFAULT/apis',
    );
    const echo = apis.data.find((api) => /echo/i.test(api.name));
    const orders = apis.data.find((api) => /orders/i.test(api.name));
    const window = `from=${Date.now() - 3_600_000}&to=${Date.now() + 3_600_000}`;
    const count = async (id: string | undefined): Promise<number> => {
      const answer = await up.client.call<{ total: number }>(
        'GET',
        `/v2/environments/DEFAULT/apis/${id}/analytics/requests-count?${window}`,
      );
      return answer.total;
    };
    await eventually(async () => (await count(echo?.id)) >= 50, { timeoutMs: 20_000, everyMs: 250 });
    assert.equal(await count(echo?.id), 50);
    await eventually(async () => (await count(orders?.id)) >= 3, { timeoutMs: 20_000, everyMs: 250 });
    const ranges = await up.client.call<{ ranges: Record<string, number> }>(
      'GET',
      `/v2/environments/DEFAULT/apis/${orders?.id}/analytics/response-status-ranges?${window}`,
    );
    assert.equal(ranges.ranges['200.0-300.0'], 1);
    assert.equal(ranges.ranges['400.0-500.0'], 2);

    // Our own doors are no backends.
    await up.client.createApi({ path: '/inward', target: up.management, security: 'KEY_LESS' });
    await eventually(async () => (await fetch(`${up.gateway}/inward`)).status === 502);
  });

  await t.test(
    'a definition reads the variables that the operator named for it, and the process of the gateway has no other of ours',
    async () => {
      const configuration = { status: '200', content: "{#secrets.get('/env/WORD')}" };
      const flow = { enabled: true, request: [{ policy: 'mock', enabled: true, configuration }] };
      await up.client.createApi({ path: '/word', target: up.bridge, security: 'KEY_LESS', flows: [flow] });
      await eventually(async () => {
        const answer = await fetch(`${up.gateway}/word`);
        return answer.status === 200 && (await answer.text()) === 'sesame';
      });
      const environment = readFileSync(`/proc/${up.gatewayPid}/environ`, 'utf8').split('\0');
      assert.deepEqual(
        environment.filter((line) => line.startsWith('ISTHMUS_')),
        ['ISTHMUS_SECRET_WORD=sesame'],
      );
    },
  );

  await t.test('the curl lines that up prints work as they are printed', async () => {
    const lines = [...up.process.stdout().matchAll(/^ {2}(curl .*)$/gm)].map((match) => match[1] ?? '');
    assert.equal(lines.length, 3, up.process.stdout());
    for (const line of lines) {
      const { stdout } = await promisify(execFile)(
        'bash',
        ['-c', line.replace(/^curl /, 'curl --fail -s ')],
        {
          env: { PATH: process.env['PATH'] ?? '', ISTHMUS_ADMIN_PASSWORD: adminPassword },
        },
      );
      assert.doesNotThrow(() => JSON.parse(stdout) as unknown, line);
    }
  });

  await t.test(
    'the admin password never stands in the data folder or the output, and all in that folder is for its owner alone',
    async () => {
      assert.equal(
        (
          await fetch(`${up.management}/management/organizations/DEFAULT/user`, {
            headers: { authorization: `Basic ${btoa(`admin:${adminPassword}`)}` },
          })
        ).status,
        200,
      );
      for (const secret of [adminPassword, up.ordersKey]) {
        const found = execFileSync('sh', ['-c', `grep -rl -- "$0" "$1" || true`, secret, up.dir], {
          encoding: 'utf8',
        });
        assert.equal(found, '');
      }
      assert.equal((await fetch(`${up.gateway}/demo/echo`)).status, 200);
      const open = execFileSync('find', [up.dir, '-mindepth', '1', '-perm', '/077'], { encoding: 'utf8' });
      assert.equal(open, '', 'folders are 0700, files 0600');
    },
  );

  await t.test(
    'a second up on the same data folder is told that the folder is in use, not the port, and harms nothing',
    async () => {
      const offset = ['--port-offset', String(up.portOffset)];
      for (const [flags, env] of [
        [['--data-dir', up.dir], {}],
        [[], { ISTHMUS_DATA_DIR: up.dir }],
      ] as const) {
        const second = startIsthmus(t, ['up', ...flags, ...offset], { env });
        assert.equal(await second.ended, 1);
        assert.match(
          second.output(),
          new RegExp(
            `^isthmus: The folder ${up.dir} is in use by another control-plane \\(isthmus up, process ${up.process.pid}, since [^ ]+Z\\)\\. .*--data-dir; .*--port-offset`,
          ),
        );
      }
      const gateway = startIsthmus(t, ['gateway', '--local', up.dir, '--data-dir', join(up.dir, 'gateway')]);
      assert.equal(await gateway.ended, 1);
      assert.match(
        gateway.output(),
        new RegExp(`in use by another gateway \\(process ${up.process.pid}, since `),
      );
      assert.equal((await fetch(`${up.gateway}/demo/echo`)).status, 200);
    },
  );

  await t.test(
    'flows of the organization that are written at the management API answer before any API asks who calls, until they are taken back',
    async () => {
      const write = (pre: readonly object[]) =>
        up.client.call('PUT', '/organizations/DEFAULT', { body: { name: 'One', flows: [{ pre }] } });
      const isAnswered = (status: number) =>
        eventually(async () => (await fetch(`${up.gateway}/demo/orders`)).status === status);
      await write([{ policy: 'mock', configuration: { status: '418' } }]);
      await isAnswered(418);
      await write([]);
      await isAnswered(401);
    },
  );

  await t.test(
    'a draft is tried on a backend of this machine, and on no port that commands the platform',
    () => triesDrafts(up),
  );

  await t.test(
    'SIGTERM resets no kept connection, of the gateway and of the management API: each answer comes, the last says so',
    async () => {
      const asked = [`${up.gateway}/demo/echo`, `${up.management}/management/openapi.json`].map(askUntilTold);
      await fetch(`${up.gateway}/demo/echo`);
      up.process.kill('SIGTERM');
      for (const { answers, isTold } of await Promise.all(asked)) assert.ok(isTold && answers > 1);
      assert.equal(await up.process.ended, 0, up.process.output());
    },
  );

  await testStartsAgain(t, up);
});

test('a first start that is ended before it is ready shows what is shown once, and the next one serves by it', async (t) => {
  const dir = tempDir(t, 'isthmus-up');
  const portOffset = freePortOffset();
  const child = startIsthmus(t, ['up', '--data-dir', dir, '--port-offset', String(portOffset)]);
  await eventually(() => existsSync(foldersOf(dir).secrets), { everyMs: 1 });
  child.kill('SIGINT');
  assert.equal(await child.ended, 0, child.output());
  assert.doesNotMatch(child.stdout(), /Ready/);
  const up = await startPlatform(t, { dir, portOffset });
  const said = `${child.stdout()}${up.process.stdout()}`;
  const keys = [...said.matchAll(/X-Gravitee-Api-Key: ([^\s'"]+)'.*shown this once/g)];
  assert.equal(keys.length, 1, said);
  const isMadeAtFirst = child.stdout().includes(keys[0]?.[1] ?? '');
  assert.equal(/admin password {3}\S+ {3}\(shown this once/.test(child.stdout()), isMadeAtFirst);
  const headers = { 'X-Gravitee-Api-Key': keys[0]?.[1] ?? '' };
  assert.equal((await fetch(`${up.gateway}/demo/orders`, { headers })).status, 200);
  assert.equal((await fetch(`${up.gateway}/demo/echo`)).status, 200);
});

async function triesDrafts({ client, gateway, management, bridge, nodeApi, nodes }: Platform): Promise<void> {
  const tried = async (
    target: string,
    n: number,
  ): Promise<{ readonly status?: number; readonly text: string }> => {
    const { id } = await client.createApi({ path: `/tried-${n}`, target, security: 'KEY_LESS' });
    const { run } = await client.call<{
      readonly run: { readonly backendResponse?: { readonly statusCode: number } };
    }>('POST', `/v2/environments/DEFAULT/apis/${id}/debug`, { body: { method: 'GET', path: '/' } });
    const status = run.backendResponse?.statusCode;
    return { ...(status !== undefined && { status }), text: JSON.stringify(run) };
  };
  const { status, text } = await tried(`${gateway}/demo/echo`, 0);
  assert.equal(status, 200, text);
  for (const [index, door] of [management, bridge, nodeApi, ...Object.values(nodes)].entries()) {
    // Whoever writes it is refused already, or the run is.
    const refused = await tried(door, index + 1).catch((error: unknown) => ({ text: String(error) }));
    assert.match(refused.text, /may not (?:call|be called)|no address that may be dialled/, door);
    assert.ok(!('status' in refused), `${door}: ${refused.text}`);
  }
}

/** Each of these starts on the folder of the platform above, as after an evening: a first start takes twice the time. */
async function testStartsAgain(t: TestContext, first: Platform): Promise<void> {
  const { dir, portOffset, ordersKey } = first;

  await t.test(
    'a platform that is started again keeps its password, its APIs and its key, and ships over its bridge, which has another port now; the gateway has a process of its own, which logs under its name in the same log and takes the settings of up',
    async (inner) => {
      const before = new Set((await shippedIn(dir)).keys());
      // By themselves these batches would wait for a minute.
      const settings = [
        'gateway.request.answerMsMax=1234',
        'gateway.workers=2',
        'shipper.batch.msMax=60000',
        'bridge.listen.port=0',
      ];
      const args = ['--log-level', 'info', ...settings.flatMap((each) => ['--set', each])];
      const up = await startPlatform(inner, { dir, portOffset, args });
      const headers = { 'X-Gravitee-Api-Key': ordersKey };
      assert.equal((await fetch(`${up.gateway}/demo/orders`, { headers })).status, 200);
      assert.equal(up.ordersKey, '', 'the key was printed a second time');
      const lines = up.process
        .output()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as { name: string; pid: number; msg: string; port?: number });
      const listening = lines.find(({ name, msg }) => name === 'gateway' && msg === 'listening');
      assert.equal(listening?.pid, up.gatewayPid);
      assert.equal(listening.port, 8_082 + up.portOffset);
      assert.ok(lines.some(({ name, pid }) => name === 'up' && pid === up.process.pid));
      // Callers come before whoever manages it, where both want the same core.
      const behind = Math.min(19, getPriority(up.gatewayPid) + 5);
      await eventually(() => getPriority(up.process.pid) === behind, { timeoutMs: 20_000 });
      const workers = descendantsOf(up.gatewayPid);
      assert.equal(workers.length, 2);

      const requests = 25;
      for (let n = 1; n < requests; n += 1)
        assert.equal((await fetch(`${up.gateway}/demo/echo`)).status, 200);
      const endedMs = performance.now();
      up.process.kill('SIGINT');
      assert.equal(await up.process.ended, 0, up.process.output());
      isWithin(performance.now() - endedMs, { msMax: 15_000 });
      assert.ok([up.gatewayPid, ...workers].every(isGone));
      const shipped = [...(await shippedIn(dir))].filter(([spool]) => !before.has(spool));
      const records = shipped.reduce((sum, [, count]) => sum + count, 0);
      assert.equal(records, requests, 'what was answered until the end is shipped');
    },
  );

  for (const [signal, code] of [
    ['SIGKILL', 137],
    ['SIGTERM', 0],
  ] as const)
    await t.test(
      `when the gateway's process ends (${signal}) up says so and ends with its exit code, ${code}`,
      async (inner) => {
        const up = await startPlatform(inner, { dir, portOffset });
        const others = descendantsOf(up.process.pid);
        process.kill(up.gatewayPid, signal);
        assert.equal(await up.process.ended, code, up.process.output());
        assert.match(up.process.output(), /"name":"up".*the gateway ended; everything ends with it/);
        await eventually(() => others.every(isGone));
        await assert.rejects(fetch(`${up.management}/`));
      },
    );

  await t.test('up that is killed -9 leaves no gateway and no port behind', async (inner) => {
    const up = await startPlatform(inner, { dir, portOffset, args: ['--log-level', 'info'] });
    const others = descendantsOf(up.process.pid);
    assert.ok(others.includes(up.gatewayPid));
    up.process.kill('SIGKILL');
    await eventually(() => others.every(isGone), { timeoutMs: 10_000 });
    await assert.rejects(fetch(`${up.gateway}/demo/echo`));
    assert.match(up.process.output(), /"name":"gateway".*"msg":"closing/, 'it ended as after SIGTERM');
  });
}

/** How many records were shipped out of a platform's folder, by spool; each process has its own. */
async function shippedIn(dir: string): Promise<ReadonlyMap<string, number>> {
  const { checkpoints, spools } = foldersOf(join(dir, 'gateway'));
  return new Map((await listSpools(spools)).map((ref) => [ref.spool, shippedOf(ref, checkpoints)]));
}

function isGone(pid: number): boolean {
  return !existsSync(`/proc/${pid}`);
}
