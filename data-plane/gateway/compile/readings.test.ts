import assert from 'node:assert/strict';
import { test } from 'node:test';

import { apiDefinition, flow, startLocalGateway } from '../../../test/kit/gateway/gateway.ts';
import { startUpstream } from '../../../test/kit/servers/upstream.ts';
import { readingsOf } from './readings.ts';

test('a path that reads one way has one reading, as it was sent', () => {
  for (const path of ['', '/', '/a/b', '/a.b/c..d', '/.well-known/x', '/a//b/'])
    assert.deepEqual(readingsOf(path), [path]);
});

const spellings: readonly (readonly [sent: string, readAs: string])[] = [
  ['/open/admin;x=1', '/open/admin'],
  ['/open/..;/admin', '/admin'],
  ['/open/..;a=b;c/admin', '/admin'],
  ['/open/../admin', '/admin'],
  ['/open/%2e%2e/admin', '/admin'],
  ['/open/.%2E/admin', '/admin'],
  ['/open%2F..%2fadmin', '/admin'],
  ['/open/admin%2f', '/open/admin/'],
  ['/open%5cadmin', '/open/admin'],
  ['/%61dmin', '/admin'],
  ['/admin%3Bx=1', '/admin'],
  ['/./admin', '/admin'],
  ['/../../admin', '/admin'],
  ['/open/%2e%2e%3B/admin', '/admin'],
];

for (const [sent, readAs] of spellings)
  test(`${sent} may be read as ${readAs}, and first as it was sent`, () => {
    const readings = readingsOf(sent);
    assert.equal(readings[0], sent);
    assert.ok(readings.includes(readAs), readings.join(' '));
  });

const deny: readonly [string, object] = ['mock', { status: '403', content: 'no' }];
const mark: readonly [string, object] = [
  'transform-headers',
  { addHeaders: [{ name: 'X-Marked', value: 'yes' }] },
];

/** Each reaches what lies behind `/admin` at some backend. */
const waysIn = [
  '/admin',
  '/admin/',
  '//admin',
  '/admin/users',
  '/admin;x=1',
  '/admin;x=1/users',
  '/open/..;/admin',
  '/open/../admin',
  '/open/%2e%2e/admin',
  '/open%2f..%2fadmin',
  '/%61dmin',
  '/admin%2fusers',
  '/admin%3bx',
  '/./admin',
];

for (const mode of ['DEFAULT', 'BEST_MATCH'])
  test(`a refusal on /admin holds however the path is spelled (${mode})`, async (t) => {
    const { url } = await startUpstream(t);
    const gateway = await startLocalGateway(t, {
      apis: {
        a: {
          ...apiDefinition('a', url),
          flowExecution: { mode },
          flows: [flow('/open', { request: [mark] }), flow('/admin', { request: [deny] })],
        },
      },
    });
    for (const way of waysIn) assert.equal((await gateway.call(`/a${way}`)).status, 403, way);
    for (const way of ['/open', '/open/a%2Fb', '/open/a;b=1', '/administrators', '/open/admin'])
      assert.equal((await gateway.call(`/a${way}`)).status, 200, way);
  });

test('an allowance holds only when every reading has it, and flows that refuse nothing are chosen by the path as sent', async (t) => {
  const { url } = await startUpstream(t);
  const gateway = await startLocalGateway(t, {
    apis: {
      a: {
        ...apiDefinition('a', url),
        flowExecution: { mode: 'DEFAULT', matchRequired: true },
        flows: [flow('/open', { request: [mark] })],
      },
    },
  });
  const asked = async (path: string) => {
    const { status, text } = await gateway.call(`/a${path}`);
    return status === 200 ? /x-marked/.test(text) : status;
  };
  assert.equal(await asked('/open/a%2Fb;c=1'), true);
  assert.equal(await asked('/open/..;/secret'), 404);
  assert.equal(await asked('/open/%2e%2e/secret'), 404);
  assert.equal(await asked('/secret'), 404);
});
