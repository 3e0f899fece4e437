import type { Got, Json, Row, Subject } from '../row.ts';
import { innerGateway, version2 } from './version-2.ts';

const mark = (name: string, value = 'yes'): Json => ({
  policy: 'transform-headers',
  configuration: { addHeaders: [{ name: `X-Ran-${name}`, value }] },
});
const flow = (path: string, name: string, changes: Json = {}): Json => ({
  'path-operator': { path, operator: 'STARTS_WITH' },
  pre: [mark(name)],
  ...changes,
});
const withFlows = (...flows: readonly Json[]) => version2({ api: { flows } });

const books = withFlows(
  flow('/', 'root'),
  flow('/books', 'books'),
  flow('/books/:id', 'book', { methods: ['GET', 'PUT'] }),
  flow('/books/:id/pages', 'pages', { 'path-operator': { path: '/books/:id/pages', operator: 'EQUALS' } }),
  flow('/books', 'off', { enabled: false }),
);
const flowsOfBooks = ['root', 'books', 'book', 'pages', 'off'];
/** These flows of the books ran, and no others. */
const ran = (...names: readonly string[]): Got => ({
  status: 200,
  asked: {
    headers: Object.fromEntries(
      flowsOfBooks.map((name) => [`x-ran-${name}`, names.includes(name) ? 'yes' : undefined]),
    ),
  },
});
const asked = (headers: NonNullable<Got['headers']>): Got => ({ status: 200, asked: { headers } });
const rule = (scope: string, name: string, value = 'yes'): Json => ({
  'transform-headers': { scope, addHeaders: [{ name, value }] },
});
/** An API of version 1: `paths` in place of flows. */
const version1 = (paths: Json, more: Json = {}) =>
  version2({ api: { gravitee: undefined, flows: undefined, paths, ...more } });
const ifGo = { condition: "{#request.headers['Go'] != null}" };

const rows: readonly Row[] = [
  {
    says: 'STARTS_WITH is a prefix of the text',
    file: books,
    exchanges: [{ path: '/booksellers' }, ran('books', 'root')],
  },
  {
    says: 'a parameter is one segment, and methods choose',
    file: books,
    exchanges: [
      [{ path: '/books/1/x' }, ran('book', 'books', 'root')],
      [{ path: '/books/1', method: 'DELETE' }, ran('books', 'root')],
    ],
  },
  {
    says: 'EQUALS takes a slash at the end',
    file: books,
    exchanges: [{ path: '/books/1/pages/' }, ran('book', 'books', 'pages', 'root')],
  },
  {
    says: 'EQUALS takes nothing below and nothing longer',
    file: books,
    exchanges: [
      [{ path: '/books/1/pages/2' }, ran('book', 'books', 'root')],
      [{ path: '/books/1/pagesX' }, ran('book', 'books', 'root')],
    ],
  },
  {
    says: 'flow_mode BEST_MATCH runs one flow',
    file: version2({
      api: {
        flow_mode: 'BEST_MATCH',
        flows: [flow('/', 'root'), flow('/books', 'books'), flow('/books/:id', 'book')],
      },
    }),
    exchanges: [{ path: '/books/1' }, ran('book')],
  },
  {
    says: 'a flow without a path takes everything',
    file: withFlows({ pre: [mark('all')] }),
    exchanges: [{ path: '/x' }, asked({ 'x-ran-all': 'yes' })],
  },
  {
    says: 'a flow runs where its condition holds',
    file: withFlows(flow('/', 'go', ifGo)),
    exchanges: [
      [{ headers: { go: '1' } }, asked({ 'x-ran-go': 'yes' })],
      [{}, asked({ 'x-ran-go': undefined })],
    ],
  },
  {
    says: 'a blank condition is none',
    file: withFlows(flow('/', 'blank', { condition: ' ' })),
    exchanges: [{}, asked({ 'x-ran-blank': 'yes' })],
  },
  {
    says: 'a step runs where its condition holds',
    file: withFlows({ pre: [mark('a'), { ...mark('b'), condition: "{#request.method == 'PUT'}" }] }),
    exchanges: [{}, asked({ 'x-ran-a': 'yes', 'x-ran-b': undefined })],
  },
  {
    says: 'a step that is off does not run',
    file: withFlows({ pre: [{ ...mark('off'), enabled: false }, mark('on')] }),
    exchanges: [{}, asked({ 'x-ran-on': 'yes', 'x-ran-off': undefined })],
  },
  {
    says: 'the configuration of a step may be a text',
    file: withFlows({
      pre: [
        {
          policy: 'transform-headers',
          configuration: '{"addHeaders":[{"name":"X-Ran-Text","value":"1"}]}',
        },
      ],
    }),
    exchanges: [{}, asked({ 'x-ran-text': '1' })],
  },
  {
    says: 'a flow whose consumers name a tag of this gateway runs, another does not',
    file: withFlows(
      flow('/', 'inner', { consumers: [{ consumerType: 'TAG', consumerId: 'inner' }] }),
      flow('/', 'outer', { consumers: [{ consumerType: 'TAG', consumerId: 'outer' }] }),
    ),
    exchanges: [{}, asked({ 'x-ran-inner': 'yes', 'x-ran-outer': undefined })],
  },
  {
    says: 'what the reference cannot read of flows is left out alone',
    file: withFlows(
      { 'path-operator': { operator: 'MATCHES' }, pre: [mark('broken')] },
      { pre: [mark('whole')] },
    ),
    exchanges: [{}, asked({ 'x-ran-whole': 'yes', 'x-ran-broken': undefined })],
  },
  {
    says: 'post runs on the answer',
    file: withFlows({ post: [mark('post')] }),
    exchanges: [
      {},
      { status: 200, headers: { 'x-ran-post': 'yes' }, asked: { headers: { 'x-ran-post': undefined } } },
    ],
  },
  {
    says: 'properties are a list, or a map',
    file: version2({
      api: { properties: { region: 'coast' }, flows: [{ pre: [mark('p', "{#properties['region']}")] }] },
    }),
    exchanges: [{}, asked({ 'x-ran-p': 'coast' })],
  },
  {
    says: 'path parameters are known',
    file: withFlows({
      'path-operator': { path: '/piers/:pier' },
      pre: [mark('p', "{#request.pathParams['pier'][0]}")],
    }),
    exchanges: [{ path: '/piers/north' }, asked({ 'x-ran-p': 'north' })],
  },
  {
    // The reference makes the word undefined of it, which nobody can have meant.
    says: 'no version is 1.0',
    file: withFlows({ pre: [mark('v', '{#api.version}')] }),
    exchanges: [{}, asked({ 'x-ran-v': '1.0' })],
  },
  {
    says: 'version 1: the best path alone is chosen',
    file: version1({ '/': [rule('REQUEST', 'X-Ran-Root')], '/a/:x': [rule('REQUEST', 'X-Ran-Deep')] }),
    exchanges: [{ path: '/a/b/c' }, asked({ 'x-ran-deep': 'yes', 'x-ran-root': undefined })],
  },
  {
    says: 'version 1: methods of a rule',
    file: version1({
      '/': [
        { methods: ['GET'], ...rule('REQUEST', 'X-Ran-Get') },
        { methods: ['PUT'], ...rule('REQUEST', 'X-Ran-Put') },
        { methods: ['GET', 'PUT'], ...rule('REQUEST', 'X-Ran-Both') },
      ],
    }),
    exchanges: [
      { method: 'PUT' },
      asked({ 'x-ran-get': undefined, 'x-ran-put': 'yes', 'x-ran-both': 'yes' }),
    ],
  },
  {
    says: 'version 1: answers pass the rules in the opposite order',
    file: version1({ '/': [rule('RESPONSE', 'X-Last', 'first'), rule('RESPONSE', 'X-Last', 'second')] }),
    exchanges: [{}, { status: 200, headers: { 'x-last': 'first' } }],
  },
  {
    says: 'version 1: rules of a plan run',
    file: version1(
      { '/': [] },
      {
        plans: [
          { id: 'open', name: 'Open', security: 'KEY_LESS', paths: { '/': [rule('REQUEST', 'X-Ran-Plan')] } },
        ],
      },
    ),
    exchanges: [{}, asked({ 'x-ran-plan': 'yes' })],
  },
];

/** What flows of version 2 and rules of version 1 do. */
export const aboutVersion2Flows: Subject = { name: 'flows of version 2', rows, gateway: innerGateway };
