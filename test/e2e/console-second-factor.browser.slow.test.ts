import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { totpCode, totpStepAt } from '../../control-plane/access/second-factor/totp.ts';
import { looker, type View } from '../kit/browser/console.ts';
import { openAt } from '../kit/browser/console-at.ts';
import { skipWithoutBrowser, startBrowser } from '../kit/browser/browser.ts';
import type { Scene } from '../kit/control-plane/federation.ts';
import { password } from '../kit/control-plane/office.ts';

/* A second factor, from the page that sets it up to the one that asks for it. No platform: the door of the control plane is enough. */

const root = join(import.meta.dirname, '../..');
const organization = '/management/organizations/DEFAULT';
const views: readonly View[] = [1_440, 390].flatMap((width) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ colorScheme, viewport: { width, height: 900 } })),
);
const stepMs = 30_000;

before(() => {
  execFileSync(process.execPath, [join(root, 'deploy/build-ui.js'), '--required'], { stdio: 'inherit' });
});

/** Name and password, wherever they lead. */
async function enters(page: Page): Promise<void> {
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** The page's dialogs from the password to the recovery codes; says the app's secret and the codes. */
async function setsUp(page: Page, scene: Scene, look: (name: string) => Promise<void>) {
  await page.getByLabel('Your password').fill('not the password');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('is not the password').waitFor();
  await page.getByLabel('Your password').fill(password);
  await page.getByRole('button', { name: 'Continue' }).click();
  const shown = page.getByRole('status', { name: 'Secret' });
  await shown.waitFor();
  await look('second-factor-scan');
  const secret = ((await shown.textContent()) ?? '').replaceAll(' ', '');
  await page.getByLabel('Code').fill('000000');
  await page.getByRole('button', { name: 'Turn on' }).click();
  await page.getByText('is not right').waitFor();
  await page.getByLabel('Code').fill(totpCode(secret, totpStepAt(scene.clock.now())));
  await page.getByRole('button', { name: 'Turn on' }).click();
  const codes = page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem');
  await codes.first().waitFor();
  await look('second-factor-codes');
  const kept = await codes.allTextContents();
  assert.equal(kept.length, 10);
  await page.getByRole('button', { name: 'I have kept them' }).click();
  await scene.clock.advance(stepMs);
  return { secret, kept };
}

test(
  'somebody sets up an authenticator app, comes in by a code and by a recovery code, and turns it off',
  { skip: skipWithoutBrowser },
  async (t) => {
    const browser = await startBrowser(t, { hasNoAnalytics: true });
    const { scene, origin } = await openAt(t);
    const [view, ...others] = views;
    assert.ok(view !== undefined);
    const page = await browser.open({ origin, path: '/console/_org/account', isRefused: true, ...view });
    const look = looker(page, view);
    await enters(page);
    await page.getByText('The password opens everything by itself.').waitFor();
    await look('account');
    await page.getByRole('button', { name: 'Set up' }).click();
    const { secret, kept } = await setsUp(page, scene, look);
    await page.getByText('10 recovery codes left').waitFor();
    await look('account-second-factor');
    const code = (): string => totpCode(secret, totpStepAt(scene.clock.now()));

    for (const other of others) {
      const seen = await browser.open({ origin, path: '/console/_org/account', isRefused: true, ...other });
      await enters(seen);
      await seen.getByLabel('Code').waitFor();
      await looker(seen, other)('sign-in-code');
      await seen.getByLabel('Code').fill('123456');
      await seen.getByRole('button', { name: 'Sign in', exact: true }).click();
      await seen.getByText('The code is not right, or was used before.').waitFor();
      await seen.getByLabel('Code').fill(code());
      await seen.getByRole('button', { name: 'Sign in', exact: true }).click();
      await seen.getByText('10 recovery codes left').waitFor();
      await looker(seen, other)('account-second-factor');
      await seen.context().close();
      await scene.clock.advance(stepMs);
    }
    const lost = await browser.open({ origin, path: '/console/_org/account', isRefused: true });
    await enters(lost);
    await lost.getByLabel('Code').fill(kept[0] ?? '');
    await lost.getByRole('button', { name: 'Sign in', exact: true }).click();
    await lost.getByText('9 recovery codes left').waitFor();
    await lost.context().close();

    await page.getByRole('button', { name: 'Turn off' }).click();
    await page.getByLabel('Your password').fill(password);
    await page.getByLabel('Code').fill(code());
    await page.getByRole('dialog').getByRole('button', { name: 'Turn off' }).click();
    await page.getByText('The password opens everything by itself.').waitFor();
  },
);

test(
  'where the organization asks for a second factor, who has none is led to one, and then where he wanted to go',
  { skip: skipWithoutBrowser },
  async (t) => {
    const browser = await startBrowser(t, { hasNoAnalytics: true });
    const { scene, origin } = await openAt(t);
    await scene.storage.db
      .insertInto('sign_in_settings')
      .values({ organization: scene.at.organization, second_factor_required: 1, updated_at_ms: 1 })
      .execute();
    for (const view of views) {
      const seen = await browser.open({ origin, path: '/console/_org/users', isRefused: true, ...view });
      await enters(seen);
      await seen.getByRole('heading', { name: 'One more step' }).waitFor();
      await looker(seen, view)('must-enrol');
      await seen.goto('/console/DEFAULT/apis');
      await seen.getByRole('heading', { name: 'One more step' }).waitFor();
      await seen.context().close();
    }
    const [, dark = views[0]] = views;
    assert.ok(dark !== undefined);
    const page = await browser.open({ origin, path: '/console/_org/users', isRefused: true, ...dark });
    await enters(page);
    await page.getByRole('button', { name: 'Set up a second factor' }).click();
    await setsUp(page, scene, looker(page, dark));
    await page.getByRole('heading', { name: 'Users', level: 1 }).waitFor();
    const me = await scene.call('GET', `${organization}/user`);
    assert.equal(me.body.technicalCode, 'signIn.codeRequired');
  },
);
