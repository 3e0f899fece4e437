import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { skipWithoutBrowser, startBrowser } from '../kit/browser/browser.ts';
import { looker, signIn, signOut, type View } from '../kit/browser/console.ts';
import { openAt } from '../kit/browser/console-at.ts';

const view: View = { colorScheme: 'light', viewport: { width: 1_440, height: 900 } };
const narrow: View = { colorScheme: 'dark', viewport: { width: 390, height: 844 } };
const secret = 'a password of twelve';

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

test(
  'people come into the organization that their link names, and this browser remembers it',
  { skip: skipWithoutBrowser },
  async (t) => {
    const browser = await startBrowser(t, { hasNoAnalytics: true });
    const { scene, origin } = await openAt(t);
    const passwordHash = await scene.desk.access.hashPassword(secret);
    await scene.storage.transaction(async (trx) => {
      await scene.desk.publisher.ensureOrganization(trx, { id: 'other', name: 'Acme', hrid: 'acme' });
      await scene.desk.publisher.ensureEnvironment(trx, 'other', {
        id: 'other-env',
        name: 'Acme production',
        hrid: 'production',
      });
      const user = { username: 'ann', displayName: 'Ann', role: 'ADMIN' } as const;
      await scene.desk.access.createUser(trx, { organization: 'other', ...user, passwordHash });
    });

    const page = await browser.open({ origin, path: '/console/sign-in', isRefused: true, ...view });
    await page.getByRole('button', { name: 'Another organization' }).click();
    await page.getByRole('textbox', { name: 'Organization' }).fill('nowhere');
    await page.getByRole('button', { name: 'Go to its sign-in' }).click();
    await page.getByText('There is no organization "nowhere" here.').waitFor();
    await looker(page, view)('sign-in-organization-unknown');
    await page.getByRole('textbox', { name: 'Organization' }).fill('acme');
    await page.getByRole('button', { name: 'Go to its sign-in' }).click();
    await page.getByText('Organization acme.').waitFor();
    await looker(page, view)('sign-in-organization');
    await signIn(page, 'ann', secret);
    await page.getByRole('button', { name: 'Environment: Acme production' }).waitFor();

    await page.goto('/console/');
    await page.getByRole('button', { name: 'Environment: Acme production' }).waitFor();
    await signOut(page);
    await page.getByText('Organization acme.').waitFor();
    await page.goto('/console/sign-in?organization=DEFAULT');
    await page.getByText('Organization acme.').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Another organization' }).waitFor();
    await page.context().close();

    const phone = await browser.open({ origin, path: '/console/sign-in?organization=acme', ...narrow });
    await phone.getByText('Organization acme.').waitFor();
    await looker(phone, narrow)('sign-in-organization');
    await phone.context().close();
  },
);
