import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { startPolicy } from '../../../test/kit/gateway/policies.ts';
import { startResources } from '../../../test/kit/gateway/resources.ts';

const inline = (name: string, users: readonly object[]) => ({
  name,
  type: 'auth-provider-inline-resource',
  configuration: { users },
});
const first = inline('first', [
  { username: 'Ada', password: 'a:b c', roles: ['admin'] },
  { username: 'bob', password: 'of the first' },
]);
const second = inline('second', [{ username: 'bob', password: 'of the second' }]);
const away = {
  name: 'away',
  type: 'auth-provider-http-resource',
  configuration: { url: 'http://127.0.0.1:1/' },
};
const basic = (credentials: string): string => `Basic ${Buffer.from(credentials).toString('base64')}`;

test('a user whom one of the resources knows passes, with what they say of him; anybody else is challenged', async (t) => {
  const { resource } = startResources(t, [first, second]);
  const config = { authenticationProviders: ['first', 'second'], realm: 'the "shop"' };
  const step = startPolicy('policy-basic-authentication', config, { host: { resource } });
  const asked = async (authorization?: string) => {
    const headers = authorization === undefined ? {} : { Authorization: authorization };
    const call = step.call({ headers });
    const verdict = await call.pass();
    assert.equal(call.request.headers.get('authorization'), authorization);
    if (verdict === undefined) return [call.attributes.get('user'), call.attributes.get('user.roles')];
    assert.ok('kind' in verdict && verdict.kind === 'reject');
    assert.deepEqual(verdict.headers, [
      ['WWW-Authenticate', String.raw`Basic realm="the \"shop\"", charset="UTF-8"`],
    ]);
    return `${verdict.status} ${verdict.key}`;
  };
  assert.deepEqual(await asked(basic('ada:a:b c')), ['ada', ['admin']]);
  assert.deepEqual(await asked(basic('bob:of the first').replace('Basic', 'bAsIc')), ['bob', undefined]);
  assert.deepEqual(await asked(basic('bob:of the second')), ['bob', undefined]);
  const unauthorized = '401 BASIC_AUTHENTICATION_UNAUTHORIZED';
  for (const wrong of [
    undefined,
    '',
    'Basic',
    'Bearer abc',
    'Basic ***',
    basic('ada'),
    basic('ada:'),
    basic(':a:b c'),
    basic('ada:a:b'),
    basic('bob:of the third'),
    basic('ada:a:b c\n'),
    basic(`ada:${'x'.repeat(8_192)}`),
  ])
    assert.equal(await asked(wrong), unauthorized, wrong);
});

test('where a resource cannot be asked and no other knows the user, nobody is told that his password is wrong', async (t) => {
  const { resource } = startResources(t, [away, first]);
  const asked = async (authenticationProviders: readonly string[], credentials: string) => {
    const step = startPolicy(
      'policy-basic-authentication',
      { authenticationProviders },
      { host: { resource } },
    );
    const call = step.call({ headers: { Authorization: basic(credentials) } });
    const verdict = await call.pass();
    const said = verdict !== undefined && 'key' in verdict ? `${verdict.status} ${verdict.key}` : undefined;
    return [said, ...call.warnings];
  };
  const warned = 'AUTHENTICATION_PROVIDER_UNAVAILABLE';
  assert.deepEqual(await asked(['away', 'first'], 'ada:a:b c'), [undefined, warned]);
  assert.deepEqual(await asked(['away', 'first'], 'ada:x'), ['503 BASIC_AUTHENTICATION_UNAVAILABLE', warned]);
  assert.deepEqual(await asked(['first', 'away'], 'ada:a:b c'), [undefined]);
});

test('resources that are none, or know no users, are refused with their path', (t) => {
  const cache = { name: 'cache', type: 'cache', configuration: {} };
  const { resource } = startResources(t, [first, cache]);
  const start = (authenticationProviders: readonly string[]) =>
    startPolicy('policy-basic-authentication', { authenticationProviders }, { host: { resource } });
  for (const name of ['nobody', 'cache'])
    assert.throws(
      () => start(['first', name]),
      (error: { details: readonly { path: string }[] }) =>
        error.details[0]?.path === 'flows[0].request[0].configuration.authenticationProviders[1]',
    );
  const { config } = catalog['policy-basic-authentication'];
  const fault = (written: object) => config.safeParse(written).error?.issues[0]?.path;
  assert.deepEqual(fault({}), ['authenticationProviders']);
  assert.deepEqual(fault({ authenticationProviders: [] }), ['authenticationProviders']);
  assert.deepEqual(fault({ authenticationProviders: [''] }), ['authenticationProviders', 0]);
  assert.deepEqual(fault({ authenticationProviders: ['a'], realm: 'a\nb' }), ['realm']);
});
