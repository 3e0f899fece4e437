import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { skipWithoutBrowser, startBrowser } from '../kit/browser/browser.ts';
import { looker, signIn, type View } from '../kit/browser/console.ts';
import { openAt } from '../kit/browser/console-at.ts';
import { fleetsPath, password, v1 } from '../kit/control-plane/office.ts';
import { makeWords } from '../kit/control-plane/words.ts';

const view: View = { colorScheme: 'light', viewport: { width: 1_440, height: 900 } };
const others: readonly View[] = [
  { ...view, colorScheme: 'dark' },
  { colorScheme: 'dark', viewport: { width: 390, height: 844 } },
];

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

const inDialog = (page: Page, name: string) =>
  page.getByRole('dialog').getByRole('button', { name, exact: true });

test(
  'tags and tenants are made, renamed, kept for groups, and deleted unless something names them',
  { skip: skipWithoutBrowser },
  async (t) => {
    const browser = await startBrowser(t, { hasNoAnalytics: true });
    const { scene, origin } = await openAt(t);
    await scene.call('POST', `${v1}/configuration/groups`, { body: { name: 'Sharders' } });
    const page = await browser.open({ origin, path: '/console/_org/tags', isRefused: true, ...view });
    await signIn(page, 'admin', password);
    await page.getByText('No tags yet').waitFor();
    await looker(page, view)('tags-none');
    await page.getByRole('button', { name: 'Create tag' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('Internal network');
    await page.getByRole('textbox', { name: 'Key' }).fill('not a key');
    await inDialog(page, 'Create tag').click();
    await page
      .getByText(/must be an id/)
      .first()
      .waitFor();
    await page.getByRole('textbox', { name: 'Key' }).fill('internal');
    await page.getByRole('checkbox', { name: /^Sharders/ }).check();
    await looker(page, view)('tags-create');
    await inDialog(page, 'Create tag').click();
    await page.getByRole('cell', { name: 'Sharders' }).waitFor();
    await page.getByRole('button', { name: 'Create tenant' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('North');
    await page.getByRole('textbox', { name: 'Key' }).fill('north');
    await inDialog(page, 'Create tenant').click();
    await page.getByRole('cell', { name: 'north', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Edit North' }).click();
    await page.getByRole('textbox', { name: 'Description' }).fill('Two halls');
    await inDialog(page, 'Save tenant').click();
    await page.getByRole('cell', { name: 'Two halls' }).waitFor();

    const fleet = { name: 'dmz', environments: ['DEFAULT'], tags: ['internal'] };
    const made = await scene.call('POST', fleetsPath, { body: fleet });
    assert.equal(made.status, 201, made.text);
    await page.getByRole('button', { name: 'Delete Internal network' }).click();
    await inDialog(page, 'Delete tag').click();
    await page.getByText('The fleet "dmz" names it.').waitFor();
    await looker(page, view)('tags-delete');
    await inDialog(page, 'Cancel').click();
    for (const other of others) {
      const seen = await browser.open({ origin, path: '/console/_org/tags', ...other });
      await signIn(seen, 'admin', password);
      await seen.getByRole('cell', { name: 'Two halls' }).waitFor();
      await looker(seen, other)('tags');
      await seen.context().close();
    }
    const { id } = await scene.deployedApi('/pets');
    await choosesWords(page, id, () => makeWords(scene, { tags: ['outside'] }));
    await page.goto('/console/_org/tags');
    await page.getByRole('button', { name: 'Delete North' }).click();
    await inDialog(page, 'Delete tenant').click();
    await page.getByText('The fleet "dmz" stands there.').waitFor();
    await keepsHeaders(page, id);
    await page.context().close();
    for (const other of others) {
      const seen = await browser.open({
        origin,
        path: '/console/DEFAULT/settings/api-headers',
        isRefused: true,
        ...other,
      });
      await signIn(seen, 'admin', password);
      await seen.getByRole('cell', { name: 'Since', exact: true }).waitFor();
      await looker(seen, other)('api-headers');
      await seen.goto(`/console/DEFAULT/apis/${id}`);
      await seen.getByText('api.owner').waitFor();
      await looker(seen, other)('api-headers-said');
      await seen.context().close();
    }
  },
);

/** Forms offer the words that were made: of a fleet, an API and an endpoint; what nobody made is refused until somebody does. */
async function choosesWords(page: Page, id: string, makeOutside: () => Promise<void>): Promise<void> {
  await page.goto('/console/_org/fleets');
  await page.getByRole('link', { name: 'dmz' }).click();
  await page.getByRole('button', { name: 'Edit fleet' }).click();
  const dialog = page.getByRole('dialog');
  assert.ok(await dialog.getByRole('checkbox', { name: /^Internal network/ }).isChecked());
  await dialog.getByRole('textbox', { name: 'Other tags' }).fill('no tag, !outside');
  await dialog.getByRole('combobox', { name: 'Tenant' }).selectOption('north');
  await inDialog(page, 'Save fleet').click();
  await dialog
    .getByText(/must be a sharding tag/)
    .first()
    .waitFor();
  await dialog.getByRole('textbox', { name: 'Other tags' }).fill('!outside');
  await inDialog(page, 'Save fleet').click();
  await dialog.getByText('There is no sharding tag').first().waitFor();
  await looker(page, view)('words-fleet');
  await makeOutside();
  await inDialog(page, 'Save fleet').click();
  await dialog.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Edit fleet' }).click();
  assert.equal(await dialog.getByRole('textbox', { name: 'Other tags' }).inputValue(), '!outside');
  assert.equal(await dialog.getByRole('combobox', { name: 'Tenant' }).inputValue(), 'north');
  await inDialog(page, 'Cancel').click();

  await page.goto(`/console/DEFAULT/apis/${id}/entrypoints`);
  await page.getByRole('checkbox', { name: /^Internal network/ }).check();
  await page
    .getByText(/^Saved/)
    .first()
    .waitFor();
  await looker(page, view)('words-api');
  await page.goto(`/console/DEFAULT/apis/${id}/backends`);
  await page.getByRole('checkbox', { name: /^North/ }).check();
  await page
    .getByText(/^Saved/)
    .first()
    .waitFor();
  await looker(page, view)('words-endpoint');
}

/** What is said of every API is written in the settings, in an order, and stands on the page of each. */
async function keepsHeaders(page: Page, id: string): Promise<void> {
  await page.goto('/console/DEFAULT/settings/api-headers');
  await page.getByRole('cell', { name: 'api.publishedAt', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Create header' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('Since');
  await page.getByRole('textbox', { name: 'Template' }).fill('${api.secret}');
  await inDialog(page, 'Create header').click();
  await page
    .getByRole('dialog')
    .getByText(/line 1, character/)
    .first()
    .waitFor();
  await looker(page, view)('api-headers-refused');
  await page.getByRole('textbox', { name: 'Template' }).fill('${api.state?lower_case} for now');
  await inDialog(page, 'Create header').click();
  await page.getByRole('cell', { name: 'Since', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Edit Since' }).click();
  await page.getByRole('spinbutton', { name: 'Place in the list' }).fill('1');
  await inDialog(page, 'Save header').click();
  await page.getByRole('row').nth(1).getByRole('cell', { name: 'Since', exact: true }).waitFor();
  await page.getByRole('button', { name: 'Delete api.version' }).click();
  await inDialog(page, 'Delete header').click();
  await page.getByRole('cell', { name: 'api.version', exact: true }).waitFor({ state: 'detached' });
  await looker(page, view)('api-headers');
  await page.goto(`/console/DEFAULT/apis/${id}`);
  await page.getByText('started for now').waitFor();
  await looker(page, view)('api-headers-said');
}
