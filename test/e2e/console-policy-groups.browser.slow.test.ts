import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { skipWithoutBrowser, startBrowser, type TestBrowser } from '../kit/browser/browser.ts';
import { looker, signIn, type View } from '../kit/browser/console.ts';
import { type Platform, startPlatform } from '../kit/processes/up.ts';

const wide: View = { colorScheme: 'dark', viewport: { width: 1_440, height: 900 } };
const narrow: View = { colorScheme: 'light', viewport: { width: 390, height: 844 } };

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

test('policy groups, from the first step to the last', { skip: skipWithoutBrowser }, async (t) => {
  // What it logs fails the test when it is closed, and what stands behind that is closed no more.
  const platform = await startPlatform(t);
  const browser = await startBrowser(t);
  await t.test('one is made, gets a step, is deployed, changed, and taken away', () =>
    designs(platform, browser),
  );
  await t.test('its pages in a small window', () => looks(platform, browser));
});

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

async function designs({ management }: Platform, browser: TestBrowser): Promise<void> {
  const page = await browser.open({
    origin: management,
    path: '/console/DEFAULT/policy-groups',
    isRefused: true,
    ...wide,
  });
  const look = looker(page, wide);
  await signIn(page);
  await page.getByRole('heading', { name: 'No policy groups yet' }).waitFor();
  await look('policy-groups-empty');
  await button(page, 'Create policy group').first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('Limits <b>for all</b>');
  await dialog.getByRole('button', { name: 'Create policy group' }).click();
  await page.getByRole('heading', { name: 'Limits <b>for all</b>', level: 1 }).waitFor();
  await look('policy-group-blank');
  await button(page, 'Add a policy to the request, at place 1').click();
  await dialog.getByRole('button', { name: /^Rate limit/ }).click();
  await page.getByText('About Rate limit').waitFor();
  const condition = page.getByRole('textbox', { name: 'Condition' });
  await condition.fill('{#request.headrs}');
  await page.getByText('(at character 11)').waitFor();
  await condition.fill('');
  await page.getByText('(at character 11)').waitFor({ state: 'detached' });
  const limit = page.getByRole('textbox', { name: 'Limit', exact: true });
  const save = async (): Promise<void> => {
    await button(page, 'Save policy group').click();
    await page.getByText('Changes are not saved').waitFor({ state: 'detached' });
  };
  await limit.fill('-5');
  await save();
  await button(page, 'Deploy policy group').click();
  await page.getByRole('alert').waitFor();
  await look('policy-group-refused');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await limit.fill('5');
  await save();
  await look('policy-group-step');
  await button(page, 'Deploy policy group').click();
  await page.getByText('Deployed', { exact: true }).waitFor();
  await button(page, 'History').click();
  await button(page, 'Show version 1').click();
  await dialog.getByText('"rate-limit"').waitFor();
  await look('policy-group-version');
  await dialog.getByRole('button', { name: 'Done' }).click();
  await button(page, 'Used by').click();
  await page.getByRole('heading', { name: 'No deployed API uses it' }).waitFor();
  await look('policy-group-users');
  await button(page, 'Take from gateways').click();
  await dialog.getByRole('button', { name: 'Take from gateways' }).click();
  await page.getByText('Not deployed', { exact: true }).waitFor();
  await page.context().close();
}

async function looks({ management }: Platform, browser: TestBrowser): Promise<void> {
  const page = await browser.open({
    origin: management,
    path: '/console/DEFAULT/policy-groups',
    ...narrow,
  });
  const look = looker(page, narrow);
  await signIn(page);
  await page.getByRole('link', { name: 'Limits <b>for all</b>' }).click();
  await page.getByRole('list', { name: 'Request' }).waitFor();
  await look('policy-group');
  await button(page, 'Delete policy group').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete policy group' }).click();
  await page.getByRole('heading', { name: 'No policy groups yet' }).waitFor();
  await page.context().close();
}
