import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { skipWithoutBrowser, startBrowser, type TestBrowser } from '../kit/browser/browser.ts';
import { apiNamed, looker, signIn } from '../kit/browser/console.ts';
import { eventually } from '../kit/eventually.ts';
import { type Platform, startPlatform } from '../kit/processes/up.ts';

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

/** What is called before anybody looks. */
const called = { echo: 6, refused: 3, nowhere: 2 } as const;

test('traffic is looked into by console alone', { skip: skipWithoutBrowser }, async (t) => {
  const platform = await startPlatform(t);
  const browser = await startBrowser(t);
  await calls(platform);
  await t.test('logs: narrowed by what they hold, new ones counted and shown when asked for', () =>
    logs(platform, browser),
  );
  await t.test('one call: why it was refused, where its time went, what was said on both sides', () =>
    oneCall(platform, browser),
  );
  await t.test('analytics: figures add up, as a table too, and lead to the calls that they count', () =>
    analytics(platform, browser),
  );
  await t.test(
    'dashboards: a built-in one is read, a copy of it changed, and both by groups that the reader chooses',
    () => dashboards(platform, browser),
  );
  await t.test('who may read nothing of an API is shown none of its calls', () =>
    strangers(platform, browser),
  );
  await t.test('calls are followed as they arrive, halted, and gone on with', () =>
    follow(platform, browser),
  );
});

async function get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<number> {
  const { status, body } = await fetch(url, { headers });
  await body?.cancel();
  return status;
}

async function calls({ gateway }: Platform): Promise<void> {
  for (let n = 0; n < called.echo; n += 1)
    assert.equal(await get(`${gateway}/demo/echo/${n === 0 ? '<b>bold</b>' : `parcel-${n}`}`), 200);
  for (let n = 0; n < called.refused; n += 1) assert.equal(await get(`${gateway}/demo/orders/${n}`), 401);
  for (let n = 0; n < called.nowhere; n += 1) assert.equal(await get(`${gateway}/nowhere/${n}`), 404);
}

const all = called.echo + called.refused + called.nowhere;
const arrivesMsMax = 60_000;

async function follow({ management, gateway }: Platform, browser: TestBrowser): Promise<void> {
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/apis' });
  await signIn(page);
  await page.getByRole('link', { name: 'Logs' }).click();
  await page.getByRole('checkbox', { name: /^401/ }).click();
  await page.getByRole('button', { name: 'Follow' }).click();
  const tail = page.getByRole('region', { name: 'Calls as they arrive', exact: true });
  await tail.getByText('Live', { exact: true }).waitFor();
  assert.equal(await get(`${gateway}/demo/orders/followed`), 401);
  assert.equal(await get(`${gateway}/demo/echo/of-another-status`), 200);
  const timeout = { timeout: arrivesMsMax };
  await tail.getByRole('link', { name: '/demo/orders/followed' }).waitFor(timeout);
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of [390, 1440]) {
      const viewport = { width, height: 900 };
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      // Colours of a theme are judged once they stand.
      await eventually(() => page.evaluate('document.getAnimations().length === 0'));
      await looker(page, { viewport, colorScheme })('logs-followed');
    }
  await tail.getByRole('button', { name: 'Pause' }).click();
  assert.equal(await get(`${gateway}/demo/orders/halted`), 401);
  await tail.getByText('1 came since').waitFor(timeout);
  assert.equal(await tail.getByRole('link', { name: '/demo/orders/halted' }).count(), 0);
  await tail.getByText('Paused').waitFor();
  await tail.getByRole('button', { name: 'Resume' }).click();
  await tail.getByRole('link', { name: '/demo/orders/halted' }).waitFor();
  assert.equal(await tail.getByRole('link', { name: /of-another-status/ }).count(), 0);
  await page.getByRole('button', { name: 'Back to the list' }).click();
  await page
    .getByRole('status')
    .filter({ hasText: /calls? match/ })
    .waitFor();
  await page.close();
}

/** How many calls a list says that it has. */
const found = (page: Page, number: number): Locator =>
  page.getByRole('status').filter({ hasText: new RegExp(`^${number} calls? match`) });

async function logs({ management, gateway }: Platform, browser: TestBrowser): Promise<void> {
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/apis' });
  await signIn(page);
  await page.getByRole('link', { name: 'Logs' }).click();
  // Records come some seconds after their calls.
  await eventually(
    async () => {
      await page.getByRole('button', { name: 'Refresh' }).click();
      return (await found(page, all).count()) === 1;
    },
    { timeoutMs: arrivesMsMax },
  );
  await page.getByRole('checkbox', { name: /^401/ }).click();
  await found(page, called.refused).waitFor();
  assert.match(page.url(), /status=/, 'what narrows it stands in the address');
  await page.reload();
  await found(page, called.refused).waitFor();
  assert.equal(await page.getByRole('cell', { name: 'API_KEY_MISSING' }).count(), called.refused);
  // Others of the same kind can be chosen still, with their numbers.
  await page.getByRole('checkbox', { name: new RegExp(`^404 ?${called.nowhere}`) }).click();
  await found(page, called.refused + called.nowhere).waitFor();
  await page.getByRole('button', { name: 'Status: 401' }).click();
  await found(page, called.nowhere).waitFor();
  await page.getByRole('cell', { name: 'no API' }).first().waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await found(page, all).waitFor();
  // Lists and what narrows them agree on whom no application speaks for; of a refused caller that is not known.
  const unspoken = called.echo + called.nowhere;
  assert.equal(await page.getByRole('cell', { name: 'no application' }).count(), unspoken);
  await page.getByRole('checkbox', { name: new RegExp(`^no application ?${unspoken}`) }).click();
  await found(page, unspoken).waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await found(page, all).waitFor();
  // As its client wrote it.
  const line = page.getByRole('combobox', { name: /^Filter by path/ });
  await line.fill('%3Cb%3E');
  await found(page, 1).waitFor();
  await page.getByRole('link', { name: '%3Cb%3Ebold' }).waitFor();
  await line.fill('');
  await found(page, all).waitFor();
  // By tokens, completed by keyboard out of what the calls hold.
  await line.pressSequentially('stat');
  await page.getByRole('option', { name: /^status:/ }).waitFor();
  const marked = page.locator('[role="option"][data-highlighted]');
  await page.keyboard.press('ArrowDown');
  await marked.waitFor();
  await page.keyboard.press('Enter');
  await eventually(async () => (await line.inputValue()) === 'status:');
  await line.pressSequentially('40');
  await marked.filter({ hasText: /^status:401/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Status: 401' }).waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await line.fill('status:401 api:orders');
  await line.press('Enter');
  await page.getByRole('button', { name: 'API: Demo /demo/orders' }).waitFor();
  await found(page, called.refused).waitFor();
  await line.fill('api:nobody-is-called-so');
  await line.press('Enter');
  await page.getByText('is called “nobody-is-called-so”').waitFor();
  await line.fill('');
  await page.getByRole('button', { name: 'Clear' }).click();
  await found(page, all).waitFor();

  assert.equal(await get(`${gateway}/demo/echo/late`), 200);
  const fresh = page.getByRole('button', { name: '1 new' });
  await fresh.waitFor({ timeout: arrivesMsMax });
  assert.equal(
    await page.getByRole('cell', { name: '/demo/echo/late' }).count(),
    0,
    'nothing moves by itself',
  );
  await fresh.click();
  await page.getByRole('cell', { name: '/demo/echo/late' }).waitFor();
  await page.context().close();
}

async function oneCall(platform: Platform, browser: TestBrowser): Promise<void> {
  const { management, gateway, client, ordersKey } = platform;
  const id = await apiNamed(platform, 'Demo /demo/orders');
  const api = `/v2/environments/DEFAULT/apis/${id}`;
  await client.call('PATCH', api, {
    body: {
      analytics: {
        enabled: true,
        logging: {
          mode: { entrypoint: true, endpoint: true },
          phase: { request: true, response: true },
          content: { headers: true, payload: true },
        },
      },
    },
  });
  await client.call('POST', `${api}/deployments`, { body: {} });
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/apis', isRefused: true });
  await signIn(page);
  await page.goto(`/console/DEFAULT/apis/${id}/logs`);
  await page.getByRole('link', { name: '/demo/orders/0' }).click();
  await page.getByRole('region', { name: 'Why' }).getByText('API_KEY_MISSING').waitFor();
  await page.getByText('no backend was called').waitFor();
  for (const link of ['Demo /demo/orders', hostname()])
    await page.getByRole('link', { name: link }).waitFor();
  await page.getByText('were not logged').waitFor();
  const steps = page.getByRole('region', { name: 'Where its time went' });
  await steps.getByRole('row', { name: /^Plan Refused API_KEY_MISSING 401/ }).waitFor();
  await steps.getByText('Written because the request was refused.').waitFor();
  await page.goBack();
  await eventually(
    async () =>
      (await get(`${gateway}/demo/orders/logged`, { 'X-Gravitee-Api-Key': ordersKey, 'X-Tier': 'gold' })) ===
      200,
  );
  const logged = page.getByRole('link', { name: '/demo/orders/logged' });
  await eventually(
    async () => {
      await page.getByRole('button', { name: 'Refresh' }).click();
      return (await logged.count()) > 0;
    },
    { timeoutMs: arrivesMsMax },
  );
  await logged.first().click();
  await page.getByText('Let in by the plan With a key').waitFor();
  await page.getByRole('row', { name: /^Backend/ }).waitFor();
  const headers = page.getByRole('table', { name: 'Headers of the request' });
  await eventually(
    async () => {
      await page.reload();
      return (await headers.or(page.getByText('were not logged')).first().textContent())?.includes('gold');
    },
    { timeoutMs: arrivesMsMax },
  );
  assert.ok(!(await page.content()).includes(ordersKey), 'no key stands on the page');
  await page.context().close();
}

async function analytics({ management }: Platform, browser: TestBrowser): Promise<void> {
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/apis' });
  await signIn(page);
  await page.getByRole('link', { name: 'Analytics' }).click();
  const apis = page.getByRole('table', { name: 'APIs', exact: true });
  // One more came late.
  const echo = called.echo + 1;
  await apis.getByRole('row', { name: new RegExp(`^Demo /demo/echo ${echo} `) }).waitFor();
  const chart = page.getByRole('figure', { name: 'Calls by status' });
  // What was deployed stands in the chart as well.
  await chart.getByText(/^Deployed: .*Demo \/demo\/orders/).waitFor({ state: 'attached' });
  await chart.getByRole('button', { name: /as a table/ }).click();
  const cells = await chart
    .locator('tbody tr')
    .evaluateAll((rows) =>
      rows.map((row) => [...row.querySelectorAll('td')].map((cell) => Number(cell.textContent))),
    );
  const heads = await chart.locator('thead th').allInnerTexts();
  const sum = (status: string): number =>
    cells.reduce((all_, row) => all_ + (row[heads.indexOf(status) - 1] ?? 0), 0);
  assert.equal(sum('4xx'), called.refused + called.nowhere);
  assert.ok(sum('2xx') > called.echo, `${sum('2xx')} answered`);
  const errors = page.getByRole('table', { name: 'Refusals and failures' });
  await errors.getByRole('link', { name: 'API_KEY_MISSING' }).click();
  await page.getByRole('heading', { name: 'Logs', level: 1 }).waitFor();
  await found(page, called.refused).waitFor();
  await page.context().close();
}

async function dashboards({ management }: Platform, browser: TestBrowser): Promise<void> {
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/dashboards' });
  await signIn(page);
  await page.getByText('Nobody has made one yet').waitFor();
  await page.getByRole('link', { name: 'HTTP APIs' }).click();
  const statuses = page.getByRole('table', { name: 'Status', exact: true });
  await statuses.getByRole('row', { name: new RegExp(`^4xx ${called.refused + called.nowhere} `) }).waitFor();
  await page.getByRole('button', { name: 'Group over time' }).click();
  await page.getByRole('menuitem', { name: 'API', exact: true }).click();
  const chart = page.getByRole('figure', { name: 'Calls by status' });
  await chart.getByText('Demo /demo/echo').waitFor();
  assert.match(page.url(), /by=API/, 'what it is grouped by stands in the address');
  await page.getByRole('button', { name: 'API', exact: true }).click();
  await page.getByRole('menuitem', { name: /^Demo \/demo\/orders/ }).click();
  await page.getByRole('button', { name: 'API: Demo /demo/orders' }).waitFor();
  await chart.getByText('Demo /demo/echo').waitFor({ state: 'detached' });

  await page.getByRole('button', { name: 'Make a copy' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Create dashboard' }).click();
  await page.getByRole('heading', { name: 'Copy of HTTP APIs', level: 1 }).waitFor();
  await page.getByRole('button', { name: 'Edit dashboard' }).click();
  await page.getByRole('button', { name: 'Remove Status', exact: true }).click();
  await page.getByRole('button', { name: 'Add widget' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Title').fill('Keys of errors');
  await dialog.getByLabel('Shows').selectOption('horizontal-bar');
  await dialog.getByRole('button', { name: 'Add widget' }).click();
  await dialog.getByText('must be chosen for groups').waitFor();
  await dialog.getByLabel('Grouped by').selectOption('Error key');
  await dialog.getByRole('button', { name: 'Add widget' }).click();
  await page.getByRole('button', { name: 'Move Keys of errors forward' }).click();
  await page.getByLabel('Width of Keys of errors').selectOption('Whole width');
  await page.getByRole('button', { name: 'Save dashboard' }).click();
  await page.getByRole('button', { name: 'Edit dashboard' }).waitFor();
  await page.reload();
  const errors = page.getByRole('table', { name: 'Keys of errors' });
  await errors.getByRole('link', { name: 'API_KEY_MISSING' }).waitFor();
  assert.equal(await page.getByRole('table', { name: 'Status', exact: true }).count(), 0);

  await page.getByRole('button', { name: 'Delete dashboard' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete dashboard' }).click();
  await page.getByText('Nobody has made one yet').waitFor();
  await page.context().close();
}

async function strangers({ management, client }: Platform, browser: TestBrowser): Promise<void> {
  const stranger = { username: 'stranger', password: 'sees-no-api-of-others' };
  await client.call('POST', '/organizations/DEFAULT/users', {
    body: { ...stranger, source: 'gravitee', firstname: 'Stran', lastname: 'Ger', email: 's@example.com' },
  });
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/logs', isRefused: true });
  await signIn(page, stranger.username, stranger.password);
  await page.getByRole('heading', { name: 'No calls in this time' }).waitFor();
  await page.getByRole('link', { name: 'Analytics' }).click();
  await page.getByText('None in this time.').first().waitFor();
  assert.equal(await page.getByText('Demo /demo').count(), 0);
  await page.context().close();
}
