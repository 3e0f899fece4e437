import { endpoint, flow, group, listener, set, shared, step } from '../pieces.ts';
import type { Row, Subject } from '../row.ts';

const rows: readonly Row[] = [
  { says: 'the context path is stripped', exchanges: [{ path: '/a/b' }, { asked: { url: '/a/b' } }] },
  {
    says: 'the context path alone asks for the root',
    exchanges: [{ path: '' }, { asked: { url: '/' } }],
  },
  {
    says: 'a slash behind the context path is kept',
    api: ({ targets }) => group([endpoint('one', `${targets[0]}/endpoint`)]),
    exchanges: [{ path: '/' }, { asked: { url: '/endpoint/' } }],
  },
  {
    says: 'without that slash the target is asked as it is',
    api: ({ targets }) => group([endpoint('one', `${targets[0]}/endpoint`)]),
    exchanges: [{ path: '' }, { asked: { url: '/endpoint' } }],
  },
  {
    says: 'a slash at the end of the target is not doubled',
    api: ({ targets }) => group([endpoint('one', `${targets[0]}/endpoint/`)]),
    exchanges: [{ path: '/x' }, { asked: { url: '/endpoint/x' } }],
  },
  {
    says: 'a slash at the end of the target and one behind the context path are one',
    api: ({ targets }) => group([endpoint('one', `${targets[0]}/endpoint/`)]),
    exchanges: [
      [{ path: '/' }, { asked: { url: '/endpoint/' } }],
      [{ path: '/x/' }, { asked: { url: '/endpoint/x/' } }],
    ],
  },
  {
    says: 'two slashes that a caller sent stay',
    exchanges: [{ path: '/a//b' }, { asked: { url: '/a//b' } }],
  },
  {
    says: 'two slashes that dynamic routing makes stay',
    api: ({ targets }) => ({
      flows: [
        flow('/', {
          request: [step('dynamic-routing', { rules: [{ pattern: '/.*', url: `${targets[0]}//hello` }] })],
        }),
      ],
    }),
    exchanges: [{ path: '/x' }, { asked: { url: '//hello' } }],
  },
  {
    says: 'the query passes as it was sent',
    exchanges: [{ path: '/a?b=%20&c&d==&b=2&e=a+b' }, { asked: { url: '/a?b=%20&c&d==&b=2&e=a+b' } }],
  },
  { says: 'an empty query passes', exchanges: [{ path: '/a?' }, { asked: { url: /^\/a\??$/ } }] },
  {
    says: 'a query of the target stands before that of the request',
    api: ({ targets }) => group([endpoint('one', `${targets[0]}/e?x=1`)]),
    exchanges: [{ path: '?y=2' }, { asked: { url: '/e?x=1&y=2' } }],
  },
  {
    says: 'what is escaped in the path stays escaped',
    exchanges: [{ path: '/a%20b/%C3%A9/c%2Fd' }, { asked: { url: '/a%20b/%C3%A9/c%2Fd' } }],
  },
  {
    says: 'parameters of a segment are passed on',
    exchanges: [{ path: '/a;v=1/b' }, { asked: { url: '/a;v=1/b' } }],
  },
  {
    says: 'a reason phrase passes',
    over: { version: '1.1', because: 'answers of HTTP/2 have no reason phrase' },
    backend: { status: 200, reason: 'All is well' },
    exchanges: [{}, { status: 200, reason: 'All is well' }],
  },
  {
    says: 'a status without a name passes',
    backend: { status: 299, reason: 'Odd' },
    exchanges: [{}, { status: 299 }],
  },
  {
    says: 'a method that nobody knows passes',
    exchanges: [{ method: 'PROPFIND' }, { status: 200, asked: { method: 'PROPFIND' } }],
  },
  { says: 'TRACE passes', exchanges: [{ method: 'TRACE' }, { status: 200, asked: { method: 'TRACE' } }] },
  {
    says: 'each Set-Cookie is a line of its own',
    backend: { headers: { 'set-cookie': ['a=1', 'b=2; Path=/'] } },
    exchanges: [{}, { headers: { 'set-cookie': ['a=1', 'b=2; Path=/'] } }],
  },
  {
    says: 'an answer of the backend passes, whatever its status',
    backend: { status: 418, headers: { 'x-pot': 'tea' }, body: 'short and stout' },
    exchanges: [{}, { status: 418, headers: { 'x-pot': 'tea' }, body: 'short and stout' }],
  },
  {
    says: 'HEAD has the headers of the answer and no body',
    backend: { headers: { 'content-length': '7', 'x-a': '1' }, body: '' },
    exchanges: [
      { method: 'HEAD' },
      { status: 200, headers: { 'content-length': '7', 'x-a': '1' }, body: '', asked: { method: 'HEAD' } },
    ],
  },
  {
    says: 'a body reaches the backend as it is',
    exchanges: [
      { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } },
      { asked: { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } } },
    ],
  },
  {
    says: 'a context path ends at a segment',
    exchanges: [
      [{ path: '=/{id}x' }, { status: 404, asked: false }],
      [{ path: '=/{id}/x' }, { status: 200 }],
    ],
  },
  {
    says: 'the longest context path wins',
    api: ({ id, targets }) => ({
      ...listener([{ path: `/${id}` }, { path: `/${id}/deep` }]),
      ...group([endpoint('one', `${targets[0]}/e`)]),
    }),
    exchanges: [
      [{ path: '/deep/x' }, { asked: { url: '/e/x' } }],
      [{ path: '/deeper/x' }, { asked: { url: '/e/deeper/x' } }],
    ],
  },
  {
    says: 'a context path knows upper from lower case',
    api: ({ id }) => listener([{ path: `/${id}/Case` }]),
    exchanges: [
      [{ path: '/Case' }, { status: 200 }],
      [{ path: '/case' }, { status: 404 }],
    ],
  },
  {
    says: 'a context path may be written with a slash at its end',
    api: ({ id }) => listener([{ path: `/${id}/` }]),
    exchanges: [
      [{ path: '/a' }, { asked: { url: '/a' } }],
      [{ path: '' }, { status: 200 }],
    ],
  },
  {
    says: 'an API may have several context paths, and each is stripped',
    api: ({ id }) => listener([{ path: `/${id}` }, { path: `/${id}-too` }]),
    exchanges: [
      [{ path: '/a' }, { asked: { url: '/a' } }],
      [{ path: '=/{id}-too/b' }, { asked: { url: '/b' } }],
    ],
  },
  {
    says: 'a path of a host is served under that host alone, in any case and with any port',
    api: ({ id }) => listener([{ host: 'api.acme.test', path: `/${id}` }]),
    exchanges: [
      [{ headers: { host: 'api.acme.test' } }, { status: 200 }],
      [{ headers: { host: 'API.Acme.Test:8443' } }, { status: 200 }],
      [{ headers: { host: 'other.acme.test' } }, { status: 404, asked: false }],
    ],
  },
  {
    says: 'overrideAccess changes nothing of where an API is reached',
    api: ({ id }) => listener([{ host: 'api.acme.test', path: `/${id}`, overrideAccess: true }]),
    exchanges: [{ headers: { host: 'api.acme.test' } }, { status: 200 }],
  },
  {
    says: 'a path that no API has is 404 with the reference’s words',
    exchanges: [
      { path: '=/nobody-has-this' },
      { status: 404, body: 'No context-path matches the request URI.', asked: false },
    ],
  },
  {
    says: 'version 2 strips the context path although strip_context_path is false',
    file: ({ id, targets }) => ({
      id,
      name: id,
      version: '1',
      gravitee: '2.0.0',
      execution_mode: 'v4-emulation-engine',
      proxy: {
        virtual_hosts: [{ path: `/${id}` }],
        strip_context_path: false,
        groups: [{ name: 'default', endpoints: [{ name: 'one', target: `${targets[0]}/endpoint` }] }],
      },
      plans: { open: { id: 'open', name: 'Open', security: 'key_less', status: 'published' } },
    }),
    exchanges: [{ path: '/a/' }, { asked: { url: '/endpoint/a/' } }],
  },
  {
    says: 'Host at the backend is that of the target',
    exchanges: [{ headers: { host: 'api.acme.test' } }, { asked: { headers: { host: /^127\.0\.0\.1:/ } } }],
  },
  {
    says: 'propagateClientHost passes the caller’s Host',
    api: ({ targets }) => shared(targets[0], { http: { propagateClientHost: true } }),
    exchanges: [{ headers: { host: 'api.acme.test' } }, { asked: { headers: { host: 'api.acme.test' } } }],
  },
  {
    says: 'headers of the connection end at the gateway',
    over: { version: '1.1', because: 'HTTP/2 forbids them' },
    exchanges: [
      { headers: { connection: 'x-hop, close', 'x-hop': '1', 'x-stays': '2', te: 'gzip' } },
      { asked: { headers: { 'x-hop': undefined, 'x-stays': '2', te: undefined } } },
    ],
  },
  {
    says: 'a transaction and a request have ids, at the backend and in the answer',
    exchanges: [
      {},
      {
        headers: {
          'x-gravitee-transaction-id': /^[0-9a-f-]{36}$/,
          'x-gravitee-request-id': /^[0-9a-f-]{36}$/,
        },
        asked: {
          headers: {
            'x-gravitee-transaction-id': /^[0-9a-f-]{36}$/,
            'x-gravitee-request-id': /^[0-9a-f-]{36}$/,
          },
        },
      },
    ],
  },
  {
    says: 'a caller’s transaction id goes on',
    exchanges: [
      { headers: { 'x-gravitee-transaction-id': 'mine-1' } },
      {
        headers: { 'x-gravitee-transaction-id': 'mine-1' },
        asked: { headers: { 'x-gravitee-transaction-id': 'mine-1' } },
      },
    ],
  },
  {
    says: 'a header that a step sets is one line at the backend, whatever the caller sent',
    api: { flows: [flow('/', { request: [set('X-A', 'ours')] })] },
    exchanges: [{ headers: { 'x-a': ['1', '2'] } }, { asked: { headers: { 'x-a': 'ours' } } }],
  },
  {
    says: 'a null byte in the path is refused always',
    exchanges: [{ path: '/a%00b' }, { status: 400, asked: false }],
  },
  {
    says: 'rejectNullByte, which is true where requestValidation stands, refuses one in the query',
    api: ({ id }) => listener([{ path: `/${id}` }], { requestValidation: {} }),
    exchanges: [
      [{ path: '/a?b=%00' }, { status: 400, asked: false }],
      [{ path: '/a?b=0' }, { status: 200 }],
    ],
  },
  {
    says: 'rejectNullByte: false lets a null byte pass in the query',
    api: ({ id }) => listener([{ path: `/${id}` }], { requestValidation: { rejectNullByte: false } }),
    exchanges: [{ path: '/a?b=%00' }, { status: 200, asked: { url: '/a?b=%00' } }],
  },
];

/** What APIs do, about paths. */
export const aboutPaths: Subject = { name: 'paths', rows };
