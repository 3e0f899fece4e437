import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { factsOf } from '../../control-plane/mail/mail.ts';
import { looker, signedInAs, signIn, signOut, type View } from '../kit/browser/console.ts';
import { openAt } from '../kit/browser/console-at.ts';
import { skipWithoutBrowser, startBrowser } from '../kit/browser/browser.ts';
import type { Scene } from '../kit/control-plane/federation.ts';
import { basic, password } from '../kit/control-plane/office.ts';

/* Passwords by mail: who has lost his, who is invited, and who registers. No platform: the door of the control plane is enough; mails wait in its queue. */

const root = join(import.meta.dirname, '../..');
const views: readonly View[] = [1_440, 390].flatMap((width) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ colorScheme, viewport: { width, height: 900 } })),
);
const next = 'another good password';
const organization = '/management/organizations/DEFAULT';

before(() => {
  execFileSync(process.execPath, [join(root, 'deploy/build-ui.js'), '--required'], { stdio: 'inherit' });
});

/** Where the link of the newest mail leads, below this origin. */
async function linkOf(scene: Scene): Promise<string> {
  const mails = await scene.storage.db
    .selectFrom('outgoing_mail')
    .selectAll()
    .orderBy('created_at_ms')
    .execute();
  const newest = mails.at(-1);
  assert.ok(newest !== undefined);
  const facts = factsOf(scene.keyring, newest);
  const sent = facts['resetPasswordUrl'] ?? facts['registrationUrl'];
  assert.ok(typeof sent === 'string');
  const link = new URL(sent);
  return `${link.pathname}${link.hash}`;
}

test(
  'somebody who is invited chooses a password, and another one when it is lost; a link counts once',
  { skip: skipWithoutBrowser },
  async (t) => {
    const browser = await startBrowser(t, { hasNoAnalytics: true });
    const mail = { smtp: { host: '127.0.0.1', port: 1, tls: 'none' } };
    const { scene, origin } = await openAt(t, { mail });
    const users = `${organization}/users`;
    const body = { username: 'ann', email: 'ann@acme.com', displayName: 'Ann' };
    assert.equal((await scene.call('POST', users, { body })).status, 201);
    const invitation = await linkOf(scene);
    for (const view of views) {
      const seen = await browser.open({ origin, path: invitation, isRefused: true, ...view });
      const look = looker(seen, view);
      await seen.getByLabel('New password').waitFor();
      await look('new-password');
      await seen.goto('/console/new-password#DEFAULT/none');
      await seen.reload();
      await seen.getByLabel('New password').fill(next);
      await seen.getByRole('button', { name: 'Set password' }).click();
      await seen.getByRole('alert').filter({ hasText: 'too old' }).waitFor();
      await look('new-password-stale');
      await seen.goto('/console/sign-in');
      await seen.getByRole('link', { name: 'Forgot your password?' }).click();
      await seen.getByRole('heading', { name: 'Forgot your password?' }).waitFor();
      await look('forgot-password');
      await seen.context().close();
    }
    const page = await browser.open({ origin, path: invitation, isRefused: true });
    await page.getByLabel('New password').fill('short');
    await page.getByRole('button', { name: 'Set password' }).click();
    await page.getByText('must have 12 to 256 characters').waitFor();
    await page.getByLabel('New password').fill('a first password');
    await page.getByRole('button', { name: 'Set password' }).click();
    await page.getByText('The password is set').waitFor();
    await page.getByRole('link', { name: 'To the sign-in page' }).click();
    await signIn(page, 'ann', 'a first password');

    await scene.clock.advance(1);
    const lost = await browser.open({ origin, path: '/console/forgot-password', isRefused: true });
    for (const name of ['nobody', 'ann']) {
      await lost.goto('/console/forgot-password');
      await lost.getByLabel('User name or mail address').fill(name);
      await lost.getByRole('button', { name: 'Send a link' }).click();
      await lost.getByText('a mail with a link is on its way').waitFor();
    }
    await lost.goto(await linkOf(scene));
    await lost.getByLabel('New password').fill(next);
    await lost.getByRole('button', { name: 'Set password' }).click();
    await lost.getByText('The password is set').waitFor();
    // The session that there was has ended.
    await page.reload();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await signIn(page, 'ann', next);
  },
);

test(
  'somebody registers, confirms the address, waits, and is let in from among the tasks',
  { skip: skipWithoutBrowser },
  async (t) => {
    const browser = await startBrowser(t, { hasNoAnalytics: true });
    const mail = { smtp: { host: '127.0.0.1', port: 1, tls: 'none' } };
    const { scene, origin } = await openAt(t, { mail });
    const admin = await browser.open({ origin, path: '/console/_org/sign-in', isRefused: true });
    await signIn(admin, 'admin', password);
    await admin.getByRole('switch', { name: 'People register themselves' }).click();
    await admin.getByRole('button', { name: 'Allow registration' }).click();
    await admin.getByRole('switch', { name: 'Who registers comes in at once' }).waitFor();
    for (const [at, view] of views.filter((_, index) => [0, 3].includes(index)).entries()) {
      const seen = await browser.open({ origin, path: '/console/sign-in', isRefused: true, ...view });
      const look = looker(seen, view);
      await seen.getByRole('link', { name: 'Create one' }).click();
      await seen.getByLabel('Mail address').fill(`eve${at}@acme.com`);
      await seen.getByLabel('First name').fill('Eve');
      await seen.getByLabel('Last name').fill('Smith');
      await look('register');
      await seen.getByRole('button', { name: 'Create account' }).click();
      await seen.getByText('A mail is on its way').waitFor();
      await look('registered');
      await seen.goto(await linkOf(scene));
      await seen.getByLabel('Password').fill(next);
      await look('finish-registration');
      await seen.getByRole('button', { name: 'Finish registration' }).click();
      await seen.getByText('waits until somebody approves it').waitFor();
      // Mails are told apart by when they were written.
      await scene.clock.advance(1);
      await admin.setViewportSize(view.viewport);
      await admin.emulateMedia({ colorScheme: view.colorScheme });
      await admin.goto('/console/DEFAULT/tasks');
      await admin.getByText('Registration to approve').waitFor();
      await looker(admin, view)('tasks-registration');
      await admin.getByRole('button', { name: `${at === 1 ? 'Reject' : 'Accept'} Eve Smith` }).click();
      const verb = at === 1 ? 'Reject registration' : 'Accept registration';
      await admin.getByRole('dialog').waitFor();
      await looker(admin, view)('decide-registration');
      await admin.getByRole('button', { name: verb }).click();
      await admin.getByText('Nothing waits for you').waitFor();
      await admin.goto('/console/_org/sign-in');
      await admin.getByRole('switch', { name: 'Who registers comes in at once' }).waitFor();
      await looker(admin, view)('sign-in-registration');
      await seen.context().close();
    }
    // The mail that told of it, in words of one's own.
    for (const view of [views[0], views[3]]) {
      assert.ok(view !== undefined);
      await admin.setViewportSize(view.viewport);
      await admin.emulateMedia({ colorScheme: view.colorScheme });
      await admin.goto('/console/_org/templates?q=registration');
      await admin.getByRole('link', { name: 'Registration was judged' }).waitFor();
      await looker(admin, view)('templates');
      await admin.getByRole('link', { name: 'Registration was judged' }).click();
      await admin.getByLabel('Content, as HTML').fill('<p>Dear ${user.displayName},</p>\n<p>${nobody}</p>');
      await admin.getByRole('button', { name: 'Save' }).click();
      await admin.getByText('line 2, character').waitFor();
      await admin.getByLabel('Content, as HTML').fill('<p>Dear ${user.displayName},</p>\n<p>see you.</p>');
      await admin.getByRole('button', { name: 'Preview' }).click();
      await admin.getByText('Dear Ada Lovelace,').waitFor();
      await looker(admin, view)('template');
      await admin.getByRole('button', { name: 'Save' }).click();
      await admin.getByRole('button', { name: 'Reset to default' }).click();
      await admin.getByRole('dialog').getByRole('button', { name: 'Reset to default' }).click();
      await admin.getByText('Default', { exact: true }).waitFor();
    }
    const page = await browser.open({ origin, path: '/console/sign-in', isRefused: true });
    await signIn(page, 'eve0@acme.com', next);
  },
);

/** Somebody who may see the console, and another tab of the browser of a page. */
async function addBob(scene: Scene): Promise<void> {
  const body = { username: 'bob', displayName: 'Bob', password, role: 'ADMIN' };
  const made = await scene.call('POST', `${organization}/users`, { body });
  assert.equal(made.status, 201, made.text);
}

async function anotherTab(page: Page): Promise<Page> {
  const tab = await page.context().newPage();
  await tab.goto('/console/sign-in', { waitUntil: 'networkidle' });
  return tab;
}

test(
  'a session that ends takes nothing away that is written: who signs in again in another tab saves it',
  { skip: skipWithoutBrowser },
  async (t) => {
    const browser = await startBrowser(t, { hasNoAnalytics: true });
    const { scene, origin } = await openAt(t);
    await addBob(scene);
    for (const view of views) {
      const path = '/console/_org/account';
      const page = await browser.open({ origin, path, isRefused: true, ...view });
      const look = looker(page, view);
      await signIn(page, 'bob', password);
      const text = `${view.viewport.width} ${view.colorScheme}`;
      const field = page.getByLabel('First name');
      const save = page.getByRole('button', { name: 'Save profile' });
      const dialog = page.getByRole('dialog');
      await field.fill(text);
      await page.context().clearCookies();
      await save.click();
      await dialog.getByRole('heading', { name: 'You are signed out' }).waitFor();
      await look('session-ended');
      await dialog.getByRole('button', { name: 'I have signed in' }).click();
      await dialog.getByText('Bob is not signed in yet.').waitFor();

      const [tab] = await Promise.all([
        page.context().waitForEvent('page'),
        dialog.getByRole('link', { name: 'Sign in as Bob in another tab' }).click(),
      ]);
      await signIn(tab, 'admin', password);
      await dialog.getByRole('heading', { name: /^Admin.* is signed in now$/ }).waitFor();
      await look('session-of-another');
      await dialog.getByRole('button', { name: 'Stay here' }).click();
      assert.equal(await field.inputValue(), text);
      await save.click();
      await dialog.getByRole('heading', { name: /^Admin.* is signed in now$/ }).waitFor();
      const admin = await scene.call('GET', `${organization}/user`);
      assert.notEqual(admin.body['firstname'], text, 'what Bob wrote is not written of somebody else');

      await tab.goto('/console/_org/account');
      await signOut(tab, 'Admin');
      await dialog.getByRole('heading', { name: 'You are signed out' }).waitFor();
      await signIn(tab, 'bob', password);
      await dialog.waitFor({ state: 'detached' });
      assert.equal(await field.inputValue(), text);
      await save.click();
      await save.waitFor({ state: 'detached' });
      const bob = await scene.call('GET', `${organization}/user`, { as: basic('bob', password) });
      assert.equal(bob.body['firstname'], text);
      await page.context().close();
    }
  },
);

test(
  'a page of one person shows and sends nothing of another one who signs in in another tab',
  { skip: skipWithoutBrowser },
  async (t) => {
    const browser = await startBrowser(t, { hasNoAnalytics: true });
    const { scene, origin } = await openAt(t);
    await addBob(scene);
    const page = await browser.open({ origin, path: '/console/_org/account', isRefused: true });
    await signIn(page, 'admin', password);
    const login = (as: string) =>
      page.context().request.post(`${origin}${organization}/user/login`, { headers: { authorization: as } });

    await t.test('who signs out in one tab is signed out in all', async () => {
      const tab = await anotherTab(page);
      await tab.goto('/console/_org/account');
      await signOut(tab, 'Admin');
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
      await tab.close();
      await signIn(page, 'admin', password);
    });
    await t.test('a tab made for one is made anew for the other, and says so', async () => {
      const tab = await anotherTab(page);
      await signIn(tab, 'bob', password);
      await page.getByText('You are signed in as Bob now').waitFor();
      await signedInAs(page, 'Bob').waitFor();
      await looker(page, { colorScheme: 'light', viewport: { width: 1_280, height: 900 } })('session-anew');
      await tab.close();
    });
    await t.test('no tab has to tell of it: the next request does not leave', async () => {
      assert.equal((await login(basic('admin', password))).status(), 200);
      const asked: string[] = [];
      page.on('request', (request) => void asked.push(new URL(request.url()).pathname));
      await page.getByRole('link', { name: 'Users' }).click();
      await page.getByText(/^You are signed in as Admin.* now/).waitFor();
      await signedInAs(page, 'Admin').waitFor();
      const calls = asked.slice(
        0,
        asked.findIndex((path) => path.startsWith('/console/_org')),
      );
      assert.deepEqual(
        calls.filter((path) => path.startsWith('/management')),
        [`${organization}/user`],
        'nothing but who is signed in was asked for before the page was made anew',
      );
    });
    await t.test('who gives up what is written goes on as the other one', async () => {
      await page.goto('/console/_org/account');
      await page.getByLabel('First name').fill('Not kept');
      assert.equal((await login(basic('bob', password))).status(), 200);
      await page.getByRole('button', { name: 'Save profile' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Leave without saving' }).click();
      await page.getByText('You are signed in as Bob now').waitFor();
      for (const as of [basic('admin', password), basic('bob', password)])
        assert.notEqual(
          (await scene.call('GET', `${organization}/user`, { as })).body['firstname'],
          'Not kept',
        );
    });
  },
);
