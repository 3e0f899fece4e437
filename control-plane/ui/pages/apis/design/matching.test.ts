import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matching } from './matching.ts';

const policy = (id: string, name: string, description = '', category = 'traffic') => ({
  id,
  name,
  description,
  category,
});
const all = [
  policy('cache', 'Cache', 'Beside a rate limit it saves calls.'),
  policy('token-ratelimit', 'AI token rate limit'),
  policy('token-bucket-rate-limit', 'Token bucket'),
  policy('rate-limit', 'Rate limit'),
  policy('jwt', 'JSON Web Token', '', 'security'),
];
const found = (text: string): readonly string[] => (matching(all, text) ?? []).map(({ id }) => id);

test('what is called as was typed comes first, what only speaks of it last', () => {
  assert.deepEqual(found('Rate limit'), ['rate-limit', 'token-ratelimit', 'cache']);
  assert.deepEqual(found('rate-limit'), ['rate-limit', 'token-bucket-rate-limit']);
  assert.deepEqual(found('token'), ['token-ratelimit', 'token-bucket-rate-limit', 'jwt']);
  assert.deepEqual(found('security'), ['jwt']);
});

test('nothing typed leaves the order, and what nothing is called finds nothing', () => {
  assert.deepEqual(found('  '), ['cache', 'token-ratelimit', 'token-bucket-rate-limit', 'rate-limit', 'jwt']);
  assert.deepEqual(found('soap'), []);
  assert.equal(matching(undefined, 'x'), undefined);
});
