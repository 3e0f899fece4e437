import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { skipWithoutBrowser, startBrowser, type TestBrowser } from '../kit/browser/browser.ts';
import { apiNamed, signIn } from '../kit/browser/console.ts';
import { eventually } from '../kit/eventually.ts';
import { type Platform, startPlatform } from '../kit/processes/up.ts';

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

test('subscriptions and keys, from beginning to end', { skip: skipWithoutBrowser }, async (t) => {
  // What it logs fails the test when it is closed, and what stands behind that is closed no more.
  const platform = await startPlatform(t);
  const browser = await startBrowser(t);
  await t.test(
    'in twelve clicks from sign-in to a call with a key; keys are renewed, revoked, paused, and end with their subscription',
    () => callsByKey(platform, browser),
  );
  await t.test('subscriptions wait for somebody who accepts or rejects them; names of others are text', () =>
    decides(platform, browser),
  );
  await t.test('an application is made where it is missed, and says what it may call', () =>
    makesApplication(platform, browser),
  );
  await t.test('a key that an application shares is changed from its side alone, for all subscriptions', () =>
    shares(platform, browser),
  );
  await t.test(
    'a plan with tokens asks for the client that the application is, at the place of the choice',
    () => namesClient(platform, browser),
  );
});

/** What somebody may click until an API of theirs answers a call with a key. */
const clicksMax = 12;

/** An API with keys from nothing: created, deployed, subscribed to, called; then its keys change. */
async function callsByKey({ management, gateway }: Platform, browser: TestBrowser): Promise<void> {
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/apis' });
  let clicks = 1;
  const click = async (locator: Locator): Promise<void> => {
    clicks += 1;
    await locator.click();
  };
  const button = (name: string, within: Page | Locator = page): Locator =>
    within.getByRole('button', { name, exact: true });
  await signIn(page);
  await click(button('Create API'));
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Rates and quotes');
  await dialog.getByRole('textbox', { name: 'Backend' }).fill(`${gateway}/demo/echo`);
  await click(button('Create API', dialog));
  await click(button('Deploy and start'));
  await page.getByRole('cell', { name: 'Serving' }).waitFor();
  await click(page.getByRole('link', { name: 'Subscriptions' }));
  await page.getByRole('heading', { name: 'No subscriptions yet' }).waitFor();
  await click(button('Subscribe an application'));
  // The only application and the only plan are chosen already.
  await click(button('Subscribe', dialog));
  const shown = dialog.getByRole('status', { name: 'Key' });
  const first = (await shown.textContent()) ?? '';
  assert.ok(clicks <= clicksMax, `${clicks} clicks`);
  const statusOf = async (key: string): Promise<number> => {
    const answer = await fetch(`${gateway}/rates-and-quotes/eur`, { headers: { 'x-gravitee-api-key': key } });
    await answer.body?.cancel();
    return answer.status;
  };
  const becomes = (key: string, status: number): Promise<boolean> =>
    eventually(async () => (await statusOf(key)) === status);
  await becomes(first, 200);
  assert.equal(await statusOf('not-a-key'), 401);
  const curl = (await dialog.getByRole('region', { name: 'curl' }).textContent()) ?? '';
  assert.ok(curl.includes(`${gateway}/rates-and-quotes`), curl);
  assert.ok(curl.includes(`X-Gravitee-Api-Key: ${first}`), curl);
  await click(button('Done', dialog));

  await page.getByRole('link', { name: 'Demo shop' }).click();
  await button('Renew key').click();
  await button('Renew key', dialog).click();
  const second = (await shown.textContent()) ?? '';
  await button('Done', dialog).click();
  await becomes(second, 200);
  assert.equal(await statusOf(first), 200, 'callers have time to change over');
  assert.equal(await page.getByText(second).count(), 0, 'a key is shown once');
  const ending = page
    .getByRole('row')
    .filter({ hasNotText: 'never' })
    .getByRole('button', { name: /^Revoke/ });
  await ending.click();
  await button('Revoke key', dialog).click();
  await page.getByRole('cell', { name: 'Revoked' }).waitFor();
  await becomes(first, 401);
  // What was done can be taken back from where it is said; it stays there for whoever points at it.
  const done = page.getByRole('status', { name: 'What was done' });
  await button('Pause').click();
  await button('Pause subscription', dialog).click();
  await done.getByText('The subscription of Demo shop is paused').hover();
  await becomes(second, 401);
  await button('Undo', done).click();
  await becomes(second, 200);
  await button('Pause').click();
  await button('Pause subscription', dialog).click();
  await becomes(second, 401);
  await button('Resume').click();
  await done.getByText('The subscription of Demo shop is in force again').waitFor();
  await becomes(second, 200);
  await button('Close subscription').click();
  await button('Close subscription', dialog).click();
  await done.getByText('The subscription of Demo shop is closed').waitFor();
  await page.getByText('Closed', { exact: true }).first().waitFor();
  await becomes(second, 401);
  await page.context().close();
}

/** A plan whose subscriptions somebody decides, from both sides. */
async function decides(platform: Platform, browser: TestBrowser): Promise<void> {
  const { management, client } = platform;
  const api = await apiNamed(platform, 'Rates and quotes');
  await client.call('POST', `/v2/environments/DEFAULT/apis/${api}/plans`, {
    body: {
      definitionVersion: 'V4',
      name: 'By hand <img src=x>',
      validation: 'MANUAL',
      status: 'PUBLISHED',
      mode: 'STANDARD',
      security: { type: 'API_KEY' },
    },
  });
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/applications' });
  await signIn(page);
  const dialog = page.getByRole('dialog');
  const askFor = async (application: string): Promise<void> => {
    await page.goto('/console/DEFAULT/applications');
    await page.getByRole('button', { name: 'Create application' }).click();
    await dialog.getByRole('textbox', { name: 'Name' }).fill(application);
    await dialog.getByRole('textbox', { name: 'Description' }).fill('Asks nicely');
    await dialog.getByRole('button', { name: 'Create application' }).click();
    await page.getByRole('heading', { name: application, level: 1 }).waitFor();
    await page.getByRole('link', { name: 'Subscriptions' }).click();
    await page.getByRole('button', { name: 'Subscribe to an API' }).click();
    await dialog.getByRole('combobox', { name: 'API' }).fill('rates');
    await page.getByRole('option', { name: /Rates and quotes/ }).click();
    await dialog.getByLabel('Plan').selectOption({ label: 'By hand <img src=x> (API key)' });
    await dialog.getByText('Somebody who runs the API').waitFor();
    await dialog.getByRole('button', { name: 'Subscribe', exact: true }).click();
    await page.getByRole('cell', { name: 'Pending' }).waitFor();
  };
  await askFor('First <script>alert(1)</script>');
  await askFor('Second');
  await page.goto(`/console/DEFAULT/apis/${api}/subscriptions?shown=pending`);
  await page.getByRole('link', { name: /^First <script>/ }).click();
  await page.getByRole('button', { name: 'Accept' }).click();
  await dialog.getByRole('textbox', { name: 'Message' }).fill('Welcome');
  await dialog.getByRole('button', { name: 'Accept subscription' }).click();
  await dialog.getByRole('status', { name: 'Key' }).waitFor();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await page.getByText('Welcome').waitFor();
  await page.getByRole('cell', { name: 'Active' }).waitFor();
  await page.goto(`/console/DEFAULT/apis/${api}/subscriptions?shown=pending`);
  await page.getByRole('link', { name: 'Second' }).click();
  await page.getByRole('button', { name: 'Reject' }).click();
  await dialog.getByRole('textbox', { name: 'Message' }).fill('Not now');
  await dialog.getByRole('button', { name: 'Reject subscription' }).click();
  await page.getByText('Rejected', { exact: true }).waitFor();
  await page.goto(`/console/DEFAULT/apis/${api}/subscriptions?shown=pending`);
  await page.getByRole('heading', { name: 'Nothing to decide' }).waitFor();
  await page.context().close();
}

/** From the page of an API to a key of an application that is not there yet; from a new application to its first subscription. */
async function makesApplication(platform: Platform, browser: TestBrowser): Promise<void> {
  const { management } = platform;
  const api = await apiNamed(platform, 'Rates and quotes');
  const page = await browser.open({
    origin: management,
    path: `/console/DEFAULT/apis/${api}`,
    // A window of 1,440 beside its scroll bar.
    viewport: { width: 1_425, height: 900 },
  });
  await signIn(page);
  const tabs = page.getByRole('navigation', { name: 'Pages of this API' }).getByRole('link');
  await tabs.first().waitFor();
  const tops = await Promise.all((await tabs.all()).map(async (tab) => (await tab.boundingBox())?.y));
  assert.equal(new Set(tops).size, 1, 'the pages of an API stand in one line');
  const dialog = page.getByRole('dialog');
  const made = async (name: string): Promise<void> => {
    await dialog.getByRole('textbox', { name: 'Name' }).fill(name);
    await dialog.getByRole('textbox', { name: 'Description' }).fill('Calls for the first time');
    await dialog.getByRole('button', { name: 'Create application' }).click();
  };
  await page.getByRole('link', { name: 'Subscribe an application' }).click();
  const asks = page.getByRole('dialog', { name: 'Subscribe an application' });
  await asks.getByRole('combobox', { name: 'Application' }).fill('Newcomer');
  await page.getByText('Nothing matches').waitFor();
  await asks.getByRole('button', { name: 'Create it' }).click();
  await page.getByRole('dialog', { name: 'Create application' }).waitFor();
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await asks.getByRole('button', { name: 'Create it' }).click();
  await made('Newcomer');
  await asks.waitFor();
  assert.equal(await asks.getByRole('combobox', { name: 'Application' }).inputValue(), 'Newcomer');
  await asks.getByLabel('Plan').selectOption({ label: 'Keys (API key)' });
  await asks.getByRole('button', { name: 'Subscribe', exact: true }).click();
  await dialog.getByRole('status', { name: 'Key' }).waitFor();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('link', { name: 'Newcomer' }).waitFor();
  assert.doesNotMatch(page.url(), /subscribe=/, 'who loads the page anew is not asked again');
  await page.goBack();
  await page.getByRole('heading', { name: 'Call it' }).waitFor();

  await page.goto('/console/DEFAULT/applications');
  await page.getByRole('button', { name: 'Create application' }).click();
  await made('Second newcomer');
  const mayCall = page.getByRole('region', { name: 'What it may call' });
  await mayCall.getByRole('link', { name: 'Subscribe to an API' }).click();
  await dialog.getByRole('combobox', { name: 'API' }).fill('Rates');
  await page.getByRole('option', { name: /^Rates and quotes/ }).click();
  await dialog.getByLabel('Plan').selectOption({ label: 'Keys (API key)' });
  await dialog.getByRole('button', { name: 'Subscribe', exact: true }).click();
  await dialog.getByRole('status', { name: 'Key' }).waitFor();
  await dialog.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('link', { name: 'Overview', exact: true }).last().click();
  await mayCall.getByRole('cell', { name: 'Accepted' }).waitFor();
  await mayCall.getByRole('link', { name: 'Rates and quotes' }).waitFor();
  await page.context().close();
}

/** An application with one key for all of its subscriptions. */
async function shares(platform: Platform, browser: TestBrowser): Promise<void> {
  const { management, client } = platform;
  const api = await apiNamed(platform, 'Rates and quotes');
  const plans = `/v2/environments/DEFAULT/apis/${api}/plans`;
  const { data } = await client.call<{ data: { id: string; name: string; validation: string }[] }>(
    'GET',
    plans,
  );
  const plan = data.find(({ validation }) => validation === 'AUTO');
  const applications = '/organizations/DEFAULT/environments/DEFAULT/applications';
  const application = await client.call<{ id: string }>('POST', applications, {
    body: { name: 'Sharing', description: '', api_key_mode: 'SHARED' },
  });
  const made = await client.call<{ id: string }>(
    'POST',
    `${applications}/${application.id}/subscriptions?plan=${plan?.id ?? ''}`,
  );
  const own = `/console/DEFAULT/applications/${application.id}/subscriptions/${made.id}`;
  const page = await browser.open({ origin: management, path: own });
  await signIn(page);
  await page.getByText('Keys of the application, for all its subscriptions').waitFor();
  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: 'Renew key' }).click();
  await dialog.getByText('for all subscriptions of the application').waitFor();
  await dialog.getByRole('button', { name: 'Renew key' }).click();
  await dialog.getByRole('status', { name: 'Key' }).waitFor();
  await dialog.getByRole('button', { name: 'Done' }).click();
  const keys = await client.call<readonly { expireAt?: string }[]>(
    'GET',
    `${applications}/${application.id}/apikeys`,
  );
  assert.deepEqual(
    keys.map(({ expireAt }) => expireAt === undefined),
    [true, false],
    'the former one ends',
  );
  await page.goto(`/console/DEFAULT/apis/${api}/subscriptions/${made.id}`);
  await page.getByText('Keys of the application, for all its subscriptions').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Renew key' }).count(), 0);
  assert.equal(await page.getByRole('button', { name: /^Revoke/ }).count(), 0);
  await page.context().close();
}

/** A plan that finds its callers by the client of their tokens, and an application that is none yet. */
async function namesClient(platform: Platform, browser: TestBrowser): Promise<void> {
  const { management, client } = platform;
  const api = await apiNamed(platform, 'Rates and quotes');
  await client.call('POST', `/v2/environments/DEFAULT/apis/${api}/plans`, {
    body: {
      definitionVersion: 'V4',
      name: 'Tokens',
      validation: 'AUTO',
      status: 'PUBLISHED',
      mode: 'STANDARD',
      security: {
        type: 'JWT',
        configuration: {
          signature: 'HMAC_HS256',
          publicKeyResolver: 'GIVEN_KEY',
          resolverParameter: 'a-secret-of-thirty-two-bytes-and-more',
        },
      },
    },
  });
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/apis', isRefused: true });
  await signIn(page);
  const button = (name: string, within: Page | Locator = page): Locator =>
    within.getByRole('button', { name, exact: true });
  const dialog = page.getByRole('dialog');
  await page.goto('/console/DEFAULT/applications');
  for (const [name, clientId] of [
    ['Holder', 'taken-client'],
    ['Token shop', ''],
  ] as const) {
    await page.getByRole('link', { name: 'Applications', exact: true }).click();
    await button('Create application').click();
    await button('Create application', dialog).click();
    assert.equal(await dialog.getByText('must not be empty').count(), 2, 'each said at its field');
    await dialog.getByRole('textbox', { name: 'Name' }).fill(name);
    await dialog.getByRole('textbox', { name: 'Description' }).fill('Calls with tokens');
    await dialog.getByRole('textbox', { name: 'Client id' }).fill(clientId);
    await button('Create application', dialog).click();
    await page.getByRole('heading', { name, level: 1 }).waitFor();
  }
  await page.getByText('no JWT or OAuth2 plan can be subscribed to').waitFor();
  await page.getByRole('link', { name: 'Subscriptions' }).click();
  await button('Subscribe to an API').click();
  await dialog.getByRole('combobox', { name: 'API' }).fill('Rates');
  await page.getByRole('option', { name: /^Rates and quotes/ }).click();
  await dialog.getByLabel('Plan').selectOption({ label: 'Tokens (JWT)' });
  const clientId = dialog.getByRole('textbox', { name: 'Client id' });
  await clientId.waitFor();
  assert.ok(await button('Subscribe', dialog).isDisabled());
  await clientId.fill('taken-client');
  await button('Subscribe', dialog).click();
  await dialog.getByRole('alert').waitFor();
  await clientId.fill('shop-client');
  await button('Subscribe', dialog).click();
  await dialog.waitFor({ state: 'detached' });
  await page
    .getByRole('navigation', { name: 'Pages of this application' })
    .getByRole('link', { name: 'Overview' })
    .click();
  await page.getByText('shop-client').first().waitFor();
  await page
    .getByRole('navigation', { name: 'Pages of this application' })
    .getByRole('link', { name: 'Settings' })
    .click();
  await page.getByLabel('API keys').selectOption('SHARED');
  await button('Save').click();
  await page.getByText('Chosen for good.').waitFor();
  await page.getByRole('textbox', { name: 'Client id' }).fill('');
  await button('Save').click();
  await page.getByText('is required while a subscription').waitFor();
  await page.context().close();
}
