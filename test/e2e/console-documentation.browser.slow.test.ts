import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { skipWithoutBrowser, startBrowser, type TestBrowser } from '../kit/browser/browser.ts';
import { apiNamed, looker, signIn, type View } from '../kit/browser/console.ts';
import { type Platform, startPlatform } from '../kit/processes/up.ts';

const wide: View = { colorScheme: 'light', viewport: { width: 1_440, height: 900 } };
const narrow: View = { colorScheme: 'dark', viewport: { width: 390, height: 844 } };

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

test('documentation, from the first page to the last', { skip: skipWithoutBrowser }, async (t) => {
  // What it logs fails the test when it is closed, and what stands behind that is closed no more.
  const platform = await startPlatform(t);
  const browser = await startBrowser(t);
  await t.test('pages of an API are written, shown, published, ordered and deleted', () =>
    writes(platform, browser),
  );
  await t.test(
    'pages of the environment: what a page comes from is refused at its field, in a small window',
    () => writesPortal(platform, browser),
  );
});

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const dialogOf = (page: Page) => page.getByRole('dialog');
const tree = (page: Page) => page.getByRole('navigation', { name: 'Pages of the documentation' });

async function add(page: Page, name: string, type: string): Promise<void> {
  await button(page, 'Add page').first().click();
  const dialog = dialogOf(page);
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByLabel('Type').selectOption({ label: type });
  await dialog.getByRole('button', { name: /^Add (page|folder)$/ }).click();
  await page.getByRole('heading', { name, level: 2, exact: true }).waitFor();
}

async function writes(platform: Platform, browser: TestBrowser): Promise<void> {
  const page = await browser.open({ origin: platform.management, path: '/console/DEFAULT/apis', ...wide });
  const look = looker(page, wide);
  await signIn(page);
  const api = await apiNamed(platform, 'Demo /demo/echo');
  await page.goto(`/console/DEFAULT/apis/${api}/docs`);
  await page.getByRole('heading', { name: 'No pages yet' }).waitFor();
  await look('documentation-empty');
  await add(page, 'Guides', 'Folder');
  await add(page, 'Start <b>here</b>', 'Markdown');
  await tree(page).getByText('Start <b>here</b>').waitFor();
  await button(page, 'Write').click();
  const content = page.getByRole('textbox', { name: 'Content' });
  await content.fill(
    '# Welcome\n\nCall **it** so:\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<script>alert(1)</script>',
  );
  await look('documentation-write');
  await button(page, 'Preview').click();
  await page.getByRole('heading', { name: 'Welcome' }).waitFor();
  await button(page, 'Save page').click();
  await page.getByText('Changes are not saved').waitFor({ state: 'detached' });
  await button(page, 'Publish').click();
  await button(page, 'Take back').waitFor();
  await look('documentation-preview');
  await button(page, 'Settings').click();
  await page.getByRole('switch', { name: 'First page' }).click();
  await button(page, 'Save page').click();
  await tree(page).getByText('home').waitFor();
  await look('documentation-settings');

  await add(page, 'Reference', 'OpenAPI');
  await button(page, 'Write').click();
  await content.fill(
    'openapi: 3.1.0\ninfo: {title: Echo, version: "2"}\npaths:\n  /a/{id}:\n    get: {summary: One}\n    delete: {}\n',
  );
  await button(page, 'Preview').click();
  await page.getByRole('list', { name: 'Operations' }).getByText('/a/{id}').first().waitFor();
  await look('documentation-openapi');
  await button(page, 'Save page').click();
  await page.getByText('Changes are not saved').waitFor({ state: 'detached' });
  const names = () => tree(page).getByRole('button').allTextContents();
  assert.deepEqual(
    (await names())
      .map((name) => name.replace(/(not published|home)$/, ''))
      .filter((name) => name !== 'Add page'),
    ['Guides', 'Start <b>here</b>', 'Reference'],
  );
  await readsBombs(page);
  await tree(page)
    .getByRole('button', { name: /^Reference/ })
    .click();
  await button(page, 'Move page up').click();
  await tree(page).getByRole('listitem').nth(1).getByText('Reference').waitFor();
  await button(page, 'Delete').click();
  await dialogOf(page).getByRole('button', { name: 'Delete page' }).click();
  await page.getByRole('heading', { name: 'Choose a page' }).waitFor();
  await tree(page).getByText('Reference').waitFor({ state: 'detached' });
  await page.context().close();
}

/** What would end the stack of whoever reads or draws it is shown as it was written, and written on. */
async function readsBombs(page: Page): Promise<void> {
  await tree(page)
    .getByRole('button', { name: /^Start/ })
    .click();
  const content = page.getByRole('textbox', { name: 'Content' });
  const preview = page.getByText('It is nested too deeply to be drawn');
  for (const [levels, isDrawn] of [
    [40, true],
    [60, false],
    [20_000, false],
  ] as const) {
    const text = `${'>'.repeat(levels)} ${levels} levels`;
    await button(page, 'Write').click();
    await content.fill(text);
    await button(page, 'Preview').click();
    await page.getByText(isDrawn ? `${levels} levels` : text, { exact: true }).waitFor();
    assert.equal(await preview.count(), isDrawn ? 0 : 1, `${levels} levels`);
  }
  await button(page, 'Discard').click();
  await page.getByRole('heading', { name: 'Welcome' }).waitFor();
}

async function writesPortal({ management }: Platform, browser: TestBrowser): Promise<void> {
  const page = await browser.open({
    origin: management,
    path: '/console/DEFAULT/documentation',
    isRefused: true,
    ...narrow,
  });
  const look = looker(page, narrow);
  await signIn(page);
  await page.getByRole('heading', { name: 'Documentation', level: 1 }).waitFor();
  await button(page, 'Add page').click();
  const dialog = dialogOf(page);
  await dialog.getByLabel('Name').fill('Fetched');
  await dialog.getByLabel('Comes from').selectOption('gitlab-fetcher');
  await dialog.getByLabel('Namespace').waitFor();
  await look('documentation-source');
  await dialog.getByLabel('Comes from').selectOption('http-fetcher');
  await dialog.getByLabel('Url').fill('ftp://nowhere');
  await dialog.getByRole('button', { name: 'Add page' }).click();
  await dialog.getByText('must be an http or https URL').first().waitFor();
  await dialog.getByLabel('Comes from').selectOption('');
  await dialog.getByRole('button', { name: 'Add page' }).click();
  await page.getByRole('heading', { name: 'Fetched', level: 2 }).waitFor();
  await look('documentation-portal');
  await button(page, 'Publish').click();
  await button(page, 'Take back').waitFor();
  await page.context().close();
}
