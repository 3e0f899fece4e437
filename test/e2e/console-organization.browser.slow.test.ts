import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { skipWithoutBrowser, startBrowser, type TestBrowser } from '../kit/browser/browser.ts';
import { apiNamed, looker, signIn, type View } from '../kit/browser/console.ts';
import { eventually } from '../kit/eventually.ts';
import { type Platform, startPlatform } from '../kit/processes/up.ts';

const password = 'a password of twelve';
const view: View = { colorScheme: 'light', viewport: { width: 1_440, height: 900 } };
const narrow: View = { colorScheme: 'dark', viewport: { width: 390, height: 844 } };

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

test('people and what they share, from beginning to end', { skip: skipWithoutBrowser }, async (t) => {
  // What it logs fails the test when it is closed, and what stands behind that is closed no more.
  const platform = await startPlatform(t);
  const browser = await startBrowser(t);
  await t.test(
    'somebody is made, given a role of our own, disabled, and gone; markup in a name is text',
    () => runsUsers(platform, browser),
  );
  await t.test('somebody gets a password that is shown once, and comes in by it', () =>
    handsOver(platform, browser),
  );
  await t.test('a group gives its members a role on an API, and the page of its members says why', () =>
    runsGroups(platform, browser),
  );
  await t.test('a narrowed token is shown once and opens what it names; the password changes', () =>
    runsAccount(platform, browser),
  );
  await t.test('what waits is decided in place, and the audit tells what was different', () =>
    runsTasks(platform, browser),
  );
  await t.test('words of a dictionary are written, deployed, and changed', () =>
    runsDictionaries(platform, browser),
  );
  await t.test('who may only read sees no button that is refused, and no page that is not his', () =>
    runsReader(platform, browser),
  );
  await t.test('the palette leads to pages of the organization, by keyboard alone', () =>
    runsPalette(platform, browser),
  );
});

async function signedIn({ management }: Platform, browser: TestBrowser, path: string): Promise<Page> {
  const page = await browser.open({ origin: management, path: `/console${path}`, ...view });
  await signIn(page);
  return page;
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const inDialog = (page: Page, name: string) =>
  page.getByRole('dialog').getByRole('button', { name, exact: true });

async function runsUsers(platform: Platform, browser: TestBrowser): Promise<void> {
  // What is refused stands at its field.
  const page = await browser.open({
    origin: platform.management,
    path: '/console/_org/roles?scope=ENVIRONMENT',
    isRefused: true,
    ...view,
  });
  await signIn(page);
  const look = looker(page, view);
  await look('roles');
  await button(page, 'Create role').click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Night shift');
  await inDialog(page, 'Create role').click();
  await page.getByRole('heading', { name: 'Night shift', level: 1 }).waitFor();
  await page.getByRole('checkbox', { name: 'Read: API', exact: true }).check();
  await page.getByRole('checkbox', { name: 'Read: Audit' }).check();
  await look('role');
  await button(page, 'Save role').click();
  await button(page, 'Save role').waitFor({ state: 'detached' });

  await page.goto('/console/_org/users');
  await button(page, 'Create user').click();
  await page.getByRole('textbox', { name: 'User name' }).fill('mallory');
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('<img src=x onerror=alert(1)>');
  await page.getByRole('textbox', { name: 'First password' }).fill('short');
  await look('create-user');
  await inDialog(page, 'Create user').click();
  await page.getByRole('dialog').getByText('12 to 256').first().waitFor();
  await page.getByRole('textbox', { name: 'First password' }).fill(password);
  await inDialog(page, 'Create user').click();
  await page.getByRole('heading', { name: '<img src=x onerror=alert(1)>', level: 1 }).waitFor();
  await page.getByRole('button', { name: 'Change roles: Default environment' }).click();
  await page.getByRole('checkbox', { name: 'Night shift' }).check();
  await page.getByRole('checkbox', { name: /^User/ }).uncheck();
  await inDialog(page, 'Give roles').click();
  await page.getByRole('cell', { name: 'Night shift' }).waitFor();
  await look('user');
  await button(page, 'Disable user').click();
  await inDialog(page, 'Disable user').click();
  await button(page, 'Enable user').waitFor();
  const login = async (): Promise<number> => {
    const authorization = `Basic ${Buffer.from(`mallory:${password}`).toString('base64')}`;
    const path = `${platform.management}/management/organizations/DEFAULT/user`;
    return (await fetch(path, { headers: { authorization } })).status;
  };
  assert.equal(await login(), 401);
  await button(page, 'Enable user').click();
  await button(page, 'Disable user').waitFor();
  assert.equal(await login(), 200);
  await button(page, 'Delete user').click();
  assert.ok(await inDialog(page, 'Delete user').isDisabled(), 'until the name is typed');
  await page.getByRole('textbox', { name: /^Type the user name/ }).fill('mallory');
  await inDialog(page, 'Delete user').click();
  await page.getByRole('heading', { name: 'Users', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'Administrator' }).waitFor();
  // The list as it was stands until the one that was asked for anew is there.
  await eventually(async () => (await page.getByText('mallory').count()) === 0);
  await page.context().close();
}

async function handsOver(platform: Platform, browser: TestBrowser): Promise<void> {
  const page = await signedIn(platform, browser, '/_org/users');
  await button(page, 'Create user').click();
  await page.getByRole('textbox', { name: 'User name' }).fill('heidi');
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('Heidi');
  await button(page, 'Made, and shown once').click();
  assert.equal(await page.getByRole('textbox', { name: 'First password' }).count(), 0);
  await inDialog(page, 'Create user').click();
  const shown = page.getByRole('region', { name: 'password', exact: true });
  const made = (await shown.textContent()) ?? '';
  assert.match(made, /^[\w-]{20}$/);
  await looker(page, view)('password-once');
  await inDialog(page, 'Done').click();
  await page.getByRole('heading', { name: 'Heidi', level: 1 }).waitFor();
  assert.ok(!(await page.content()).includes(made), 'it is shown once');
  await page.context().close();
  const theirs = await browser.open({ origin: platform.management, path: '/console/', ...view });
  await signIn(theirs, 'heidi', made);
  await theirs.getByRole('button', { name: 'Signed in as Heidi' }).waitFor();
  await theirs.context().close();
}

async function makeUser({ client }: Platform, username: string, displayName: string): Promise<void> {
  await client.call('POST', '/organizations/DEFAULT/users', { body: { username, displayName, password } });
}

async function runsGroups(platform: Platform, browser: TestBrowser): Promise<void> {
  await makeUser(platform, 'grace', 'Grace Hopper');
  const page = await signedIn(platform, browser, '/DEFAULT/settings');
  const look = looker(page, view);
  await page.getByRole('heading', { name: 'No groups yet' }).waitFor();
  await look('groups-none');
  await button(page, 'Create group').click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Payments');
  await inDialog(page, 'Create group').click();
  await page.getByRole('heading', { name: 'Payments', level: 2 }).waitFor();
  await page.getByRole('combobox', { name: 'Role on APIs' }).selectOption('REVIEWER');
  await button(page, 'Save group').click();
  await button(page, 'Save group').waitFor({ state: 'detached' });
  await button(page, 'Add member').click();
  await page.getByRole('combobox', { name: 'User' }).fill('grace');
  await page.getByRole('option', { name: /Grace Hopper/ }).click();
  await inDialog(page, 'Add member').click();
  await page.getByRole('cell', { name: 'Grace Hopper', exact: true }).waitFor();
  await button(page, 'Give to all APIs').click();
  await inDialog(page, 'Give to all APIs').click();
  await page.getByRole('link', { name: 'Demo /demo/orders' }).waitFor();
  await look('group');
  await page.getByRole('link', { name: 'Demo /demo/orders' }).click();
  await page.getByRole('link', { name: 'Members' }).click();
  await page.getByRole('table', { name: 'Members by a group' }).getByText('Grace Hopper').waitFor();
  await look('members');
  await page.getByRole('button', { name: 'Rights of Grace Hopper' }).click();
  await page.getByRole('dialog').getByText('Reviewer on it by Payments').first().waitFor();
  await look('rights');
  await page.context().close();
}

async function runsAccount(platform: Platform, browser: TestBrowser): Promise<void> {
  await makeUser(platform, 'ada', 'Ada Lovelace');
  const page = await browser.open({ origin: platform.management, path: '/console/_org/account', ...view });
  await signIn(page, 'ada', password);
  await page.getByText('This one').waitFor();
  await button(page, 'Create token').click();
  await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill('pipeline');
  await page.getByRole('searchbox', { name: 'Find a right' }).fill('listApplicationsPaged');
  assert.ok(await inDialog(page, 'Create token').isDisabled(), 'until a right is chosen');
  await page.getByRole('searchbox', { name: 'Find a right' }).fill('environment-api:read');
  await page.getByRole('checkbox', { name: /^environment-api:read/ }).check();
  await inDialog(page, 'Create token').click();
  const token = (await page.getByRole('status', { name: 'Token' }).textContent()) ?? '';
  const ask = async (path: string): Promise<number> =>
    (
      await fetch(`${platform.management}/management${path}`, {
        headers: { authorization: `Bearer ${token}` },
      })
    ).status;
  assert.equal(await ask('/v2/environments/DEFAULT/apis'), 200);
  assert.equal(await ask('/organizations/DEFAULT/environments/DEFAULT/applications/_paged'), 403);
  await inDialog(page, 'Done').click();
  await page.getByText('1 right').waitFor();
  assert.ok(!(await page.content()).includes(token), 'it is shown once');
  await page.getByRole('textbox', { name: 'Current password' }).fill(password);
  await page.getByRole('textbox', { name: 'New password' }).fill('another one of twelve');
  await button(page, 'Change password').click();
  await page.getByText('Password changed').waitFor();
  await looker(page, view)('account');
  await page.setViewportSize(narrow.viewport);
  await looker(page, narrow)('account-narrow');
  await page.context().close();
}

async function runsTasks(platform: Platform, browser: TestBrowser): Promise<void> {
  const { client } = platform;
  const api = await apiNamed(platform, 'Demo /demo/orders');
  const at = '/v2/environments/DEFAULT/apis';
  const plan = await client.call<{ readonly id: string }>('POST', `${at}/${api}/plans`, {
    body: {
      definitionVersion: 'V4',
      name: 'Gold',
      mode: 'STANDARD',
      security: { type: 'API_KEY' },
      validation: 'MANUAL',
    },
  });
  await client.call('POST', `${at}/${api}/plans/${plan.id}/_publish`);
  const applications = '/organizations/DEFAULT/environments/DEFAULT/applications';
  const shop = await client.call<{ readonly id: string }>('POST', applications, {
    body: { name: '<b>Shop</b>', description: 'sells' },
  });
  await client.call('POST', `${applications}/${shop.id}/subscriptions?plan=${plan.id}`, {
    body: { request: 'please' },
  });
  const page = await signedIn(platform, browser, '/DEFAULT/tasks');
  await page.getByRole('link', { name: '<b>Shop</b>' }).waitFor();
  await looker(page, view)('tasks');
  await page.getByRole('button', { name: 'Accept <b>Shop</b>' }).click();
  await inDialog(page, 'Accept subscription').click();
  await page.getByRole('status', { name: 'Key' }).waitFor();
  await inDialog(page, 'Done').click();
  await page.getByRole('heading', { name: 'Nothing waits for you' }).waitFor();
  await page.getByRole('link', { name: 'Audit' }).click();
  const happened = page.getByRole('combobox', { name: 'What happened' });
  await happened.selectOption({ label: 'API rolled back' });
  await page.waitForURL(/event=API_ROLLBACKED/);
  await happened.selectOption('APPLICATION_CREATED');
  await page.waitForURL(/event=APPLICATION_CREATED/);
  await page.getByRole('button', { name: 'Application created' }).first().click();
  await page.getByRole('list', { name: 'What was changed' }).getByText('<b>Shop</b>').first().waitFor();
  await looker(page, view)('audit');
  await page.context().close();
}

async function runsDictionaries(platform: Platform, browser: TestBrowser): Promise<void> {
  const page = await signedIn(platform, browser, '/DEFAULT/dictionaries');
  const look = looker(page, view);
  await page.getByRole('heading', { name: 'No dictionaries yet' }).waitFor();
  await look('dictionaries-none');
  await button(page, 'Create dictionary').first().click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Hosts');
  await inDialog(page, 'Create dictionary').click();
  await page.getByRole('heading', { name: 'Hosts', level: 1 }).waitFor();
  await button(page, 'Add word').click();
  await page.getByRole('textbox', { name: 'Word', exact: true }).fill('orders');
  await page.getByRole('textbox', { name: 'Value of orders' }).fill('https://orders.example.com');
  await button(page, 'Save words').click();
  await button(page, 'Save words').waitFor({ state: 'detached' });
  await button(page, 'Deploy words').click();
  await page.getByText('Deployed', { exact: true }).waitFor();
  await look('dictionary');
  // Where a row is a card, what a word stands for is in it.
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole('textbox', { name: 'Value of orders' }).fill('https://orders.example.org');
  await page.setViewportSize(view.viewport);
  await button(page, 'Save words').click();
  await page.getByText('Changed since', { exact: true }).waitFor();
  await page.getByRole('link', { name: 'All dictionaries' }).click();
  await page.getByRole('cell', { name: 'hosts' }).first().waitFor();
  await look('dictionaries');
  await page.context().close();
}

async function runsReader(platform: Platform, browser: TestBrowser): Promise<void> {
  await makeUser(platform, 'reader', 'Only Reads');
  const page = await browser.open({
    origin: platform.management,
    path: '/console/_org',
    isRefused: true,
    ...view,
  });
  await signIn(page, 'reader', password);
  await page.getByRole('heading', { name: 'Your account', level: 1 }).waitFor();
  const pages = page.getByRole('navigation', { name: 'Pages', exact: true });
  assert.equal(await pages.getByRole('link', { name: 'Users' }).count(), 0);
  await page.goto('/console/DEFAULT/dictionaries');
  await eventually(async () => (await pages.getByRole('link', { name: 'Dictionaries' }).count()) === 0);
  assert.equal(await button(page, 'Create dictionary').count(), 0);
  await page.goto('/console/_org/users');
  await page.getByRole('alert').waitFor();
  await looker(page, view)('users-refused');
  await page.context().close();
}

async function runsPalette(platform: Platform, browser: TestBrowser): Promise<void> {
  const page = await signedIn(platform, browser, '/DEFAULT/apis');
  await page.getByRole('heading', { name: 'APIs', level: 1 }).waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Go to' }).waitFor();
  await page.keyboard.type('roles');
  await page.getByRole('option', { name: /^Roles/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Roles', level: 1 }).waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Go to' }).waitFor();
  await page.keyboard.type('dark');
  await page.getByRole('option', { name: /dark theme/ }).waitFor();
  await page.keyboard.press('Enter');
  await eventually(async () => (await page.locator('html').getAttribute('data-theme')) === 'dark');
  // Colours fade over; half-way they are of neither theme.
  await eventually(async () => (await page.evaluate('document.getAnimations().length')) === 0);
  await looker(page, { ...view, colorScheme: 'dark' })('roles-by-palette');
  await page.context().close();
}
