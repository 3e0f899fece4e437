import { endpoint, group, listener, shared, step, flow } from '../pieces.ts';
import type { Got, Json, Row, RowPlace, Subject } from '../row.ts';

const http =
  (of: Json, url: (place: RowPlace) => string = ({ targets }) => targets[0]) =>
  (place: RowPlace) =>
    shared(url(place), { http: of });
const http2 = (of: Json = {}) => http({ version: 'HTTP_2', ...of }, (place) => place.http2);
const ssl = (of: (place: RowPlace) => Json) => (place: RowPlace) => shared(place.tls, { ssl: of(place) });
const at = (url: string): Json => ({ type: 'HTTP', host: '127.0.0.1', port: Number(new URL(url).port) });
const viaTunnel = ({ proxyPort }: RowPlace): Json => ({
  proxy: { enabled: true, type: 'HTTP', host: '127.0.0.1', port: proxyPort },
});
const inHttp2: Got = { status: 200, asked: { backend: 'http2', version: '2.0' } };
const overTls: Got = { status: 200, asked: { backend: 'tls' } };
const untrusted: Got = { status: 502, asked: false };
const slow = { afterMs: 300 };
const isSlow = (more: Json = {}) =>
  http({ maxConcurrentConnections: 1, readTimeout: 5_000, connectTimeout: 5_000, ...more });
const grpcOnly = { version: '2', because: 'gRPC is spoken in HTTP/2 alone' } as const;
const grpc = { headers: { 'content-type': 'application/grpc', te: 'trailers' }, method: 'POST', body: 'x' };

const rows: readonly Row[] = [
  // HTTP/2 to the backend
  { says: 'version HTTP_2 is spoken to the backend', api: http2(), exchanges: [{}, inHttp2] },
  {
    says: 'version HTTP_1_1 is spoken to the backend where nothing is said',
    exchanges: [{}, { asked: { version: '1.1' } }],
  },
  {
    says: 'version HTTP_2 over TLS is agreed on with the backend',
    api: (place) => shared(place.tls, { http: { version: 'HTTP_2' }, ssl: { trustAll: true } }),
    exchanges: [{}, { status: 200, asked: { backend: 'tls', version: '2.0' } }],
  },
  {
    says: 'clearTextUpgrade changes nothing: HTTP/2 in clear text is spoken from the first byte',
    api: http2({ clearTextUpgrade: true }),
    exchanges: [{}, inHttp2],
  },
  {
    says: 'http2MultiplexingLimit lets requests over it wait for another connection, and all are answered',
    api: http2({ http2MultiplexingLimit: 1 }),
    backend: { afterMs: 50 },
    exchanges: [[{}, {}, {}], { statuses: [200, 200, 200] }],
  },
  {
    says: 'windows and frames of HTTP/2 may have other sizes',
    api: http2({
      http2ConnectionWindowSize: 1_000_000,
      http2StreamWindowSize: 100_000,
      http2MaxFrameSize: 20_000,
    }),
    backend: { body: 'x'.repeat(200_000) },
    exchanges: [{}, { ...inHttp2, body: /^x{200000}$/ }],
  },
  {
    says: 'gRPC goes out in HTTP/2 to a target that says nothing of it',
    over: grpcOnly,
    api: (place) => group([endpoint('one', place.http2)]),
    exchanges: [grpc, { status: 200, asked: { version: '2.0', headers: { te: 'trailers' } } }],
  },
  {
    says: 'gRPC goes out in HTTP/2 to a target with version HTTP_1_1 too',
    over: grpcOnly,
    api: http({ version: 'HTTP_1_1' }, (place) => place.http2),
    exchanges: [grpc, { status: 200, asked: { version: '2.0' } }],
  },
  {
    says: 'a subtype of gRPC is gRPC, another type is not',
    over: grpcOnly,
    api: (place) =>
      group([
        endpoint(
          'one',
          '{#request.headers["x-grpc"] != null ? "HTTP2" : "HTTP1"}'
            .replace('HTTP2', place.http2)
            .replace('HTTP1', place.targets[0]),
        ),
      ]),
    exchanges: [
      [
        { ...grpc, headers: { 'content-type': 'application/grpc+proto', 'x-grpc': '1' } },
        { asked: { version: '2.0' } },
      ],
      [
        { ...grpc, headers: { 'content-type': 'application/json' } },
        { asked: { version: '1.1', backend: 0 } },
      ],
    ],
  },
  {
    says: 'the scheme grpc of a target is HTTP/2 in clear text',
    api: (place) => group([endpoint('one', place.http2.replace('http:', 'grpc:'))]),
    exchanges: [{}, inHttp2],
  },
  // TLS
  {
    says: 'a backend whose certificate nobody trusts is 502',
    api: (place) => group([endpoint('one', place.tls)]),
    exchanges: [{}, untrusted],
  },
  {
    says: 'trustAll asks for no certificate',
    api: ssl(() => ({ trustAll: true })),
    exchanges: [{}, overTls],
  },
  {
    says: 'trustStore holds who is trusted, as PEM',
    api: ssl(({ trust }) => ({ trustStore: { type: 'PEM', content: trust.ca } })),
    exchanges: [{}, overTls],
  },
  {
    says: 'trustStore may be a file',
    api: ssl(({ trust }) => ({ trustStore: { type: 'PEM', path: trust.files.ca } })),
    exchanges: [{}, overTls],
  },
  {
    says: 'trustStore may be a PKCS12 with its password',
    api: ssl(({ trust }) => ({
      trustStore: { type: 'PKCS12', content: trust.trustStore, password: trust.password },
    })),
    exchanges: [{}, overTls],
  },
  {
    says: 'hostnameVerifier holds the certificate against the host of the target',
    api: (place) =>
      shared(place.tls.replace('127.0.0.1', 'localhost'), {
        ssl: { hostnameVerifier: true, trustStore: { type: 'PEM', content: place.trust.ca } },
      }),
    exchanges: [{}, untrusted],
  },
  {
    says: 'hostnameVerifier: false takes a trusted certificate of another name',
    api: (place) =>
      shared(place.tls.replace('127.0.0.1', 'localhost'), {
        ssl: { hostnameVerifier: false, trustStore: { type: 'PEM', content: place.trust.ca } },
      }),
    exchanges: [{}, overTls],
  },
  {
    says: 'without a keyStore the backend sees no certificate',
    api: ssl(() => ({ trustAll: true })),
    exchanges: [{}, { asked: { certificate: undefined } }],
  },
  {
    says: 'keyStore is what the gateway shows, as PEM',
    api: ssl(({ trust }) => ({
      trustAll: true,
      keyStore: { type: 'PEM', certContent: trust.gateway.cert, keyContent: trust.gateway.key },
    })),
    exchanges: [{}, { asked: { certificate: 'gateway' } }],
  },
  {
    says: 'keyStore may be files',
    api: ssl(({ trust }) => ({
      trustAll: true,
      keyStore: { type: 'PEM', certPath: trust.files.cert, keyPath: trust.files.key },
    })),
    exchanges: [{}, { asked: { certificate: 'gateway' } }],
  },
  {
    says: 'keyStore may be a PKCS12 with its password',
    api: ssl(({ trust }) => ({
      trustAll: true,
      keyStore: {
        type: 'PKCS12',
        content: trust.keyStore,
        password: trust.password,
        keyPassword: trust.password,
      },
    })),
    exchanges: [{}, { asked: { certificate: 'gateway' } }],
  },
  {
    says: 'a PKCS12 may be a file',
    api: ssl(({ trust }) => ({
      trustAll: true,
      keyStore: { type: 'PKCS12', path: trust.files.keyStore, password: trust.password },
    })),
    exchanges: [{}, { asked: { certificate: 'gateway' } }],
  },
  {
    says: 'after a handshake that failed #error.cause is filled and #error.message empty',
    api: (place) => ({
      ...group([endpoint('one', place.tls)]),
      responseTemplates: {
        GATEWAY_CLIENT_TLS_HANDSHAKE_ERROR: {
          '*/*': { body: "{#error.cause.length() > 0} '{#error.message}' {#error.key}" },
        },
      },
    }),
    exchanges: [{}, { status: 502, body: "true '' GATEWAY_CLIENT_TLS_HANDSHAKE_ERROR" }],
  },
  {
    says: 'a backend that speaks no TLS fails the handshake',
    api: ({ targets }) => ({
      ...group([endpoint('one', targets[0].replace('http:', 'https:'))]),
      responseTemplates: { GATEWAY_CLIENT_TLS_HANDSHAKE_ERROR: { '*/*': { body: '{#error.cause}' } } },
    }),
    exchanges: [{}, { status: 502, body: /./, asked: false }],
  },
  {
    says: 'the parent key of a failed handshake is that of every connection',
    api: (place) => ({
      ...group([endpoint('one', place.tls)]),
      responseTemplates: {
        GATEWAY_CLIENT_CONNECTION_ERROR: { '*/*': { status: 503, body: '{#error.key}' } },
      },
    }),
    exchanges: [{}, { status: 503, body: 'GATEWAY_CLIENT_TLS_HANDSHAKE_ERROR' }],
  },
  // Proxies
  {
    says: 'a proxy on the way to a target of https is asked for a tunnel',
    api: (place) => shared(place.tls, { ...viaTunnel(place), ssl: { trustAll: true } }),
    exchanges: [{}, overTls],
  },
  {
    says: 'a proxy on the way to a target of http is asked with the whole URL, and is told who asks',
    api: ({ targets }) =>
      shared(targets[0], {
        proxy: { enabled: true, ...at(targets[1]), username: 'ann', password: 'secret' },
      }),
    exchanges: [
      { path: '/x' },
      {
        asked: {
          backend: 1,
          url: /^http:\/\/127\.0\.0\.1:\d+\/x$/,
          headers: { 'proxy-authorization': `Basic ${Buffer.from('ann:secret').toString('base64')}` },
        },
      },
    ],
  },
  {
    says: 'a proxy where nobody listens is 502',
    api: ({ targets }) => shared(targets[0], { proxy: { enabled: true, ...at(targets[3]) } }),
    exchanges: [{}, untrusted],
  },
  {
    says: 'useSystemProxy is what the environment says, and no proxy where it says nothing',
    api: ({ targets }) =>
      shared(targets[0], { proxy: { enabled: true, useSystemProxy: true, ...at(targets[3]) } }),
    exchanges: [{}, { status: 200, asked: { backend: 0 } }],
  },
  {
    says: 'enabled: false goes there directly',
    api: ({ targets }) => shared(targets[0], { proxy: { enabled: false, ...at(targets[3]) } }),
    exchanges: [{}, { status: 200 }],
  },
  {
    says: 'a proxy of type SOCKS5 is spoken to in SOCKS, which one of HTTP does not understand',
    api: ({ targets }) => shared(targets[0], { proxy: { enabled: true, ...at(targets[1]), type: 'SOCKS5' } }),
    exchanges: [{}, untrusted],
  },
  // Times
  {
    says: 'idleTimeout is the bound of silence where it is less than readTimeout',
    api: http({ idleTimeout: 100, readTimeout: 5_000 }),
    backend: { afterMs: 1_000 },
    exchanges: [{}, { status: 504 }],
  },
  {
    says: 'readTimeout 0 is no bound of its own',
    api: http({ readTimeout: 0 }),
    backend: slow,
    exchanges: [{}, { status: 200 }],
  },
  {
    says: 'keepAliveTimeout is how long a connection that is free is kept, and the next request has a new one',
    api: http({ keepAliveTimeout: 1 }),
    exchanges: [
      [{}, { status: 200 }],
      [{}, { status: 200 }],
    ],
  },
  // Pool
  {
    says: 'a full wait queue of none sheds with 503',
    api: isSlow({ maxWaitQueueSize: 0 }),
    backend: slow,
    exchanges: [[{}, {}, {}], { statuses: [200, 503, 503], asked: {} }],
  },
  {
    says: 'a wait queue of one holds one',
    api: isSlow({ maxWaitQueueSize: 1 }),
    backend: slow,
    exchanges: [[{}, {}, {}], { statuses: [200, 200, 503], asked: [{}, {}] }],
  },
  {
    says: 'a wait queue of null is without a bound',
    api: isSlow({ maxWaitQueueSize: null }),
    backend: { afterMs: 20 },
    exchanges: [Array.from({ length: 8 }, () => ({})), { statuses: Array.from({ length: 8 }, () => 200) }],
  },
  {
    says: 'a wait queue that is not said is without a bound',
    api: isSlow(),
    backend: { afterMs: 20 },
    exchanges: [Array.from({ length: 8 }, () => ({})), { statuses: Array.from({ length: 8 }, () => 200) }],
  },
  {
    says: 'a request that waits too long for a connection is 504',
    api: isSlow({ connectTimeout: 100 }),
    backend: slow,
    exchanges: [[{}, {}], { statuses: [200, 504], asked: {} }],
  },
  {
    says: 'a request that goes away while it waits never reaches the backend',
    api: isSlow(),
    backend: slow,
    exchanges: [
      [[{}, { goneAfterMs: 100 }], { statuses: [0, 200], asked: {} }],
      [{}, { status: 200, asked: {} }],
    ],
  },
  {
    says: 'a request that goes away while it is served makes room for the next',
    api: isSlow({ maxWaitQueueSize: 0 }),
    exchanges: [
      [{ goneAfterMs: 100, backend: { afterMs: 5_000 } }, { status: 0 }],
      [{}, { isAwaited: true, status: 200 }],
    ],
  },
  {
    says: 'who waited is served when the one before goes away',
    api: isSlow(),
    backend: [{ afterMs: 5_000 }, { status: 200 }],
    exchanges: [[{ goneAfterMs: 100 }, {}], { statuses: [0, 200], asked: [{}, {}] }],
  },
  // Redirects
  {
    says: 'a redirect of another method than GET goes to the caller where it would change it',
    api: http({ followRedirects: true }),
    backend: [{ status: 303, headers: { location: '/there' } }, { body: 'seen' }],
    exchanges: [
      { method: 'POST', body: 'x', path: '/here' },
      { asked: [{ method: 'POST' }, { method: 'GET', url: '/there' }] },
    ],
  },
  {
    says: 'a redirect to another backend is followed without the caller’s credentials',
    api: http({ followRedirects: true }),
    backend: [{ status: 302, headers: { location: 'http://localhost:1/' } }],
    exchanges: [{ headers: { authorization: 'Bearer secret' } }, { status: 502 }],
  },
  // Mapping of a path changes nothing of where it goes
  {
    says: 'pathMappings change nothing of what the backend is asked',
    api: ({ id }) => listener([{ path: `/${id}` }], { pathMappings: ['/orders/:id'] }),
    exchanges: [{ path: '/orders/7' }, { asked: { url: '/orders/7' } }],
  },
  {
    says: 'a query that dynamic routing writes goes before that of the request',
    api: ({ targets }) => ({
      flows: [
        flow('/', {
          request: [step('dynamic-routing', { rules: [{ pattern: '/.*', url: `${targets[0]}/e?x=1` }] })],
        }),
      ],
    }),
    exchanges: [{ path: '/a?y=2' }, { asked: { url: '/e?x=1&y=2' } }],
  },
];

/** How a gateway connects to backends. */
export const aboutConnections: Subject = { name: 'connections', rows };
