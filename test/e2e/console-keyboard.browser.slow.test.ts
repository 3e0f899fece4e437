import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { skipWithoutBrowser, startBrowser, type TestBrowser } from '../kit/browser/browser.ts';
import { apiNamed, signIn } from '../kit/browser/console.ts';
import { isFocused, reach, stopsOf } from '../kit/browser/keyboard.ts';
import { eventually } from '../kit/eventually.ts';
import { type Platform, startPlatform } from '../kit/processes/up.ts';

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

test('the console by keyboard alone', { skip: skipWithoutBrowser }, async (t) => {
  // What it logs fails the test when it is closed, and what stands behind that is closed no more.
  const platform = await startPlatform(t);
  const browser = await startBrowser(t);
  await t.test('Tab comes to all that a page holds, of whatever kind it is, and each stop is seen', () =>
    reachesAll(platform, browser),
  );
  await t.test('a list: filtered, walked by arrows, opened, and gone back to', () =>
    walksList(platform, browser),
  );
  await t.test('a dialog holds the focus and gives it back; a menu is opened, chosen from, left', () =>
    opensAndCloses(platform, browser),
  );
  await t.test('the studio: a step is added, completed, moved and taken back', () =>
    designs(platform, browser),
  );
  await t.test('an API is created, gets a plan, is subscribed to and deployed, and answers', () =>
    createsApi(platform, browser),
  );
  await t.test(
    'the bars around a page: where one is, the side bar folded, a call found by its id, the keys',
    () => usesBars(platform, browser),
  );
});

async function open({ management }: Platform, browser: TestBrowser, path: string): Promise<Page> {
  const page = await browser.open({
    origin: management,
    path: `/console${path}`,
    isRefused: true,
    viewport: { width: 1_440, height: 900 },
  });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await signIn(page);
  return page;
}

const button = (within: Page | Locator, name: string | RegExp): Locator =>
  within.getByRole('button', typeof name === 'string' ? { name, exact: true } : { name });

/** A page of each kind, and what is there once it stands. */
function kindsOf(api: string): readonly (readonly [kind: string, path: string, text: string])[] {
  const at = `/DEFAULT/apis/${api}`;
  return [
    ['list', '/DEFAULT/apis', '1–2 of 2'],
    ['detail', at, 'What it is'],
    ['form', `${at}/general`, 'Delete API'],
    ['form of a draft', `${at}/backends`, 'Target'],
    ['form of a plugin', `${at}/plans/new`, 'Name'],
    ['studio', `${at}/design`, 'Try the draft'],
    ['figures', '/DEFAULT/analytics', 'How long calls took'],
    ['dashboard', '/DEFAULT/dashboards/http-apis', 'Top applications'],
    ['calls', '/DEFAULT/logs', '/demo/echo'],
    ['map', '/DEFAULT/topology', 'Up to date'],
    ['settings', '/DEFAULT/settings/notifications', 'Notifications'],
    ['matrix', '/_org/roles?scope=ENVIRONMENT', 'Roles'],
    ['account', '/_org/account', 'This one'],
  ];
}

async function reachesAll(platform: Platform, browser: TestBrowser): Promise<void> {
  await fetch(`${platform.gateway}/demo/echo`).then((answer) => answer.body?.cancel());
  const api = await apiNamed(platform, 'Demo /demo/echo');
  const page = await open(platform, browser, '/DEFAULT/apis');
  for (const [kind, path, text] of kindsOf(api)) {
    await page.goto(`/console${path}`);
    await page.getByText(text).first().waitFor();
    await button(page, /^Search/).waitFor();
    const { count, missed, unseen } = await stopsOf(page);
    // The bars alone are more than twenty.
    assert.ok(count > 24, `${kind}: ${count} stops`);
    assert.deepEqual(missed, [], `${kind}: Tab never comes to them`);
    assert.deepEqual(unseen, [], `${kind}: nothing shows that they have the focus`);
  }
  await page.goto('/console/DEFAULT/apis');
  await button(page, 'Create API').press('Enter');
  await page.getByRole('dialog').waitFor();
  const { count, missed, unseen } = await stopsOf(page, '[role="dialog"]');
  assert.equal(count, 9, 'six fields, the menu, and two buttons');
  assert.deepEqual(missed, [], 'dialog: Tab never comes to them');
  assert.deepEqual(unseen, [], 'dialog: nothing shows that they have the focus');
  await page.context().close();
}

async function walksList(platform: Platform, browser: TestBrowser): Promise<void> {
  const page = await open(platform, browser, '/DEFAULT/apis');
  const [echo, orders] = ['Demo /demo/echo', 'Demo /demo/orders'].map((name) =>
    page.getByRole('link', { name, exact: true }),
  ) as [Locator, Locator];
  await echo.waitFor();
  await reach(page, page.getByRole('searchbox', { name: 'Filter by name or path' }));
  await page.keyboard.type('demo');
  await page.waitForURL(/\?q=demo$/);
  await reach(page, echo);
  for (const [key, at] of [
    ['ArrowDown', orders],
    ['ArrowUp', echo],
    ['j', orders],
    ['k', echo],
  ] as const) {
    await page.keyboard.press(key);
    await isFocused(at);
  }
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Tab');
  await isFocused(echo);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Demo /demo/echo', level: 1 }).waitFor();
  await reach(page, page.getByRole('link', { name: 'Back to APIs' }));
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'APIs', level: 1 }).waitFor();
  // The page that an address names stands without a way back to itself.
  assert.equal(await page.getByRole('link', { name: 'Back to APIs' }).count(), 0);
  await page.context().close();
}

async function opensAndCloses(platform: Platform, browser: TestBrowser): Promise<void> {
  const page = await open(platform, browser, '/DEFAULT/apis');
  const create = button(page, 'Create API').first();
  await create.waitFor();
  await reach(page, create);
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await isFocused(dialog.getByRole('textbox', { name: 'Name' }));
  await reach(page, button(dialog, 'Cancel'));
  // Round and round: what lies behind it is not come to.
  for (let n = 0; n < 30; n += 1) {
    await page.keyboard.press(n % 2 === 0 ? 'Tab' : 'Shift+Tab');
    assert.equal(await dialog.locator(':focus').count(), 1, 'the focus stays in the dialog');
  }
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await isFocused(create);

  const person = button(page, /^Signed in as/);
  await reach(page, person);
  await page.keyboard.press('Enter');
  await isFocused(page.getByRole('menuitem', { name: 'Your account' }));
  await page.keyboard.press('Escape');
  await page.getByRole('menuitem').first().waitFor({ state: 'detached' });
  await isFocused(person);
  await page.keyboard.press('Enter');
  await isFocused(page.getByRole('menuitem', { name: 'Your account' }));
  await page.keyboard.press('ArrowDown');
  await isFocused(page.getByRole('menuitem', { name: 'Organization settings' }));
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'Users', exact: true }).waitFor();

  // A drawer is read on from its heading; closed, the reader is where he was.
  await page.goto('/console/DEFAULT/topology');
  const card = button(page, /Up to date/);
  await card.waitFor();
  await reach(page, card);
  await page.keyboard.press('Enter');
  const drawer = page.getByRole('complementary');
  await isFocused(drawer.getByRole('heading', { level: 2 }));
  await page.keyboard.press('Escape');
  await drawer.waitFor({ state: 'detached' });
  await isFocused(card);
  await page.context().close();
}

async function designs(platform: Platform, browser: TestBrowser): Promise<void> {
  const api = await apiNamed(platform, 'Demo /demo/echo');
  const page = await open(platform, browser, `/DEFAULT/apis/${api}/design`);
  const press = async (locator: Locator, key = 'Enter'): Promise<void> => {
    await locator.waitFor();
    await reach(page, locator);
    await page.keyboard.press(key);
  };
  const add = async (policy: string): Promise<void> => {
    await press(button(page, 'Add a policy to the request, at place 1'));
    await isFocused(page.getByRole('searchbox', { name: 'Filter policies' }));
    await page.keyboard.type(policy);
    await press(page.getByRole('dialog').getByRole('button', { name: new RegExp(`^${policy}`) }));
    await page.getByRole('heading', { name: policy, level: 2 }).waitFor();
  };
  await press(button(page, 'Add a flow'));
  const condition = page.getByRole('textbox', { name: 'Condition' });
  await condition.waitFor();
  await reach(page, condition);
  await page.keyboard.type('{#requ');
  await page.getByRole('option', { name: '#request' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('option', { name: '#request' }).waitFor({ state: 'detached' });
  await isFocused(condition);
  await page.keyboard.press('Control+ ');
  await page.getByRole('option', { name: '#request' }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await eventually(async () => (await condition.inputValue()) === '{#request');
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Delete');

  await add('Latency');
  await add('Rate limit');
  const request = page.getByRole('list', { name: 'Request' });
  const isFirst = (policy: string): Promise<unknown> =>
    eventually(async () =>
      (
        await request
          .getByRole('button', { name: /^(Rate limit|Latency)/ })
          .first()
          .innerText()
      ).startsWith(policy),
    );
  await isFirst('Rate limit');
  await press(request.getByRole('button', { name: /^Rate limit/ }), 'Alt+ArrowRight');
  await isFirst('Latency');
  await page.keyboard.press('Control+z');
  await isFirst('Rate limit');
  await press(request.getByRole('button', { name: /^Latency/ }), 'Delete');
  await eventually(async () => (await request.getByRole('button', { name: /^Latency/ }).count()) === 0);
  await press(button(page, 'Discard'));
  await press(button(page.getByRole('dialog'), /^Discard/));
  await page.getByText('No draft').waitFor();
  await page.context().close();
}

async function createsApi(platform: Platform, browser: TestBrowser): Promise<void> {
  const { gateway } = platform;
  const page = await open(platform, browser, '/DEFAULT/apis');
  const dialog = page.getByRole('dialog');
  const press = async (locator: Locator): Promise<void> => {
    await locator.waitFor();
    await reach(page, locator);
    await page.keyboard.press('Enter');
  };
  const write = async (locator: Locator, text: string): Promise<void> => {
    await locator.waitFor();
    await reach(page, locator);
    await page.keyboard.press('Control+a');
    await page.keyboard.type(text);
  };
  await press(button(page, 'Create API'));
  await write(dialog.getByRole('textbox', { name: 'Name' }), 'Typed');
  await write(dialog.getByRole('textbox', { name: 'Backend' }), `${gateway}/demo/echo`);
  await press(button(dialog, 'Create API'));
  await page.getByRole('heading', { name: 'Typed', level: 1 }).waitFor();

  const pages = page.getByRole('navigation', { name: 'Pages of this API' });
  await press(pages.getByRole('link', { name: 'Plans' }));
  await press(page.getByRole('link', { name: 'Create plan' }).or(button(page, 'Create plan')).first());
  await write(page.getByRole('textbox', { name: 'Name', exact: true }), 'By hand');
  await press(button(page, 'Create and publish'));
  await page.getByRole('heading', { name: 'By hand', level: 2 }).waitFor();
  await press(pages.getByRole('link', { name: 'Subscriptions' }));
  await press(button(page, 'Subscribe an application'));
  await reach(page, dialog.getByRole('combobox', { name: 'Plan' }));
  await page.keyboard.type('By');
  await press(button(dialog, 'Subscribe'));
  const key = (await dialog.getByRole('status', { name: 'Key' }).textContent()) ?? '';
  await press(button(dialog, 'Done'));
  await dialog.waitFor({ state: 'detached' });
  await press(button(page, /^Deploy/));
  await eventually(async () => {
    const answer = await fetch(`${gateway}/typed/x`, { headers: { 'x-gravitee-api-key': key } });
    await answer.body?.cancel();
    return answer.status === 200;
  });
  await page.context().close();
}

async function usesBars(platform: Platform, browser: TestBrowser): Promise<void> {
  const { client } = platform;
  const page = await open(platform, browser, '/DEFAULT/applications');
  await page.getByRole('link', { name: 'Demo shop' }).press('Enter');
  const where = page.getByRole('navigation', { name: 'Where you are' });
  await where.getByText('Demo shop').waitFor();
  assert.deepEqual(await where.getByRole('listitem').allInnerTexts(), ['Applications', 'Demo shop']);
  const side = page.getByRole('navigation', { name: 'Pages', exact: true });
  const widthOf = async (): Promise<number> => (await side.boundingBox())?.width ?? 0;
  const wide = await widthOf();
  await reach(page, button(page, 'Fold the side bar'));
  await page.keyboard.press('Enter');
  await eventually(async () => (await widthOf()) < wide / 2);
  await isFocused(button(page, 'Unfold the side bar'));
  await page.reload();
  await button(page, 'Unfold the side bar').press('Enter');
  await eventually(async () => (await widthOf()) === wide);
  // Where a page needs the width it is folded, whatever was chosen; unfolded there, it is so until one leaves.
  await page.goto('/console/DEFAULT/topology');
  await button(page, 'Unfold the side bar').press('Enter');
  await eventually(async () => (await widthOf()) === wide);
  await side.getByRole('link', { name: 'Applications' }).press('Enter');
  await button(page, 'Fold the side bar').waitFor();

  const [call] = (
    await client.call<{ readonly data: readonly { readonly requestId: string }[] }>(
      'POST',
      '/v2/environments/DEFAULT/logs/search',
      {
        body: {
          timeRange: {
            from: new Date(Date.now() - 3_600_000).toISOString(),
            to: new Date(Date.now() + 60_000).toISOString(),
          },
        },
      },
    )
  ).data;
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Go to' }).waitFor();
  await page.keyboard.type(call?.requestId ?? '');
  await page.getByRole('option', { name: `Calls with ${call?.requestId}` }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByText('1 call matches').waitFor();
  await reach(page, button(page, 'Keys'));
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await isFocused(button(page, 'Keys'));
  await page.context().close();
}
