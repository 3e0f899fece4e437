import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { skipWithoutBrowser, startBrowser } from '../kit/browser/browser.ts';
import { looker, signIn, type View } from '../kit/browser/console.ts';
import { startPlatform } from '../kit/processes/up.ts';

const view: View = { colorScheme: 'light', viewport: { width: 1_440, height: 900 } };
const narrow: View = { colorScheme: 'dark', viewport: { width: 390, height: 844 } };

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

const inDialog = (page: Page, name: string) =>
  page.getByRole('dialog').getByRole('button', { name, exact: true });
const themeIs = (page: Page, theme: string) =>
  page.locator(`html[data-theme="${theme}"]`).waitFor({ state: 'attached' });

test(
  'what somebody chooses of the console is there in another browser: theme, density, columns, searches that were kept',
  { skip: skipWithoutBrowser },
  async (t) => {
    const browser = await startBrowser(t);
    const platform = await startPlatform(t);
    const origin = platform.management;
    const page = await browser.open({ origin, path: '/console/DEFAULT/apis?q=demo', ...view });
    const look = looker(page, view);
    await signIn(page);
    await page.getByRole('columnheader', { name: 'Owner' }).waitFor();
    const tab = (of: Page, name: string) =>
      of.getByRole('navigation', { name: 'Views' }).getByRole('button', { name, exact: true });
    await tab(page, 'Keep this search').click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Ours');
    await page.getByRole('switch', { name: 'Share with everybody in the environment' }).click();
    await look('views-keep');
    await inDialog(page, 'Keep search').click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'Columns' }).click();
    await page.getByRole('dialog').getByRole('checkbox', { name: 'Version' }).uncheck();
    await page.getByRole('button', { name: 'Move Owner up' }).click();
    await look('columns');
    await inDialog(page, 'Save columns').click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByRole('columnheader', { name: 'Version' }).waitFor({ state: 'detached' });
    await look('apis-with-views');

    await page.goto('/console/_org/account');
    await page.getByRole('combobox', { name: 'Rows of lists' }).selectOption('Compact');
    await page.locator('html[data-density="compact"]').waitFor({ state: 'attached' });
    await page.getByRole('combobox', { name: 'Theme' }).selectOption('Dark');
    await themeIs(page, 'dark');
    await look('account-looks');
    await leaves(page, look);

    const another = await browser.open({ origin, path: '/console/DEFAULT/apis', ...view });
    await signIn(another);
    await themeIs(another, 'dark');
    await another.locator('html[data-density="compact"]').waitFor({ state: 'attached' });
    await another.getByRole('columnheader', { name: 'Owner' }).waitFor();
    await another.getByRole('columnheader', { name: 'Version' }).waitFor({ state: 'detached' });
    assert.equal(await tab(another, 'All').getAttribute('aria-current'), 'page');
    await tab(another, 'Ours').click();
    await another.waitForURL(/apis\?q=demo$/);
    await another.locator('[aria-current="page"]', { hasText: 'Ours' }).waitFor();
    assert.equal(await tab(another, 'All').getAttribute('aria-current'), null);
    await looker(another, { ...view, colorScheme: 'dark' })('apis-with-views');
    await another.goto('/console/DEFAULT/logs?group=5xx');
    await tab(another, 'Keep this search').click();
    await another.getByRole('textbox', { name: 'Name' }).fill('Failures');
    await inDialog(another, 'Keep search').click();
    await another.getByRole('dialog').waitFor({ state: 'detached' });
    await another.goto('/console/DEFAULT/logs');
    await tab(another, 'Failures').click();
    await another.waitForURL(/logs\?group=5xx$/);
    await looker(another, { ...view, colorScheme: 'dark' })('logs-with-views');
    await tab(another, 'Change views').click();
    await looker(another, { ...view, colorScheme: 'dark' })('views');
    await another.getByRole('button', { name: 'Delete Failures' }).click();
    await another.getByRole('button', { name: 'Delete Failures' }).waitFor({ state: 'detached' });
    await another.context().close();

    const phone = await browser.open({ origin, path: '/console/DEFAULT/apis', ...narrow });
    await signIn(phone);
    await phone.getByRole('button', { name: 'Columns' }).waitFor();
    await looker(phone, narrow)('apis-with-views');
    await phone.goto('/console/_org/account');
    await phone.getByRole('combobox', { name: 'Theme' }).waitFor();
    await looker(phone, narrow)('account-looks');
    await phone.context().close();
    await page.context().close();
  },
);

/** Whoever has written something is asked before it is lost, by whichever way he leaves; all of it by keyboard. */
async function leaves(page: Page, look: (name: string) => Promise<void>): Promise<void> {
  const question = page.getByRole('dialog', { name: 'Leave without saving?' });
  const name = page.getByRole('textbox', { name: 'First name' });
  const stays = async (): Promise<void> => {
    await question.waitFor();
    await page.keyboard.press('Escape');
    await question.waitFor({ state: 'detached' });
    await page.locator('input:focus, a:focus, button:focus').first().waitFor();
    assert.equal(await name.inputValue(), 'Zed');
  };
  // A page before it, so that there is a way back.
  await page.getByRole('link', { name: 'Notifications' }).last().click();
  await page.getByRole('heading', { name: 'Notifications', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'Your account' }).last().click();
  await name.fill('Zed');
  await page.getByRole('link', { name: 'Roles' }).press('Enter');
  await question.waitFor();
  await look('leave');
  await stays();
  await page.goBack();
  await stays();
  const asked = new Promise<string>((resolve) => {
    page.once('dialog', (dialog) => void dialog.dismiss().then(() => resolve(dialog.type())));
  });
  // It is refused, so that it never comes to an end.
  void page.evaluate('location.reload()').catch(() => undefined);
  assert.equal(await asked, 'beforeunload');
  await page.keyboard.press('Control+k');
  await page.keyboard.type('Topology');
  await page.getByRole('option', { name: 'Topology' }).waitFor();
  await page.keyboard.press('Enter');
  await stays();
  await page.getByRole('button', { name: 'Discard' }).press('Enter');
  await page.getByRole('link', { name: 'Roles' }).press('Enter');
  await page.getByRole('heading', { name: 'Roles', level: 1 }).waitFor();

  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await look('keys');
  await page.keyboard.press('Escape');
  const create = page.getByRole('button', { name: 'Create role' });
  await create.press('Enter');
  const role = page.getByRole('dialog').getByRole('textbox', { name: 'Name' });
  await role.fill('READS_ALL');
  await page.goBack();
  await question.waitFor();
  await page.getByRole('button', { name: 'Stay here' }).press('Enter');
  await question.waitFor({ state: 'detached' });
  assert.equal(await role.inputValue(), 'READS_ALL');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  // Whoever closes a dialog goes on where he was.
  await page.locator('button:focus', { hasText: 'Create role' }).waitFor();
}
