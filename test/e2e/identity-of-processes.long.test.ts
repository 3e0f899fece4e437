import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { assertionFor, claimSeat } from '../kit/bridge/bridge-client.ts';
import { framesOf } from '../kit/bridge/bridge-calls.ts';
import { testDatabases } from '../kit/servers/databases.ts';
import { enrolStranger } from '../kit/bridge/enrolled-strangers.ts';
import { eventually } from '../kit/eventually.ts';
import { startHybrid, type Hybrid } from '../kit/processes/hybrid.ts';
import {
  freePort,
  runIsthmus,
  startIsthmus,
  withoutFaketime,
  type HouseProcess,
} from '../kit/processes/processes.ts';
import { startUpstream } from '../kit/servers/upstream.ts';

/* Who is who, with every process a process of its own: clocks that are years off, proofs that are repeated, machines that are copied. */

const skip = testDatabases.find((database) => database.name === 'postgres')?.skip ?? false;
const within = { timeoutMs: 30_000, everyMs: 50 };

const start = (t: TestContext, gateways: number): Promise<Hybrid> =>
  startHybrid(t, { database: 'postgres', bucket: 'folder', isBorderStrict: false, gateways });

test(
  'a gateway or a bridge whose clock is years off follows, and so does one that is enrolled then',
  { skip: skip === false ? withoutFaketime : skip },
  async (t) => {
    const hybrid = await start(t, 1);
    const upstream = await startUpstream(t);
    const [gateway = ''] = hybrid.gateways;
    let published = 0;
    const follows = async (): Promise<void> => {
      published += 1;
      const path = `/published-${published}`;
      await hybrid.client.createApi({ path, target: upstream.url, security: 'KEY_LESS' });
      await eventually(async () => (await fetch(`${gateway}${path}`)).status === 200, within);
    };
    await follows();
    for (const [name, clock] of [
      ['gateway-0', '+1y'],
      ['gateway-0', '-2y'],
      ['bridge', '+2y'],
      ['bridge', '-2y'],
    ] as const) {
      await hybrid.kill(name);
      await hybrid.start(name, { clock });
      await follows();
      if (name !== 'bridge') continue;
      // One that has nothing yet needs all that proves the heads.
      const stranger = await enrolStranger(hybrid.client, hybrid.bridge);
      await claimSeat(stranger, hybrid.bridge);
      const authorization = `Bearer ${await assertionFor(stranger, hybrid.bridge)}`;
      const [environment] = stranger.identity.grant.environments;
      const answer = await fetch(`${hybrid.bridge}/bridge/v1/changes?environment=${environment}`, {
        headers: { authorization },
      });
      assert.equal(answer.status, 200);
      const frames = await framesOf(new Uint8Array(await answer.arrayBuffer()));
      assert.ok(
        frames.some((frame) => frame.kind === 'certificates' && frame.certificates.length > 0),
        `certificates of a bridge whose clock is off by ${clock}`,
      );
    }
  },
);

test(
  'a proof counts once, at whichever of two bridges on one database, also after kill -9 of both',
  { skip },
  async (t) => {
    const hybrid = await start(t, 0);
    const other = await startSecondBridge(t, hybrid);
    const gateway = await enrolStranger(hybrid.client, hybrid.bridge);
    await claimSeat(gateway, hybrid.bridge);
    const [environment] = gateway.identity.grant.environments;
    const path = `/bridge/v1/snapshot?environment=${environment}`;
    const ask = async (url: string, token: string): Promise<string> => {
      const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
      await answer.arrayBuffer();
      return `${answer.status} ${answer.headers.get('x-isthmus-code') ?? ''}`;
    };
    const first = await assertionFor(gateway, hybrid.bridge);
    const second = await assertionFor(gateway, hybrid.bridge);
    assert.match(
      await ask(other.url, first),
      /^(200|404 request.not_found)/,
      'a nonce of one is good at the other',
    );
    for (const url of [hybrid.bridge, other.url])
      assert.equal(await ask(url, first), '401 trust.replayed', url);
    await hybrid.kill('bridge');
    await hybrid.start('bridge');
    await other.restart();
    for (const url of [hybrid.bridge, other.url])
      assert.equal(await ask(url, first), '401 trust.replayed', url);
    // Made before both were killed: the key lies in the database.
    assert.match(await ask(hybrid.bridge, second), /^(200|404 request.not_found)/);
    assert.equal(await ask(other.url, second), '401 trust.replayed');
    const evil = await assertionFor(gateway, hybrid.bridge, { audience: 'http://evil.example' });
    const code = await new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${evil}`, host: 'evil.example' };
      request(`${hybrid.bridge}${path}`, { headers }, (answer) => {
        answer.resume();
        resolve(answer.headers['x-isthmus-code']);
      })
        .on('error', reject)
        .end();
    });
    assert.equal(code, 'trust.wrong_audience');
  },
);

test(
  'a copied machine: refused while the first lives, reported when the first returns, settled by reseat, also across a bridge that restarts',
  { skip },
  async (t) => {
    const hybrid = await start(t, 1);
    const upstream = await startUpstream(t);
    await hybrid.client.createApi({ path: '/served', target: upstream.url, security: 'KEY_LESS' });
    const [gateway = ''] = hybrid.gateways;
    await eventually(async () => (await fetch(`${gateway}/served`)).status === 200, within);
    const copy = await startCopy(t, hybrid);
    const conflict = /Another process holds the seat of this gateway's identity/;
    await eventually(() => conflict.test(copy.process.output()), within);
    assert.doesNotMatch(hybrid.process('gateway-0').output(), conflict);
    assert.equal((await fetch(`${copy.url}/served`)).status, 200, 'what it could prove it serves');

    // The machine of the first dies: the copy takes the seat when its lease has ended.
    await hybrid.kill('gateway-0');
    const follows = async (url: string, path: string): Promise<void> => {
      await hybrid.client.createApi({ path, target: upstream.url, security: 'KEY_LESS' });
      await eventually(async () => (await fetch(`${url}${path}`)).status === 200, {
        ...within,
        timeoutMs: 90_000,
      });
    };
    await follows(copy.url, '/to-the-copy');
    await hybrid.kill('bridge');
    await hybrid.start('bridge');
    hybrid.startUnready('gateway-0');
    const returned = hybrid.process('gateway-0');
    await eventually(() => conflict.test(returned.output()), { ...within, timeoutMs: 60_000 });

    const { gateway: id } = JSON.parse(
      readFileSync(join(hybrid.dir, 'gateway-0', 'identity.json'), 'utf8'),
    ) as { gateway: string };
    const file = join(hybrid.dir, 'control-plane.yaml');
    const health = (await (await fetch(`${hybrid.nodeApis[0]}/health`)).json()) as {
      sync: { instance: string };
    };
    const { instance } = health.sync;
    await runIsthmus(t, ['fleet', 'reseat', id, '--instance', instance, '--config', file, '--json']);
    await follows(gateway, '/to-the-first');
    await eventually(() => (copy.process.output().match(new RegExp(conflict, 'g')) ?? []).length >= 2, {
      ...within,
      timeoutMs: 60_000,
    });
  },
);

/** Another bridge on the database and bucket of the first, which answers to the first one's name too. */
async function startSecondBridge(
  t: TestContext,
  hybrid: Hybrid,
): Promise<{ readonly url: string; restart(): Promise<void> }> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const config = JSON.parse(readFileSync(join(hybrid.dir, 'bridge.yaml'), 'utf8')) as object;
  const file = join(hybrid.dir, 'bridge-2.yaml');
  const own = { listen: { port }, admin: { port: adminPort }, publicUrls: [hybrid.bridge, url] };
  writeFileSync(file, JSON.stringify({ ...config, ...own }));
  let child: HouseProcess;
  const begin = async (): Promise<void> => {
    child = startIsthmus(t, ['bridge', '--config', file]);
    await eventually(() => {
      if (!child.isRunning()) throw new Error(child.output());
      return /listening/.test(child.output());
    }, within);
  };
  await begin();
  return {
    url,
    async restart() {
      child.kill('SIGKILL');
      await child.ended;
      await begin();
    },
  };
}

/** The folder of the first gateway, copied while it runs, on a machine of its own. */
async function startCopy(
  t: TestContext,
  hybrid: Hybrid,
): Promise<{ readonly url: string; readonly process: HouseProcess }> {
  const config = JSON.parse(readFileSync(join(hybrid.dir, 'gateway-0.yaml'), 'utf8')) as object;
  const dataDir = join(hybrid.dir, 'gateway-copy');
  cpSync(join(hybrid.dir, 'gateway-0'), dataDir, { recursive: true });
  const [port, adminPort] = [await freePort(), await freePort()];
  const file = join(hybrid.dir, 'gateway-copy.yaml');
  writeFileSync(file, JSON.stringify({ ...config, dataDir, listen: { port }, admin: { port: adminPort } }));
  return { url: `http://127.0.0.1:${port}`, process: startIsthmus(t, ['gateway', '--config', file]) };
}
