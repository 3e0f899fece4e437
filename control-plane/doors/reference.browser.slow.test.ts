import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../proto/process/clock.ts';
import { createLifecycle } from '../../proto/process/lifecycle.ts';
import { startHttpListener } from '../../proto/process/listening/http-listener.ts';
import { answerByApp } from '../../proto/process/listening/web-app.ts';
import { createLog } from '../../proto/process/log.ts';
import { contrastOf, skipWithoutBrowser, startBrowser } from '../../test/kit/browser/browser.ts';
import { openOffice } from '../../test/kit/control-plane/office.ts';
import { type TestDatabase, testDatabases } from '../../test/kit/servers/databases.ts';

/** The management listener with a door behind it. */
async function listen(t: TestContext): Promise<string> {
  const { app } = await openOffice(t, testDatabases[0] as TestDatabase);
  const log = createLog({ name: 'test', level: 'silent' });
  const lifecycle = createLifecycle({ log, clock: systemClock, closeMsMax: 5_000 });
  t.after(() => lifecycle.close());
  const port = await startHttpListener({
    name: 'management listener',
    answer: answerByApp(app, log),
    address: { host: '127.0.0.1', port: 0 },
    setting: 'listen',
    log,
    clock: systemClock,
    lifecycle,
  });
  return `http://127.0.0.1:${port}`;
}

for (const colorScheme of ['light', 'dark'] as const)
  test(
    `in a browser that prefers ${colorScheme} the reference is read from page to operation, asks nobody else, and is ${colorScheme}`,
    { skip: skipWithoutBrowser },
    async (t) => {
      const origin = await listen(t);
      const browser = await startBrowser(t);
      const page = await browser.open({ origin, path: '/management', colorScheme });
      for (const selector of ['h1', 'a']) assert.ok((await contrastOf(page, selector)) >= 4.5, selector);
      await page.getByRole('link', { name: 'Reference' }).click();
      await page.locator('.opblock-tag').first().waitFor();
      const isDark = await page.locator('html').evaluate((html) => html.className);
      assert.equal(isDark, colorScheme === 'dark' ? 'dark-mode' : '');
      assert.ok((await page.locator('.opblock-tag').count()) > 8, 'groups of operations');

      // By keyboard alone: open a group, an operation, and what its body holds.
      const group = page.locator('.opblock-tag', { hasText: 'Fleets' });
      await group.getByRole('button').focus();
      await page.keyboard.press('Enter');
      const operation = page.locator('.opblock', { hasText: 'Creates a fleet' }).first();
      await operation.getByRole('button').first().focus();
      await page.keyboard.press('Enter');
      await operation.getByText('environments').first().waitFor();
      const shots = process.env['ISTHMUS_TEST_SHOTS'];
      if (shots !== undefined)
        await page.screenshot({ path: `${shots}/reference-${colorScheme}.png`, fullPage: true });
      const { width = 0 } = (await page.locator('.opblock').first().boundingBox()) ?? {};
      assert.ok(width > 1_000, `operations have the width of the page: ${width}`);
      for (const selector of [
        'header a',
        '.info .title',
        '.opblock-tag',
        '.opblock-summary-path',
        '.opblock-summary-description',
        '.response-col_status',
      ]) {
        const contrast = await contrastOf(page, selector);
        assert.ok(contrast >= 4.5, `${selector} has ${contrast.toFixed(1)}`);
      }
    },
  );
