import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { skipWithoutBrowser, startBrowser } from '../kit/browser/browser.ts';
import { signIn } from '../kit/browser/console.ts';
import { eventually } from '../kit/eventually.ts';
import { startPlatform } from '../kit/processes/up.ts';

/** From the page that asks who it is to an API that asks for a key, limits calls, and says why one was refused. */
const clicksMax = 12;
/** All of it, from the start of the platform; machines are slower when they are busy: what others took is not counted. */
const machineMsMax = 60_000;

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

test(
  'from npm start to an API with a key and a limit, whose refusal is explained, in twelve clicks and a minute',
  { skip: skipWithoutBrowser },
  async (t) => {
    const startedMs = performance.now();
    // As npm start has it.
    const { management, gateway } = await startPlatform(t, { args: ['--samples'] });
    const browser = await startBrowser(t);
    const page = await browser.open({ origin: management, path: '/', isRefused: true });
    await signIn(page);
    // That of signing in.
    let clicks = 1;
    const click = async (locator: Locator): Promise<void> => {
      clicks += 1;
      await locator.click();
    };
    const button = (name: string | RegExp, within: Page | Locator = page): Locator =>
      within.getByRole('button', { name, exact: typeof name === 'string' });
    const dialog = page.getByRole('dialog');

    await page.getByRole('heading', { name: 'Three steps to your first answer' }).waitFor();
    await click(button('Create API'));
    await dialog.getByRole('textbox', { name: 'Name' }).fill('Weather');
    await dialog.getByRole('textbox', { name: 'Backend' }).fill(`${gateway}/demo/echo`);
    // The first plan asks for a key unless somebody says otherwise.
    await dialog.getByRole('textbox', { name: 'Calls a minute' }).fill('2');
    await click(button('Create API', dialog));
    await click(button('Deploy and start'));
    await page.getByRole('cell', { name: 'Serving' }).waitFor();
    await click(page.getByRole('link', { name: 'Subscriptions' }));
    await click(button('Subscribe an application'));
    await page.getByRole('combobox', { name: 'Application' }).fill('Demo shop');
    await page.getByRole('option', { name: 'Demo shop' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await click(button('Subscribe', dialog));
    const key = (await dialog.getByRole('status', { name: 'Key' }).textContent()) ?? '';

    const call = async (headers: Record<string, string>): Promise<number> => {
      const answer = await fetch(`${gateway}/weather/tomorrow`, { headers });
      await answer.body?.cancel();
      return answer.status;
    };
    await eventually(async () => (await call({})) === 401);
    const named = { 'x-gravitee-api-key': key };
    await eventually(async () => (await call(named)) === 429);
    await click(button('Done', dialog));
    await click(
      page.getByRole('navigation', { name: 'Pages of this API' }).getByRole('link', { name: 'Logs' }),
    );
    const refused = page.getByRole('row').filter({ hasText: '429' }).getByRole('link').first();
    await refused.waitFor({ timeout: 30_000 });
    await click(refused);
    await page.getByText('RATE_LIMIT_TOO_MANY_REQUESTS').first().waitFor();
    const tookMs = performance.now() - startedMs;
    t.diagnostic(`${clicks} clicks, ${Math.round(tookMs)} ms`);
    assert.ok(clicks <= clicksMax, `${clicks} clicks`);
    assert.ok(tookMs <= machineMsMax, `${Math.round(tookMs)} ms`);
    await page.context().close();
  },
);
