import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { get } from 'node:http';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { skipWithoutBrowser, startBrowser, type TestBrowser } from '../kit/browser/browser.ts';
import { apiNamed, signIn } from '../kit/browser/console.ts';
import { eventually } from '../kit/eventually.ts';
import { type Platform, startPlatform } from '../kit/processes/up.ts';

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

test('an API is changed by console alone', { skip: skipWithoutBrowser }, async (t) => {
  // What it logs fails the test when it is closed, and what stands behind that is closed no more.
  const platform = await startPlatform(t);
  const browser = await startBrowser(t);
  await t.test(
    'its path and backend: a refused deployment leads to the field, a taken one is told of when gateways have it',
    () => moves(platform, browser),
  );
  await t.test(
    'hosts and paths of an API: more of them are written, one that another API has is refused, and each answers',
    () => entersBy(platform, browser),
  );
  await t.test('its plans: made, changed, deprecated, closed', () => plans(platform, browser));
  await t.test('what it is called; and it is deleted once its name is typed', () => ends(platform, browser));
  await t.test('who may only read is shown it and changes nothing', () => reads(platform, browser));
});

const draftIsKept = /Saved (now|\d+ s ago)/;

async function moves(platform: Platform, browser: TestBrowser): Promise<void> {
  const { management, gateway } = platform;
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/apis', isRefused: true });
  await signIn(page);
  const api = await apiNamed(platform, 'Demo /demo/echo');
  await page.goto(`/console/DEFAULT/apis/${api}/entrypoints`);
  await page.getByText('Deployed: 1 of 1 gateway').waitFor();
  const path = page.getByRole('textbox', { name: 'Path' });
  await path.fill('moved');
  await page.getByText('must start with / and have segments').first().waitFor();
  await path.fill('/moved');
  await page.getByText(draftIsKept).waitFor();
  await page.getByRole('link', { name: 'Backends' }).click();
  const target = page.getByRole('textbox', { name: 'Target' });
  const before = await target.inputValue();
  await target.fill('not a url');
  await page.getByText(draftIsKept).waitFor();
  await page.getByRole('link', { name: 'Plans' }).click();
  await page.getByText('The draft cannot be deployed as it is').waitFor();
  await page.getByRole('button', { name: 'Deploy' }).click();
  await page.getByRole('alert').waitFor();
  const place = 'endpointGroups[0].endpoints[0].configuration.target';
  await page.getByRole('link', { name: place }).first().click();
  await eventually(() => target.evaluate((field) => field === field.ownerDocument.activeElement));
  await eventually(async () => (await target.getAttribute('aria-invalid')) === 'true');
  await target.fill(`${before}/elsewhere`);
  await page.getByText('1 fault').first().waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Compare' }).click();
  const differences = page.getByRole('dialog');
  await differences.getByText('/elsewhere').waitFor();
  await differences.getByText('/moved').waitFor();
  await differences.getByRole('button', { name: 'Close' }).click();
  assert.equal((await fetch(`${gateway}/moved`)).status, 404, 'a draft is in no gateway');
  await page.getByRole('button', { name: 'Deploy' }).click();
  await page.getByText('No draft').waitFor();
  await page.getByText('Deployed: 1 of 1 gateway').waitFor();
  const answer = await fetch(`${gateway}/moved/here`);
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /\/elsewhere\/here/);
  assert.equal((await fetch(`${gateway}/demo/echo`)).status, 404);
  // Its overview says how it is called now, and leads on.
  await page.goto(`/console/DEFAULT/apis/${api}`);
  const called = page.getByRole('region', { name: 'Call it' });
  await called.getByText(`curl ${gateway}/moved/`).waitFor();
  await called.getByRole('link', { name: 'See its calls' }).click();
  await page.waitForURL(/\/logs/);
  await page.context().close();
}

/** What a gateway answers where a caller asks for a host. */
function statusAt(origin: string, path: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(`${origin}${path}`, { headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    }).on('error', reject);
  });
}

async function entersBy(platform: Platform, browser: TestBrowser): Promise<void> {
  const { management, gateway, client } = platform;
  const { id } = await client.createApi({ path: '/quays', target: `${gateway}/moved`, security: 'KEY_LESS' });
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/apis', isRefused: true });
  await signIn(page);
  await page.goto(`/console/DEFAULT/apis/${id}/entrypoints`);
  await page.getByRole('region', { name: 'Reached at' }).getByText(`${gateway}/quays`).waitFor();
  await page.getByRole('textbox', { name: 'Host' }).fill('quays.example.com');
  await page.getByRole('button', { name: 'Add path', exact: true }).click();
  const added = page.getByRole('textbox', { name: 'Path' }).nth(1);
  await added.fill('/moved');
  await page.getByText(draftIsKept).waitFor();
  await page.getByRole('button', { name: 'Deploy' }).click();
  await page.getByRole('alert').filter({ hasText: '/moved' }).waitFor();
  assert.equal(
    await statusAt(gateway, '/quays', 'anywhere.example.com'),
    200,
    'what is refused changes nothing',
  );
  await added.fill('/berths');
  await page.getByText(draftIsKept).waitFor();
  await page.getByRole('button', { name: 'Deploy' }).click();
  await page.getByText('No draft').waitFor();
  await eventually(async () => (await statusAt(gateway, '/berths', 'anywhere.example.com')) === 200);
  assert.equal(await statusAt(gateway, '/quays', 'quays.example.com'), 200);
  assert.equal(await statusAt(gateway, '/quays', 'anywhere.example.com'), 404);
  await page.getByRole('button', { name: 'Remove path 2' }).click();
  await page.getByText(draftIsKept).waitFor();
  await page.getByRole('button', { name: 'Deploy' }).click();
  await eventually(async () => (await statusAt(gateway, '/berths', 'anywhere.example.com')) === 404);
  await page.context().close();
}

async function plans(platform: Platform, browser: TestBrowser): Promise<void> {
  const { management } = platform;
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/apis', isRefused: true });
  await signIn(page);
  const api = await apiNamed(platform, 'Demo /demo/orders');
  await page.goto(`/console/DEFAULT/apis/${api}/plans`);
  await page.getByRole('link', { name: 'Create plan' }).click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('Partners');
  await page.getByLabel('Security').selectOption('JWT');
  await page.getByLabel('Where the key is').selectOption('JWKS_URL');
  await page.getByRole('button', { name: 'Create and publish' }).click();
  // Refused without a URL, in words that name the field; what was typed stays.
  await page.getByRole('alert').filter({ hasText: 'security.configuration' }).waitFor();
  await page.getByLabel('Security').selectOption('API_KEY');
  await page.getByRole('switch', { name: /Somebody decides/ }).click();
  await page.getByRole('button', { name: 'Create in staging' }).click();
  await page.getByRole('button', { name: 'Publish plan' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Publish plan' }).click();
  await page.getByText('Published', { exact: true }).waitFor();
  await page.getByText(/changes? (is|are) not deployed/).waitFor();
  await page.getByRole('textbox', { name: 'Description' }).fill('For those who deliver');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('button', { name: 'Deprecate plan' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Deprecate plan' }).click();
  await page.getByText('Deprecated', { exact: true }).waitFor();
  assert.equal(
    await page.getByRole('textbox', { name: 'Description' }).inputValue(),
    'For those who deliver',
  );
  await page.getByRole('link', { name: 'Plans' }).click();
  // The new one is matched last, until somebody says otherwise; gateways go by it once it is deployed.
  const names = (): Promise<readonly string[]> => page.locator('td:first-child').allInnerTexts();
  await eventually(async () => (await names()).join() === 'With a key,Partners');
  await page.getByRole('button', { name: 'Match Partners earlier' }).click();
  await eventually(async () => (await names()).join() === 'Partners,With a key');
  await page.reload();
  await page.getByRole('link', { name: 'Partners' }).waitFor();
  assert.equal((await names()).join(), 'Partners,With a key');
  assert.ok(await page.getByRole('button', { name: 'Match Partners earlier' }).isDisabled());
  await page.getByRole('link', { name: 'With a key' }).click();
  await page.getByRole('button', { name: 'Close plan' }).click();
  const dialog = page.getByRole('dialog');
  await dialog
    .getByRole('listitem')
    .filter({ hasText: /^1subscriptions end/ })
    .waitFor();
  await dialog.getByRole('button', { name: 'Close plan' }).click();
  await page.getByText('It is closed').waitFor();
  assert.ok(await page.getByRole('textbox', { name: 'Name', exact: true }).isDisabled());
  await page.context().close();
}

async function ends(platform: Platform, browser: TestBrowser): Promise<void> {
  const { management, gateway } = platform;
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/apis', isRefused: true });
  await signIn(page);
  const api = await apiNamed(platform, 'Demo /demo/echo');
  await page.goto(`/console/DEFAULT/apis/${api}/entrypoints`);
  await page.getByRole('textbox', { name: 'Path' }).fill('/drafted');
  await page.getByText(draftIsKept).waitFor();
  await page.getByRole('link', { name: 'General' }).click();
  await page.getByRole('textbox', { name: 'Name' }).fill('<b>Echo</b>');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { name: '<b>Echo</b>', level: 1 }).waitFor();
  // The draft is carried along: it has the new name, and is deployed.
  // A path that is another one is a path that goes and one that comes; the third is the name.
  await page.getByText('3 changes are not deployed').waitFor();
  await page.getByRole('button', { name: 'Deploy' }).click();
  await page.getByText('changes are not deployed').waitFor({ state: 'detached' });
  await eventually(async () => (await fetch(`${gateway}/drafted`)).status === 200);
  await page.getByRole('button', { name: 'Delete API' }).click();
  const dialog = page.getByRole('dialog');
  const verb = dialog.getByRole('button', { name: 'Delete API' });
  assert.ok(await verb.isDisabled());
  await dialog.getByRole('textbox').fill('<b>Echo');
  assert.ok(await verb.isDisabled());
  await dialog.getByRole('textbox').fill('<b>Echo</b>');
  await verb.click();
  await page.getByRole('heading', { name: 'APIs', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'Demo /demo/orders' }).waitFor();
  assert.equal(await page.getByRole('link', { name: '<b>Echo</b>' }).count(), 0);
  await eventually(async () => (await fetch(`${gateway}/drafted`)).status === 404);
  await page.context().close();
}

async function reads(platform: Platform, browser: TestBrowser): Promise<void> {
  const { management, client } = platform;
  const api = await apiNamed(platform, 'Demo /demo/orders');
  const reader = { username: 'reader', password: 'reads-and-changes-nothing' };
  const { id } = await client.call<{ readonly id: string }>('POST', '/organizations/DEFAULT/users', {
    body: { ...reader, source: 'gravitee', firstname: 'Rea', lastname: 'Der', email: 'reader@example.com' },
  });
  await client.call('POST', `/organizations/DEFAULT/environments/DEFAULT/apis/${api}/members`, {
    body: { id, role: 'REVIEWER' },
  });
  const page = await browser.open({ origin: management, path: `/console/DEFAULT/apis/${api}/entrypoints` });
  await signIn(page, reader.username, reader.password);
  for (const [name, field] of [
    ['Entrypoints', 'Path'],
    ['Backends', 'Target'],
    ['General', 'Version'],
  ] as const) {
    await page.getByRole('link', { name, exact: true }).click();
    await page.getByText('You can read th').waitFor();
    assert.ok(await page.getByRole('textbox', { name: field }).isDisabled(), name);
  }
  const changing = page.getByRole('button', { name: /^(Add|Delete|Save|Deploy|Remove|Stop)/ });
  assert.equal(await changing.count(), 0);
  await page.getByRole('link', { name: 'Plans' }).click();
  await page.getByRole('link', { name: 'With a key' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Create plan' }).count(), 0);
  await page.context().close();
}
