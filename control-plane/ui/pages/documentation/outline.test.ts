import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as yaml from 'yaml';
import { outlineOf } from './outline.ts';

test('a document of OpenAPI is shown as its operations, in JSON or YAML', () => {
  const document = {
    openapi: '3.1.0',
    info: { title: 'Parcels', version: 1, description: 'Where they are' },
    paths: {
      '/parcels/{id}': { get: { summary: 'One parcel' }, parameters: [], delete: { operationId: 'drop' } },
      '/odd': null,
    },
  };
  const expected = {
    title: 'Parcels',
    version: '1',
    description: 'Where they are',
    lines: [
      { verb: 'GET', path: '/parcels/{id}', summary: 'One parcel' },
      { verb: 'DELETE', path: '/parcels/{id}', summary: 'drop' },
    ],
  };
  assert.deepEqual(outlineOf(JSON.stringify(document), yaml), expected);
  assert.deepEqual(outlineOf(yaml.stringify(document), yaml), expected);
});

test('a document of AsyncAPI is shown as its channels, of version 2 and 3', () => {
  const two = { asyncapi: '2.6.0', channels: { 'a/b': { subscribe: { summary: 'Hear' } } } };
  assert.deepEqual(outlineOf(JSON.stringify(two), yaml)?.lines, [
    { verb: 'SUBSCRIBE', path: 'a/b', summary: 'Hear' },
  ]);
  const three = {
    asyncapi: '3.0.0',
    operations: { hear: { action: 'receive', channel: { $ref: '#/channels/ab' } } },
  };
  assert.deepEqual(outlineOf(JSON.stringify(three), yaml)?.lines, [
    { verb: 'RECEIVE', path: 'ab', summary: 'hear' },
  ]);
});

test('what is no document has no outline', () => {
  for (const text of ['', '- a', 'a: [', 'words', 'a: &a [x]\nb: [' + '*a,'.repeat(200) + ']'])
    assert.equal(outlineOf(text, yaml), undefined, text.slice(0, 20));
});
