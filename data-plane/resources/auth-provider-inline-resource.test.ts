import assert from 'node:assert/strict';
import { test } from 'node:test';

import { resourceCatalog } from '../../proto/resources/catalog.ts';
import { startPolicy } from '../../test/kit/gateway/policies.ts';
import { startResources } from '../../test/kit/gateway/resources.ts';

/** `open sesame`, of cost 4. */
const hash = '$2b$04$JtzeO61OdMUtwiqMGhR94uh2LfEDcZhDIeEg6B7NswouQwZ2qA3HC';

const users = [
  { username: 'Ada', password: 'pässword', roles: ['admin', 'reader'] },
  { username: 'bob', password: hash },
];

test('a user is known by his name in any case and his password as it is, plain or hashed', async (t) => {
  const { resource, clock } = startResources(t, [
    { name: 'users', type: 'auth-provider-inline-resource', configuration: { users } },
  ]);
  const inline = resource('authentication', 'users', '');
  const { call } = startPolicy('latency', {});
  const asked = async (username: string, password: string) => {
    const said = await inline.authenticate({ username, password }, call());
    return said.kind === 'known' ? [said.user, ...said.attributes] : said.kind;
  };
  assert.deepEqual(await asked('ADA', 'pässword'), ['ADA', ['roles', ['admin', 'reader']]]);
  assert.deepEqual(await asked('bob', 'open sesame'), ['bob']);
  assert.deepEqual(await asked('bob', 'open sesame'), ['bob'], 'remembered');
  await clock.advance(60_000);
  assert.deepEqual(await asked('bob', 'open sesame'), ['bob'], 'compared again');
  for (const [username, password] of [
    ['ada', 'Pässword'],
    ['ada', ''],
    ['bob', hash],
    ['bob', 'open sesame!'],
    ['bob', ''],
    ['bob', `open sesame${'\0'.repeat(80)}`],
    ['eve', ''],
    ['constructor', ''],
  ] as const)
    assert.equal(await asked(username, password), 'unknown', `${username}:${password}`);
});

test('more passwords than are compared at a time are told of as an outage', async (t) => {
  const { resource } = startResources(t, [
    { name: 'users', type: 'auth-provider-inline-resource', configuration: { users } },
  ]);
  const inline = resource('authentication', 'users', '');
  const { call } = startPolicy('latency', {});
  const said = await Promise.all(
    Array.from({ length: 9 }, async (_, at) =>
      inline.authenticate({ username: 'bob', password: `${at}` }, call()),
    ),
  );
  assert.deepEqual(
    said.map(({ kind }) => kind),
    [...Array.from({ length: 8 }, () => 'unknown'), 'unavailable'],
  );
});

test('users without a password, twice, with a colon, or with a hash that costs too much are refused with their path', () => {
  const { config } = resourceCatalog['auth-provider-inline-resource'];
  const fault = (...written: readonly object[]) =>
    config.safeParse({ users: written }).error?.issues[0]?.path;
  const user = { username: 'a', password: 'b' };
  assert.equal(fault(user, { ...user, username: 'b' }), undefined);
  assert.deepEqual(fault({ username: 'a' }), ['users', 0, 'password']);
  assert.deepEqual(fault({ ...user, password: '' }), ['users', 0, 'password']);
  assert.deepEqual(fault(user, { ...user, username: 'A' }), ['users', 1, 'username']);
  assert.deepEqual(fault({ ...user, username: 'a:b' }), ['users', 0, 'username']);
  assert.deepEqual(fault({ ...user, password: hash.replace('$04$', '$13$') }), ['users', 0, 'password']);
  assert.equal(fault({ ...user, password: hash.replace('$04$', '$12$') }), undefined);
});
