import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { parse } from 'yaml';
import { skipWithoutBrowser, startBrowser, type TestBrowser } from '../kit/browser/browser.ts';
import { apiNamed, looker, signIn } from '../kit/browser/console.ts';
import { eventually } from '../kit/eventually.ts';
import { type Platform, startPlatform } from '../kit/processes/up.ts';

before(() => {
  const build = join(import.meta.dirname, '../../deploy/build-ui.js');
  execFileSync(process.execPath, [build, '--required'], { stdio: 'inherit' });
});

test('APIs come and go as documents, by console alone', { skip: skipWithoutBrowser }, async (t) => {
  const platform = await startPlatform(t);
  const browser = await startBrowser(t);
  await t.test('an export comes back: as JSON, as YAML and as a custom resource', () =>
    exportsAndImports(platform, browser),
  );
  await t.test('an OpenAPI document becomes an API that answers', () => importsOpenApi(platform, browser));
  await t.test('what an import into an API changes is shown before it is done', () =>
    importsInto(platform, browser),
  );
});

interface Exported {
  readonly api: Record<string, unknown> & {
    readonly listeners: readonly { readonly paths: { path: string }[] }[];
  };
}

/** What an item of the menu of an API downloads. */
async function exported(page: Page, item: string): Promise<{ readonly name: string; readonly text: string }> {
  await page.getByRole('button', { name: 'More', exact: true }).click();
  const coming = page.waitForEvent('download');
  await page.getByRole('menuitem', { name: item }).click();
  const file = await coming;
  return { name: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') };
}

async function exportsAndImports(platform: Platform, browser: TestBrowser): Promise<void> {
  const { management, client } = platform;
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/apis', isRefused: true });
  await signIn(page);
  const orders = await apiNamed(platform, 'Demo /demo/orders');
  await page.goto(`/console/DEFAULT/apis/${orders}`);
  const json = await exported(page, 'Export as JSON');
  assert.equal(json.name, 'demo-demo-orders.json');
  const yaml = await exported(page, 'Export as YAML');
  const { export: _date, ...same } = JSON.parse(json.text) as Record<string, unknown>;
  const { export: _other, ...parsed } = parse(yaml.text) as Record<string, unknown>;
  assert.deepEqual(parsed, same);
  const resource = await exported(page, 'Export as custom resource');
  for (const [name, text] of [
    ['As JSON', json.text],
    ['As YAML', yaml.text],
    ['As resource', resource.text],
  ] as const) {
    await page.getByRole('link', { name: 'APIs', exact: true }).click();
    await page.getByRole('link', { name: 'Import' }).click();
    const field = page.getByRole('textbox', { name: 'Definition' });
    await field.fill(text);
    await page.getByRole('button', { name: 'Import API' }).click();
    // It is there already, at this path.
    await page.getByRole('alert').filter({ hasText: '/demo/orders' }).waitFor();
    const path = `/copy-${name.slice(3).toLowerCase()}`;
    await field.fill(text.replaceAll('Demo /demo/orders', name).replaceAll('/demo/orders', path));
    await page.getByRole('button', { name: 'Import API' }).click();
    await page.getByRole('heading', { name, level: 1 }).waitFor();
    const { data } = await client.call<{ readonly data: readonly { readonly name: string }[] }>(
      'GET',
      `/v2/environments/DEFAULT/apis/${await apiNamed(platform, name)}/plans?statuses=PUBLISHED`,
    );
    assert.deepEqual(
      data.map((plan) => plan.name),
      ['With a key'],
    );
  }
  await page.context().close();
}

async function importsOpenApi({ management, gateway }: Platform, browser: TestBrowser): Promise<void> {
  const view = { colorScheme: 'light', viewport: { width: 1_440, height: 900 } } as const;
  const page = await browser.open({ origin: management, path: '/console/DEFAULT/apis', ...view });
  await signIn(page);
  await page.getByRole('link', { name: 'Import' }).click();
  const text = `openapi: 3.0.3
info: { title: Tides, version: '2' }
servers: [{ url: '${gateway}/demo/echo/harbours' }]
paths:
  /tides/{port}:
    get: { responses: { '200': { description: ok, content: { application/json: { example: { metres: 3 } } } } } }
`;
  await page.locator('input[type=file]').setInputFiles({
    name: 'tides.yaml',
    mimeType: 'application/yaml',
    buffer: Buffer.from(text),
  });
  await page.getByRole('button', { name: 'OpenAPI document', pressed: true }).waitFor();
  // What is XML is taken for a description of SOAP.
  await page.locator('input[type=file]').setInputFiles({
    name: 'tides.wsdl',
    mimeType: 'text/xml',
    buffer: Buffer.from('<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"/>'),
  });
  await page.getByRole('button', { name: 'WSDL', pressed: true }).waitFor();
  await page.locator('input[type=file]').setInputFiles({
    name: 'tides.yaml',
    mimeType: 'application/yaml',
    buffer: Buffer.from(text),
  });
  await page.getByRole('button', { name: 'OpenAPI document', pressed: true }).waitFor();
  await page.getByRole('switch', { name: /examples of the document/ }).click();
  await looker(page, view)('import');
  await page.getByRole('button', { name: 'Import API' }).click();
  await page.getByRole('heading', { name: 'Tides', level: 1 }).waitFor();
  await page.getByRole('link', { name: 'Plans' }).click();
  await page.getByRole('link', { name: 'Create plan' }).click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('Open');
  await page.getByLabel('Security').selectOption('KEY_LESS');
  await page.getByRole('button', { name: 'Create and publish' }).click();
  await page.getByRole('button', { name: 'Deploy and start' }).click();
  await eventually(async () => {
    const answer = await fetch(`${gateway}/demo/echo/harbours/tides/ham`);
    return (await answer.text()).includes('metres');
  });
  await page.context().close();
}

async function importsInto(platform: Platform, browser: TestBrowser): Promise<void> {
  const page = await browser.open({
    origin: platform.management,
    path: '/console/DEFAULT/apis',
    isRefused: true,
  });
  await signIn(page);
  const echo = await apiNamed(platform, 'Demo /demo/echo');
  await page.goto(`/console/DEFAULT/apis/${echo}`);
  const { api, ...rest } = JSON.parse((await exported(page, 'Export as JSON')).text) as Exported;
  await page.getByRole('button', { name: 'More', exact: true }).click();
  await page.getByRole('menuitem', { name: 'Import into this API' }).click();
  const field = page.getByRole('textbox', { name: 'Definition' });
  await field.fill('{"api": ');
  await page.getByRole('button', { name: 'Compare' }).click();
  await page.getByRole('alert').filter({ hasText: 'This is no JSON' }).waitFor();
  await field.fill(JSON.stringify({ api, ...rest }));
  await page.getByRole('button', { name: 'Compare' }).click();
  await page.getByText('The API has all of it already.').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Import changes' }).isDisabled());
  await field.fill(JSON.stringify({ api: { ...api, description: '<b>from elsewhere</b>' }, ...rest }));
  await page.getByRole('button', { name: 'Compare' }).click();
  await page.getByText('1 place changes').waitFor();
  await page.getByText('A sample, to look at').waitFor();
  await page.getByRole('button', { name: 'Import changes' }).click();
  await field.waitFor({ state: 'detached' });
  await page.getByText('<b>from elsewhere</b>').waitFor();
  await page.context().close();
}
