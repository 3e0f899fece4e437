import {
  get,
  getTarget,
  passes,
  post,
  postChunked,
  requestCases,
  type RequestSettings,
} from './request-case.ts';

/** Small bounds, so that both sides of each are cut everywhere. */
const lines: RequestSettings = { limits: { requestLineBytesMax: 40 } };
const section: RequestSettings = { limits: { headerBytesMax: 60 } };
const count: RequestSettings = { limits: { headersMax: 4 } };
const body: RequestSettings = { limits: { bodyBytesMax: 8 } };
const trailers: RequestSettings = { limits: { headerBytesMax: 60, headersMax: 2 } };

/** A target that makes the request line so many bytes long, without its CRLF. */
const targetFor = (bytes: number): string => `/${'a'.repeat(bytes - 'GET / HTTP/1.1'.length)}`;
/** A field that, with `Host: h`, makes the section so many bytes long, without its empty line. */
const fieldsFor = (bytes: number): string => `X: ${'a'.repeat(bytes - 'Host: h\r\nX: \r\n'.length)}\r\n`;
const many = (lineCount: number): string => 'X: a\r\n'.repeat(lineCount);

/** Both sides of every bound. */
export const limitCases = [
  ...requestCases('RFC 9112 3, setting requestLineBytesMax', [
    ['a request line at its bound', getTarget(targetFor(40)), passes({ path: targetFor(40) }), lines],
    ['a request line past its bound', getTarget(targetFor(41)), 'request-line-too-long', lines],
    ['a request line far past its bound', getTarget(targetFor(400)), 'request-line-too-long', lines],
    [
      'a request line past its bound by its query',
      getTarget(`/?${'a'.repeat(60)}`),
      'request-line-too-long',
      lines,
    ],
    [
      'a method past the bound',
      `${'M'.repeat(60)} / HTTP/1.1\r\nHost: h\r\n\r\n`,
      'request-line-too-long',
      lines,
    ],
    ['a request line without end', `GET /${'a'.repeat(13_000)}`, 'request-line-too-long'],
    ['a fault before the bound counts', getTarget(`/\\${'a'.repeat(60)}`), 'target-character', lines],
    ['a request line of 8 KiB', getTarget(targetFor(8_192)), passes({ path: targetFor(8_192) })],
    ['a request line of 8 KiB and a byte', getTarget(targetFor(8_193)), 'request-line-too-long'],
  ]),
  ...requestCases('RFC 6585 5, setting headerBytesMax', [
    ['a header section at its bound', get(fieldsFor(60)), passes(), section],
    ['a header section past its bound', get(fieldsFor(61)), 'headers-too-large', section],
    ['a header section far past its bound', get(fieldsFor(600)), 'headers-too-large', section],
    [
      'a header section past its bound in a name',
      get(`${'n'.repeat(60)}: 1\r\n`),
      'headers-too-large',
      section,
    ],
    [
      'a header section past its bound in white space',
      get(`X:${' '.repeat(60)}1\r\n`),
      'headers-too-large',
      section,
    ],
    ['a header section past its bound by many lines', get(many(20)), 'headers-too-large', section],
    [
      'a header section without end',
      `GET / HTTP/1.1\r\nHost: h\r\nX: ${'a'.repeat(40_000)}`,
      'headers-too-large',
    ],
    ['a field fault before the bound counts', get(`X A: ${'a'.repeat(80)}\r\n`), 'field-name', section],
    ['a header section of 32 KiB', get(fieldsFor(32_768)), passes()],
    ['a header section of 32 KiB and a byte', get(fieldsFor(32_769)), 'headers-too-large'],
  ]),
  ...requestCases('RFC 6585 5, setting headersMax', [
    ['as many fields as there may be', get(many(3)), passes({ fields: { x: ['a', 'a', 'a'] } }), count],
    ['a field more', get(many(4)), 'too-many-headers', count],
    ['many fields more', get(many(40)), 'too-many-headers', count],
    ['a field too many that is none', get(`${many(3)}@\r\n`), 'too-many-headers', count],
    ['100 fields', get(many(99)), passes()],
    ['101 fields', get(many(100)), 'too-many-headers'],
  ]),
  ...requestCases('RFC 9110 15.5.14, setting bodyBytesMax', [
    ['a body at its bound', post('Content-Length: 8\r\n', '12345678'), passes({ body: '12345678' }), body],
    ['a body past its bound', post('Content-Length: 9\r\n', '123456789'), 'body-too-large', body],
    ['a body past its bound that does not come', post('Content-Length: 9\r\n', ''), 'body-too-large', body],
    ['a body far past its bound', post('Content-Length: 9007199254740991\r\n', ''), 'body-too-large', body],
    [
      'a body past its bound with Expect',
      post('Expect: 100-continue\r\nContent-Length: 9\r\n', ''),
      'body-too-large',
      body,
    ],
    [
      'a chunked body at its bound',
      postChunked('8\r\n12345678\r\n0\r\n\r\n'),
      passes({ body: '12345678' }),
      body,
    ],
    [
      'a chunked body at its bound in two chunks',
      postChunked('4\r\n1234\r\n4\r\n5678\r\n0\r\n\r\n'),
      passes({ body: '12345678' }),
      body,
    ],
    [
      'a chunk past the bound',
      postChunked('9\r\n123456789\r\n0\r\n\r\n'),
      { broken: 'body-too-large' },
      body,
    ],
    [
      'the second chunk past the bound',
      postChunked('8\r\n12345678\r\n1\r\n9\r\n0\r\n\r\n'),
      { broken: 'body-too-large' },
      body,
    ],
    [
      'a chunk that says it is past the bound and begins',
      postChunked('fffffffffffff\r\n123456789'),
      { broken: 'body-too-large' },
      body,
    ],
  ]),
  ...requestCases('RFC 6585 5, trailers', [
    [
      'as many trailers as there may be',
      postChunked('0\r\nX: 1\r\nX: 2\r\n\r\n'),
      passes({ trailers: ['X: 1', 'X: 2'] }),
      trailers,
    ],
    [
      'a trailer more',
      postChunked('0\r\nX: 1\r\nX: 2\r\nX: 3\r\n\r\n'),
      { broken: 'too-many-headers' },
      trailers,
    ],
    [
      'trailers at their bound',
      postChunked(`0\r\nX: ${'a'.repeat(55)}\r\n\r\n`),
      passes({ trailers: [`X: ${'a'.repeat(55)}`] }),
      trailers,
    ],
    [
      'trailers past their bound',
      postChunked(`0\r\nX: ${'a'.repeat(56)}\r\n\r\n`),
      { broken: 'headers-too-large' },
      trailers,
    ],
    [
      'trailers far past their bound',
      postChunked(`0\r\nX: ${'a'.repeat(560)}\r\n\r\n`),
      { broken: 'headers-too-large' },
      trailers,
    ],
  ]),
];
