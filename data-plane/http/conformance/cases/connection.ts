import {
  get,
  getTarget,
  passes,
  passesAndCloses,
  post,
  postChunked,
  requestCases,
  type ForwardedRequest,
} from './request-case.ts';

const plain = getTarget('/b');
const b: ForwardedRequest = { method: 'GET', path: '/b' };
const old = (lines: string): string => `GET / HTTP/1.0\r\nHost: h\r\n${lines}\r\n`;
const both = (first: ForwardedRequest) => ({ forwarded: [first, b] });

/** Which connection lives on, and where one request ends and the next begins. */
export const connectionCases = [
  ...requestCases('RFC 9112 9.3', [
    ['HTTP/1.1 keeps its connection', getTarget('/kept'), passes()],
    ['Connection: close', get('Connection: close\r\n'), passesAndCloses()],
    ['Connection: Close', get('Connection: Close\r\n'), passesAndCloses()],
    ['Connection: keep-alive, close', get('Connection: keep-alive, close\r\n'), passesAndCloses()],
    ['close among names', get('Connection: x,\t close ,y\r\n'), passesAndCloses()],
    ['close in a second line', get('Connection: x\r\nConnection: close\r\n'), passesAndCloses()],
    ['closed is not close', get('Connection: closed\r\n'), passes()],
    ['Connection: keep-alive', get('Connection: keep-alive\r\n'), passes({ fields: { connection: [] } })],
    ['close behind a byte that only looks blank is not close', get('Connection: \xa0close\r\n'), passes()],
    [
      'HTTP/1.0 with keep-alive before a byte that only looks blank closes',
      old('Connection: keep-alive\xa0\r\n'),
      passesAndCloses(),
    ],
    ['an empty Connection', get('Connection:\r\n'), passes()],
    [
      'close with a body',
      post('Connection: close\r\nContent-Length: 5\r\n', 'hello'),
      passesAndCloses({ body: 'hello' }),
    ],
    ['HTTP/1.0 closes', old(''), passesAndCloses({ version: '1.0' })],
    ['HTTP/1.0 with keep-alive stays', old('Connection: keep-alive\r\n'), passes({ version: '1.0' })],
    ['HTTP/1.0 with Keep-Alive stays', old('Connection: Keep-Alive\r\n'), passes({ version: '1.0' })],
    [
      'HTTP/1.0 with keep-alive and close closes',
      old('Connection: keep-alive, close\r\n'),
      passesAndCloses(),
    ],
    ['HTTP/1.0 with another option closes', old('Connection: x\r\n'), passesAndCloses()],
    ['HTTP/1.0 with the field Keep-Alive only closes', old('Keep-Alive: timeout=5\r\n'), passesAndCloses()],
    [
      'HTTP/1.0 with a body',
      'POST / HTTP/1.0\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello',
      passesAndCloses({ body: 'hello' }),
    ],
    [
      'HTTP/1.0 with a body and keep-alive',
      'POST / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello',
      passes({ body: 'hello' }),
    ],
    [
      'HTTP/1.0 in absolute-form',
      'GET http://h/a HTTP/1.0\r\nHost: h\r\n\r\n',
      passesAndCloses({ path: '/a' }),
    ],
    ['what follows a close is for nobody', `${get('Connection: close\r\n')}${plain}`, passesAndCloses()],
    ['what follows HTTP/1.0 is for nobody', `${old('')}${plain}`, passesAndCloses()],
    [
      'what follows a close is not even judged',
      `${get('Connection: close\r\n')}@\r\n\r\n`,
      passesAndCloses(),
    ],
  ]),
  ...requestCases('RFC 9112 9.3.2', [
    ['two requests', `${get('')}${plain}`, both({ path: '/' })],
    [
      'three requests',
      `${get('')}${getTarget('/a')}${plain}`,
      { forwarded: [{ path: '/' }, { path: '/a' }, b] },
    ],
    [
      'eight requests',
      Array.from({ length: 8 }, (_, at) => getTarget(`/${at}`)).join(''),
      { forwarded: Array.from({ length: 8 }, (_, at) => ({ path: `/${at}` })) },
    ],
    ['a body and a request', `${post('Content-Length: 5\r\n', 'hello')}${plain}`, both({ body: 'hello' })],
    [
      'a body of zero bytes and a request',
      `${post('Content-Length: 0\r\n', '')}${plain}`,
      both({ body: '' }),
    ],
    [
      'a chunked body and a request',
      `${postChunked('5\r\nhello\r\n0\r\n\r\n')}${plain}`,
      both({ body: 'hello' }),
    ],
    [
      'a chunked body with trailers and a request',
      `${postChunked('5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n')}${plain}`,
      both({ body: 'hello', trailers: ['X-T: 1'] }),
    ],
    [
      'two bodies',
      `${post('Content-Length: 5\r\n', 'hello')}${postChunked('5\r\nworld\r\n0\r\n\r\n')}`,
      { forwarded: [{ body: 'hello' }, { body: 'world' }] },
    ],
    ['a HEAD and a request', `HEAD / HTTP/1.1\r\nHost: h\r\n\r\n${plain}`, both({ method: 'HEAD' })],
    [
      'different methods',
      `DELETE /a HTTP/1.1\r\nHost: h\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n${plain}`,
      { forwarded: [{ method: 'DELETE' }, { path: '*' }, b] },
    ],
    [
      'different hosts',
      `GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: b\r\n\r\n`,
      { forwarded: [{ host: 'a' }, { host: 'b' }] },
    ],
    [
      'a request and one that closes',
      `${get('')}GET /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`,
      { forwarded: [{ path: '/' }, b], connection: 'closed' },
    ],
    ['a request and half another', `${get('')}GET /b HTTP/1.1\r\nHo`, { unfinished: true, after: 1 }],
    [
      'a request and a bad one',
      `${get('')}GET /\\ HTTP/1.1\r\nHost: h\r\n\r\n`,
      { refused: 'target-character', after: 1 },
    ],
    [
      'two requests and one without Host',
      `${get('')}${plain}GET / HTTP/1.1\r\n\r\n`,
      { refused: 'host-missing', after: 2 },
    ],
    ['a bad request and a good one', `GET / HTTP/1.1\r\n\r\n${plain}`, 'host-missing'],
    [
      'a bad request, a good one, a bad one',
      `GET /\\ HTTP/1.1\r\nHost: h\r\n\r\n${plain}GET / HTTP/1.1\r\n\r\n`,
      'target-character',
    ],
    [
      'a request, then CONNECT',
      `${get('')}CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n`,
      { refused: 'connect', after: 1 },
    ],
  ]),
  ...requestCases('RFC 9112 2.2', [
    ['one empty line between requests', `${get('')}\r\n${plain}`, both({ path: '/' })],
    ['two empty lines between requests', `${get('')}\r\n\r\n${plain}`, { refused: 'empty-line', after: 1 }],
    ['CRLF behind a body', `${post('Content-Length: 5\r\n', 'hello')}\r\n${plain}`, both({ body: 'hello' })],
    [
      'two CRLF behind a body',
      `${post('Content-Length: 5\r\n', 'hello')}\r\n\r\n${plain}`,
      { refused: 'empty-line', after: 1 },
    ],
    ['CRLF behind chunks', `${postChunked('0\r\n\r\n')}\r\n${plain}`, both({ body: '' })],
    ['a bare LF between requests', `${get('')}\n${plain}`, { refused: 'line-ending', after: 1 }],
    ['a bare CR between requests', `${get('')}\r${plain}`, { refused: 'line-ending', after: 1 }],
    ['a space between requests', `${get('')} ${plain}`, { refused: 'method', after: 1 }],
    ['a null byte between requests', `${get('')}\x00${plain}`, { refused: 'method', after: 1 }],
  ]),
  ...requestCases('RFC 9112 11.2', [
    [
      'a request inside a body is not one',
      `${post(`Content-Length: ${plain.length}\r\n`, plain)}${plain}`,
      both({ body: plain }),
    ],
    [
      'a request inside a chunk is not one',
      `${postChunked(`${plain.length.toString(16)}\r\n${plain}\r\n0\r\n\r\n`)}${plain}`,
      both({ body: plain }),
    ],
    [
      'a request inside the body of a GET is not one',
      `GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: ${plain.length}\r\n\r\n${plain}`,
      passes({ path: '/a', body: plain }),
    ],
    [
      'a request inside the body of an OPTIONS * is not one',
      `OPTIONS * HTTP/1.1\r\nHost: h\r\nContent-Length: ${plain.length}\r\n\r\n${plain}`,
      passes({ path: '*', body: plain }),
    ],
    ['a request inside a header is not one', get(`X: ${plain.split('\r\n')[0] ?? ''}\r\n`), passes()],
    [
      'a body longer than said is a bad request',
      `${post('Content-Length: 5\r\n', 'hello@@')}\r\n\r\n`,
      { refused: 'method', after: 1 },
    ],
    [
      'a body without a length is a bad request',
      `${post('', 'a=1&b=2')}\r\n\r\n`,
      { refused: 'method', after: 1 },
    ],
    [
      'a body without a length that is a request is one',
      `${post('', '')}${plain}`,
      both({ method: 'POST', body: '' }),
    ],
    [
      'a length one short eats into nothing',
      `${post('Content-Length: 4\r\n', 'hello')}${plain}`,
      { forwarded: [{ body: 'hell' }, { method: 'oGET', path: '/b' }] },
    ],
    [
      'a length one long eats the next request',
      `${post('Content-Length: 6\r\n', 'hello')}${plain}`,
      { forwarded: [{ body: 'helloG' }, { method: 'ET', path: '/b' }] },
    ],
    [
      'chunks behind a length are a bad request',
      `${post('Content-Length: 0\r\n', '5\r\nhello\r\n0\r\n\r\n')}`,
      { refused: 'request-line', after: 1 },
    ],
    ['what follows the last chunk is a request', `${postChunked('0\r\n\r\n')}${plain}`, both({ body: '' })],
    [
      'what follows both framings is nothing',
      `${post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')}${plain}`,
      'content-length-and-transfer-encoding',
    ],
    [
      'what follows two lengths is nothing',
      `${post('Content-Length: 5\r\nContent-Length: 0\r\n', 'hello')}${plain}`,
      'content-length-repeated',
    ],
    [
      'what follows an obfuscated coding is nothing',
      `${post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n')}${plain}`,
      'transfer-encoding',
    ],
    [
      'what follows a bad chunk is nothing',
      `${postChunked('5\r\nhello!\r\n0\r\n\r\n')}${plain}`,
      { broken: 'chunk-data' },
    ],
    ['what follows a bad size is nothing', `${postChunked('x\r\n')}${plain}`, { broken: 'chunk-size' }],
    [
      'what follows a forbidden trailer is nothing',
      `${postChunked('0\r\nContent-Length: 5\r\n\r\n')}${plain}`,
      { broken: 'trailer-field' },
    ],
    [
      'a bad chunk behind a good request',
      `${get('')}${postChunked('x\r\n')}${plain}`,
      { broken: 'chunk-size', after: 1 },
    ],
    [
      'a smuggled prefix behind Content_Length is nothing',
      `${post('Content_Length: 5\r\n', 'hello')}${plain}`,
      'header-alias',
    ],
    [
      'a smuggled prefix behind a folded coding is nothing',
      `${post('Transfer-Encoding:\r\n\tchunked\r\n', '0\r\n\r\n')}${plain}`,
      'obs-fold',
    ],
    [
      'a smuggled prefix behind HTTP/1.0 with chunked is nothing',
      `POST / HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${plain}`,
      'transfer-encoding-version',
    ],
  ]),
];
