import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../proto/policies/catalog.ts';
import { headersOf } from '../../test/kit/engine/headers.ts';
import { emptyCache, quietSecurityHost } from '../../test/kit/gateway/security.ts';
import type { Resource } from '../resources/resource.ts';
import { oauth2 } from './oauth2.ts';
import { Subscriptions } from './subscriptions.ts';

/** A plan that remembers tokens as a cache of that life says; what a server says of all, and how often it was asked. */
function rememberingPlan(lifeMsMax: number) {
  const server = { asked: 0, payload: { client_id: 'client' } as Readonly<Record<string, unknown>> };
  const introspection = {
    userClaim: 'sub',
    scopeSeparator: ' ',
    introspect: () => {
      server.asked += 1;
      return Promise.resolve({ kind: 'active' as const, payload: server.payload, text: '{}' });
    },
  };
  const security = oauth2.create(
    catalog.oauth2.config.parse({ oauthResource: 'server', oauthCacheResource: 'cache' }),
    {
      ...quietSecurityHost(),
      resources: new Map<string, Resource>([
        ['server', { introspection }],
        ['cache', { cache: emptyCache(lifeMsMax) }],
      ]),
    },
  );
  const subscriptions = new Subscriptions('dev', 10);
  subscriptions.set({
    id: 's',
    api: 'a',
    plan: 'p',
    application: 'x',
    clientId: 'client',
    status: 'ACCEPTED',
  });
  const request = {
    headers: headersOf({}),
    query: undefined,
    clientCertificate: undefined,
    scheme: 'http' as const,
    remoteAddress: '',
  };
  const ask = async (token: string, nowMs: number) => {
    const knock = { request, api: 'a', subscriptions, nowMs, holds: () => true, hasBrokenRule: () => false };
    return (await security.admit(token, { id: 'p', rule: undefined }, knock)).kind;
  };
  return { server, subscriptions, ask };
}

test('with an oauthCacheResource a good answer counts until its exp, one without exp for its request alone', async () => {
  const { server, subscriptions, ask } = rememberingPlan(0);
  assert.deepEqual([await ask('one', 0), await ask('one', 0), server.asked], ['admitted', 'admitted', 2]);
  server.payload = { client_id: 'client', exp: 10 };
  assert.deepEqual([await ask('two', 0), await ask('two', 9_999), server.asked], ['admitted', 'admitted', 3]);
  assert.deepEqual([await ask('two', 10_000), server.asked], ['refused', 4]);
  subscriptions.delete('s');
  assert.equal(await ask('two', 0), 'refused');
});

test('no token is remembered for longer than the timeToLiveSeconds of its oauthCacheResource', async () => {
  const { server, ask } = rememberingPlan(5_000);
  assert.deepEqual([await ask('one', 0), await ask('one', 4_999), server.asked], ['admitted', 'admitted', 1]);
  assert.deepEqual([await ask('one', 5_000), server.asked], ['admitted', 2]);
  for (const [exp, lastMs] of [
    [100, 4_999],
    [3, 2_999],
  ] as const) {
    server.payload = { client_id: 'client', exp };
    server.asked = 0;
    const token = `until ${exp}`;
    assert.deepEqual(
      [await ask(token, 0), await ask(token, lastMs), server.asked],
      ['admitted', 'admitted', 1],
    );
    await ask(token, lastMs + 1);
    assert.equal(server.asked, 2);
  }
});
