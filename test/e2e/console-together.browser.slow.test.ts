import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { skipWithoutBrowser, startBrowser, type TestBrowser } from '../kit/browser/browser.ts';
import { apiNamed, looker, signIn, type View } from '../kit/browser/console.ts';
import { eventually } from '../kit/eventually.ts';
import { type Platform, startPlatform } from '../kit/processes/up.ts';

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

const wide: View = { colorScheme: 'light', viewport: { width: 1_440, height: 900 } };
const narrow: View = { colorScheme: 'dark', viewport: { width: 390, height: 844 } };
/** Between the box of a row and what it chooses. */
const boxGapPxMax = 24;
const password = 'correct-horse-staple';
const org = '/organizations/DEFAULT';
const env = `${org}/environments/DEFAULT`;

test('several rows of a list at once', { skip: skipWithoutBrowser }, async (t) => {
  const browser = await startBrowser(t);
  const platform = await startPlatform(t);
  for (const view of [wide, narrow])
    await t.test(
      `subscriptions at ${view.viewport.width} px: what is refused is named, the rest is done`,
      () => decidesSubscriptions(platform, browser, view),
    );
  await t.test(
    "an application's subscriptions: who may close them closes several, who may not chooses none",
    () => closesSubscriptions(platform, browser),
  );
  await t.test('users: who is disabled by mistake is let in again from where it is said', () =>
    disablesUsers(platform, browser),
  );
  await t.test('APIs are stopped and started', () => stopsApis(platform, browser));
});

const open = async (
  { management }: Platform,
  browser: TestBrowser,
  {
    path,
    view = wide,
    as = [],
  }: {
    readonly path: string;
    readonly view?: View;
    readonly as?: readonly [name: string, password: string] | [];
  },
) => {
  const page = await browser.open({ origin: management, path: `/console${path}`, isRefused: true, ...view });
  await signIn(page, ...as);
  return page;
};
const button = (within: Page | Locator, name: string | RegExp): Locator =>
  within.getByRole('button', { name, ...(typeof name === 'string' && { exact: true }) });
const said = (page: Page, text: string): Locator =>
  page.getByRole('status', { name: 'What was done' }).getByText(text);

async function makePlan(
  { client }: Platform,
  api: string,
  of: { readonly name: string; readonly validation: 'AUTO' | 'MANUAL' },
): Promise<string> {
  const { id } = await client.call<{ readonly id: string }>(
    'POST',
    `/v2/environments/DEFAULT/apis/${api}/plans`,
    {
      body: {
        definitionVersion: 'V4',
        ...of,
        status: 'PUBLISHED',
        mode: 'STANDARD',
        security: { type: 'API_KEY' },
      },
    },
  );
  return id;
}

async function decidesSubscriptions(platform: Platform, browser: TestBrowser, view: View): Promise<void> {
  const { client } = platform;
  const api = await apiNamed(platform, 'Demo /demo/orders');
  const plan = await makePlan(platform, api, {
    name: `By hand ${view.viewport.width}`,
    validation: 'MANUAL',
  });
  const subscriptions = `/v2/environments/DEFAULT/apis/${api}/subscriptions`;
  const ids: string[] = [];
  for (const name of ['Alpha', 'Beta', 'Gamma']) {
    const application = await client.call<{ readonly id: string }>('POST', `${env}/applications`, {
      body: { name: `${name} ${view.viewport.width} <b>app</b>`, description: '' },
    });
    const { id } = await client.call<{ readonly id: string }>(
      'POST',
      `${env}/applications/${application.id}/subscriptions?plan=${plan}`,
    );
    ids.push(id);
  }
  const statusOf = async (id = ''): Promise<string> =>
    (await client.call<{ readonly status: string }>('GET', `${subscriptions}/${id}`)).status;
  const page = await open(platform, browser, {
    path: `/DEFAULT/apis/${api}/subscriptions?shown=pending`,
    view,
  });
  const look = looker(page, view);
  const box = (name: string): Locator =>
    page.getByRole('checkbox', { name: `Choose ${name} ${view.viewport.width} <b>app</b>`, exact: true });
  const bar = page.getByRole('group', { name: 'With the chosen subscriptions' });
  await box('Alpha').waitFor();
  assert.equal(await bar.count(), 0, 'nothing is chosen');
  const [boxed, named] = await Promise.all(
    [box('Alpha'), page.getByRole('link', { name: `Alpha ${view.viewport.width} <b>app</b>` })].map((each) =>
      each.boundingBox(),
    ),
  );
  const gapPx = (named?.x ?? Infinity) - (boxed?.x ?? 0) - (boxed?.width ?? 0);
  assert.ok(gapPx < boxGapPxMax, `a box stands beside its name, not ${gapPx} px off`);
  // By hand, by key on its row, and by the range between two.
  await box('Alpha').check();
  await page.getByRole('link', { name: `Beta ${view.viewport.width} <b>app</b>` }).focus();
  await page.keyboard.press('x');
  await page.getByText('2 of 3 chosen').waitFor();
  await box('Beta').uncheck();
  await box('Gamma').click({ modifiers: ['Shift'] });
  await page.getByText('3 of 3 chosen').waitFor();
  await look('together-chosen');
  await button(bar, 'Accept 3').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('heading', { name: 'Accept 3 subscriptions?' }).waitFor();
  await look('together-asked');
  // Somebody else is quicker.
  await client.call('POST', `${subscriptions}/${ids[1] ?? ''}/_reject`, { body: {} });
  await button(dialog, 'Accept 3 subscriptions').click();
  const refused = dialog.getByRole('list', { name: 'What was refused' });
  await refused.getByText(/^Beta \d+ <b>app<\/b>$/).waitFor();
  await dialog.getByText('2 of 3 done').waitFor();
  await button(dialog, 'Try again').waitFor();
  await look('together-refused');
  await button(dialog, 'Leave the rest').click();
  // Their keys are shown once, together.
  await dialog.getByRole('heading', { name: 'Keys for 2 applications' }).waitFor();
  const keys = await dialog.getByRole('status', { name: /^Key for/ }).allTextContents();
  assert.equal(new Set(keys).size, 2);
  await look('together-keys');
  await button(dialog, 'Done').click();
  await said(page, '2 subscriptions are accepted').waitFor();
  await look('together-said');
  assert.deepEqual(await Promise.all(ids.map(statusOf)), ['ACCEPTED', 'REJECTED', 'ACCEPTED']);
  await button(page, 'Open').click();
  await box('Alpha').check();
  await box('Gamma').check();
  await button(bar, 'Pause 2').click();
  await button(dialog, 'Pause 2 subscriptions').click();
  await said(page, '2 subscriptions are paused').waitFor();
  assert.equal(await statusOf(ids[2]), 'PAUSED');
  // Whoever points at it keeps it there, and chooses the next by key.
  await said(page, '2 subscriptions are paused').hover();
  await button(bar, 'Clear').waitFor({ state: 'detached' });
  await box('Alpha').focus();
  await page.keyboard.press('Space');
  await page.getByText(/^1 of \d+ chosen$/).waitFor();
  await standsAbove(said(page, '2 subscriptions are paused'), bar);
  await look('together-said-above');
  await page.context().close();
}

/** What was done covers nothing of what can be done next. */
async function standsAbove(toast: Locator, bar: Locator): Promise<void> {
  await eventually(async () => {
    const [above, below] = await Promise.all([toast.boundingBox(), bar.boundingBox()]);
    if (above === null || below === null) return false;
    return above.y + above.height <= below.y || above.x >= below.x + below.width;
  });
}

async function closesSubscriptions(platform: Platform, browser: TestBrowser): Promise<void> {
  const { client } = platform;
  const { id: application } = await client.call<{ readonly id: string }>('POST', `${env}/applications`, {
    body: { name: 'Delta', description: '' },
  });
  for (const [api, name, validation] of [
    ['Demo /demo/orders', 'At once', 'AUTO'],
    ['Demo /demo/echo', 'At once', 'AUTO'],
    ['Demo /demo/echo', 'By hand', 'MANUAL'],
  ] as const) {
    const plan = await makePlan(platform, await apiNamed(platform, api), { name, validation });
    await client.call('POST', `${env}/applications/${application}/subscriptions?plan=${plan}`);
  }
  // To change subscriptions is not to close them.
  for (const [username, role, rights] of [
    ['changer', 'CHANGER', ['R', 'U']],
    ['closer', 'CLOSER', ['R', 'D']],
  ] as const) {
    await client.call('POST', `${org}/configuration/rolescopes/APPLICATION/roles`, {
      body: {
        name: role,
        scope: 'APPLICATION',
        permissions: { DEFINITION: ['R'], SUBSCRIPTION: rights },
      },
    });
    const { id } = await client.call<{ readonly id: string }>('POST', `${org}/users`, {
      body: { username, displayName: username, password, role: 'USER' },
    });
    await client.call('POST', `${env}/applications/${application}/members`, { body: { id, role } });
  }
  const path = `/DEFAULT/applications/${application}/subscriptions`;
  const changer = await open(platform, browser, { path, as: ['changer', password] });
  await changer.getByText('1–3 of 3').waitFor();
  // Until its rights are known, a page takes all for allowed.
  await eventually(async () => (await changer.getByRole('checkbox').count()) === 0);
  await changer.context().close();
  const page = await open(platform, browser, { path, as: ['closer', password] });
  const dialog = page.getByRole('dialog');
  await page.getByRole('checkbox', { name: 'Choose all of this page' }).check();
  // What nobody has decided yet is closed with the others, and loses nothing.
  await button(page, 'Close 3').click();
  await dialog.getByText('APIs refuse the application at once').waitFor();
  await dialog.getByText('not decided yet').waitFor();
  await looker(page, wide)('together-close-application');
  await button(dialog, 'Close 3 subscriptions').click();
  await said(page, '3 subscriptions are closed').waitFor();
  await page.getByText('1–3 of 3').waitFor({ state: 'detached' });
  await page.context().close();
}

async function disablesUsers(platform: Platform, browser: TestBrowser): Promise<void> {
  const { client } = platform;
  for (const name of ['ann', 'ben', 'cem'])
    await client.call('POST', `${org}/users`, {
      body: {
        username: name,
        displayName: name.toUpperCase(),
        password,
        role: 'USER',
      },
    });
  const page = await open(platform, browser, { path: '/_org/users' });
  const look = looker(page, wide);
  const dialog = page.getByRole('dialog');
  await page.getByRole('checkbox', { name: 'Choose ANN' }).check();
  assert.equal(
    await page.getByRole('checkbox', { name: /Choose Admin/ }).count(),
    0,
    'nobody locks himself out',
  );
  await page.getByRole('checkbox', { name: 'Choose BEN' }).check();
  await button(page, 'Disable 2').click();
  await dialog.getByText('their sessions end at once').waitFor();
  await button(dialog, 'Disable 2 users').click();
  await said(page, '2 users are disabled').waitFor();
  await page.getByRole('link', { name: 'CEM' }).click();
  await button(page, 'Disable user').click();
  await button(dialog, 'Disable user').click();
  await said(page, 'CEM is disabled').waitFor();
  await look('user-disabled-said');
  await button(page.getByRole('status', { name: 'What was done' }), 'Undo').click();
  await button(page, 'Disable user').waitFor();
  // It goes when all that the page shows has been asked anew, of which the button is the first.
  await said(page, 'CEM is disabled').waitFor({ state: 'detached', timeout: 5_000 });
  await page.context().close();
}

async function stopsApis(platform: Platform, browser: TestBrowser): Promise<void> {
  const { gateway } = platform;
  const page = await open(platform, browser, { path: '/DEFAULT/apis' });
  const dialog = page.getByRole('dialog');
  await page.getByRole('checkbox', { name: 'Choose all of this page' }).check();
  await button(page, /^Stop \d$/).click();
  await button(dialog, /^Stop \d APIs$/).click();
  await said(page, 'APIs are stopped').waitFor();
  const status = async (): Promise<number> => {
    const answer = await fetch(`${gateway}/demo/echo`);
    await answer.body?.cancel();
    return answer.status;
  };
  await eventually(async () => (await status()) === 404);
  await page.getByRole('checkbox', { name: 'Choose Demo /demo/echo' }).check();
  await button(page, 'Start 1').click();
  await button(dialog, 'Start 1 API').click();
  await said(page, '1 API is started').waitFor();
  await eventually(async () => (await status()) === 200);
  await page.context().close();
}
