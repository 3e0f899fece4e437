import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { soapDescription } from '../../../proto/definition/wsdl/fixtures.ts';
import { createLog } from '../../../proto/process/log.ts';
import { mask } from '../../../proto/trust/sealed-text.ts';
import { apiBody, environment, openOffice, v1 } from '../../../test/kit/control-plane/office.ts';
import { planted, tablesWithSecrets } from '../../../test/kit/control-plane/planted-secrets.ts';
import { openCaller, startProvider } from '../../../test/kit/control-plane/polling.ts';
import { sqlite, testDatabases } from '../../../test/kit/servers/databases.ts';
import type { TestDatabase } from '../../../test/kit/servers/databases.ts';
import { sealStored } from '../definitions/seal-stored.ts';

/* Keys in the URLs that documents come from, and every way out of the control plane that they can take. */

async function openScene(t: TestContext, database: TestDatabase) {
  const outbound = openCaller();
  t.after(() => outbound.close());
  const logged: string[] = [];
  const office = await openOffice(t, database, { outbound, onLogged: (line) => void logged.push(line) });
  const provider = await startProvider(t);
  provider.answer('# One');
  const leaks: string[] = [];
  /** Asks, and notes what says the key or that it is sealed. */
  const ask = async (...[method, path, wish]: Parameters<typeof office.call>) => {
    const answer = await office.call(method, path, wish);
    if (answer.text.includes(planted) || answer.text.includes('sealed:v1:'))
      leaks.push(`${method} ${path}: ${answer.text}`);
    return answer;
  };
  const made = await office.call('POST', `${environment}/apis`, { body: apiBody('/documented') });
  const api = `${environment}/apis/${String(made.body['id'])}`;
  const sourceOf = (url: string) => ({ type: 'http-fetcher', configuration: { url } });
  const keyed = (key: string) => `${provider.url}/readme.md?ref=main&private_token=${planted}-${key}`;
  const pageOf = (url: string) => ({ name: 'Readme', type: 'MARKDOWN', source: sourceOf(url) });
  return { ...office, ask, api, provider, leaks, logged, sourceOf, keyed, pageOf };
}

for (const database of testDatabases) {
  const options = { skip: database.skip };

  test(
    `the key in the URL of a page is asked with, and is in no answer, no audit, no log and no table (${database.name})`,
    options,
    async (t) => {
      const { ask, api, provider, leaks, logged, storage, sourceOf, keyed, pageOf } = await openScene(
        t,
        database,
      );
      const audits = `${api}/audits`;
      const last = () => provider.asked.at(-1)?.url;
      for (const pages of [`${api}/pages`, `${v1}/portal/pages`]) {
        const made = await ask('POST', pages, { body: pageOf(keyed('one')) });
        assert.equal(made.status, 201, made.text);
        assert.deepEqual([made.body['content'], made.body['source']], ['# One', sourceOf(mask)]);
        assert.match(String(last()), /ref=main&private_token=PLANTED-one$/);
        const one = `${pages}/${String(made.body['id'])}`;
        const read = await ask('GET', one);
        await ask('GET', pages);
        const back = await ask('PUT', one, { body: { ...read.body, name: 'Other' } });
        assert.deepEqual([back.status, back.body['source']], [200, sourceOf(mask)], back.text);
        assert.equal(
          (await ask('PUT', one, { body: { ...back.body, source: sourceOf(keyed('two')) } })).status,
          200,
        );
      }
      const made = await ask('POST', `${api}/pages`, { body: { ...pageOf(keyed('one')), name: 'Fetched' } });
      const one = `${api}/pages/${String(made.body['id'])}`;
      const put = await ask('PUT', one, { body: made.body });
      assert.equal(put.status, 200, put.text);
      const asked = provider.asked.length;
      const fetched = await ask('POST', `${one}/_fetch`);
      assert.deepEqual([fetched.status, fetched.body['source']], [200, sourceOf(mask)], fetched.text);
      assert.equal(provider.asked.length, asked + 1);
      assert.match(String(last()), /private_token=PLANTED-one$/, 'the mask stood for the key');
      await ask('PUT', one, { body: { ...put.body, source: sourceOf(keyed('two')) } });
      await ask('POST', `${one}/_fetch`);
      assert.match(String(last()), /private_token=PLANTED-two$/);
      provider.answer('gone', 404);
      assert.equal((await ask('POST', `${one}/_fetch`)).status, 400);
      await ask('POST', `${api}/pages`, { body: { ...pageOf(keyed('three')), name: 'Gone' } });
      const audit = await ask('GET', audits);
      assert.match(audit.text, /PAGE_UPDATED/);
      assert.match(audit.text, /access\/source\/configuration\/url[^}]*\*{8}/, 'that it changed is told');
      await ask('GET', `${v1}/audit`);
      await ask('GET', `${v1}/audit/_export`);
      assert.equal((await ask('DELETE', one)).status, 204);
      await ask('GET', audits);

      assert.deepEqual(leaks, []);
      assert.deepEqual(await tablesWithSecrets(storage), []);
      assert.deepEqual(
        logged.filter((line) => line.includes(planted)),
        [],
      );
    },
  );

  test(
    `what a former version kept open is sealed at the start, and asked with (${database.name})`,
    options,
    async (t) => {
      const { ask, api, provider, storage, desk, boot, sourceOf, keyed, pageOf } = await openScene(
        t,
        database,
      );
      const { body: group } = await ask('POST', `${v1}/configuration/groups`, { body: { name: 'readers' } });
      const accessControls = [{ referenceId: group['id'], referenceType: 'GROUP' }];
      const paths: string[] = [];
      for (const pages of [`${api}/pages`, `${v1}/portal/pages`]) {
        const { body } = await ask('POST', pages, {
          body: { ...pageOf(`${provider.url}/plain`), accessControls },
        });
        paths.push(`${pages}/${String(body['id'])}`);
      }
      const access = JSON.stringify({ accessControls, source: sourceOf(keyed('old')) });
      await storage.db.updateTable('api_page').set({ access }).execute();
      assert.deepEqual(await tablesWithSecrets(storage), ['api_page']);
      await sealStored(desk, boot.admin, createLog({ name: 'test', level: 'silent' }));
      assert.deepEqual(await tablesWithSecrets(storage), []);
      for (const path of paths) {
        const { body } = await ask('GET', path);
        assert.deepEqual([body['source'], body['accessControls']], [sourceOf(mask), accessControls]);
      }
      assert.equal((await ask('POST', `${paths[0]}/_fetch`)).status, 200);
      assert.match(String(provider.asked.at(-1)?.url), /private_token=PLANTED-old$/);
    },
  );
}

test('a mask in a source stands for what that page keeps, and is refused where it keeps none; a URL without a key is shown', async (t) => {
  const { ask, api, provider, sourceOf, keyed, pageOf } = await openScene(t, sqlite);
  const pages = `${api}/pages`;
  const refused = async (...wish: Parameters<typeof ask>): Promise<void> => {
    const { status, text } = await ask(...wish);
    assert.equal(status, 400, text);
    assert.match(text, /"location":"source\.configuration\.url"/);
  };
  await refused('POST', pages, { body: { ...pageOf(mask), content: 'x' } });
  await refused('POST', pages, { body: pageOf(mask) });
  await refused('POST', pages, { body: { ...pageOf(`${provider.url}/?token=${mask}`), content: 'x' } });
  await refused('POST', pages, { body: { ...pageOf('sealed:v1:a:b'), content: 'x' } });
  const open = await ask('POST', pages, { body: pageOf(`${provider.url}/plain?ref=main`) });
  assert.deepEqual(open.body['source'], sourceOf(`${provider.url}/plain?ref=main`));
  await refused('PUT', `${pages}/${String(open.body['id'])}`, {
    body: { ...open.body, source: sourceOf(mask) },
  });
  const kept = await ask('POST', pages, { body: { ...pageOf(keyed('one')), name: 'Keyed' } });
  const without = await ask('PUT', `${pages}/${String(kept.body['id'])}`, {
    body: { name: 'Keyed', type: 'MARKDOWN' },
  });
  assert.deepEqual([without.status, without.body['source']], [200, undefined]);
});

test('an import by a URL tells and keeps nothing of the key in it, whether it works or fails', async (t) => {
  const { ask, api, provider, storage, leaks, logged, keyed } = await openScene(t, sqlite);
  const byUrl = (path: string, text: string, method = 'POST') =>
    ask(method, path, { text, headers: { 'content-type': 'text/plain' } });
  const imports = `${environment}/apis/_import`;
  const url = keyed('import');
  const wsdl = (payload: string, more: object = {}) =>
    ask('POST', `${imports}/wsdl`, { body: { payload, type: 'URL', ...more } });
  const statuses: number[] = [];
  for (const answer of [
    () => provider.answer({ api: apiBody('/far'), plans: [] }),
    () => provider.answer('gone', 404),
    () => provider.answer('no JSON'),
  ]) {
    answer();
    statuses.push((await byUrl(`${imports}/definition-url`, url)).status);
    statuses.push((await byUrl(`${api}/_import/definition-url`, url, 'PUT')).status);
    statuses.push((await wsdl(url)).status);
  }
  assert.deepEqual([statuses[0], ...statuses.slice(3)], [201, 400, 400, 400, 400, 400, 400]);
  const schema = keyed('schema').replace('&', '&amp;');
  const importing = soapDescription('http://h/soap').replace(
    '<xs:import namespace="urn:orders:data"/>',
    `<xs:import namespace="urn:a" schemaLocation="${schema}"/>`,
  );
  provider.answer('no XML');
  const inner = await wsdl(importing, { type: 'INLINE' });
  assert.deepEqual([inner.status, /line 1: is no XML/.test(inner.text)], [400, true], inner.text);
  for (const wrong of [
    `http://user:${planted}@127.0.0.1/`,
    `ftp://127.0.0.1/?access_token=${planted}`,
    `http://127.0.0.1:1/?access_token=${planted}`,
    `http://192.0.2.1/?access_token=${planted}`,
  ]) {
    assert.equal((await byUrl(`${imports}/definition-url`, wrong)).status, 400);
    assert.equal((await wsdl(wrong)).status, 400);
  }
  provider.answer(soapDescription('http://h/soap'));
  const whole = await wsdl(url, { withDocumentation: true });
  assert.equal(whole.status, 201, whole.text);
  await ask('GET', `${environment}/apis/${String(whole.body['id'])}/pages`);
  await ask('GET', `${v1}/audit`);
  assert.deepEqual(leaks, []);
  assert.deepEqual(await tablesWithSecrets(storage), []);
  assert.deepEqual(
    logged.filter((line) => line.includes(planted)),
    [],
  );
});
