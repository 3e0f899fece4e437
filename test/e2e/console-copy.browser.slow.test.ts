import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import type { Locator, Page } from 'playwright-core';
import { skipWithoutBrowser, startBrowser, type TestBrowser } from '../kit/browser/browser.ts';
import { apiNamed, signIn } from '../kit/browser/console.ts';
import { eventually } from '../kit/eventually.ts';
import { isthmusOnPath } from '../kit/processes/processes.ts';
import { type Platform, startPlatform } from '../kit/processes/up.ts';

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

const forms = ['curl', 'isthmus command', 'YAML for isthmus create'] as const;
type Form = (typeof forms)[number];
const ways = forms.slice(0, 2);

/** A shell as whoever pastes has it: with a token, the address, and isthmus on its path. Fails when a line does. */
type Shell = (text: string) => Promise<string>;

test(
  'what the console copies does in a shell what it does itself',
  { skip: skipWithoutBrowser },
  async (t) => {
    const platform = await startPlatform(t);
    const browser = await startBrowser(t);
    const { token } = await platform.client.call<{ readonly token: string }>(
      'POST',
      '/organizations/DEFAULT/user/tokens',
      { body: { name: 'shell' } },
    );
    const bin = isthmusOnPath(t);
    const env = {
      PATH: `${bin}:${process.env['PATH'] ?? ''}`,
      HOME: bin,
      ISTHMUS_URL: platform.management,
      ISTHMUS_TOKEN: token,
    };
    const shell: Shell = async (text) =>
      (await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', text], { env })).stdout;
    const page = await browser.open({ origin: platform.management, path: '/console/DEFAULT/apis' });
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await signIn(page);
    const scene = { platform, page, shell };
    await t.test('an API is made, with its plan', () => makesApi(scene));
    await t.test('it is deployed, stopped and started', () => deploys(scene));
    await t.test('plans are made and deprecated', () => makesPlans(scene));
    await t.test('applications are made, subscribe, and their keys are renewed', () => subscribes(scene));
    await t.test('a policy is changed and deployed', () => changesPolicy(scene));
    await t.test('a definition is imported', () => imports(scene));
    await t.test('nothing is copied of what is not whole, nor of a secret', () => refuses(scene, browser));
    await page.context().close();
  },
);

interface Scene {
  readonly platform: Platform;
  readonly page: Page;
  readonly shell: Shell;
}

/** What a menu "Copy as" copies. */
async function copied(page: Page, within: Page | Locator, form: Form): Promise<string> {
  await page.evaluate(`navigator.clipboard.writeText('nothing')`);
  await within.getByRole('button', { name: 'Copy as', exact: true }).first().click();
  await page.getByRole('menuitem', { name: form, exact: true }).click();
  // What is said of it is said for a moment only, and a busy machine may miss that.
  const text = await eventually(async () => {
    const held = String(await page.evaluate('navigator.clipboard.readText()'));
    return held !== 'nothing' && held;
  });
  await within.getByRole('button', { name: 'Copy as', exact: true }).first().waitFor();
  return text;
}

const hostile = `O'Neill's $HOME \`id\` "x"`;

async function makesApi({ platform, page, shell }: Scene): Promise<void> {
  for (const [at, form] of forms.entries()) {
    await page.goto('/console/DEFAULT/apis');
    await page.getByRole('button', { name: 'Create API' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Name' }).fill(`${hostile} ${at}`);
    await dialog.getByRole('textbox', { name: 'Path' }).fill(`/copied-${at}`);
    await dialog.getByRole('textbox', { name: 'Backend' }).fill(`${platform.gateway}/demo/echo`);
    await dialog.getByLabel('Who may call it').selectOption('KEY_LESS');
    await shell(await copied(page, dialog, form));
    const id = await apiNamed(platform, `${hostile} ${at}`);
    assert.notEqual(id, '', form);
    const { data } = await platform.client.call<{ readonly data: readonly { readonly name: string }[] }>(
      'GET',
      `/v2/environments/DEFAULT/apis/${id}/plans`,
    );
    assert.deepEqual(
      data.map(({ name }) => name),
      ['Open'],
      form,
    );
  }
}

async function deploys({ platform, page, shell }: Scene): Promise<void> {
  const becomes = (at: number, status: number): Promise<unknown> =>
    eventually(async () => {
      const answer = await fetch(`${platform.gateway}/copied-${at}`);
      await answer.body?.cancel();
      return answer.status === status;
    });
  for (const [at, form] of ways.entries()) {
    await page.goto(`/console/DEFAULT/apis/${await apiNamed(platform, `${hostile} ${at}`)}`);
    await page.getByRole('button', { name: 'Deploy and start' }).waitFor();
    await shell(await copied(page, page, form));
    await becomes(at, 200);
    await page.reload();
    await page.getByRole('button', { name: 'Stop', exact: true }).waitFor();
    await shell(await copied(page, page, form));
    await becomes(at, 404);
    await page.reload();
    await page.getByRole('button', { name: 'Start', exact: true }).waitFor();
    await shell(await copied(page, page, form));
    await becomes(at, 200);
  }
}

async function makesPlans({ platform, page, shell }: Scene): Promise<void> {
  const api = await apiNamed(platform, `${hostile} 0`);
  const plans = `/v2/environments/DEFAULT/apis/${api}/plans?statuses=PUBLISHED,DEPRECATED`;
  const listed = async (): Promise<readonly { id: string; name: string; status: string }[]> =>
    (await platform.client.call<{ data: { id: string; name: string; status: string }[] }>('GET', plans)).data;
  for (const [at, form] of forms.entries()) {
    await page.goto(`/console/DEFAULT/apis/${api}/plans/new`);
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill(`Plan ${at}`);
    await shell(await copied(page, page.getByRole('main').locator('form'), form));
    const made = (await listed()).find(({ name }) => name === `Plan ${at}`);
    assert.equal(made?.status, 'PUBLISHED', form);
    if (form === 'YAML for isthmus create') continue;
    await page.goto(`/console/DEFAULT/apis/${api}/plans/${made?.id}`);
    await page.getByRole('button', { name: 'Deprecate plan' }).click();
    await shell(await copied(page, page.getByRole('dialog'), form));
    assert.equal((await listed()).find(({ name }) => name === `Plan ${at}`)?.status, 'DEPRECATED', form);
  }
}

async function subscribes({ platform, page, shell }: Scene): Promise<void> {
  const { client } = platform;
  const v1 = '/organizations/DEFAULT/environments/DEFAULT';
  const orders = await apiNamed(platform, 'Demo /demo/orders');
  const subscriptions = `/v2/environments/DEFAULT/apis/${orders}/subscriptions`;
  for (const [at, form] of forms.entries()) {
    await page.goto('/console/DEFAULT/applications');
    await page.getByRole('button', { name: 'Create application' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Name' }).fill(`Shop ${at}`);
    await dialog.getByRole('textbox', { name: 'Description' }).fill(hostile);
    await shell(await copied(page, dialog, form));
    const all = await client.call<{ id: string; name: string }[]>('GET', `${v1}/applications`);
    const application = all.find(({ name }) => name === `Shop ${at}`)?.id;
    assert.ok(application !== undefined, form);

    await page.goto(`/console/DEFAULT/apis/${orders}/subscriptions`);
    await page.getByRole('button', { name: 'Subscribe an application' }).click();
    await dialog.getByRole('combobox', { name: 'Application' }).fill(`Shop ${at}`);
    await page.getByRole('option', { name: `Shop ${at}` }).click();
    await shell(await copied(page, dialog, form));
    const { data } = await client.call<{ data: { id: string }[] }>(
      'GET',
      `${subscriptions}?applicationIds=${application}`,
    );
    const [subscription] = data;
    assert.ok(subscription !== undefined, form);
    if (form === 'YAML for isthmus create') continue;
    await page.goto(`/console/DEFAULT/apis/${orders}/subscriptions/${subscription.id}`);
    await page.getByRole('button', { name: 'Renew key' }).click();
    const said = await shell(await copied(page, dialog, form));
    const { key } = JSON.parse(said) as { readonly key: string };
    await eventually(
      async () =>
        (await fetch(`${platform.gateway}/demo/orders`, { headers: { 'x-gravitee-api-key': key } }))
          .status === 200,
    );
  }
}

async function changesPolicy({ platform, page, shell }: Scene): Promise<void> {
  for (const [at, form] of ways.entries()) {
    const api = await apiNamed(platform, `${hostile} ${at}`);
    await page.goto(`/console/DEFAULT/apis/${api}/design`);
    await page.getByRole('button', { name: 'Add a flow', exact: true }).click();
    await page.getByRole('button', { name: 'Add a policy to the response, at place 1' }).click();
    await page.locator('input[aria-label="Filter policies"]:focus').waitFor();
    await page.keyboard.type('Transform headers');
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Transform headers/ })
      .click();
    const headers = page.getByRole('group', { name: 'Add headers' });
    await headers.getByRole('button', { name: 'Add header' }).click();
    await headers.getByRole('textbox', { name: 'Name' }).fill('X-Copied');
    await headers.getByRole('textbox', { name: 'Value' }).fill("it's $5");
    await page.getByText(/Saved (now|\d+ s ago)/).waitFor();
    const text = await copied(
      page,
      page.locator('[data-tone="warn"]').filter({ hasText: 'Draft, not deployed' }),
      form,
    );
    // The text stands by itself: the draft that the page kept is gone.
    await page.getByRole('button', { name: 'Discard', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Discard draft' }).click();
    await page.getByText('Draft, not deployed').waitFor({ state: 'detached' });
    await shell(text);
    await eventually(
      async () => (await fetch(`${platform.gateway}/copied-${at}`)).headers.get('x-copied') === "it's $5",
    );
  }
}

async function imports({ platform, page, shell }: Scene): Promise<void> {
  const orders = await apiNamed(platform, 'Demo /demo/orders');
  const exported = await platform.client.call(
    'GET',
    `/v2/environments/DEFAULT/apis/${orders}/_export/definition`,
  );
  for (const [at, form] of ways.entries()) {
    await page.goto('/console/DEFAULT/apis/import');
    const text = JSON.stringify(exported)
      .replaceAll('Demo /demo/orders', `Imported ${at}`)
      .replaceAll('"/demo/orders', `"/imported-${at}`);
    await page.getByRole('textbox', { name: 'Definition' }).fill(text);
    await shell(await copied(page, page, form));
    assert.notEqual(await apiNamed(platform, `Imported ${at}`), '', form);
  }
}

async function refuses({ platform, page, shell }: Scene, browser: TestBrowser): Promise<void> {
  await page.goto('/console/DEFAULT/apis/import');
  await page.getByRole('textbox', { name: 'Definition' }).fill('{ no document');
  await page.getByRole('button', { name: 'Copy as' }).click();
  await page.getByRole('menuitem', { name: 'curl' }).click();
  await page.getByRole('button', { name: 'Not complete yet' }).waitFor();
  // A line that the management API refuses fails in the shell, and says why.
  await assert.rejects(
    shell(`isthmus call POST /v2/environments/DEFAULT/apis -f - <<'EOF'\n{"name":""}\nEOF`),
    /name/,
  );
  const other = await browser.open({ origin: platform.management, path: '/console/_org/account' });
  await signIn(other);
  await other.getByRole('button', { name: /Set up/ }).click();
  await other.getByRole('dialog').waitFor();
  assert.equal(await other.getByRole('button', { name: 'Copy as' }).count(), 0, 'a password is in it');
  await other.context().close();
}
