import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../proto/policies/catalog.ts';
import { startPolicy } from '../../test/kit/gateway/policies.ts';

const redirected = async (rules: readonly object[], pathInfo: string) => {
  const call = startPolicy('http-redirect', { rules }).call({ request: { pathInfo } });
  const verdict = await call.pass();
  if (verdict === undefined) return undefined;
  if ('key' in verdict) return [verdict.status, verdict.key, ...call.warnings];
  assert.ok(verdict.kind === 'answer');
  return [verdict.status, ...verdict.headers.flat(), verdict.body];
};

test('the first rule whose pattern matches the whole path answers with its status and location', async () => {
  const rules = [
    { path: '/old', location: '/new' },
    {
      path: '/old/(?<id>\\d+)',
      location: "https://example.org/{#group[0]}?id={#groupName['id']}",
      status: 308,
    },
    { path: '/old/.*', location: '/all', status: 302 },
  ];
  assert.deepEqual(await redirected(rules, '/old'), [301, 'Location', '/new', '']);
  assert.deepEqual(await redirected(rules, '/old/7'), [308, 'Location', 'https://example.org/7?id=7', '']);
  assert.deepEqual(await redirected(rules, '/old/x'), [302, 'Location', '/all', '']);
  assert.equal(await redirected(rules, '/older'), undefined);
  assert.equal(await redirected([], '/old'), undefined);
});

test('a location that fails, or is no URI, ends the request with 500; no path breaks out of the header', async () => {
  const failure = [500, 'HTTP_REDIRECT_FAILURE', 'EXPRESSION_EVALUATION_ERROR'];
  for (const location of [
    "{#request.headers['Nope'][0]}",
    "{#request.headers['Nope']}",
    'http://[',
    '/a b',
    '/{("é")}',
  ])
    assert.deepEqual(await redirected([{ path: '/a', location }], '/a'), failure, location);
  for (const hostile of ['/a%0d%0aX-A:%201', '/a\r\nX-A: 1'])
    assert.notEqual(
      (await redirected([{ path: '(?s)/a(.*)', location: '/b{#group[0]}' }], hostile))?.join().includes('\n'),
      true,
    );
});

test('statuses from 300 to 308, patterns that are matched in linear time, and no empty location', () => {
  const { config } = catalog['http-redirect'];
  const isAccepted = (rule: object): boolean =>
    config.safeParse({ rules: [{ path: '/a', location: '/b', ...rule }] }).success;
  assert.ok(isAccepted({ status: 300 }) && isAccepted({ status: 308 }));
  assert.ok(!isAccepted({ status: 299 }) && !isAccepted({ status: 309 }));
  assert.ok(!isAccepted({ path: '(?=a)' }) && !isAccepted({ path: '' }) && !isAccepted({ location: '' }));
  assert.ok(!isAccepted({ location: '/é' }));
  assert.ok(config.safeParse({ rules: [], cache: { maxItems: 5, timeToLive: 1_000 } }).success);
  assert.ok(!config.safeParse({}).success);
});
