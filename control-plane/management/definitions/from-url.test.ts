import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { apiBody, environment, openOffice } from '../../../test/kit/control-plane/office.ts';
import { openCaller, startProvider } from '../../../test/kit/control-plane/polling.ts';
import { testDatabases } from '../../../test/kit/servers/databases.ts';

const imports = `${environment}/apis/_import/definition-url`;

async function prepare(t: TestContext, allow?: readonly string[]) {
  const [database] = testDatabases;
  assert.ok(database !== undefined);
  const outbound = openCaller(allow);
  t.after(() => outbound.close());
  const office = await openOffice(t, database, { outbound });
  const send = (url: string, path = imports, method = 'POST') =>
    office.call(method, path, { text: url, headers: { 'content-type': 'text/plain' } });
  return { office, provider: await startProvider(t), send };
}

test('a definition behind a URL is imported, and imported again', async (t) => {
  const { provider, send } = await prepare(t);
  provider.answer({ api: { ...apiBody('/far'), description: null }, plans: [] });
  const made = await send(`${provider.url}/api.json`);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.deepEqual(
    provider.asked.map(({ method, url }) => [method, url]),
    [['GET', '/api.json']],
  );
  provider.answer({ api: { ...apiBody('/far'), apiVersion: '2' }, plans: [] });
  const again = `${environment}/apis/${String(made.body['id'])}/_import/definition-url`;
  const dry = await send(provider.url, `${again}?dryRun=true`, 'PUT');
  assert.match(JSON.stringify(dry.body['differences']), /apiVersion/);
  const imported = await send(provider.url, again, 'PUT');
  assert.deepEqual([imported.status, imported.body['apiVersion']], [200, '2']);
});

test('a URL that leads to no definition is refused with what is wrong with it', async (t) => {
  const { provider, send } = await prepare(t);
  const refusals: readonly (readonly [answer: unknown, status: number, told: RegExp])[] = [
    [{}, 404, /answers with the status 404/],
    // Redirects are not followed: who is asked was judged, where they lead was not.
    [{}, 302, /answers with the status 302/],
    ['<html>', 200, /answers with what is no JSON/],
    ['{"a":1,"a":2}', 200, /answers with what is no JSON: .*is there twice/],
    [[], 200, /answers with JSON that is no object/],
    [`${'{"a":'.repeat(70)}1${'}'.repeat(70)}`, 200, /nested deeper than 64 levels/],
    [{ a: 'x'.repeat(1_048_576) }, 200, /cannot be asked: .*too large/i],
    [{ moon: true }, 200, /moon|definition/],
  ];
  for (const [answer, status, told] of refusals) {
    provider.answer(answer, status);
    const refused = await send(provider.url);
    assert.equal(refused.status, 400, JSON.stringify(refused.body));
    assert.match(JSON.stringify(refused.body), told);
  }
  for (const text of ['', 'file:///etc/passwd', 'x']) assert.equal((await send(text)).status, 400, text);
});

test('no address is asked that no tenant may reach', async (t) => {
  const { provider, send } = await prepare(t, []);
  for (const url of [
    provider.url,
    `http://localhost:${provider.port}`,
    'http://169.254.169.254/latest/meta-data',
    'http://[::ffff:169.254.169.254]/',
    'http://[::1]/',
    'http://0x7f000001/',
  ]) {
    const { status, body } = await send(url);
    assert.equal(status, 400, url);
    assert.match(JSON.stringify(body), /may not be called\. Add it to control-plane\.outbound\.allow\./, url);
  }
  assert.deepEqual(provider.asked, []);
});
