import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Locator, Page } from 'playwright-core';
import { skipWithoutBrowser, startBrowser, type TestBrowser } from '../kit/browser/browser.ts';
import { apiNamed, signIn } from '../kit/browser/console.ts';
import { filledForm, formCases } from '../kit/control-plane/form-values.ts';
import { eventually } from '../kit/eventually.ts';
import { isLongRun } from '../kit/long-run.ts';
import { type Platform, startPlatform } from '../kit/processes/up.ts';
import { Random } from '../kit/random.ts';

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

test('the policy studio', { skip: skipWithoutBrowser }, async (t) => {
  // What it logs fails the test when it is closed, and what stands behind that is closed no more.
  const platform = await startPlatform(t);
  const browser = await startBrowser(t);
  if (!isLongRun) {
    await t.test(
      'flows are drawn: steps by mouse and keyboard, a draft that saves itself, faults at their steps, deployed',
      () => designs(platform, browser),
    );
    await t.test('a request runs through the draft: each step is lit, and says what it changed', () =>
      triesDraft(platform, browser),
    );
    await t.test(
      'two who design one API: the second is told, and takes theirs; who may only read changes nothing',
      () => designsBeside(platform, browser),
    );
  }
  await t.test('what a form shows it writes back, whatever of it is touched', () =>
    touchesForms(platform, browser),
  );
});

const savedWords = /Saved (now|\d+ s ago)/;

async function designs(platform: Platform, browser: TestBrowser): Promise<void> {
  const { management, gateway } = platform;
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/apis', isRefused: true });
  await signIn(page);
  const api = await apiNamed(platform, 'Demo /demo/echo');
  await page.goto(`/console/DEFAULT/apis/${api}/design`);
  await page.getByRole('button', { name: 'Add a flow', exact: true }).click();
  const add = async (lane: string, place: number, policy: string): Promise<void> => {
    await page.getByRole('button', { name: `Add a policy to the ${lane}, at place ${place}` }).click();
    // Whoever opens it came to type.
    await page.locator('input[aria-label="Filter policies"]:focus').waitFor();
    await page.keyboard.type(policy);
    await page
      .getByRole('dialog')
      .getByRole('button', { name: new RegExp(`^${policy}`) })
      .click();
    await page.getByRole('heading', { name: policy, level: 2 }).waitFor();
  };
  const request = page.getByRole('list', { name: 'Request' });
  const saved = (): Promise<void> => page.getByText(savedWords).waitFor();
  await writesCondition(page);
  await add('request', 1, 'Rate limit');
  await add('request', 2, 'Latency');
  await add('response', 1, 'Transform headers');
  const headers = page.getByRole('group', { name: 'Add headers' });
  await headers.getByRole('button', { name: 'Add header' }).click();
  await headers.getByRole('textbox', { name: 'Name' }).fill('X-Studio');
  await headers.getByRole('textbox', { name: 'Value' }).fill('<b>drawn</b>');
  await request.getByRole('button', { name: /^Rate limit/ }).press('Alt+ArrowRight');
  const order = (): Promise<readonly string[]> =>
    request.getByRole('button', { name: /^(Rate limit|Latency)/ }).allInnerTexts();
  await eventually(async () => (await order())[0]?.startsWith('Latency'));
  await page.getByRole('button', { name: 'Undo' }).click();
  await eventually(async () => (await order())[0]?.startsWith('Rate limit'));
  await page.getByRole('button', { name: 'Redo' }).click();
  await request.getByRole('button', { name: /^Latency/ }).press('Delete');
  await eventually(async () => (await order()).length === 1);

  await request.getByRole('button', { name: /^Rate limit/ }).click();
  const limit = page.getByRole('textbox', { name: 'Limit', exact: true });
  await limit.fill('-5');
  await page.getByText('must be at least 0').waitFor();
  await request.getByRole('button', { name: /1 fault/ }).waitFor();
  await saved();
  const answer = async (): Promise<string | null> => {
    const { headers: got, body } = await fetch(`${gateway}/demo/echo`);
    await body?.cancel();
    return got.get('x-studio');
  };
  assert.equal(await answer(), null, 'a draft is in no gateway');
  await page.getByRole('button', { name: 'Deploy' }).click();
  await page.getByRole('alert').filter({ hasText: 'rate.limit' }).waitFor();
  assert.equal(await answer(), null, 'nor is one that is refused');
  await page.reload();
  await page.getByRole('button', { name: /1 fault/ }).click();
  await limit.fill('1000');
  await saved();
  await page.getByText('1 fault').first().waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Deploy' }).click();
  await page.getByText('No draft').waitFor();
  await eventually(async () => (await answer()) === '<b>drawn</b>');
  await page.context().close();
}

/** What can stand in an expression is offered while it is written, and what is wrong with it is told. */
async function writesCondition(page: Page): Promise<void> {
  const condition = page.getByRole('textbox', { name: 'Condition' });
  await condition.click();
  for (const [typed, name, text] of [
    ['{#requ', '#request', '{#request'],
    ['.meth', 'method', '{#request.method'],
    ['.toLow', 'toLowerCase()', '{#request.method.toLowerCase()'],
  ] as const) {
    await page.keyboard.type(typed);
    await page.getByRole('option', { name }).waitFor();
    await page.keyboard.press('Enter');
    await eventually(async () => (await condition.inputValue()) === text);
  }
  await condition.fill("{#request.methd == 'GET'}");
  await page.getByText(/method.*\(at character \d+\)/).waitFor();
  await condition.fill('');
}

async function triesDraft(platform: Platform, browser: TestBrowser): Promise<void> {
  const { management, gateway } = platform;
  const api = await apiNamed(platform, 'Demo /demo/echo');
  const page = await browser.open({
    origin: management,
    path: `/console/DEFAULT/apis/${api}/design`,
    // A draft may be kept at the very moment in which it is discarded: one of the two is refused.
    isRefused: true,
  });
  await signIn(page);
  await page.getByRole('button', { name: 'Add a policy to the request, at place 1' }).click();
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^Transform headers/ })
    .click();
  const headers = page.getByRole('group', { name: 'Add headers' });
  await headers.getByRole('button', { name: 'Add header' }).click();
  await headers.getByRole('textbox', { name: 'Name' }).fill('X-Tried');
  await headers.getByRole('textbox', { name: 'Value' }).fill('{#request.method}<b>');
  const strip = page.getByRole('region', { name: 'Try the draft' });
  await strip.getByRole('combobox', { name: 'Method' }).selectOption('POST');
  await strip.getByRole('textbox', { name: 'URL' }).fill('/some/path?a=1');
  await strip.getByRole('button', { name: 'Headers and body' }).click();
  const lines = strip.getByRole('textbox', { name: 'Headers' });
  await lines.fill('no header');
  await strip.getByText('Line 1 is no header').waitFor();
  await lines.fill('X-Own: own');
  await strip.getByRole('textbox', { name: 'Body' }).fill('hello');
  await strip.getByRole('button', { name: 'Run', exact: true }).click();
  const beads = strip.getByRole('list', { name: 'Steps of the run' });
  await beads
    .getByRole('button', { name: /^Transform headers/ })
    .first()
    .click();
  const changes = strip.getByRole('table', { name: 'What it changed' });
  await changes.getByRole('row', { name: /x-tried.*POST<b>/ }).waitFor();
  const lane = page.getByRole('list', { name: 'Request' });
  await lane.getByRole('button', { name: /^Transform headers.*(µs|ms)/s }).waitFor();
  await strip.getByRole('button', { name: 'To the backend' }).click();
  await strip.getByText('X-Tried: POST<b>').waitFor();
  await strip.getByRole('button', { name: 'Answer', exact: true }).click();
  await strip.getByText(/^200/).first().waitFor();
  const { headers: got, body } = await fetch(`${gateway}/demo/echo`);
  await body?.cancel();
  assert.equal(got.get('x-tried'), null, 'no gateway has the draft');

  // What was tried says nothing of what is drawn now.
  await lane.getByRole('button', { name: /^Transform headers/ }).press('Delete');
  await strip.getByText('The draft has changed since.').waitFor();
  await page.getByRole('button', { name: 'Discard' }).click();
  await page.getByRole('button', { name: 'Discard draft' }).click();
  await page.getByText('No draft').waitFor();
  await page.context().close();
}

async function designsBeside(platform: Platform, browser: TestBrowser): Promise<void> {
  const { management, client } = platform;
  const api = await apiNamed(platform, 'Demo /demo/echo');
  const path = `/console/DEFAULT/apis/${api}/design`;
  const [one, two] = await Promise.all(
    ['one', 'two'].map(() => browser.open({ origin: management, path, isRefused: true })),
  );
  if (one === undefined || two === undefined) throw new Error('two pages');
  for (const page of [one, two]) {
    await signIn(page);
    await page.getByRole('textbox', { name: 'Path' }).waitFor();
  }
  const pathOf = (page: Page): Locator => page.getByRole('textbox', { name: 'Path' });
  await pathOf(one).fill('/of/one');
  await one.getByText(savedWords).waitFor();
  await pathOf(two).fill('/of/two');
  await two.getByText('somebody else has written here meanwhile').waitFor();
  await two.getByRole('button', { name: 'Take theirs' }).click();
  await eventually(async () => (await pathOf(two).inputValue()) === '/of/one');
  await pathOf(two).fill('/of/both');
  await two.getByText(savedWords).waitFor();
  await two.getByRole('button', { name: 'Discard' }).click();
  await two.getByRole('button', { name: 'Discard draft' }).click();
  await two.getByText('No draft').waitFor();
  await two.context().close();
  await one.context().close();

  const reader = { username: 'reader', password: 'reads-and-changes-nothing' };
  const { id } = await client.call<{ readonly id: string }>('POST', '/organizations/DEFAULT/users', {
    body: { ...reader, source: 'gravitee', firstname: 'Rea', lastname: 'Der', email: 'reader@example.com' },
  });
  await client.call('POST', `/organizations/DEFAULT/environments/DEFAULT/apis/${api}/members`, {
    body: { id, role: 'USER' },
  });
  const page = await browser.open({ origin: management, path, isRefused: true });
  await signIn(page, reader.username, reader.password);
  await page.getByRole('heading', { name: 'The flows are not shown to you' }).waitFor();
  await client.call('POST', `/organizations/DEFAULT/environments/DEFAULT/apis/${api}/members`, {
    body: { id, role: 'REVIEWER' },
  });
  await page.reload();
  await page.getByText('You can read these flows').waitFor();
  assert.ok(await page.getByRole('textbox', { name: 'Path' }).isDisabled());
  assert.equal(await page.getByRole('button', { name: /^(Add a|Remove|Move)/ }).count(), 0);
  await page.context().close();
}

/** In the short run; the long one touches all. */
const touched = ['policies/jwt', 'policies/transform-headers', 'endpoints/http-proxy'];

/** Each text of each form gets a letter and loses it again: what the form then writes is what it was given. */
async function touchesForms({ management }: Platform, browser: TestBrowser): Promise<void> {
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/apis' });
  await signIn(page);
  await page.goto('/console/kit');
  const written = page.getByRole('region', { name: 'What it writes' });
  const random = new Random(1, 1);
  for (const { form, schema } of formCases.filter((each) => isLongRun || touched.includes(each.form))) {
    await page.getByLabel('Form of').selectOption(form);
    const value = filledForm(schema, random, 100);
    await page.getByLabel('Begin with').fill(JSON.stringify(value));
    await page.getByRole('button', { name: 'Begin', exact: true }).click();
    const texts = page.getByRole('group', { name: 'Form' }).locator('input:not([type=checkbox]), textarea');
    for (const text of await texts.all()) {
      await text.focus();
      await page.keyboard.press('End');
      // A number takes a figure, and texts take figures too.
      await page.keyboard.type('1');
      await page.keyboard.press('Backspace');
    }
    assert.deepEqual(JSON.parse((await written.textContent()) ?? ''), value, form);
  }
  await page.context().close();
}
