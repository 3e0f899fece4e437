import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { skipWithoutBrowser, startBrowser } from '../kit/browser/browser.ts';
import { signIn } from '../kit/browser/console.ts';
import { eventually } from '../kit/eventually.ts';
import { createManagementClient } from '../kit/control-plane/management-client.ts';
import { adminPassword } from '../kit/processes/up.ts';
import { startWhole } from '../kit/processes/whole.ts';
import { startUpstream } from '../kit/servers/upstream.ts';

/*
 * What the publisher could not know: two environments share a gateway and want the same context path. Whoever comes second
 * is refused there, alone.
 */

/** What deployments/current says, as far as it is asked here. */
interface Current {
  readonly seq: number;
  readonly gateways: readonly {
    readonly deployment: string;
    readonly appliedSeq?: number;
    readonly nack?: { readonly seq: number; readonly code: string; readonly reason: string };
  }[];
}

test('a nack is readable with its reason and clears with the next good revision', async (t) => {
  const { other, current, ask, target } = await sharedGateway(t);
  const second = await other.createApi({ path: '/same', target, security: 'KEY_LESS' });
  const refused = await eventually(async () => {
    const [gateway] = (await current(second.id)).gateways;
    return gateway?.deployment === 'refused' && gateway;
  });
  assert.equal(refused.nack?.code, 'path.taken');
  assert.match(refused.nack.reason, /context path \/same is taken by API [0-9a-f-]+ of environment/);
  assert.equal(await ask('/same'), 200, 'the API that was there first goes on');

  await other.moveTo(second.id, '/another');
  await other.deploy(second.id);
  await eventually(async () => (await ask('/another')) === 200);
  await eventually(async () => (await current(second.id)).gateways[0]?.deployment === 'applied');
  assert.equal((await current(second.id)).gateways[0]?.nack, undefined);
});

test('a nack clears when the API that had the path leaves it, with nothing deployed anew', async (t) => {
  const { other, client, first, current, ask, target } = await sharedGateway(t);
  const second = await other.createApi({ path: '/same', target, security: 'KEY_LESS' });
  await eventually(async () => (await current(second.id)).gateways[0]?.deployment === 'refused');
  await client.moveTo(first.id, '/elsewhere');
  await client.deploy(first.id);
  await eventually(async () => (await ask('/elsewhere')) === 200);
  assert.equal(await ask('/same'), 200);
  // The next heartbeat says so.
  await eventually(async () => (await current(second.id)).gateways[0]?.deployment === 'applied', {
    timeoutMs: 45_000,
  });
});

test('a nack stays readable while the border is cut, and clears across the reconnect', async (t) => {
  const { other, current, ask, target, cutBorder } = await sharedGateway(t);
  const second = await other.createApi({ path: '/same', target, security: 'KEY_LESS' });
  await eventually(async () => (await current(second.id)).gateways[0]?.deployment === 'refused');
  const mend = await cutBorder();
  assert.equal((await current(second.id)).gateways[0]?.nack?.code, 'path.taken');

  await other.moveTo(second.id, '/another');
  await other.deploy(second.id);
  const [pending] = (await current(second.id)).gateways;
  assert.deepEqual(
    [pending?.deployment, pending?.nack],
    ['pending', undefined],
    'a refusal of an earlier revision says nothing about this one',
  );
  await mend();
  await eventually(async () => (await ask('/another')) === 200, { timeoutMs: 20_000 });
  const after = await eventually(async () => {
    const now = await current(second.id);
    return now.gateways[0]?.deployment === 'applied' && now;
  });
  assert.equal(after.gateways[0]?.nack, undefined);
  assert.ok((after.gateways[0]?.appliedSeq ?? 0) >= after.seq);
});

test(
  'a nack stands with its reason on the page of its API, and among what needs attention',
  { skip: skipWithoutBrowser },
  async (t) => {
    const build = join(import.meta.dirname, '../../deploy/build-ui.js');
    execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
    const { other, current, target, url } = await sharedGateway(t);
    const second = await other.createApi({ path: '/same', target, security: 'KEY_LESS' });
    await eventually(async () => (await current(second.id)).gateways[0]?.deployment === 'refused');
    const browser = await startBrowser(t, { hasNoAnalytics: true });
    const page = await browser.open({ origin: url, path: `/console/OTHER/apis/${second.id}` });
    await signIn(page);
    await page.getByText('Refused by 1 of 1 gateway').waitFor();
    await page
      .getByText(/context path \/same is taken by API/)
      .first()
      .waitFor();
    await page.goto('/console/OTHER/overview');
    const attention = page.getByRole('region', { name: 'Needs attention' });
    await attention.getByText(/context path \/same is taken by API/).waitFor();
    await attention.getByRole('link', { name: /was refused$/ }).click();
    await page.getByText('Refused by 1 of 1 gateway').waitFor();
    await page.context().close();
  },
);

/** A control plane with two environments, a bridge, and one gateway whose fleet may see both; DEFAULT has /same. */
async function sharedGateway(t: TestContext) {
  const { controlPlane, client, cutBorder, startGateway } = await startWhole(t);
  const { publisher, fleets } = controlPlane.desk;
  const { at, fleet } = controlPlane.boot;
  await controlPlane.storage.transaction((trx) =>
    publisher.ensureEnvironment(trx, at.organization, { id: 'other-id', name: 'Other', hrid: 'OTHER' }),
  );
  await client.call('PUT', `/v2/organizations/DEFAULT/fleets/${fleet}`, {
    body: { name: 'shared', environments: ['DEFAULT', 'OTHER'], tags: [] },
  });
  assert.equal((await fleets.list(at.organization, { limit: 10 }))[0]?.environments.length, 2);
  const gateway = await startGateway();
  const ask = async (path: string): Promise<number> => {
    const answer = await fetch(`http://127.0.0.1:${gateway.port}${path}`);
    await answer.arrayBuffer();
    return answer.status;
  };
  const { url: target } = await startUpstream(t);
  const first = await client.createApi({ path: '/same', target, security: 'KEY_LESS' });
  await eventually(async () => (await ask('/same')) === 200);
  const other = createManagementClient(controlPlane.url, adminPassword, 'OTHER');
  return {
    ask,
    url: controlPlane.url,
    target,
    client,
    first,
    other,
    current: (id: string) =>
      other.call<unknown>('GET', `/v2/environments/OTHER/apis/${id}/deployments/current`) as Promise<Current>,
    cutBorder,
  };
}
