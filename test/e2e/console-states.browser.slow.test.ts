import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { filled, ofShell, withoutStates, withStates } from '../kit/browser/addresses.ts';
import { type Answers, answersOf } from '../kit/browser/answers.ts';
import { skipWithoutBrowser, startBrowser, type TestBrowser } from '../kit/browser/browser.ts';
import { signIn } from '../kit/browser/console.ts';
import { eventually } from '../kit/eventually.ts';
import { type Platform, startPlatform } from '../kit/processes/up.ts';
import { furnish } from './screenshots/furnish.ts';

/** Every page of the console in each of its states: awaited, failed, not the reader's, empty, and with 10,000 rows. */

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

/** What browsers call good: less is not noticed. */
const shiftMax = 0.1;
const rowsMany = 10_000;
/** In the document, of all lists of a page together. */
const rowsShownMax = 400;
/** What a page says of a list that is empty, which it does not know before there is an answer. */
const emptyWords = /\b(nothing|none|no [\w ]+ (yet|here|matches)|never deployed|0 of|is empty)\b/i;

const password = 'correct-horse-staple';
const filter = new RegExp(process.env['ISTHMUS_TEST_PAGES'] ?? '');
const pages = withStates.filter((page) => filter.test(page));
const asking = pages.filter((page) => !ofShell.includes(page));
type Made = Readonly<Record<string, string>>;

test('pages of the console in every state', { skip: skipWithoutBrowser, timeout: 900_000 }, async (t) => {
  const browser = await startBrowser(t);
  const platform = await startPlatform(t, { args: ['--samples'] });
  const made = await makeAll(platform);
  const page = await browser.open({ origin: platform.management, path: '/console/', isRefused: true });
  await signIn(page);
  await t.test('every page that the router knows has an address here', async () => {
    const known = (await page.evaluate('Object.keys(__TSR_ROUTER__.routesByPath)')) as string[];
    assert.deepEqual(known.toSorted(), [...withoutStates, ...withStates].toSorted());
  });
  const answers = await answersOf(page);
  const each = (
    name: string,
    look: (path: string) => Promise<void>,
    among: readonly string[] = pages,
  ): Promise<void> =>
    t.test(name, async () => {
      const wrong: string[] = [];
      for (const each of among)
        // On a machine that is busy for a moment answers come in another order, one by one: what is wrong is so twice.
        await look(filled(each, made))
          .catch(() => look(filled(each, made)))
          .catch(async (error: unknown) => {
            await shot(page, 'wrong', filled(each, made));
            wrong.push(`${each}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
          });
      assert.deepEqual(wrong, []);
    });
  await each(
    'awaited: what it is of, nothing that it does not know, and no jump when it is answered',
    (path) => isAwaited(page, answers, path),
    asking,
  );
  await each(
    'failed: why, a way to ask again when it makes sense, and nothing that it does not know',
    (path) => hasFailed(page, answers, path),
    asking,
  );
  await each('empty: it says so, and throws nothing', (path) => isEmpty(page, answers, path));
  await each('10,000 rows: no more in the document than can be read', (path) => hasMany(page, answers, path));
  answers.alter(undefined);
  await page.context().close();
  const reader = await openAsReader(platform, browser);
  await each("not the reader's: it says so, or shows what is", (path) => isNotHis(reader, path));
  await reader.context().close();
});

async function shot(page: Page, state: string, path: string): Promise<void> {
  const folder = process.env['ISTHMUS_TEST_SHOTS'];
  if (folder === undefined) return;
  const name = path
    .replace('/console/', '')
    .replaceAll(/[\da-f]{8}-[\da-f-]{27}/g, 'x')
    .replaceAll('/', '_');
  await page.screenshot({ path: `${folder}/states-${state}-${name}.png` });
}

/** What people read of the page, without what stands around it. */
const wordsOf = (page: Page): Promise<string> => page.locator('main').innerText();
const busy = 'document.querySelectorAll(\'main [aria-busy="true"]\').length';

/** How far what is drawn has moved by itself since the page began. */
const shiftInPage = `(() => {
  globalThis.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.shift += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
})()`;

async function isAwaited(page: Page, answers: Answers, path: string): Promise<void> {
  answers.alter({ kind: 'held' });
  await page.goto(path, { waitUntil: 'commit' });
  await page.getByRole('heading', { level: 1 }).waitFor();
  if (answers.altered() === 0) await eventually(() => answers.altered() > 0, { timeoutMs: 3_000 });
  await page.evaluate(shiftInPage);
  const [said, waits] = [await wordsOf(page), Number(await page.evaluate(busy))];
  await shot(page, 'awaited', path);
  answers.alter(undefined);
  await settled(page);
  const shift = Number(await page.evaluate('globalThis.shift'));
  await shot(page, 'answered', path);
  assert.doesNotMatch(said, emptyWords);
  assert.ok(waits > 0, 'something says that it is awaited');
  assert.ok(shift <= shiftMax, `moves by ${shift.toFixed(2)}`);
}

async function hasFailed(page: Page, answers: Answers, path: string): Promise<void> {
  answers.alter({ kind: 'refused', retryAfterS: 1 });
  await page.goto(path, { waitUntil: 'commit' });
  await page.getByRole('alert').first().waitFor({ timeout: 5_000 });
  assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1);
  assert.doesNotMatch(await wordsOf(page), emptyWords);
  const retry = page.getByRole('button', { name: 'Retry', exact: true }).first();
  await retry.waitFor({ timeout: 5_000 });
  await shot(page, 'failed', path);
  answers.alter(undefined);
  // What a page asks only when it has something else fails a moment later.
  await eventually(
    async () => {
      if (await retry.isVisible()) await retry.click({ timeout: 1_000 }).catch(() => undefined);
      return (await page.getByRole('alert').filter({ hasText: 'request.too_many' }).count()) === 0;
    },
    { timeoutMs: 15_000, everyMs: 300 },
  );
}

async function isEmpty(page: Page, answers: Answers, path: string): Promise<void> {
  answers.alter({ kind: 'empty' });
  await page.goto(path, { waitUntil: 'commit' });
  await settled(page);
  await shot(page, 'empty', path);
  const bare = (await page.evaluate(bareTables)) as string[];
  assert.deepEqual(bare, [], 'a list without rows says why');
}

/** Lists that have neither rows nor words. */
const bareTables = `[...document.querySelectorAll('main table')]
  .filter((table) => table.querySelectorAll('tbody tr').length === 0)
  .map((table) => table.getAttribute('aria-label') ?? table.textContent)`;

async function hasMany(page: Page, answers: Answers, path: string): Promise<void> {
  answers.alter({ kind: 'many', rows: rowsMany });
  await page.goto(path, { waitUntil: 'commit' });
  await settled(page);
  await shot(page, 'many', path);
  const rows = Number(
    await page.evaluate("document.querySelectorAll('main tr, main li, main option').length"),
  );
  assert.ok(rows <= rowsShownMax, `${rows} rows`);
}

async function isNotHis(page: Page, path: string): Promise<void> {
  await page.goto(path, { waitUntil: 'commit' });
  await settled(page);
  await shot(page, 'reader', path);
  assert.equal(await page.getByRole('button', { name: 'Retry' }).count(), 0, 'what is refused stays refused');
}

/** Until the page has its heading and awaits nothing. */
async function settled(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).first().waitFor({ timeout: 10_000 });
  await eventually(async () => Number(await page.evaluate(busy)) === 0, { timeoutMs: 10_000 });
}

async function openAsReader(platform: Platform, browser: TestBrowser): Promise<Page> {
  await platform.client.call('POST', '/organizations/DEFAULT/users', {
    body: { username: 'reader', displayName: 'Only Reads', password, role: 'USER' },
  });
  const page = await browser.open({ origin: platform.management, path: '/console/_org', isRefused: true });
  await signIn(page, 'reader', password);
  return page;
}

/** One of everything that there is a page of. */
async function makeAll(platform: Platform): Promise<Made> {
  const { client } = platform;
  const { call, ...made } = await furnish(platform);
  const org = '/organizations/DEFAULT';
  const env = `${org}/environments/DEFAULT`;
  const v2 = '/v2/organizations/DEFAULT';
  interface Listed {
    readonly data: readonly { readonly id: string }[];
  }
  const group = await client.call<{ readonly id: string }>('POST', `${env}/configuration/groups`, {
    body: { name: 'Night shift' },
  });
  const fleet = (await client.call<Listed>('GET', `${v2}/fleets`)).data[0]?.id ?? '';
  const gateway = (await client.call<Listed>('GET', `${v2}/fleets/${fleet}/gateways`)).data[0]?.id ?? '';
  const me = await client.call<{ readonly id: string }>('GET', `${org}/user`);
  const provider = await client.call<{ readonly id: string }>('POST', `${org}/configuration/identities`, {
    body: {
      name: 'Our directory',
      type: 'OIDC',
      enabled: true,
      configuration: {
        clientId: 'isthmus',
        clientSecret: 'not-known-to-anybody',
        discoveryEndpoint: 'https://sso.example.com/.well-known/openid-configuration',
        tokenEndpoint: 'https://sso.example.com/token',
        authorizeEndpoint: 'https://sso.example.com/authorize',
        userInfoEndpoint: 'https://sso.example.com/me',
        scopes: ['openid'],
      },
      userProfileMapping: { id: 'sub' },
    },
  });
  const [template] = await client.call<readonly Record<'scope' | 'hook' | 'type', string>[]>(
    'GET',
    `${org}/configuration/notification-templates`,
  );
  return {
    ...made,
    ...call,
    api: made.api,
    env: 'DEFAULT',
    number: '1',
    gateway,
    fleet,
    group: group.id,
    dashboard: 'http-apis',
    user: me.id,
    scope: 'API',
    role: 'OWNER',
    provider: provider.id,
    environment: 'DEFAULT',
    template: `${template?.scope}.${template?.hook}.${template?.type}`,
  };
}
