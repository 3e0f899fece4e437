import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { skipWithoutBrowser, startBrowser, type TestBrowser } from '../kit/browser/browser.ts';
import { apiNamed, signIn } from '../kit/browser/console.ts';
import { type Platform, startPlatform } from '../kit/processes/up.ts';

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

test('people are faster than pages and answers', { skip: skipWithoutBrowser }, async (t) => {
  // What it logs fails the test when it is closed, and what stands behind that is closed no more.
  const platform = await startPlatform(t);
  const browser = await startBrowser(t);
  await t.test('what is clicked again before the page is drawn is done once', () =>
    clicksTwice(platform, browser),
  );
  await t.test('what is written while it is saved stays written', () => writesOn(platform, browser));
  await t.test('of two who write the same, the second is told; what each wrote elsewhere stays', () =>
    writesTogether(platform, browser),
  );
  await t.test('who writes between the look and the writing of another one is not written over', () =>
    writesBetween(platform, browser),
  );
});

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const dialogOf = (page: Page) => page.getByRole('dialog');

/** Far longer than clicks need to arrive. */
const busyMs = 500;

/** Clicks three times while the page is busy with something else, so that all of the clicks wait for it. */
async function clickThrice(page: Page, locator: Locator): Promise<void> {
  const box = await locator.boundingBox();
  assert.ok(box !== null);
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.evaluate(
    `new Promise((done) => setTimeout(() => { done(); setTimeout(() => { const end = performance.now() + ${busyMs}; while (performance.now() < end); }); }))`,
  );
  const { mouse } = page;
  await Promise.all([mouse.down(), mouse.up(), mouse.down(), mouse.up(), mouse.down(), mouse.up()]);
}

async function clicksTwice(platform: Platform, browser: TestBrowser): Promise<void> {
  const page = await browser.open({ origin: platform.management, path: '/console/DEFAULT/settings/groups' });
  await signIn(page);
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') sent.push(new URL(request.url()).pathname);
  });
  await button(page, 'Create group').first().click();
  await dialogOf(page).getByLabel('Name').fill('Once');
  await clickThrice(page, dialogOf(page).getByRole('button', { name: 'Create group' }));
  await page.waitForURL(/\/settings\/groups\/[\w-]+$/);
  assert.deepEqual(
    sent.filter((path) => path.endsWith('/groups')),
    ['/management/organizations/DEFAULT/environments/DEFAULT/configuration/groups'],
  );
  // A button that stands in no form.
  const api = await apiNamed(platform, 'Demo /demo/echo');
  await page.goto(`/console/DEFAULT/apis/${api}`);
  await clickThrice(page, button(page, 'Stop'));
  await button(page, 'Start').waitFor();
  assert.deepEqual(
    sent.filter((path) => path.includes(api) && path.includes('_')),
    [`/management/v2/environments/DEFAULT/apis/${api}/_stop`],
  );
  await page.context().close();
}

const environment = '/organizations/DEFAULT/environments/DEFAULT';
const unsaved = (page: Page) => page.getByRole('status').filter({ hasText: 'Changes are not saved' });

/** Holds what is written at a path until it is let go: whoever is asked knows nothing of it before. */
async function holdWrites(
  page: Page,
  path: RegExp,
): Promise<{ readonly sent: Promise<void>; readonly letGo: () => void }> {
  const held = Promise.withResolvers<void>();
  const sent = Promise.withResolvers<void>();
  await page.route(
    (url) => path.test(url.pathname),
    async (route) => {
      if (route.request().method() === 'GET') return route.continue();
      sent.resolve();
      await held.promise;
      return route.continue();
    },
  );
  return { sent: sent.promise, letGo: held.resolve };
}

/** Fields of pages that are saved from a bar, each in a way of its own. */
async function writesOn(platform: Platform, browser: TestBrowser): Promise<void> {
  const { management, client } = platform;
  const [application] = await client.call<readonly { readonly id: string }[]>(
    'GET',
    `${environment}/applications`,
  );
  const { id: group } = await client.call<{ readonly id: string }>(
    'POST',
    `${environment}/configuration/groups`,
    { body: { name: 'Haste' } },
  );
  const api = await apiNamed(platform, 'Demo /demo/echo');
  // An API without a draft is asked for one.
  const page = await browser.open({ origin: management, path: '/console/sign-in', isRefused: true });
  await signIn(page);
  for (const [path, field, save, written] of [
    [`/DEFAULT/apis/${api}/general`, 'Description', 'Save', /\/apis\/[\w-]+$/],
    [
      `/DEFAULT/applications/${application?.id ?? ''}/settings`,
      'Description',
      'Save',
      /\/applications\/[\w-]+$/,
    ],
    [`/DEFAULT/settings/groups/${group}`, 'Name', 'Save group', /\/groups\/[\w-]+$/],
  ] as const) {
    await page.goto(`/console${path}`);
    const { sent, letGo } = await holdWrites(page, written);
    const text = page.getByRole('main').getByRole('textbox', { name: field }).first();
    await text.fill('First');
    await button(page, save).click();
    await sent;
    await text.fill('First and second');
    const saved = page.waitForResponse(
      (answer) => answer.request().method() !== 'GET' && written.test(new URL(answer.url()).pathname),
    );
    letGo();
    assert.equal((await saved).ok(), true, path);
    await page.waitForLoadState('networkidle');
    assert.equal(await text.inputValue(), 'First and second', path);
    await page.unrouteAll({ behavior: 'wait' });
    await button(page, save).click();
    await button(page, save).waitFor({ state: 'detached' });
    assert.equal(await text.inputValue(), 'First and second', path);
  }
  await page.context().close();
}

async function writesTogether({ management, client }: Platform, browser: TestBrowser): Promise<void> {
  const roles = '/organizations/DEFAULT/configuration/rolescopes/API/roles';
  const role = { name: 'TOGETHER', description: 'As it was', default: false, permissions: { PLAN: ['R'] } };
  await client.call('POST', roles, { body: { ...role, scope: 'API' } });
  const page = await browser.open({ origin: management, path: '/console/_org/roles/API/TOGETHER' });
  await signIn(page);
  const description = page.getByRole('textbox', { name: 'Description' });
  const other = (change: object) => client.call('PUT', `${roles}/TOGETHER`, { body: { ...role, ...change } });
  const kept = () => client.call<typeof role>('GET', `${roles}/TOGETHER`);

  // One takes a right away while another one writes about the role: both are kept.
  await description.fill('Mine');
  await other({ permissions: { PLAN: [] } });
  await button(page, 'Save role').click();
  await unsaved(page).waitFor({ state: 'detached' });
  assert.deepEqual([(await kept()).description, (await kept()).permissions.PLAN ?? []], ['Mine', []]);

  // Both write the same: whoever comes second learns of it, and decides.
  await description.fill('Mine again');
  await other({ description: 'Theirs' });
  await button(page, 'Save role').click();
  await page.getByText('Somebody else has changed this since you began to write.').waitFor();
  assert.equal(await description.inputValue(), 'Mine again');
  assert.equal((await kept()).description, 'Theirs');
  await button(page, 'Save role').click();
  await unsaved(page).waitFor({ state: 'detached' });
  assert.equal((await kept()).description, 'Mine again');
  await page.context().close();
}

/** The console looks what there is before it writes; whoever comes behind that look is known by the ETag alone. */
async function writesBetween(platform: Platform, browser: TestBrowser): Promise<void> {
  const { management, client } = platform;
  const roles = '/organizations/DEFAULT/configuration/rolescopes/API/roles';
  const role = { name: 'BETWEEN', description: 'As it was', default: false, permissions: { PLAN: ['R'] } };
  await client.call('POST', roles, { body: { ...role, scope: 'API' } });
  const text = { name: 'Between', type: 'MARKDOWN', content: 'As it was' };
  const portal = `${environment}/portal/pages`;
  const { id } = await client.call<{ readonly id: string }>('POST', portal, { body: text });
  const page = await browser.open({ origin: management, path: '/console/sign-in', isRefused: true });
  await signIn(page);
  for (const { path, open, field, save, at, before, key } of [
    {
      path: '/_org/roles/API/BETWEEN',
      open: [],
      field: 'Description',
      save: 'Save role',
      at: `${roles}/BETWEEN`,
      before: role,
      key: 'description',
    },
    {
      path: '/DEFAULT/documentation',
      open: [/^Between/, /^Write$/],
      field: 'Content',
      save: 'Save page',
      at: `${portal}/${id}`,
      before: text,
      key: 'content',
    },
  ] as const) {
    const kept = async () => (await client.call<Readonly<Record<string, string>>>('GET', at))[key];
    await page.goto(`/console${path}`);
    for (const name of open) await page.getByRole('button', { name }).first().click();
    const mine = page.getByRole('textbox', { name: field });
    await mine.fill('Mine');
    const { sent, letGo } = await holdWrites(page, new RegExp(`${at}$`));
    await button(page, save).click();
    await sent;
    await client.call('PUT', at, { body: { ...before, [key]: 'Theirs' } });
    letGo();
    await page.getByText('Somebody else has changed this since you began to write.').waitFor();
    assert.deepEqual([await kept(), await mine.inputValue()], ['Theirs', 'Mine'], path);
    await page.unrouteAll({ behavior: 'wait' });
    await button(page, save).click();
    await unsaved(page).waitFor({ state: 'detached' });
    assert.equal(await kept(), 'Mine', path);
  }
  await page.context().close();
}
