import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { skipWithoutBrowser, startBrowser, type TestBrowser } from '../kit/browser/browser.ts';
import { signIn } from '../kit/browser/console.ts';
import { eventually } from '../kit/eventually.ts';
import { freePort, isthmusOnPath, startIsthmus } from '../kit/processes/processes.ts';
import { type Platform, startPlatform } from '../kit/processes/up.ts';

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

test('what somebody does first, after npm start', { skip: skipWithoutBrowser }, async (t) => {
  const platform = await startPlatform(t, { args: ['--samples'] });
  const browser = await startBrowser(t);
  await t.test(
    'a gateway on another machine is enrolled by what the page of its fleet says, and is seen',
    (inner) => enrols(inner, platform, browser),
  );
  await t.test(
    'the overview says that there are samples, and takes them away; what somebody made stays',
    () => removesSamples(platform, browser),
  );
  await t.test(
    'the bare address of an environment leads to its overview, and one that is not there to words',
    () => findsNothing(platform, browser),
  );
});

async function enrols(t: TestContext, { management, bridge }: Platform, browser: TestBrowser): Promise<void> {
  const page = await browser.open({ origin: management, path: '/console/_org/fleets' });
  await signIn(page);
  await page.getByRole('link', { name: 'laptop' }).click();
  await page.getByRole('button', { name: 'Create token' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Bridge' }).fill(bridge);
  await dialog.getByRole('button', { name: 'Create token' }).click();
  const commands = (await dialog.getByRole('region', { name: 'commands' }).textContent()) ?? '';
  const lines = commands.trim().split('\n');
  const start = lines.pop() ?? '';
  assert.match(start, /^isthmus gateway/);

  const there = isthmusOnPath(t);
  const env = { PATH: `${there}:${process.env['PATH'] ?? ''}`, HOME: there };
  await promisify(execFile)('bash', ['-euc', lines.join('\n')], { cwd: there, env });
  const port = await freePort();
  const gateway = startIsthmus(t, start.split(' ').slice(1), {
    cwd: there,
    env: {
      ISTHMUS_GATEWAY__LISTEN__PORT: String(port),
      ISTHMUS_GATEWAY__ADMIN__PORT: String(await freePort()),
      ISTHMUS_GATEWAY__LAME_DUCK_MS: '0',
    },
  });
  await eventually(
    async () => {
      if (!gateway.isRunning()) throw new Error(gateway.output());
      return (await fetch(`http://127.0.0.1:${port}/demo/echo`).catch(() => undefined))?.status === 200;
    },
    { timeoutMs: 30_000, everyMs: 200 },
  );
  await page.goto('/console/DEFAULT/overview');
  // By itself, as the page follows its gateways.
  await page.getByRole('list', { name: 'Gateways' }).getByRole('listitem').nth(1).waitFor();
  await page.goto('/console/DEFAULT/gateways');
  await eventually(async () => (await page.getByRole('cell', { name: 'Connected' }).count()) === 2);
  await page.getByRole('link', { name: 'Enrol gateway in laptop' }).click();
  await page.getByRole('heading', { name: 'Enrolment tokens' }).waitFor();
  gateway.kill('SIGTERM');
  await gateway.ended;
  await page.context().close();
}

async function removesSamples(
  { management, gateway, client }: Platform,
  browser: TestBrowser,
): Promise<void> {
  // What was deployed lately is asked after, also of APIs that are gone.
  const page = await browser.open({
    origin: management,
    path: '/console/DEFAULT/overview',
    isRefused: true,
  });
  await signIn(page);
  await page.getByRole('heading', { name: 'Three steps to your first answer' }).waitFor();
  const steps = page.getByRole('region', { name: 'First steps' });
  await steps.getByText('Waiting for').waitFor();
  assert.equal((await fetch(`${gateway}/demo/echo/`)).status, 200);
  await steps.getByRole('link', { name: 'See where its time went' }).waitFor();
  const note = page.getByRole('note').filter({ hasText: '3 APIs, 2 applications' });
  await note.waitFor();
  await client.createApi({ path: '/mine', target: 'http://127.0.0.1:1', security: 'KEY_LESS' });
  await page.getByRole('link', { name: 'APIs', exact: true }).click();
  await page.getByText('1–4 of 4').waitFor();
  // How often each was called stands beside it: stock by the samples alone, one of its calls failed.
  const stock = page.getByRole('row').filter({ hasText: 'Demo /demo/stock' });
  await stock.getByRole('cell', { name: /^\d+\.\d\d %$/ }).waitFor();
  assert.equal(await page.getByText('sample', { exact: true }).count(), 3, 'each of them, and not the other');
  await page.getByRole('link', { name: 'Logs', exact: true }).click();
  await page
    .getByRole('row')
    .filter({ hasText: '/demo/stock' })
    .getByText('sample')
    .first()
    .waitFor({ state: 'attached' });
  await page.getByRole('link', { name: 'Overview', exact: true }).click();
  await note.getByRole('button', { name: 'Remove samples' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove samples' }).click();
  await note.waitFor({ state: 'detached' });
  const deployments = page.getByRole('table', { name: 'Recent deployments' });
  const gone = deployments.getByRole('row').filter({ hasText: 'deleted, ' });
  await eventually(async () => {
    assert.equal(await gone.count(), 3);
    assert.equal(await gone.filter({ hasText: /gateway/ }).count(), 0, 'nothing is on its way any more');
    return true;
  });
  await page.getByRole('link', { name: 'APIs', exact: true }).click();
  await page.getByText('1–1 of 1').waitFor();
  await page.getByRole('link', { name: 'Applications', exact: true }).click();
  await page.getByRole('heading', { name: 'No applications yet' }).waitFor();
  // Of what is gone nothing is counted any more, and none of its calls is listed.
  await page.getByRole('link', { name: 'Overview', exact: true }).click();
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  const figure = page.getByRole('definition').first();
  await eventually(
    async () => {
      await page.reload();
      return (await figure.innerText()).trim() === '0';
    },
    { timeoutMs: 240_000, everyMs: 2_000 },
  );
  await page.getByRole('link', { name: 'Logs', exact: true }).click();
  await page.getByText('0 calls match').waitFor();
  await page.context().close();
}

async function findsNothing({ management }: Platform, browser: TestBrowser): Promise<void> {
  const page = await browser.open({ origin: management, path: '/console/DEFAULT', isRefused: true });
  await signIn(page);
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  assert.equal(new URL(page.url()).pathname, '/console/DEFAULT/overview');
  for (const path of ['/console/apis', '/console/nowhere/apis']) {
    await page.goto(path);
    await page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
    const shots = process.env['ISTHMUS_TEST_SHOTS'];
    if (shots !== undefined) await page.screenshot({ path: `${shots}/console-nothing-here.png` });
  }
  await page.getByRole('link', { name: 'Go to the overview' }).click();
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  await page.context().close();
}
