import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { type CallWish, startPolicy } from '../../../test/kit/gateway/policies.ts';

async function verdictOf(limit: number, wish: CallWish) {
  const call = startPolicy('request-content-limit', { limit }).call(wish);
  const verdict = await call.pass();
  if (verdict?.kind !== 'reject') return [await call.sent('request')];
  return [verdict.key, verdict.status, verdict.parameters];
}

const chunked = { 'Transfer-Encoding': 'chunked' };

test('a body of the limit passes, one byte more is refused with both numbers: said, and counted while it comes', async () => {
  const too = 'REQUEST_CONTENT_LIMIT_TOO_LARGE';
  assert.deepEqual(await verdictOf(3, { headers: { 'Content-Length': '3' }, body: 'abc' }), ['abc']);
  const said = await verdictOf(3, { headers: { 'Content-Length': '4' }, body: 'abcd' });
  assert.deepEqual(said, [too, 413, { length: 4, limit: 3 }]);
  assert.deepEqual(await verdictOf(3, { headers: chunked, body: ['a', 'bc'] }), ['abc']);
  const counted = await verdictOf(3, { headers: chunked, body: ['ab', 'cde', 'never'] });
  assert.deepEqual(counted, [too, 413, { length: 5, limit: 3 }]);
});

test('who says nothing of a body is refused with 411, who says that it has none passes', async () => {
  assert.deepEqual(await verdictOf(3, {}), ['REQUEST_CONTENT_LIMIT_LENGTH_REQUIRED', 411, { limit: 3 }]);
  assert.deepEqual(await verdictOf(0, { headers: { 'Content-Length': '0' } }), ['']);
  assert.deepEqual(await verdictOf(0, { headers: chunked, body: [] }), ['']);
  assert.deepEqual((await verdictOf(0, { headers: chunked, body: ['a'] }))[1], 413);
});

test('a stream of HTTP/2 with a body of an unsaid length is counted', async () => {
  assert.deepEqual(await verdictOf(3, { body: ['abc'] }), ['abc']);
  assert.deepEqual((await verdictOf(3, { body: ['abcd'] }))[1], 413);
});

test('a limit is a whole number of bytes', () => {
  const { config } = catalog['request-content-limit'];
  for (const limit of [undefined, -1, 1.5, '3'])
    assert.deepEqual(config.safeParse({ limit }).error?.issues[0]?.path, ['limit']);
});
