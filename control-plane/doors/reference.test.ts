import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { openOffice } from '../../test/kit/control-plane/office.ts';
import { testDatabases } from '../../test/kit/servers/databases.ts';

async function open(t: TestContext) {
  const [database] = testDatabases;
  assert.ok(database !== undefined);
  const { app } = await openOffice(t, database);
  return (path: string) => app.request(path);
}

test('/management links the document and the reference, without a credential, and both are there', async (t) => {
  const get = await open(t);
  const links = [...(await (await get('/management')).text()).matchAll(/<a href="(\/[^"]*)"/g)].map(
    ([, path = '']) => path,
  );
  assert.deepEqual(links, ['/management/reference', '/management/openapi.json']);
  for (const path of links) assert.equal((await get(path)).status, 200, path);
});

test('the reference comes from here alone: everything it names is served, and its policy lets nothing inline run', async (t) => {
  const get = await open(t);
  const answer = await get('/management/reference');
  const rules = answer.headers.get('content-security-policy') ?? '';
  assert.match(rules, /default-src 'none'; script-src 'self'; style-src 'self';/);
  assert.doesNotMatch(rules, /unsafe|https?:|\*/);
  const html = await answer.text();
  assert.doesNotMatch(html, /https?:|<script>|<style|\son\w+=|\sstyle=/);
  const named = [...html.matchAll(/(?:src|href)="(\/[^"]*)"/g)].map(([, path = '']) => path);
  assert.equal(named.length, 7);
  for (const path of named) {
    const { status, headers } = await get(path);
    assert.equal(status, 200, path);
    const types = { css: /^text\/css/, js: /^text\/javascript/, json: /^application\/json/ };
    const type = types[/\.(css|js|json)$/.exec(path)?.[1] as 'css'] ?? /^text\/html/;
    assert.match(headers.get('content-type') ?? '', type, path);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
  }
  assert.match(await (await get('/management/reference/start.js')).text(), /'\/management\/openapi\.json'/);
});

test('no other file can be had through the reference', async (t) => {
  const get = await open(t);
  for (const name of ['package.json', '..%2f..%2fpackage.json', 'swagger-ui.js', 'constructor'])
    assert.equal((await get(`/management/reference/${name}`)).status, 404, name);
});
