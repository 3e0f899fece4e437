import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { breakGlass } from '../../control-plane/management/account/break-glass.ts';
import { looker, signedInAs, signIn, signOut, type View } from '../kit/browser/console.ts';
import { openAt } from '../kit/browser/console-at.ts';
import { skipWithoutBrowser, startBrowser } from '../kit/browser/browser.ts';
import { eventually } from '../kit/eventually.ts';
import {
  activate,
  organization,
  providersPath,
  redirectUriAt,
  type Scene,
  trust,
} from '../kit/control-plane/federation.ts';
import { basic, password, v1 } from '../kit/control-plane/office.ts';
import { startOidc } from '../kit/servers/oidc.ts';

/* The page by which people come in, with identity providers beside the password and in its place. No platform: the door of the control plane is enough. */

const root = join(import.meta.dirname, '../..');
const views: readonly View[] = [1_440, 390].flatMap((width) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ colorScheme, viewport: { width, height: 900 } })),
);

before(() => {
  execFileSync(process.execPath, [join(root, 'deploy/build-ui.js'), '--required'], { stdio: 'inherit' });
});

/** Two more beside the first, which are away; one has a long name. */
async function trustMore(scene: Scene): Promise<void> {
  for (const [name, color] of [
    ['Partners of the northern regions and their subcontractors, by invitation', undefined],
    ['Laboratory', '#1a73e8'],
  ] as const) {
    const made = await scene.call('POST', providersPath, {
      body: {
        name,
        type: 'OIDC',
        configuration: {
          clientId: 'isthmus',
          clientSecret: 'x',
          discoveryEndpoint: 'http://127.0.0.1:1/.well-known/openid-configuration',
          ...(color !== undefined && { color }),
        },
      },
    });
    assert.equal(made.status, 201, made.text);
  }
  const all = await scene.call('GET', providersPath);
  const ids = (all.body as unknown as readonly { readonly id: string }[]).map(({ id }) => id);
  assert.equal(ids.length, 3);
  await activate(scene, organization, ids);
}

const providersOf = (page: Page) =>
  page.getByRole('navigation', { name: 'Identity providers' }).getByRole('link');

/** By keyboard alone: on to what has the focus by that name. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let steps = 0; steps < 12; steps += 1) {
    await page.keyboard.press('Tab');
    if (name.test(String(await page.evaluate('document.activeElement.textContent')))) return;
  }
  assert.fail(`no key leads to ${String(name)}`);
}

test(
  'by a provider people land on the page that they wanted; who is refused reads why; passwords go on beside it',
  { skip: skipWithoutBrowser },
  async (t) => {
    const browser = await startBrowser(t, { hasNoAnalytics: true });
    const { scene, origin } = await openAt(t);
    const oidc = await startOidc(t, redirectUriAt(scene, 'corporate', origin));
    oidc.people.set('ann', { given_name: 'Ann', family_name: 'Lee' });

    const page = await browser.open({ origin, path: '/console/DEFAULT/applications' });
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    assert.equal(await providersOf(page).count(), 0, 'none is offered where there is none');
    await looker(page, { colorScheme: 'light', viewport: { width: 1_280, height: 900 } })('sign-in-none');

    await trust(scene, oidc.issuer);
    await page.reload({ waitUntil: 'networkidle' });
    await t.test('who does not want to be let in comes back to a page that says so', async () => {
      oidc.someone = undefined;
      await providersOf(page).click();
      await page.getByRole('alert').filter({ hasText: 'did not say who you are' }).waitFor();
      assert.equal(new URL(page.url()).origin, origin);
    });
    await t.test('by keyboard alone, to the page that was wanted, and out', async () => {
      oidc.someone = 'ann';
      await tabTo(page, /^Continue with Corporate$/);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Applications', level: 1 }).waitFor();
      assert.equal(new URL(page.url()).pathname, '/console/DEFAULT/applications');
      await signedInAs(page, 'Ann Lee').waitFor();
      await signOut(page);
    });
    await t.test('an answer that this browser did not ask for leads nobody in', async () => {
      await page.goto(`${redirectUriAt(scene, 'corporate', origin)}?code=stolen&state=of-somebody-else`);
      await page.getByRole('alert').filter({ hasText: 'did not say who you are' }).waitFor();
      await page.goto('/console/DEFAULT/applications');
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    });
    await t.test('with a password, beside the provider', async () => {
      await signIn(page, 'admin', password);
      await page.getByRole('heading', { name: 'Applications', level: 1 }).waitFor();
      await signOut(page);
    });
    await page.context().close();

    for (const count of [1, 3]) {
      if (count === 3) await trustMore(scene);
      for (const view of views) {
        const path = `/console/sign-in${count === 3 ? '?problem=notAllowed' : ''}`;
        const seen = await browser.open({ origin, path, ...view });
        await eventually(async () => (await providersOf(seen).count()) === count);
        await looker(seen, view)(`sign-in-${count}`);
        await seen.context().close();
      }
    }
    await t.test('a provider that is away is told of', async () => {
      const seen = await browser.open({ origin, path: '/console/sign-in' });
      await providersOf(seen).filter({ hasText: 'Laboratory' }).click();
      await seen.getByRole('alert').filter({ hasText: 'is not there' }).waitFor();
      await seen.getByText('Passwords work as ever.').waitFor();
    });
  },
);

test(
  'where passwords open nothing none is asked for, but of whom break-glass let in',
  { skip: skipWithoutBrowser },
  async (t) => {
    const browser = await startBrowser(t, { hasNoAnalytics: true });
    const { scene, origin } = await openAt(t, { allowPasswords: false });
    const secret = 'a password for bad days';
    const rescue = { organization: 'DEFAULT', username: 'rescue', password: secret, lastsMs: 86_400_000 };

    const page = await browser.open({ origin, path: '/console/DEFAULT/apis', isRefused: true });
    await page.getByText('no identity provider lets anybody in').waitFor();
    assert.equal(await page.getByRole('textbox').count(), 0);
    await looker(page, { colorScheme: 'light', viewport: { width: 1_280, height: 900 } })('sign-in-no-way');

    await breakGlass(scene, rescue);
    await tabTo(page, /^Sign in with that password$/);
    await page.keyboard.press('Enter');
    await signIn(page, 'rescue', secret);
    await signOut(page);
    await page.context().close();

    const as = basic('rescue', secret);
    const byRescue: Scene = {
      ...scene,
      call: (method, path, wish) => scene.call(method, path, { as, ...wish }),
    };
    const oidc = await startOidc(t, redirectUriAt(scene, 'corporate', origin));
    await trust(byRescue, oidc.issuer);
    assert.equal((await byRescue.call('GET', `${v1}/identities`)).status, 200);
    for (const view of views) {
      const seen = await browser.open({ origin, path: '/console/DEFAULT/apis', ...view });
      await providersOf(seen).waitFor();
      assert.equal(await seen.getByRole('textbox').count(), 0);
      await looker(seen, view)('sign-in-only');
      await seen.context().close();
    }
    await trustMore(byRescue);
    const [, small = views[0]] = views.toReversed();
    assert.ok(small !== undefined);
    const seen = await browser.open({ origin, path: '/console/sign-in?problem=unavailable', ...small });
    assert.equal(await seen.getByText('Passwords work as ever.').count(), 0);
    await looker(seen, small)('sign-in-only-3');
    await providersOf(seen).filter({ hasText: 'Corporate' }).click();
    await signedInAs(seen).waitFor();
  },
);

test(
  'whoever moves his own mail address is asked for his password, since links to one go there',
  { skip: skipWithoutBrowser },
  async (t) => {
    const browser = await startBrowser(t, { hasNoAnalytics: true });
    const { scene, origin } = await openAt(t);
    for (const [index, view] of views.entries()) {
      const page = await browser.open({ origin, path: '/console/_org/account', isRefused: true, ...view });
      await signIn(page, 'admin', password);
      const address = `admin-${index}@acme.com`;
      await page.getByLabel('Mail address').fill(address);
      const save = page.getByRole('button', { name: 'Save profile' });
      assert.equal(await save.isDisabled(), true);
      await page.getByLabel('Your password').fill('a guess of twelve');
      await save.click();
      await page.getByText('is not the password').waitFor();
      await looker(page, view)('account-other-address');
      await page.getByLabel('Your password').fill(password);
      await save.click();
      await page.getByLabel('Your password').waitFor({ state: 'detached' });
      const me = await scene.call('GET', `${organization}/user`);
      assert.equal(me.body['email'], address);
      await page.context().close();
    }
  },
);
