import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matching } from './matching.ts';

const common = { description: '', category: 'traffic' };
const all = [
  { ...common, id: 'cache', name: 'Cache', description: 'Beside a rate limit it saves calls.' },
  { ...common, id: 'token-ratelimit', name: 'AI token rate limit' },
  { ...common, id: 'token-bucket-rate-limit', name: 'Token bucket' },
  { ...common, id: 'rate-limit', name: 'Rate limit' },
  { ...common, id: 'jwt', name: 'JSON Web Token', category: 'security' },
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
