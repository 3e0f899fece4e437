import assert from 'node:assert/strict';
import { test } from 'node:test';

import { resourceCatalog } from '../../proto/resources/catalog.ts';
import { startPolicy } from '../../test/kit/gateway/policies.ts';
import { startResources } from '../../test/kit/gateway/resources.ts';
import { startUpstream } from '../../test/kit/servers/upstream.ts';

const type = 'auth-provider-http-resource';

test('a server is asked with method, headers and body, which know the caller, and the condition reads its answer', async (t) => {
  const upstream = await startUpstream(t);
  const asked = async (configuration: object, path = '/login') => {
    const { resource } = startResources(t, [
      { name: 'http', type, configuration: { url: `${upstream.url}${path}`, ...configuration } },
    ]);
    const { call } = startPolicy('latency', {});
    const said = await resource('authentication', 'http', '').authenticate(
      { username: 'ada', password: 'p"w' },
      call({ headers: { 'X-Tenant': 'acme' } }),
    );
    return said.kind === 'known' ? said.user : said.kind === 'unknown' ? said.kind : said.why;
  };
  assert.equal(await asked({}), 'ada');
  assert.deepEqual(upstream.requests, ['POST /login']);
  assert.equal(await asked({}, '/login?status=401'), 'unknown');
  assert.equal(await asked({ method: 'GET', condition: '{#authResponse.status == 204}' }), 'unknown');
  assert.equal(upstream.requests.at(-1), 'GET /login');
  const told = {
    method: 'PUT',
    headers: [
      { name: 'X-User', value: '{#username}' },
      { name: 'X-Tenant', value: "{#request.headers['X-Tenant'][0]}" },
      { name: '__proto__', value: 'harmless' },
    ],
    body: '{#username}/{#password}',
    condition:
      "{#authResponse.headers['content-type'] == 'application/json' && #authResponse.content.contains('ada/p') && #authResponse.content.contains('x-user') && #authResponse.content.contains('acme')}",
  };
  assert.equal(await asked(told), 'ada');
  assert.equal(await asked({ condition: 'false' }), 'unknown');
  assert.match(await asked({ condition: '{#authResponse.content}' }), /^http: condition: /);
  assert.match(await asked({ url: 'http://127.0.0.1:1/' }), /^http: /, 'nobody answers');
  assert.match(await asked({ url: 'http://169.254.169.254/' }), /^http: /, 'where nobody may call');
  assert.match(await asked({}, `/login?bytes=${256 * 1024 + 1}`), /^http: /, 'longer than anybody reads');
  assert.equal(await asked({}, `/login?bytes=${256 * 1024}`), 'ada');
});

test('what cannot be asked is refused with its path', () => {
  const { config } = resourceCatalog[type];
  const fault = (written: object) =>
    config.safeParse({ url: 'http://h/', ...written }).error?.issues[0]?.path.join('.');
  assert.equal(fault({}), undefined);
  for (const url of ['', 'h', 'ftp://h/', 'http://u:p@h/']) assert.equal(fault({ url }), 'url', url);
  assert.equal(fault({ method: 'TRACE' }), 'method');
  assert.equal(fault({ condition: 'maybe' }), 'condition');
  assert.equal(fault({ condition: '{#nobody}' }), 'condition');
  assert.equal(fault({ body: '{#request.content}' }), 'body');
  assert.equal(fault({ headers: [{ name: 'X-A', value: '{#request.content}' }] }), 'headers.0.value');
  assert.equal(fault({ headers: [{ name: 'X-A', value: '{#authResponse.status}' }] }), 'headers.0.value');
});
