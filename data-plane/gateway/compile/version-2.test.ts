import assert from 'node:assert/strict';
import { test } from 'node:test';

import { mark, open, type Row, seeRows } from '../../../test/kit/gateway/version-2.ts';

/** What flows of version 2 and rules of version 1 do behind a gateway, sentence by sentence. */

const flow = (path: string, name: string, changes: object = {}): object => ({
  'path-operator': { path, operator: 'STARTS_WITH' },
  pre: [mark(name)],
  ...changes,
});
const books = [
  flow('/', 'root'),
  flow('/books', 'books'),
  flow('/books/:id', 'book', { methods: ['GET', 'PUT'] }),
  flow('/books/:id/pages', 'pages', { 'path-operator': { path: '/books/:id/pages', operator: 'EQUALS' } }),
  flow('/books', 'off', { enabled: false }),
];
const old = { gravitee: undefined, flows: undefined };
const header = (scope: string, name: string, value: string): object => ({
  scope,
  addHeaders: [{ name, value }],
});

const rows: Readonly<Record<string, Row>> = {
  'STARTS_WITH is a prefix of the text': { api: { flows: books }, path: '/booksellers', ran: 'books root' },
  'a parameter is one segment, methods choose': {
    api: { flows: books },
    path: '/books/1/x',
    ran: 'book books root',
  },
  'another method': {
    api: { flows: books },
    path: '/books/1',
    options: { method: 'DELETE' },
    ran: 'books root',
  },
  'EQUALS takes a slash at the end': {
    api: { flows: books },
    path: '/books/1/pages/',
    ran: 'book books pages root',
  },
  'EQUALS takes no more': { api: { flows: books }, path: '/books/1/pages/2', ran: 'book books root' },
  'EQUALS is no prefix': { api: { flows: books }, path: '/books/1/pagesX', ran: 'book books root' },
  'the best match': { api: { flows: books, flow_mode: 'BEST_MATCH' }, path: '/books/1', ran: 'book' },
  'a flow without path takes everything': {
    api: { flows: [{ pre: [mark('all')] }] },
    path: '/x',
    ran: 'all',
  },
  'a condition that holds': {
    api: { flows: [flow('/', 'go', { condition: "{#request.headers['Go'] != null}" })] },
    options: { headers: { Go: '1' } },
    ran: 'go',
  },
  'a condition that does not': {
    api: { flows: [flow('/', 'go', { condition: "{#request.headers['Go'] != null}" })] },
    ran: '',
  },
  'a blank condition': { api: { flows: [flow('/', 'blank', { condition: ' ' })] }, ran: 'blank' },
  'a condition of a step': {
    api: { flows: [{ pre: [mark('a'), { ...mark('b'), condition: "{#request.method == 'PUT'}" }] }] },
    ran: 'a',
  },
  'a step that is off': {
    api: { flows: [{ pre: [{ ...mark('off'), enabled: false }, mark('on')] }] },
    ran: 'on',
  },
  'a configuration in text': {
    api: {
      flows: [
        { pre: [{ ...mark('x'), configuration: '{"addHeaders":[{"name":"X-Ran-Text","value":"1"}]}' }] },
      ],
    },
    ran: 'text',
  },
  'consumers with a tag of this gateway': {
    api: { flows: [flow('/', 'inner', { consumers: [{ consumerType: 'TAG', consumerId: 'inner' }] })] },
    ran: 'inner',
  },
  'consumers with another tag': {
    api: { flows: [flow('/', 'outer', { consumers: [{ consumerType: 'TAG', consumerId: 'outer' }] })] },
    ran: '',
  },
  'what the reference cannot read of flows is left out alone': {
    api: {
      flows: [{ 'path-operator': { operator: 'MATCHES' }, pre: [mark('broken')] }, { pre: [mark('whole')] }],
    },
    ran: 'whole',
  },
  'post runs on the answer': {
    api: { flows: [{ post: [mark('post')] }] },
    see: ({ headers }) => assert.equal(headers['x-ran-post'], 'yes'),
  },
  'a list of properties': {
    api: {
      properties: [{ key: 'region', value: 'coast' }],
      flows: [{ pre: [mark('p', "{#properties['region']}")] }],
    },
    see: (_, { headers }) => assert.equal(headers['x-ran-p'], 'coast'),
  },
  'a map of properties': {
    api: { properties: { region: 'coast' }, flows: [{ pre: [mark('p', "{#properties['region']}")] }] },
    see: (_, { headers }) => assert.equal(headers['x-ran-p'], 'coast'),
  },
  'path parameters': {
    api: {
      flows: [
        { 'path-operator': { path: '/piers/:pier' }, pre: [mark('p', "{#request.pathParams['pier'][0]}")] },
      ],
    },
    path: '/piers/north',
    see: (_, { headers }) => assert.equal(headers['x-ran-p'], 'north'),
  },
  'no version is the text undefined': {
    api: { flows: [{ pre: [mark('v', '{#api.version}')] }] },
    see: (_, { headers }) => assert.equal(headers['x-ran-v'], 'undefined'),
  },
  'version 1: the best path alone is chosen': {
    api: {
      ...old,
      paths: {
        '/': [{ 'transform-headers': header('REQUEST', 'X-Ran-Root', '1') }],
        '/a/:x': [{ 'transform-headers': header('REQUEST', 'X-Ran-Deep', '1') }],
      },
    },
    path: '/a/b/c',
    ran: 'deep',
  },
  'version 1: methods of a rule': {
    api: {
      ...old,
      paths: {
        '/': [
          { methods: ['GET'], 'transform-headers': header('REQUEST', 'X-Ran-Get', '1') },
          { methods: ['PUT'], 'transform-headers': header('REQUEST', 'X-Ran-Put', '1') },
          { methods: ['GET', 'PUT'], 'transform-headers': header('REQUEST', 'X-Ran-Both', '1') },
        ],
      },
    },
    options: { method: 'PUT' },
    ran: 'both put',
  },
  'version 1: answers pass the rules in the opposite order': {
    api: {
      ...old,
      paths: {
        '/': [
          { 'transform-headers': header('RESPONSE', 'X-Last', 'first') },
          { 'transform-headers': header('RESPONSE', 'X-Last', 'second') },
        ],
      },
    },
    see: ({ headers }) => assert.equal(headers['x-last'], 'first'),
  },
  'version 1: rules of a plan': {
    api: {
      ...old,
      paths: { '/': [] },
      plans: [{ ...open, paths: { '/': [{ 'transform-headers': header('REQUEST', 'X-Ran-Plan', '1') }] } }],
    },
    ran: 'plan',
  },
};

test('flows of version 2 and rules of version 1 run as they did', (t) => seeRows(t, rows));
