import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { skipWithoutBrowser, startBrowser } from '../kit/browser/browser.ts';
import { apiNamed, looker, signIn, type View } from '../kit/browser/console.ts';
import { startPlatform } from '../kit/processes/up.ts';

const view: View = { colorScheme: 'light', viewport: { width: 1_440, height: 900 } };
const others: readonly View[] = [
  { ...view, colorScheme: 'dark' },
  { colorScheme: 'light', viewport: { width: 390, height: 844 } },
  { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
];

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

const inDialog = (page: Page, name: string) =>
  page.getByRole('dialog').getByRole('button', { name, exact: true });

test(
  'who asks to be told of an API is told, sees at the bell how often, and removes it; others are told by a webhook',
  { skip: skipWithoutBrowser },
  async (t) => {
    const browser = await startBrowser(t);
    const platform = await startPlatform(t);
    const id = await apiNamed(platform, 'Demo /demo/orders');
    const settings = `/console/DEFAULT/apis/${id}/notifications`;
    // A receiver that cannot be is refused, at its field.
    const page = await browser.open({
      origin: platform.management,
      path: settings,
      isRefused: true,
      ...view,
    });
    const look = looker(page, view);
    await signIn(page);
    await page.getByRole('checkbox', { name: /^API stopped/ }).check();
    await look('notifications-of-api');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('button', { name: 'Save', exact: true, disabled: true }).waitFor();
    await page.getByRole('button', { name: 'Add receiver' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Chat <b>of ops</b>');
    await page.getByRole('combobox', { name: 'How' }).selectOption('Webhook');
    await page.getByRole('textbox', { name: 'URL' }).fill('nowhere');
    await page.getByRole('textbox', { name: 'Secret' }).fill('a long secret');
    await page
      .getByRole('dialog')
      .getByRole('checkbox', { name: /^API stopped/ })
      .check();
    await inDialog(page, 'Add receiver').click();
    await page.getByText('must be an http or https URL').first().waitFor();
    await look('notifications-receiver');
    await page.getByRole('textbox', { name: 'URL' }).fill('https://chat.example/hook');
    await inDialog(page, 'Add receiver').click();
    await page.getByRole('cell', { name: 'https://chat.example/hook' }).waitFor();
    await look('notifications-receivers');
    await page.getByRole('button', { name: 'Delete Chat <b>of ops</b>' }).click();
    await inDialog(page, 'Delete receiver').click();
    await page.getByRole('heading', { name: 'Nobody else is told' }).waitFor();

    await platform.client.call('POST', `/v2/environments/DEFAULT/apis/${id}/_stop`);
    await page.reload();
    const bell = page.getByRole('link', { name: /^Notifications: / });
    await bell.waitFor({ timeout: 40_000 });
    await bell.click();
    await page.getByRole('cell', { name: 'Demo /demo/orders stopped', exact: true }).waitFor();
    await look('notifications');
    for (const other of others) {
      const another = await browser.open({
        origin: platform.management,
        path: '/console/_org/notifications',
        ...other,
      });
      await signIn(another);
      await another.getByRole('cell', { name: 'Demo /demo/orders stopped', exact: true }).waitFor();
      await looker(another, other)('notifications');
      await another.goto(settings);
      await another.getByRole('checkbox', { name: /^API stopped/ }).waitFor();
      await looker(another, other)('notifications-of-api');
      await another.context().close();
    }
    await page.getByRole('button', { name: 'Remove all' }).click();
    await page.getByRole('heading', { name: 'Nothing new' }).waitFor();
    await page.getByRole('link', { name: 'Notifications', exact: true }).first().waitFor();
    await look('notifications-none');
    await page.goto('/console/DEFAULT/settings/notifications');
    await page.getByRole('checkbox', { name: /^User created/ }).waitFor();
    await look('notifications-of-environment');
    await page.context().close();
  },
);
