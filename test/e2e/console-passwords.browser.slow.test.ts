import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { factsOf } from '../../control-plane/mail/mail.ts';
import { looker, signIn, type View } from '../kit/browser/console.ts';
import { openAt } from '../kit/browser/console-at.ts';
import { skipWithoutBrowser, startBrowser } from '../kit/browser/browser.ts';
import type { Scene } from '../kit/control-plane/federation.ts';

/* Passwords by mail: who has lost his, and who is invited. No platform: the door of the control plane is enough; mails wait in its queue. */

const root = join(import.meta.dirname, '../..');
const views: readonly View[] = [1_440, 390].flatMap((width) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ colorScheme, viewport: { width, height: 900 } })),
);
const next = 'another good password';

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
    const users = '/management/organizations/DEFAULT/users';
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
