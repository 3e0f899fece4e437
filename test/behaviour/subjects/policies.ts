import { flow, set, show, step } from '../pieces.ts';
import type { Row, Subject } from '../row.ts';

type Json = Readonly<Record<string, unknown>>;
const asked = (...steps: readonly Json[]) => ({ flows: [flow('/', { request: steps })] });
const answered = (...steps: readonly Json[]) => ({ flows: [flow('/', { response: steps })] });
const headers = (of: Json) => step('transform-headers', of);
const query = (of: Json) => step('transform-queryparams', of);
const attribute = (name: string, value: string) =>
  step('policy-assign-attributes', { attributes: [{ name, value }] });
const value = (expression: string) => asked(show('X-Value', expression));
const isValue = (text: string) => ({ asked: { headers: { 'x-value': text } } });

const rows: readonly Row[] = [
  // transform-headers
  {
    says: 'transform-headers removes',
    api: asked(headers({ removeHeaders: ['X-Gone', 'X-NOT-THERE'] })),
    exchanges: [
      { headers: { 'x-gone': '1', 'x-stays': '2' } },
      { asked: { headers: { 'x-gone': undefined, 'x-stays': '2' } } },
    ],
  },
  {
    says: 'transform-headers keeps those of whitelistHeaders alone',
    api: asked(headers({ whitelistHeaders: ['X-Stays'] })),
    exchanges: [
      { headers: { 'x-gone': '1', 'x-stays': '2' } },
      { asked: { headers: { 'x-gone': undefined, 'x-stays': '2' } } },
    ],
  },
  {
    says: 'an empty whitelist keeps all',
    api: asked(headers({ whitelistHeaders: [] })),
    exchanges: [{ headers: { 'x-a': '1' } }, { asked: { headers: { 'x-a': '1' } } }],
  },
  {
    says: 'set and then removed is gone',
    api: asked(headers({ removeHeaders: ['X-A'], addHeaders: [{ name: 'X-A', value: 'new' }] })),
    exchanges: [{ headers: { 'x-a': 'old' } }, { asked: { headers: { 'x-a': undefined } } }],
  },
  {
    says: 'a value that comes to nothing leaves the header as it is',
    api: asked(headers({ addHeaders: [{ name: 'X-A', value: "{#request.headers['nope']}" }] })),
    exchanges: [{ headers: { 'x-a': 'old' } }, { asked: { headers: { 'x-a': 'old' } } }],
  },
  {
    says: 'a value that fails is 500',
    api: asked(headers({ addHeaders: [{ name: 'X-A', value: "{#request.headers['nope'][0]}" }] })),
    exchanges: [{}, { status: 500, asked: false }],
  },
  {
    says: 'transform-headers changes the answer',
    api: answered(
      headers({ removeHeaders: ['Server'], addHeaders: [{ name: 'X-A', value: '{#response.status}' }] }),
    ),
    backend: { status: 201, headers: { server: 'secret' } },
    exchanges: [{}, { status: 201, headers: { server: undefined, 'x-a': '201' } }],
  },
  // transform-queryparams
  {
    says: 'transform-queryparams adds',
    api: asked(query({ addQueryParameters: [{ name: 'b', value: '{#request.method}' }] })),
    exchanges: [{ path: '/x?a=1' }, { asked: { url: '/x?a=1&b=GET' } }],
  },
  {
    says: 'transform-queryparams removes',
    api: asked(query({ removeQueryParameters: ['a'] })),
    exchanges: [{ path: '/x?a=1&b=2&a=3' }, { asked: { url: '/x?b=2' } }],
  },
  {
    says: 'clearAll leaves what is added alone',
    api: asked(query({ clearAll: true, addQueryParameters: [{ name: 'c', value: '3' }] })),
    exchanges: [{ path: '/x?a=1&b=2' }, { asked: { url: '/x?c=3' } }],
  },
  {
    says: 'what is added is written as it is but for what cannot stand in a query',
    api: asked(query({ addQueryParameters: [{ name: 'q', value: 'a b&c' }] })),
    exchanges: [{ path: '/x' }, { asked: { url: '/x?q=a%20b&c' } }],
  },
  // policy-assign-attributes
  {
    says: 'attributes are there for the steps after',
    api: asked(attribute('who', '{#request.method}-caller'), show('X-Who', "#context.attributes['who']")),
    exchanges: [{}, { asked: { headers: { 'x-who': 'GET-caller' } } }],
  },
  {
    says: 'attributes of the request are there for the answer',
    api: {
      flows: [
        flow('/', {
          request: [attribute('who', 'me')],
          response: [show('X-Who', "#context.attributes['who']")],
        }),
      ],
    },
    exchanges: [{}, { headers: { 'x-who': 'me' } }],
  },
  {
    says: 'an attribute whose value fails is left out, and the request goes on',
    api: asked(
      attribute('who', "{#request.headers['nope'][0]}"),
      show('X-Who', "#context.attributes['who'] ?: 'none'"),
    ),
    exchanges: [{}, { status: 200, asked: { headers: { 'x-who': 'none' } } }],
  },
  // policy-override-request-method
  {
    says: 'override-request-method asks the backend with another method',
    api: asked(step('policy-override-request-method', { method: 'PUT' })),
    exchanges: [{ method: 'POST', body: 'x' }, { asked: { method: 'PUT', body: 'x' } }],
  },
  {
    says: 'and a condition on the method after it sees the new one, or the old: the reference’s new one',
    api: asked(
      step('policy-override-request-method', { method: 'PUT' }),
      show('X-Method', '#request.method'),
    ),
    exchanges: [{}, { asked: { method: 'PUT' } }],
  },
  // policy-interrupt
  {
    says: 'interrupt has status 500 where none is said',
    api: asked(step('policy-interrupt', { errorKey: 'K', message: 'm' })),
    exchanges: [{}, { status: 500, body: 'm', asked: false }],
  },
  {
    says: 'the message of an interruption may be an expression',
    api: asked(
      step('policy-interrupt', { errorKey: 'K', message: 'no {#request.method} here', statusCode: 405 }),
    ),
    exchanges: [{}, { status: 405, body: 'no GET here' }],
  },
  // mock
  {
    says: 'mock has status 200 and no body where nothing is said',
    api: asked(step('mock')),
    exchanges: [{}, { status: 200, body: '', asked: false }],
  },
  {
    says: 'mock answers with headers and content, expressions in both',
    api: asked(
      step('mock', {
        status: '202',
        headers: [{ name: 'X-M', value: '{#request.method}' }],
        content: '{"path": "{#request.pathInfo}"}',
      }),
    ),
    exchanges: [{ path: '/a' }, { status: 202, headers: { 'x-m': 'GET' }, body: { path: '/a' } }],
  },
  {
    says: 'mock content that fails is 500',
    api: asked(step('mock', { content: "{#request.headers['nope'][0]}" })),
    exchanges: [{}, { status: 500, asked: false }],
  },
  // latency
  {
    says: 'latency lets the request go on afterwards',
    api: asked(step('latency', { time: 10 }), set('X-After', '1')),
    exchanges: [{}, { status: 200, asked: { headers: { 'x-after': '1' } } }],
  },
  {
    says: 'latency holds up the answer',
    api: answered(step('latency', { time: 10, timeUnit: 'MILLISECONDS' }), set('X-After', '1')),
    exchanges: [{}, { status: 200, headers: { 'x-after': '1' } }],
  },
  // rate-limit
  {
    says: 'rate-limit lets its number through and refuses the next with 429',
    api: asked(
      step('rate-limit', { addHeaders: true, rate: { limit: 2, periodTime: 1, periodTimeUnit: 'MINUTES' } }),
    ),
    exchanges: [
      [{}, { status: 200, headers: { 'x-rate-limit-limit': '2', 'x-rate-limit-remaining': '1' } }],
      [{}, { status: 200, headers: { 'x-rate-limit-remaining': '0' } }],
      [{}, { status: 429, asked: false, headers: { 'x-rate-limit-remaining': '0' } }],
    ],
  },
  {
    says: 'rate-limit says nothing in headers unless addHeaders',
    api: asked(step('rate-limit', { rate: { limit: 5, periodTime: 1, periodTimeUnit: 'MINUTES' } })),
    exchanges: [{}, { status: 200, headers: { 'x-rate-limit-limit': undefined } }],
  },
  {
    says: 'rate-limit counts by its key',
    api: asked(
      step('rate-limit', {
        rate: { limit: 1, periodTime: 1, periodTimeUnit: 'MINUTES', key: "{#request.params['who'][0]}" },
      }),
    ),
    exchanges: [
      [{ path: '?who=a' }, { status: 200 }],
      [{ path: '?who=b' }, { status: 200 }],
      [{ path: '?who=a' }, { status: 429 }],
    ],
  },
  {
    says: 'a dynamic limit counts where the fixed one is 0',
    api: asked(
      step('rate-limit', {
        rate: { limit: 0, dynamicLimit: '{(0 + 1)}', periodTime: 1, periodTimeUnit: 'MINUTES' },
      }),
    ),
    exchanges: [
      [{}, { status: 200 }],
      [{}, { status: 429 }],
    ],
  },
  {
    says: 'two limits of one flow count apart',
    api: asked(
      step('rate-limit', { rate: { limit: 2, periodTime: 1, periodTimeUnit: 'MINUTES' } }),
      step('rate-limit', { rate: { limit: 3, periodTime: 2, periodTimeUnit: 'MINUTES' } }),
    ),
    exchanges: [
      [{}, { status: 200 }],
      [{}, { status: 200 }],
      [{}, { status: 429 }],
    ],
  },
  // expressions
  {
    says: '#request.path has the context path',
    api: value('#request.path'),
    exchanges: [{ path: '/a' }, { asked: { headers: { 'x-value': /^\/policies-\d+\/a$/ } } }],
  },
  {
    says: '#request.pathInfo has not',
    api: value('#request.pathInfo'),
    exchanges: [{ path: '/a' }, isValue('/a')],
  },
  {
    says: '#request.contextPath ends with a slash',
    api: value('#request.contextPath'),
    exchanges: [{ path: '/a' }, { asked: { headers: { 'x-value': /^\/policies-\d+\/$/ } } }],
  },
  {
    says: '#request.uri has the query',
    api: value('#request.uri'),
    exchanges: [{ path: '/a?b=1' }, { asked: { headers: { 'x-value': /\/a\?b=1$/ } } }],
  },
  {
    says: '#request.params are decoded',
    api: value("#request.params['q'][0]"),
    exchanges: [{ path: '?q=a%20b+c' }, isValue('a b c')],
  },
  {
    says: '#request.headers ignore case',
    api: value("#request.headers['X-TENANT'][0]"),
    exchanges: [{ headers: { 'x-tenant': 'acme' } }, isValue('acme')],
  },
  {
    says: 'a header with several values is a text with commas',
    api: value("#request.headers['x-tag']"),
    exchanges: [{ headers: { 'x-tag': ['a', 'b'] } }, isValue('a,b')],
  },
  {
    says: '#request.method',
    api: value('#request.method'),
    exchanges: [{ method: 'DELETE' }, isValue('DELETE')],
  },
  { says: '#request.scheme', api: value('#request.scheme'), exchanges: [{}, isValue('http')] },
  {
    says: '#request.host',
    api: value('#request.host'),
    exchanges: [{ headers: { host: 'api.acme.test' } }, isValue('api.acme.test')],
  },
  {
    says: '#request.version of HTTP/1.1',
    over: { version: '1.1', because: 'the version is what is asked for' },
    api: value('#request.version'),
    exchanges: [{}, isValue('HTTP_1_1')],
  },
  {
    says: '#request.version of HTTP/2',
    over: { version: '2', because: 'the version is what is asked for' },
    api: value('#request.version'),
    exchanges: [{}, isValue('HTTP_2')],
  },
  {
    says: '#request.remoteAddress',
    api: value('#request.remoteAddress'),
    exchanges: [{}, isValue('127.0.0.1')],
  },
  {
    says: '#request.id is the id that the backend gets',
    api: value('#request.id'),
    exchanges: [{}, { asked: { headers: { 'x-value': /^[0-9a-f-]{36}$/ } } }],
  },
  {
    says: '#request.jsonContent',
    api: value('#request.jsonContent.a.b'),
    exchanges: [{ method: 'POST', body: '{"a":{"b":"c"}}' }, isValue('c')],
  },
  {
    says: '#request.xmlContent',
    api: value('#request.xmlContent.a.b'),
    exchanges: [{ method: 'POST', body: '<a><b>c</b></a>' }, isValue('c')],
  },
  {
    says: '#xpath',
    api: value("#xpath(#request.content, '//b')"),
    exchanges: [{ method: 'POST', body: '<a><b>c</b></a>' }, isValue('c')],
  },
  {
    says: '#jsonPath',
    api: value("#jsonPath(#request.content, '$.a[0]')"),
    exchanges: [{ method: 'POST', body: '{"a":["c"]}' }, isValue('c')],
  },
  {
    says: '#api.name and #api.version',
    api: value("#api.name + '/' + #api.version"),
    exchanges: [{}, { asked: { headers: { 'x-value': /^policies-\d+\/1\.0$/ } } }],
  },
  {
    says: '#properties, also by #api.properties',
    api: {
      ...value("#properties['a'] + #api.properties['a'] + #properties.a"),
      properties: [{ key: 'a', value: 'v' }],
    },
    exchanges: [{}, isValue('vvv')],
  },
  {
    says: 'a property may name another one',
    api: {
      ...value("#properties['a']"),
      properties: [
        { key: 'a', value: '{{b}}!' },
        { key: 'b', value: 'B' },
      ],
    },
    exchanges: [{}, isValue('B!')],
  },
  {
    says: '#dictionaries',
    api: value("#dictionaries['countries']['fr']"),
    exchanges: [{}, isValue('France')],
  },
  {
    says: '#node.shardingTags is a list',
    api: value('#node.shardingTags.size()'),
    exchanges: [{}, isValue('0')],
  },
  {
    says: '#subscription of a caller without a name has the address',
    api: value('#subscription.id'),
    exchanges: [{}, isValue('127.0.0.1')],
  },
];

/** What APIs do, about policies. */
export const aboutPolicies: Subject = { name: 'policies', rows };
