import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { skipWithoutBrowser, startBrowser, type TestBrowser } from '../kit/browser/browser.ts';
import { looker, signIn, type View } from '../kit/browser/console.ts';
import { eventually } from '../kit/eventually.ts';
import { type Platform, startPlatform } from '../kit/processes/up.ts';

const wide: View = { colorScheme: 'light', viewport: { width: 1_440, height: 900 } };
const narrow: View = { colorScheme: 'dark', viewport: { width: 390, height: 844 } };

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

test('what an organization says for all of its environments', { skip: skipWithoutBrowser }, async (t) => {
  // What it logs fails the test when it is closed, and what stands behind that is closed no more.
  const platform = await startPlatform(t);
  const open = opener(platform, await startBrowser(t));
  await t.test('policies before all APIs are refused at their field, put in force, and taken back', () =>
    writesPolicies(platform, open),
  );
});

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const inDialog = (page: Page, name: string) =>
  page.getByRole('dialog').getByRole('button', { name, exact: true });

interface Opened {
  readonly page: Page;
  readonly look: (name: string) => Promise<void>;
}

/** Opens a page of the console in a context of its own; what is refused in it is asked for. */
type Open = (path: string, view?: View) => Promise<Opened>;

const opener =
  ({ management }: Platform, browser: TestBrowser): Open =>
  async (path, view = wide) => {
    const wish = { origin: management, path: `/console${path}`, isRefused: true, ...view };
    const page = await browser.open(wish);
    await signIn(page);
    return { page, look: looker(page, view) };
  };

async function writesPolicies(platform: Platform, open: Open): Promise<void> {
  const { page, look } = await open('/_org/policies');
  await page.getByRole('heading', { name: 'No flow here yet' }).waitFor();
  await look('policies-empty');
  await button(page, 'Add a flow').click();
  await page.getByRole('textbox', { name: 'Name' }).fill('<b>Never</b> from them');
  await button(page, 'Add a policy to the request, at place 1').click();
  await page.getByRole('dialog').getByRole('button', { name: /^Mock/ }).click();
  await page.getByText('About Mock').waitFor();
  const save = async (): Promise<void> => {
    await button(page, 'Put in force').click();
    await page.getByRole('dialog').getByText('flow is enabled').waitFor();
    await inDialog(page, 'Put in force').click();
  };
  const condition = page.getByRole('textbox', { name: 'Condition' });
  await condition.fill('{#nothing.here');
  await button(page, 'Put in force').click();
  await look('policies-asked');
  await inDialog(page, 'Put in force').click();
  await page.getByRole('alert').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('alert').waitFor();
  await look('policies-refused');
  await condition.fill("{#request.headers['X-Stop'] != null}");
  await page.getByRole('textbox', { name: 'Status' }).fill('418');
  await save();
  await page.getByText('Changes are not saved').waitFor({ state: 'detached' });
  await page.getByText('For all APIs', { exact: true }).waitFor();
  await look('policies');
  const echo = async (headers: Record<string, string>): Promise<number> =>
    (await fetch(`${platform.gateway}/demo/echo`, { headers })).status;
  await eventually(async () => (await echo({ 'X-Stop': 'yes' })) === 418);
  assert.notEqual(await echo({}), 418);
  await page.context().close();

  const small = await open('/_org/policies', narrow);
  await small.page.getByRole('button', { name: /<b>Never<\/b> from them/ }).waitFor();
  await small.look('policies');
  await button(small.page, 'Which flows run').click();
  await small.page.getByRole('switch', { name: 'Refuse what no flow takes' }).waitFor();
  await small.look('policies-choice');
  await inDialog(small.page, 'Done').click();
  await button(small.page, 'Remove flow').click();
  await button(small.page, 'Undo').click();
  await button(small.page, 'Remove flow').click();
  await button(small.page, 'Put in force').click();
  await inDialog(small.page, 'Put in force').click();
  await small.page.getByText('None', { exact: true }).waitFor();
  await eventually(async () => (await echo({ 'X-Stop': 'yes' })) !== 418);
  await small.page.context().close();
}
