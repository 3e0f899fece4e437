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
  await t.test('an environment is made, found taken, renamed, and archived once its name is typed', () =>
    runsEnvironments(open),
  );
  await t.test(
    'an identity provider is made, refused at its field, given a mapping, activated and deleted',
    () => runsProviders(open),
  );
  await t.test('who asks everybody for a second factor has one himself', () => asksSecondFactor(open));
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

const hostile = '<img src=x onerror=alert(1)>';

async function runsEnvironments(open: Open): Promise<void> {
  const { page, look } = await open('/_org/environments');
  await page.getByRole('link', { name: 'Default environment' }).waitFor();
  await look('environments');
  await button(page, 'Create environment').click();
  await inDialog(page, 'Create environment').click();
  await page.getByText('must not be empty').waitFor();
  await page.getByRole('textbox', { name: 'Name' }).fill(hostile);
  await page.getByRole('textbox', { name: 'In addresses' }).fill('DEFAULT');
  await look('create-environment');
  await inDialog(page, 'Create environment').click();
  await page.getByRole('dialog').getByRole('alert').waitFor();
  await page.getByRole('textbox', { name: 'In addresses' }).fill('markup');
  await inDialog(page, 'Create environment').click();
  await page.getByRole('heading', { name: hostile, level: 1 }).waitFor();
  await page.getByRole('cell', { name: 'Applications' }).waitFor();
  await look('environment');
  await page.getByRole('textbox', { name: 'Description' }).fill(hostile.repeat(8));
  await button(page, 'Save environment').click();
  await button(page, 'Save environment').waitFor({ state: 'detached' });
  await page.getByRole('link', { name: 'All environments' }).click();
  // By any cell of its row.
  await page.getByRole('cell', { name: hostile.repeat(8) }).click();
  await page.getByRole('heading', { name: hostile, level: 1 }).waitFor();
  await button(page, 'Archive environment').click();
  assert.ok(await inDialog(page, 'Archive environment').isDisabled(), 'until its name is typed');
  await page.getByRole('textbox', { name: /^Type the name/ }).fill(hostile);
  await inDialog(page, 'Archive environment').click();
  await page.getByRole('heading', { name: 'Environments', level: 1 }).waitFor();
  await page.getByRole('link', { name: hostile }).waitFor({ state: 'detached' });
  await page.context().close();
  const small = await open('/_org/environments', narrow);
  await small.page.getByRole('link', { name: 'Default environment' }).click();
  await small.page.getByRole('cell', { name: 'Applications' }).waitFor();
  await small.look('environment');
  await small.page.context().close();
}

async function runsProviders(open: Open): Promise<void> {
  const { page, look } = await open('/_org/sign-in');
  await page.getByRole('heading', { name: 'No identity providers yet' }).waitFor();
  await look('sign-in-settings-empty');
  await button(page, 'Create identity provider').click();
  await page.getByRole('textbox', { name: 'Name' }).fill(`Corporate ${hostile}`);
  await page.getByRole('textbox', { name: 'Discovery URL' }).fill('https://id.example.com/');
  await page.getByRole('textbox', { name: 'Client id' }).fill('isthmus');
  await page.getByRole('textbox', { name: 'Client secret' }).fill('a secret of the provider');
  await inDialog(page, 'Create identity provider').click();
  await page.getByRole('dialog').getByText('must end with').first().waitFor();
  await look('create-provider');
  await page
    .getByRole('textbox', { name: 'Discovery URL' })
    .fill('https://id.example.com/.well-known/openid-configuration');
  await inDialog(page, 'Create identity provider').click();
  await page.getByRole('heading', { name: `Corporate ${hostile}`, level: 1 }).waitFor();
  await page.getByRole('group', { name: 'Role mappings' }).getByRole('button', { name: /^Add/ }).click();
  const mapping = page.getByRole('group', { name: 'Role mappings' });
  await mapping.getByRole('textbox', { name: 'Condition' }).fill('{#request.path}');
  await mapping.getByRole('checkbox', { name: 'API publisher' }).check();
  await button(page, 'Save identity provider').click();
  await page.getByRole('alert').waitFor();
  await look('provider-refused');
  const condition = "{#jsonPath(#profile, '$.groups').contains('api-team')}";
  await mapping.getByRole('textbox', { name: 'Condition' }).fill(condition);
  await button(page, 'Save identity provider').click();
  await page.getByText('Changes are not saved').waitFor({ state: 'detached' });
  await page.getByRole('switch', { name: 'People come in by it' }).click();
  await page.getByRole('switch', { name: 'People come in by it', checked: true }).waitFor();
  await look('provider');
  await page.reload();
  await eventually(
    async () => (await mapping.getByRole('textbox', { name: 'Condition' }).inputValue()) === condition,
  );
  assert.ok(await mapping.getByRole('checkbox', { name: 'API publisher' }).isChecked());
  await page.getByRole('link', { name: 'Sign-in', exact: true }).last().click();
  await page.getByRole('cell', { name: 'People come in by it' }).waitFor();
  await look('sign-in-settings');
  await page.context().close();
  const small = await open('/_org/sign-in', narrow);
  await small.page.getByRole('link', { name: /^Corporate/ }).click();
  await small.page.getByRole('switch', { name: 'People come in by it', checked: true }).waitFor();
  await small.look('provider');
  await button(small.page, 'Delete identity provider').click();
  await inDialog(small.page, 'Delete identity provider').click();
  await small.page.getByRole('heading', { name: 'No identity providers yet' }).waitFor();
  await small.page.context().close();
}

async function asksSecondFactor(open: Open): Promise<void> {
  const { page, look } = await open('/_org/sign-in');
  const required = page.getByRole('switch', { name: 'Everybody who has a password has a second factor' });
  await required.click();
  await look('second-factor-asked');
  await inDialog(page, 'Require a second factor').click();
  await page.getByRole('dialog').getByText('set up your own first').waitFor();
  await inDialog(page, 'Cancel').click();
  assert.equal(await required.getAttribute('aria-checked'), 'false');
  await page.context().close();
}
