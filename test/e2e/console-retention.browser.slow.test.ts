import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { skipWithoutBrowser, startBrowser } from '../kit/browser/browser.ts';
import { looker, signIn, type View } from '../kit/browser/console.ts';
import { startPlatform } from '../kit/processes/up.ts';

const view: View = { colorScheme: 'light', viewport: { width: 1_440, height: 900 } };
const others: readonly View[] = [
  { ...view, colorScheme: 'dark' },
  { colorScheme: 'light', viewport: { width: 390, height: 844 } },
  { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
];
const path = '/console/DEFAULT/settings/retention';

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

test(
  'who runs an environment sees what is kept, says for how long, counts what a deletion would delete, and asks for it',
  { skip: skipWithoutBrowser },
  async (t) => {
    const browser = await startBrowser(t);
    const platform = await startPlatform(t);
    for (let n = 0; n < 12; n++) await (await fetch(`${platform.gateway}/demo/orders`)).arrayBuffer();
    const page = await browser.open({ origin: platform.management, path, isRefused: true, ...view });
    const look = looker(page, view);
    await signIn(page);
    await page.getByRole('heading', { name: 'Nothing was asked to be deleted' }).waitFor();
    const kept = page.getByRole('table', { name: 'What is kept' });
    await kept.getByText('as the platform says').first().waitFor();
    await look('retention-empty');

    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Change days' }).click();
    await dialog.getByRole('spinbutton', { name: 'Days for logs' }).fill('7');
    await look('retention-days');
    await dialog.getByRole('button', { name: 'Save days' }).click();
    await kept.getByText('7 days').waitFor();
    await kept.getByText('chosen here').waitFor();

    await page.getByRole('button', { name: 'Delete records' }).click();
    const value = dialog.getByRole('textbox', { name: 'Value' });
    await value.fill('<b>nowhere</b>');
    await dialog.getByRole('button', { name: 'Count' }).click();
    await dialog.getByText('must be an address, e.g. 203.0.113.7').waitFor();
    await look('retention-refused');
    // Until the calls have arrived: each count asks anew.
    const counted = dialog.getByRole('listitem').filter({ hasText: 'records of requests go' });
    const found = counted.filter({ hasText: /^[1-9]/ });
    for (const deadlineMs = performance.now() + 60_000; !(await found.isVisible());) {
      if (performance.now() > deadlineMs) throw new Error('no call has arrived');
      await value.fill('127.0.0.1');
      await dialog.getByRole('button', { name: 'Count' }).click();
      await counted.filter({ hasText: /^\d/ }).waitFor();
    }
    await look('retention-counted');
    await dialog.getByRole('button', { name: 'Delete records' }).click();
    await page.getByRole('cell', { name: 'Client address 127.0.0.1' }).waitFor();
    await page.reload();
    await page.getByRole('cell', { name: 'Client address 127.0.0.1' }).waitFor();
    await look('retention');
    for (const other of others) {
      const another = await browser.open({ origin: platform.management, path, ...other });
      await signIn(another);
      await another.getByRole('cell', { name: 'Client address 127.0.0.1' }).waitFor();
      await looker(another, other)('retention');
      await another.context().close();
    }
  },
);
