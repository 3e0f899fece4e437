import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meant, typedIn, typingIn, withToken } from './query.ts';

test('tokens are read out of a text, and the rest is a part of a path', () => {
  assert.deepEqual(typedIn('status:500 api:orders plan:"Partner key" /customs'), {
    tokens: [
      { key: 'status', value: '500' },
      { key: 'api', value: 'orders' },
      { key: 'plan', value: 'Partner key' },
    ],
    rest: '/customs',
  });
  assert.deepEqual(typedIn('app:kiosk'), { tokens: [{ key: 'application', value: 'kiosk' }], rest: '' });
});

test('what names no key, or is a part of a word, stays a part of the path', () => {
  for (const text of ['http://a/b', 'colour:red', '/x?status:1', '12:30'])
    assert.deepEqual(typedIn(text), { tokens: [], rest: text });
  assert.deepEqual(typedIn('status: '), { tokens: [], rest: '' });
});

test('the word at the end is what is being typed', () => {
  assert.deepEqual(typingIn('status:500 ap'), { kind: 'key', start: 'ap', before: 'status:500 ' });
  assert.deepEqual(typingIn('x api:or'), { kind: 'value', key: 'api', start: 'or', before: 'x ' });
  assert.deepEqual(typingIn('plan:"Partner k'), {
    kind: 'value',
    key: 'plan',
    start: 'Partner k',
    before: '',
  });
  assert.deepEqual(typingIn('status:500 '), { kind: 'key', start: '', before: 'status:500 ' });
  assert.equal(typingIn('/orders'), undefined);
  assert.equal(typingIn('plan:"Partner key"'), undefined);
});

test('a text means the value of its name, or the only one that holds it', () => {
  const values = [
    { id: '1a', name: 'Orders' },
    { id: '2b', name: 'Orders of old' },
    { id: '3c', name: 'Stock' },
  ];
  assert.equal(meant(values, 'orders')?.id, '1a');
  assert.equal(meant(values, 'STO')?.id, '3c');
  assert.equal(meant(values, '2B')?.id, '2b');
  assert.equal(meant(values, 'ord'), undefined);
  assert.equal(meant(values, 'nothing'), undefined);
});

test('a token adds to a search, once, from its first page', () => {
  assert.deepEqual(withToken({ status: 404, page: 3 }, { key: 'status', value: '500' }), {
    status: '404,500',
  });
  assert.deepEqual(withToken({ status: '500' }, { key: 'status', value: '500' }), { status: '500' });
  assert.deepEqual(withToken({}, { key: 'status', value: '5XX' }), { group: '5xx' });
  assert.deepEqual(withToken({}, { key: 'method', value: 'post' }), { method: 'POST' });
  assert.deepEqual(withToken({ q: 'a' }, { key: 'path', value: '/x' }), { q: '/x' });
});
