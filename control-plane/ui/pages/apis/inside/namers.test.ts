import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namersOf } from './namers.ts';

test('who names a resource is found in steps of the API and its plans, and in what plans ask of callers', () => {
  const cache = (cacheName: string) => ({ policy: 'cache', configuration: { cacheName } });
  const at = {
    design: {
      api: { flows: [{ request: [cache('mine'), cache('other')], response: [] }] },
      plans: { gold: [{ request: [{ policy: 'x', configuration: { of: [{ resource: 'mine' }] } }] }] },
    },
    plans: [
      { id: 'gold', security: { configuration: { oauthResource: 'mine' } } },
      { id: 'open', security: {} },
    ],
  };
  assert.equal(namersOf('mine', at), 3);
  assert.equal(namersOf('other', at), 1);
  assert.equal(namersOf('nobody', at), 0);
  assert.equal(namersOf('', { ...at, plans: [] }), 0);
});
