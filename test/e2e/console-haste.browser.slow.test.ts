import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { skipWithoutBrowser, startBrowser, type TestBrowser } from '../kit/browser/browser.ts';
import { apiNamed, signIn } from '../kit/browser/console.ts';
import { type Platform, startPlatform } from '../kit/processes/up.ts';

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

test('people are faster than pages and answers', { skip: skipWithoutBrowser }, async (t) => {
  // What it logs fails the test when it is closed, and what stands behind that is closed no more.
  const platform = await startPlatform(t);
  const browser = await startBrowser(t);
  await t.test('what is clicked again before the page is drawn is done once', () =>
    clicksTwice(platform, browser),
  );
});

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const dialogOf = (page: Page) => page.getByRole('dialog');

/** Far longer than clicks need to arrive. */
const busyMs = 500;

/** Clicks three times while the page is busy with something else, so that all of the clicks wait for it. */
async function clickThrice(page: Page, locator: Locator): Promise<void> {
  const box = await locator.boundingBox();
  assert.ok(box !== null);
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.evaluate(
    `new Promise((done) => setTimeout(() => { done(); setTimeout(() => { const end = performance.now() + ${busyMs}; while (performance.now() < end); }); }))`,
  );
  const { mouse } = page;
  await Promise.all([mouse.down(), mouse.up(), mouse.down(), mouse.up(), mouse.down(), mouse.up()]);
}

async function clicksTwice(platform: Platform, browser: TestBrowser): Promise<void> {
  const page = await browser.open({ origin: platform.management, path: '/console/DEFAULT/settings/groups' });
  await signIn(page);
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') sent.push(new URL(request.url()).pathname);
  });
  await button(page, 'Create group').first().click();
  await dialogOf(page).getByLabel('Name').fill('Once');
  await clickThrice(page, dialogOf(page).getByRole('button', { name: 'Create group' }));
  await page.waitForURL(/\/settings\/groups\/[\w-]+$/);
  assert.deepEqual(
    sent.filter((path) => path.endsWith('/groups')),
    ['/management/organizations/DEFAULT/environments/DEFAULT/configuration/groups'],
  );
  // A button that stands in no form.
  const api = await apiNamed(platform, 'Demo /demo/echo');
  await page.goto(`/console/DEFAULT/apis/${api}`);
  await clickThrice(page, button(page, 'Stop'));
  await button(page, 'Start').waitFor();
  assert.deepEqual(
    sent.filter((path) => path.includes(api) && path.includes('_')),
    [`/management/v2/environments/DEFAULT/apis/${api}/_stop`],
  );
  await page.context().close();
}
