import assert from 'node:assert/strict';
import { test } from 'node:test';

import { z } from 'zod';

import { attributeTemplate } from '../../test/kit/gateway/templates.ts';
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
      ['Content-Type', 'text/plain'],
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

test('what varies is rendered per request; a header of nothing is left out, content of nothing is a refusal', async () => {
  const { policy, call } = startPolicy(
    'mock',
    { headers: [{ name: 'X-One', value: 'a' }, { name: 'X-Two' }] },
    {
      adjust: (config) => ({
        ...config,
        headers: config.headers.map((header, index) =>
          index === 0 ? header : { ...header, value: attributeTemplate('two', z.string()) },
        ),
        content: attributeTemplate('body', z.string(), 'buffered'),
      }),
    },
  );
  assert.equal(policy.request?.needs, 'buffered');
  const answer = { kind: 'answer', status: 200 };
  const ask = (attributes: Readonly<Record<string, unknown>>) => call({ attributes }).pass();
  const one = [
    ['Content-Type', 'text/plain'],
    ['X-One', 'a'],
  ];
  assert.deepEqual(ask({ body: 'x' }), { ...answer, headers: one, body: 'x' });
  assert.deepEqual(ask({ body: 'y', two: 'b' }), { ...answer, headers: [...one, ['X-Two', 'b']], body: 'y' });
  for (const body of [undefined, new Error('boom')]) {
    const result = await ask({ body });
    assert.ok(
      result !== undefined &&
        'key' in result &&
        result.key === 'MOCK_CONTENT_FAILURE' &&
        result.status === 500,
    );
  }
});

test('content says what it is by how it begins, unless a header does', async () => {
  const typeOf = async (content: string, headers: readonly object[] = []) => {
    const answer = await startPolicy('mock', { content, headers }).call().pass();
    assert.ok(answer !== undefined && 'kind' in answer && answer.kind === 'answer');
    return answer.headers.filter(([name]) => name.toLowerCase() === 'content-type').map(([, value]) => value);
  };
  assert.deepEqual(await typeOf(' {"a":1}'), ['application/json']);
  assert.deepEqual(await typeOf('[]'), ['application/json']);
  assert.deepEqual(await typeOf('\n<a/>'), ['text/xml']);
  assert.deepEqual(await typeOf('a{}'), ['text/plain']);
  assert.deepEqual(await typeOf(''), []);
  assert.deepEqual(await typeOf('{}', [{ name: 'content-type', value: 'a/b' }]), ['a/b']);
});
