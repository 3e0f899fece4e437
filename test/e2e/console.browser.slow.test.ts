import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { looker, signIn, signOut, type View } from '../kit/browser/console.ts';
import { skipWithoutBrowser, startBrowser, type TestBrowser } from '../kit/browser/browser.ts';
import { eventually } from '../kit/eventually.ts';
import { isLongRun } from '../kit/long-run.ts';
import { type Platform, startPlatform } from '../kit/processes/up.ts';

const root = join(import.meta.dirname, '../..');

/** What a browser loads before the first page stands, packed. */
const firstLoadBytesMax = 260 * 1_024;

const at = (width: number, height: number, colorScheme: View['colorScheme']): View => ({
  colorScheme,
  viewport: { width, height },
});
const views = [
  at(1_440, 900, 'light'),
  at(390, 844, 'dark'),
  at(1_024, 768, 'light'),
  at(1_440, 900, 'dark'),
  at(390, 844, 'light'),
  at(1_024, 768, 'dark'),
];
/** The long run looks at all of them, the short one at another each day; `ISTHMUS_TEST_VIEW=0..5` says which. */
const dayMs = 86_400_000;
const today = Number(process.env['ISTHMUS_TEST_VIEW'] ?? Math.floor(Date.now() / dayMs) % views.length);

before(() => {
  // A checkout whose packages were installed without scripts has no console yet; what is built is not built again.
  execFileSync(process.execPath, [join(root, 'deploy/build-ui.js'), '--required'], { stdio: 'inherit' });
});

test('the first load stays within its budget', () => {
  const assets = join(root, 'control-plane/ui/dist/assets');
  const first = readdirSync(assets).filter((name) => /^index-.*\.(js|css)\.br$/.test(name));
  const bytes = first.reduce((sum, name) => sum + statSync(join(assets, name)).size, 0);
  assert.ok(first.length >= 2, 'a script and its styles');
  assert.ok(bytes <= firstLoadBytesMax, `${Math.round(bytes / 1_024)} KiB`);
});

test(
  'from sign-in to an API that answers, by console alone: it is created, deployed, served, and its calls are seen',
  { skip: skipWithoutBrowser },
  async (t) => {
    // It ends first, so that no page is left asking a platform that is gone.
    const browser = await startBrowser(t);
    const platform = await startPlatform(t);
    await createsApi(platform, browser);
    for (const view of isLongRun ? views : views.slice(today, today + 1))
      await t.test(`every page at ${view.viewport.width} px, ${view.colorScheme}: no finding of axe`, () =>
        visitsPages(platform, browser, view),
      );
    await t.test('by keyboard alone: filter, row, page', () => usesKeyboard(platform, browser));
    await t.test('a session that ends leads to sign-in, and back', () => losesSession(platform, browser));
  },
);

async function createsApi({ management, gateway }: Platform, browser: TestBrowser): Promise<void> {
  const page = await browser.open({ origin: management, path: '/', isRefused: true });
  await page.getByRole('textbox', { name: 'User name' }).fill('admin');
  await page.getByRole('textbox', { name: 'Password' }).fill('not this one');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('User name or password are wrong.').waitFor();
  await signIn(page);
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  // Nothing but samples is there.
  await page.getByRole('heading', { name: 'Three steps to your first answer' }).waitFor();
  await page.getByRole('note').filter({ hasText: '2 APIs, 1 application' }).waitFor();
  await page.getByRole('link', { name: 'APIs', exact: true }).click();
  await page.getByRole('heading', { name: 'APIs', level: 1 }).waitFor();
  await page.getByRole('button', { name: 'Create API' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name' }).fill('天気');
  await dialog.getByRole('textbox', { name: 'Backend' }).fill(`${gateway}/demo/echo`);
  await dialog.getByRole('button', { name: 'Create API' }).click();
  await dialog.getByText('must be chosen').waitFor();
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Zażółć <b>tracking</b>');
  assert.equal(await dialog.getByRole('textbox', { name: 'Path' }).inputValue(), '/zazolc-b-tracking-b');
  await dialog.getByRole('textbox', { name: 'Path' }).fill('/demo/echo');
  const backend = dialog.getByRole('textbox', { name: 'Backend' });
  for (const wrong of ['', 'not a url', 'echo:8080/demo', 'https://ann:secret@echo/', 'https://echo/#top']) {
    await backend.fill(wrong);
    await dialog.getByRole('button', { name: 'Create API' }).click();
    await dialog.getByText('must be an http://').waitFor();
    assert.equal(await backend.getAttribute('aria-invalid'), 'true', wrong);
  }
  for (const right of ["https://{#api.properties['host']}/", `${gateway}/demo/echo`]) {
    await backend.fill('');
    await dialog.getByText('must be an http://').waitFor();
    await backend.fill(right);
    await dialog.getByText('must be an http://').waitFor({ state: 'detached' });
  }
  await dialog.getByLabel('Who may call it').selectOption('KEY_LESS');
  await dialog.getByRole('button', { name: 'Create API' }).click();
  // Refused in words that name the path, and what was typed stays.
  assert.match((await dialog.getByRole('alert').textContent()) ?? '', /\/demo\/echo/);
  await dialog.getByRole('textbox', { name: 'Path' }).fill('/tracking');
  await dialog.getByRole('button', { name: 'Create API' }).click();
  await page.getByRole('heading', { name: 'Zażółć <b>tracking</b>', level: 1 }).waitFor();
  await page.getByText('Never deployed', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Deploy and start' }).click();
  await page.getByRole('cell', { name: 'Serving' }).waitFor();
  const answer = await fetch(`${gateway}/tracking/parcel-1`);
  assert.equal(answer.status, 200);
  await pageOfApi(page, 'Logs').click();
  // By itself, as the page looks again.
  await page.getByRole('cell', { name: '/tracking/parcel-1' }).waitFor({ timeout: 60_000 });
  await page.context().close();
}

/** A link among the pages of an API: the side bar has some of the same name. */
const pageOfApi = (page: Page, name: string): Locator =>
  page.getByRole('navigation', { name: 'Pages of this API' }).getByRole('link', { name });

/** Shows what calls can be narrowed by, which has no room beside them in small windows. */
async function narrows(page: Page): Promise<void> {
  const button = page.getByRole('button', { name: 'Narrow', exact: true });
  if (await button.isVisible()) await button.click();
  await page.getByRole('checkbox', { name: /^200/ }).waitFor();
}

async function visitsPages({ management }: Platform, browser: TestBrowser, view: View): Promise<void> {
  // A call of which nothing was logged is asked for what was logged all the same.
  const page = await browser.open({
    origin: management,
    path: '/console/DEFAULT/apis',
    isRefused: true,
    ...view,
  });
  const look = looker(page, view);
  await look('sign-in');
  await signIn(page);
  const tracking = page.getByRole('row').filter({ hasText: 'tracking' });
  await tracking.getByRole('cell', { name: '1/1' }).waitFor();
  await look('apis');
  await page.getByRole('button', { name: 'Create API' }).click();
  await page.getByRole('dialog').waitFor();
  await look('create');
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: /tracking/ }).click();
  await page.getByRole('cell', { name: 'Serving' }).waitFor();
  await look('api');
  await page.getByRole('link', { name: 'Plans' }).click();
  await page.getByRole('cell', { name: 'Published' }).waitFor();
  await look('plans');
  await pageOfApi(page, 'Logs').click();
  await page.getByRole('cell', { name: '/tracking/parcel-1' }).waitFor();
  await look('api-logs');
  await narrows(page);
  await look('api-logs-narrow');
  await page.getByRole('link', { name: '/tracking/parcel-1' }).click();
  await page.getByText('Let in by the plan').waitFor();
  await look('call');
  await page.goBack();
  await pageOfApi(page, 'Analytics').click();
  await page.getByRole('figure', { name: 'Response time' }).waitFor();
  await page.getByRole('table', { name: 'Methods' }).waitFor();
  await look('api-analytics');
  await page.goto('/console/DEFAULT/overview');
  await page.getByRole('figure', { name: 'Requests by status' }).waitFor();
  await page.getByRole('table', { name: 'Recent deployments' }).getByRole('link').first().waitFor();
  // There is an API that is no sample: nobody has to be shown how.
  assert.equal(await page.getByRole('heading', { name: 'Three steps to your first answer' }).count(), 0);
  await look('overview');
  await page.goto('/console/DEFAULT/logs');
  await page.getByRole('cell', { name: '/tracking/parcel-1' }).waitFor();
  await look('logs');
  await narrows(page);
  await page.getByRole('checkbox', { name: /^200/ }).click();
  await page.getByRole('button', { name: 'Status: 200' }).waitFor();
  await page.getByRole('combobox', { name: /^Filter by path/ }).fill('/nothing/like/it');
  await page.getByRole('heading', { name: 'No call matches' }).waitFor();
  await look('logs-none');
  await page.goto('/console/DEFAULT/logs');
  await page.getByRole('combobox', { name: /^Filter by path/ }).fill('status:');
  await page.getByRole('option', { name: /5xx/ }).waitFor();
  // The page around them stays what it is for screen readers as well, its heading with it.
  await look('logs-completions');
  await page.keyboard.press('Escape');
  await page.getByRole('option').first().waitFor({ state: 'detached' });
  await page.goto('/console/DEFAULT/analytics');
  await page.getByRole('figure', { name: 'Response time' }).waitFor();
  await page.getByRole('table', { name: 'APIs', exact: true }).getByRole('cell').first().waitFor();
  await look('analytics');
  await page.goto('/console/DEFAULT/dashboards');
  await page.getByRole('link', { name: 'HTTP APIs' }).waitFor();
  await look('dashboards');
  await page.getByRole('link', { name: 'HTTP APIs' }).click();
  await page.getByRole('table', { name: 'Status', exact: true }).waitFor();
  await look('dashboard');
  await page.goto('/console/DEFAULT/apis?q=orders');
  await page.getByRole('link', { name: 'Demo /demo/orders' }).click();
  await page.getByRole('link', { name: 'Design' }).click();
  await page.getByRole('heading', { name: 'No flow here yet' }).waitFor();
  await look('design-empty');
  await page.getByRole('button', { name: 'Add a flow to With a key' }).click();
  await page.getByRole('textbox', { name: 'Path' }).waitFor();
  await look('design-flow');
  await page.getByRole('button', { name: 'Add a policy to the request, at place 1' }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^Rate limit/ })
    .waitFor();
  await look('design-add');
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^Rate limit/ })
    .click();
  await page.getByText('About Rate limit').waitFor();
  await look('design-step');
  const strip = page.getByRole('region', { name: 'Try the draft' });
  await strip.getByRole('button', { name: 'Run', exact: true }).click();
  await strip.getByRole('list', { name: 'Steps of the run' }).getByRole('button').nth(2).click();
  await look('design-tried');
  await page.getByRole('button', { name: 'Flow settings' }).click();
  await page.getByRole('button', { name: 'Remove flow' }).click();
  // Drawn and taken back: there is nothing to deploy.
  await page.getByText('No draft: this is the API as it is stored.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Deploy' }).count(), 0);
  await page.getByRole('link', { name: 'Entrypoints' }).click();
  await page.getByRole('textbox', { name: 'Path' }).waitFor();
  await look('entrypoints');
  await page.getByRole('link', { name: 'Backends' }).click();
  await page.getByRole('textbox', { name: 'Target' }).waitFor();
  await look('backends');
  await page.getByRole('link', { name: 'Plans' }).click();
  await page.getByRole('link', { name: 'With a key' }).click();
  await page.getByRole('group', { name: 'Settings of API key' }).waitFor();
  await look('plan');
  await page.getByRole('link', { name: 'General' }).click();
  await page.getByRole('button', { name: 'Delete API' }).click();
  await page.getByText('subscriptions end, with their keys').waitFor();
  await look('delete-api');
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Subscriptions' }).click();
  await page.getByRole('link', { name: 'Demo shop' }).waitFor();
  await look('api-subscriptions');
  await page.getByRole('button', { name: 'Subscribe an application' }).click();
  await page.getByRole('combobox', { name: 'Application' }).fill('demo');
  await page.getByRole('option', { name: 'Demo shop' }).waitFor();
  await look('subscribe');
  // A window that loses the focus while it is looked at closes what is open; typing opens it.
  await page.getByRole('combobox', { name: 'Application' }).fill('demo shop');
  await page.getByRole('option', { name: 'Demo shop' }).click();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('link', { name: 'Demo shop' }).click();
  await page.getByRole('cell', { name: 'Active' }).waitFor();
  await look('api-subscription');
  await page.getByRole('button', { name: 'Close subscription' }).click();
  await page.getByText('keys stop working').waitFor();
  await look('close-subscription');
  await page.keyboard.press('Escape');
  await page.getByRole('link', { name: 'Demo shop' }).click();
  await page.getByText('Calls the demo API').waitFor();
  await look('application');
  await page.getByRole('link', { name: 'Subscriptions' }).click();
  await page.getByRole('link', { name: 'Demo /demo/orders' }).waitFor();
  await look('application-subscriptions');
  await page.getByRole('button', { name: 'Ended' }).click();
  await page.getByRole('heading', { name: 'None has ended' }).waitFor();
  await look('application-subscriptions-none');
  for (const [place, cell] of [
    ['applications', 'Admin'],
    ['gateways', 'Connected'],
  ] as const) {
    await page.goto(`/console/DEFAULT/${place}`);
    await page.getByRole('cell', { name: cell }).first().waitFor();
    await look(place);
  }
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Go to' }).fill('track');
  await page.getByRole('option', { name: /tracking/ }).waitFor();
  await look('palette');
  await page.keyboard.press('Escape');
  await page.goto('/console/kit');
  await page.getByRole('textbox', { name: 'Limit', exact: true }).waitFor();
  await look('kit');
  for (const [place, heading] of [
    ['_org/templates', 'Notification templates'],
    ['register', 'Create an account'],
    ['finish-registration', 'Finish your registration'],
  ] as const) {
    await page.goto(`/console/${place}`);
    await page.getByRole('heading', { name: heading, level: 1 }).waitFor();
    await look(place.replace('/', '-'));
  }
  await page.goto('/console/DEFAULT/nowhere/at/all');
  await page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
  await look('nothing');
  await page.context().close();
}

async function usesKeyboard({ management }: Platform, browser: TestBrowser): Promise<void> {
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/apis' });
  await signIn(page);
  await page.keyboard.press('Tab');
  await page.getByRole('searchbox').focus();
  await page.keyboard.type('tracking');
  await page.getByText('1–1 of 1').waitFor();
  assert.match(page.url(), /\?q=tracking/, 'a filter stands in the address');
  const row = page.getByRole('link', { name: /tracking/ });
  await eventually(async () => {
    await page.keyboard.press('Tab');
    return row.evaluate((link) => link === link.ownerDocument.activeElement);
  });
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: /tracking/, level: 1 }).waitFor();
  await page.goBack();
  await page.getByText('1–1 of 1').waitFor();
  // On a machine so slow that the picture is behind the keys: Enter leads to what was typed, not to what still stands there.
  const tools = await page.context().newCDPSession(page);
  await tools.send('Emulation.setCPUThrottlingRate', { rate: 20 });
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Go to' }).waitFor();
  await page.keyboard.type('demo sh');
  await page.getByRole('option', { name: /^Demo shop/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Demo shop', level: 1 }).waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0);
  await page.context().close();
}

async function losesSession({ management }: Platform, browser: TestBrowser): Promise<void> {
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/gateways', isRefused: true });
  await signIn(page);
  await page.getByRole('heading', { name: 'Gateways' }).waitFor();
  await page.context().clearCookies();
  await page.goto('/console/DEFAULT/applications');
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await signIn(page);
  await page.getByRole('heading', { name: 'Applications' }).waitFor();
  assert.equal(
    new URL(page.url()).pathname,
    '/console/DEFAULT/applications',
    'an address that can be loaded',
  );
  await signOut(page);
  await page.context().close();
}
