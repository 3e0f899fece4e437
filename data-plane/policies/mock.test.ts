import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startPolicy } from '../../test/kit/gateway/policies.ts';

test('it answers in place of the backend, with status, headers in order and body, without reading the request', () => {
  const { policy, call } = startPolicy('mock', {
    status: '201',
    headers: [
      { name: 'X-One', value: 'a' },
      { name: 'X-One', value: 'b' },
    ],
    content: 'Łódź',
  });
  assert.equal(policy.request?.needs, 'head');
  assert.deepEqual(call({ body: 'unread' }).pass(), {
    kind: 'answer',
    status: 201,
    headers: [
      ['X-One', 'a'],
      ['X-One', 'b'],
    ],
    body: 'Łódź',
  });
});

test('without configuration it answers 200 with an empty body', () => {
  const { call } = startPolicy('mock', {});
  assert.deepEqual(call().pass(), { kind: 'answer', status: 200, headers: [], body: '' });
});
