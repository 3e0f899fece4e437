import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { skipWithoutBrowser, startBrowser, type TestBrowser } from '../kit/browser/browser.ts';
import { apiNamed, looker, signIn, type View } from '../kit/browser/console.ts';
import { eventually } from '../kit/eventually.ts';
import { type Platform, startPlatform } from '../kit/processes/up.ts';

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

const wide: View = { colorScheme: 'light', viewport: { width: 1_440, height: 900 } };
const narrow: View = { colorScheme: 'dark', viewport: { width: 390, height: 844 } };

test('what runs is seen and gone back from, by console alone', { skip: skipWithoutBrowser }, async (t) => {
  const platform = await startPlatform(t);
  const browser = await startBrowser(t);
  await t.test('a revision says what it changed and who serves it; an older one is gone back to', () =>
    goesBack(platform, browser),
  );
  await t.test('a backend that is down is seen in the health of its API', () =>
    seesHealth(platform, browser),
  );
  await t.test('calls are seen by how long they took, and taken along as a table', () =>
    takesCalls(platform, browser),
  );
  for (const view of [wide, narrow])
    await t.test(
      `topology, deployments and these pages at ${view.viewport.width} px: no finding of axe`,
      () => visits(platform, browser, view),
    );
});

async function goesBack(platform: Platform, browser: TestBrowser): Promise<void> {
  const { management, gateway } = platform;
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/apis', ...wide });
  await signIn(page);
  const echo = await apiNamed(platform, 'Demo /demo/echo');
  await page.goto(`/console/DEFAULT/apis/${echo}/entrypoints`);
  await page.getByRole('textbox', { name: 'Path' }).fill('/moved');
  await page.getByText(/Saved (now|\d+ s ago)/).waitFor();
  await page.getByRole('button', { name: 'Deploy' }).click();
  await eventually(async () => (await fetch(`${gateway}/moved`)).status === 200);
  await page.getByRole('link', { name: 'Revisions' }).click();
  await page.getByRole('link', { name: 'Revision 2' }).click();
  const propagation = page.getByRole('group', { name: 'Propagation' });
  await propagation.getByText('1 of 1 gateway serves it').waitFor();
  await page
    .getByRole('list', { name: 'Gateways of laptop' })
    .getByText(/: serving$/)
    .waitFor();
  await page.getByText('"/moved"').waitFor();
  await page.getByRole('button', { name: 'Label revision' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Label' }).fill('<i>moved</i>');
  await dialog.getByRole('button', { name: 'Save label' }).click();
  await page.getByText('<i>moved</i>', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'Revisions' }).click();
  await page.getByRole('link', { name: 'Revision 1' }).click();
  await page.getByRole('button', { name: 'Go back to it' }).click();
  await dialog.getByText('places become what they were').waitFor();
  await dialog.getByRole('button', { name: 'Go back', exact: true }).click();
  await page.getByText(/changes? (is|are) not deployed/).waitFor();
  assert.equal((await fetch(`${gateway}/moved`)).status, 200, 'gateways follow with the deployment');
  await page.getByRole('button', { name: 'Deploy' }).click();
  await eventually(async () => (await fetch(`${gateway}/demo/echo`)).status === 200);
  await page.context().close();
}

async function seesHealth(platform: Platform, browser: TestBrowser): Promise<void> {
  const { management, client } = platform;
  const orders = await apiNamed(platform, 'Demo /demo/orders');
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/apis', ...wide });
  await signIn(page);
  await page.goto(`/console/DEFAULT/apis/${orders}/health`);
  await page.getByRole('heading', { name: 'No backend of this API is checked' }).waitFor();
  const path = `/v2/environments/DEFAULT/apis/${orders}`;
  const api = await client.call<Record<string, unknown>>('GET', path);
  const check = {
    enabled: true,
    type: 'http-health-check',
    overrideConfiguration: false,
    configuration: {
      schedule: '*/1 * * * * *',
      headers: [],
      method: 'GET',
      target: '/demo/echo',
      assertion: '{#response.status == 200}',
      successThreshold: 1,
      failureThreshold: 1,
    },
  };
  const endpoints = [
    { name: 'alive', type: 'http-proxy', configuration: { target: platform.gateway } },
    { name: 'dead', type: 'http-proxy', configuration: { target: 'http://127.0.0.1:9' } },
  ].map((endpoint) => ({ ...endpoint, services: { healthCheck: check } }));
  await client.call('PUT', path, {
    body: { ...api, endpointGroups: [{ name: 'default', type: 'http-proxy', endpoints }] },
  });
  await client.call('POST', `${path}/deployments`, { body: {} });
  await page.getByRole('cell', { name: 'dead' }).first().waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Failed' }).click();
  await page.getByRole('row').filter({ hasText: 'alive' }).nth(1).waitFor({ state: 'detached' });
  await page.context().close();
}

async function takesCalls({ management, gateway }: Platform, browser: TestBrowser): Promise<void> {
  for (let n = 0; n < 3; n += 1) await (await fetch(`${gateway}/demo/echo/taken-${n}`)).text();
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/apis', ...wide });
  await signIn(page);
  await page.getByRole('link', { name: 'Logs' }).click();
  await page.getByRole('cell', { name: '/demo/echo/taken-2' }).waitFor({ timeout: 60_000 });
  const coming = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export CSV' }).click();
  const file = await coming;
  assert.equal(file.suggestedFilename(), 'calls.csv');
  assert.match(readFileSync(await file.path(), 'utf8'), /\/demo\/echo\/taken-1/);
  await page.getByRole('link', { name: 'Analytics' }).click();
  const map = page.getByRole('figure', { name: 'How long calls took' });
  await map.getByText(/^\d+ calls$/).waitFor();
  const counted = await map.locator('tbody td[title]').count();
  assert.ok(counted > 0, 'some cell holds calls');
  await page.context().close();
}

async function visits(platform: Platform, browser: TestBrowser, view: View): Promise<void> {
  const page = await browser.open({ origin: platform.management, path: '/console/DEFAULT/apis', ...view });
  await signIn(page);
  const look = looker(page, view);
  const [echo, orders] = [
    await apiNamed(platform, 'Demo /demo/echo'),
    await apiNamed(platform, 'Demo /demo/orders'),
  ];
  for (const [name, path, text] of [
    ['topology', '/topology', 'Up to date'],
    ['deployments', '/deployments', 'Deployed: 1 of 1 gateway'],
    ['analytics-map', '/analytics', 'under 5 ms'],
    ['revisions', `/apis/${echo}/revisions`, 'In service'],
    ['revision', `/apis/${echo}/revisions/3`, '1 of 1 gateway serves it'],
    ['health', `/apis/${orders}/health`, '100.00'],
  ] as const) {
    await page.goto(`/console/DEFAULT${path}`);
    await page.getByText(text).first().waitFor();
    if (name === 'topology') await page.getByRole('button', { name: /Up to date/ }).click();
    await look(name);
  }
  await page.goto('/console/DEFAULT/topology');
  // By keyboard: the card is reached and opened, and the outline says the same.
  const card = page.getByRole('button', { name: /Up to date/ });
  await card.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('complementary').getByText('Calls of this gateway').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('complementary').waitFor({ state: 'detached' });
  const filter = page.getByRole('searchbox', { name: 'Filter gateways' });
  await filter.fill('elsewhere');
  await page.getByRole('heading', { name: 'No gateway matches' }).waitFor();
  await filter.fill('lap');
  await card.waitFor();
  await page.getByRole('button', { name: 'Outline' }).click();
  await page.getByRole('cell', { name: 'Up to date' }).waitFor();
  await page.goto('/console/DEFAULT/gateways');
  await page.getByText('Live', { exact: true }).waitFor();
  await look('gateways-live');
  // By any cell of its row.
  await page.getByRole('cell', { name: 'Connected' }).click();
  await page.getByRole('row').filter({ hasText: 'Demo /demo/orders' }).getByText('Served').waitFor();
  await look('gateway');
  await page.context().close();
}
