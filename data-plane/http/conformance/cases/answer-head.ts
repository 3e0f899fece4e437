import { answerCases, delivers, deliversOnce, ends, ok } from './answer-case.ts';

const empty = 'Content-Length: 0\r\n';
const started = (line: string): string => `${line}\r\n${empty}\r\n`;
const interim = (status: number): string => `HTTP/1.1 ${status} X\r\n\r\n`;
const controls = {
  'a null byte': '\x00',
  SOH: '\x01',
  'a vertical tab': '\x0b',
  'a form feed': '\x0c',
  ESC: '\x1b',
  DEL: '\x7f',
};
const heads = { limits: { headerBytesMax: 60, headersMax: 3 } } as const;
/** A field that, with an empty body, makes the section so many bytes long, without its empty line. */
const fieldFor = (bytes: number): string => `X: ${'a'.repeat(bytes - `${empty}X: \r\n`.length)}\r\n`;

/** Status lines, informational answers and fields of backends. */
export const answerHeadCases = [
  ...answerCases('RFC 9112 4', [
    ['200 OK', started('HTTP/1.1 200 OK'), delivers({ reason: 'OK' })],
    [
      'a reason of several words',
      started('HTTP/1.1 200 Very Well Then'),
      delivers({ reason: 'Very Well Then' }),
    ],
    [
      'a reason of marks',
      started('HTTP/1.1 404 "No" <such> thing; {x}'),
      delivers({ status: 404, reason: '"No" <such> thing; {x}' }),
    ],
    ['a reason of obs-text', started('HTTP/1.1 200 \xc9t\xe9'), delivers({ reason: '\xc9t\xe9' })],
    ['a reason with a tab', started('HTTP/1.1 200 A\tB'), delivers({ reason: 'A\tB' })],
    ['no reason, with its space', started('HTTP/1.1 200 '), delivers()],
    ['no reason, without its space', started('HTTP/1.1 200'), delivers()],
    ...[201, 226, 299, 300, 399, 400, 418, 451, 499, 500, 511, 599].map(
      (status) => [`status ${status}`, started(`HTTP/1.1 ${status} X`), delivers({ status })] as const,
    ),
    ...[
      '099',
      '000',
      '600',
      '999',
      '1000',
      '20',
      '2',
      '2000',
      '20x',
      'x00',
      '-20',
      '+20',
      '2.0',
      '0200',
      '',
      '\xb200',
    ].map(
      (status) =>
        [`no status: ${JSON.stringify(status)}`, started(`HTTP/1.1 ${status} OK`), 'status-line'] as const,
    ),
    ...[
      'http/1.1',
      'HTTP/1.2',
      'HTTP/2.0',
      'HTTP/0.9',
      'HTTP/1',
      'HTTP/11',
      'HTTP/1.',
      'HTTP/1.10',
      'HTTP 1.1',
      'HTTPS/1.1',
      'ICY',
      'XTTP/1.1',
      ' HTTP/1.1',
      '\xef\xbb\xbfHTTP/1.1',
    ].map(
      (version) =>
        [`no version: ${JSON.stringify(version)}`, started(`${version} 200 OK`), 'status-line'] as const,
    ),
    ['two spaces before the status', started('HTTP/1.1  200 OK'), 'status-line'],
    ['a tab before the status', started('HTTP/1.1\t200 OK'), 'status-line'],
    ['a tab behind the status', started('HTTP/1.1 200\tOK'), 'status-line'],
    ['a reason without its space', started('HTTP/1.1 200OK'), 'status-line'],
    ['an empty line before the status line', `\r\n${started('HTTP/1.1 200 OK')}`, 'status-line'],
    ['a body of text and no head', 'this is not HTTP at all\r\n\r\n', 'status-line'],
    ['a page and no head (HTTP/0.9)', '<html>hello</html>', 'status-line', ends],
    ['a request where an answer belongs', 'GET / HTTP/1.1\r\nHost: h\r\n\r\n', 'status-line'],
    ['a TLS alert', '\x15\x03\x01\x00\x02\x02\x0a', 'status-line'],
    ...Object.entries(controls).map(
      ([what, byte]) => [`${what} in the reason`, started(`HTTP/1.1 200 O${byte}K`), 'status-line'] as const,
    ),
  ]),
  ...answerCases('RFC 9112 8', [
    ['no byte', '', { failure: ['closed', 'reset'] }, { method: 'POST', ends: true }],
    ['half a status line', 'HTTP/1.1 20', { failure: ['closed', 'reset', 'invalidResponse'] }, ends],
    ['a status line', 'HTTP/1.1 200 OK\r\n', { failure: ['closed', 'reset', 'invalidResponse'] }, ends],
    [
      'half a head',
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n',
      { failure: ['closed', 'reset', 'invalidResponse'] },
      ends,
    ],
    [
      'an informational answer and no other',
      interim(100),
      { failure: ['closed', 'reset', 'invalidResponse'] },
      ends,
    ],
  ]),
  ...answerCases('RFC 9110 15.2', [
    [
      '100 before the answer',
      `${interim(100)}${ok(empty)}`,
      delivers({ fields: { 'content-length': ['0'] } }),
    ],
    ['102 before the answer', `${interim(102)}${ok(empty)}`, delivers()],
    [
      '103 with fields before the answer',
      `HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n${ok(empty)}`,
      delivers({ fields: { link: [] } }),
    ],
    ['199 before the answer', `${interim(199)}${ok(empty)}`, delivers()],
    ['100 without a reason', `HTTP/1.1 100\r\n\r\n${ok(empty)}`, delivers()],
    ['two informational answers', `${interim(100)}${interim(103)}${ok(empty)}`, delivers()],
    ['eight informational answers', `${interim(102).repeat(8)}${ok(empty)}`, delivers()],
    ['nine informational answers', `${interim(102).repeat(9)}${ok(empty)}`, 'informational-flood'],
    ['a flood of informational answers', interim(103).repeat(60), 'informational-flood'],
    ['an informational answer and nonsense', `${interim(100)}nonsense, nonsense\r\n\r\n`, 'status-line'],
    [
      'an informational answer with a bad field',
      `HTTP/1.1 103 X\r\nX A: 1\r\n\r\n${ok(empty)}`,
      'field-name',
    ],
    [
      'an informational answer before a body',
      `${interim(100)}${ok('Content-Length: 5\r\n', 'hello')}`,
      delivers({ body: 'hello' }),
    ],
    [
      '101 that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
      'switching-unasked',
    ],
    ['101 without Upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n', 'switching-unasked'],
    [
      '101 behind 100',
      `${interim(100)}HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n`,
      'switching-unasked',
    ],
  ]),
  ...answerCases('RFC 9110 5', [
    [
      'order, case and repetition of fields stay',
      ok(`X-b: 1\r\nx-A: 2\r\nX-B: 3\r\n${empty}`),
      delivers({ lines: ['X-b: 1', 'x-A: 2', 'X-B: 3'] }),
    ],
    [
      'every Set-Cookie stays',
      ok(`Set-Cookie: a=1; Path=/, x\r\nset-cookie: b=2\r\nSet-Cookie: a=1; Path=/, x\r\n${empty}`),
      delivers({ fields: { 'set-cookie': ['a=1; Path=/, x', 'b=2', 'a=1; Path=/, x'] } }),
    ],
    [
      'white space around a value goes',
      ok(`X-A: \t a \t \r\n${empty}`),
      delivers({ fields: { 'x-a': ['a'] } }),
    ],
    ['an empty value', ok(`X-A:\r\n${empty}`), delivers({ fields: { 'x-a': [''] } })],
    ['obs-text in a value', ok(`X-A: \xe9\xff\r\n${empty}`), delivers({ fields: { 'x-a': ['\xe9\xff'] } })],
    [
      'every mark of a token in a name',
      ok(`!#$%&'*+-.^_\`|~09: v\r\n${empty}`),
      delivers({ lines: ["!#$%&'*+-.^_`|~09: v"] }),
    ],
    [
      'an underscored name beside its twin is no matter of ours',
      ok(`X-A: 1\r\nX_A: 2\r\n${empty}`),
      delivers({ lines: ['X-A: 1', 'X_A: 2'] }),
    ],
    [
      'Date, Server and Via of the backend stay',
      ok(`Date: Tue, 15 Nov 1994 08:12:31 GMT\r\nServer: s\r\n${empty}`),
      delivers({ fields: { date: ['Tue, 15 Nov 1994 08:12:31 GMT'], server: ['s'] } }),
    ],
    ['a name of two words', ok(`X A: 1\r\n${empty}`), 'field-name'],
    ['a vertical tab before the colon', ok(`X-A\v: 1\r\n${empty}`), 'field-name'],
    ['blanks and no colon', ok(`X-A \t\r\n${empty}`), 'field-name'],
    ['an empty name', ok(`: 1\r\n${empty}`), 'field-name'],
    ['a line without a colon', ok(`X-A\r\n${empty}`), 'field-name'],
    ['obs-text in a name', ok(`X\xe9: 1\r\n${empty}`), 'field-name'],
    ['a null byte in a name', ok(`X\x00A: 1\r\n${empty}`), 'field-name'],
    ['a slash in a name', ok(`X/A: 1\r\n${empty}`), 'field-name'],
    ...Object.entries(controls).map(
      ([what, byte]) => [`${what} in a value`, ok(`X-A: a${byte}b\r\n${empty}`), 'field-value'] as const,
    ),
    ['a folded field', ok(`X-A: a\r\n b\r\n${empty}`), 'obs-fold'],
    ['a field folded with a tab', ok(`X-A: a\r\n\tb\r\n${empty}`), 'obs-fold'],
    ['the first field folded', ok(` X-A: a\r\n${empty}`), 'obs-fold'],
    ['a folded Transfer-Encoding', ok('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'), 'obs-fold'],
  ]),
  ...answerCases('RFC 9112 5.1: a proxy removes blanks before a colon from an answer', [
    ['a space before the colon', ok(`X-A : 1\r\n${empty}`), delivers({ lines: ['X-A: 1'] })],
    [
      'blanks before the colon',
      ok(`X-A \t :\t1\r\nX-B: 2\r\n${empty}`),
      delivers({ lines: ['X-A: 1', 'X-B: 2'] }),
    ],
    [
      'a space before the colon of Content-Length',
      ok('Content-Length : 5\r\n', 'hello'),
      delivers({ body: 'hello' }),
    ],
    [
      'a space before the colon of Transfer-Encoding',
      ok('Transfer-Encoding : chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'),
      delivers({ body: 'hello' }),
    ],
    [
      'a space before one of two lengths',
      ok('Content-Length: 5\r\nContent-Length : 6\r\n', 'hello'),
      'content-length-repeated',
    ],
    [
      'a field that Connection names, with a space before its colon',
      ok(`Connection: x-a\r\nX-A : 1\r\n${empty}`),
      delivers({ fields: { 'x-a': [] } }),
    ],
  ]),
  ...answerCases('RFC 9112 2.2', [
    ['the status line ends with a bare LF', `HTTP/1.1 200 OK\n${empty}\r\n`, 'line-ending'],
    ['the status line without a reason ends with a bare LF', `HTTP/1.1 200\n${empty}\r\n`, 'line-ending'],
    ['the status line holds a bare CR', `HTTP/1.1 200 O\rK\r\n${empty}\r\n`, 'line-ending'],
    ['the status line ends with CR CR LF', `HTTP/1.1 200 OK\r\r\n${empty}\r\n`, 'line-ending'],
    ['a field ends with a bare LF', ok(`X-A: a\n${empty}`), 'line-ending'],
    ['a field holds a bare CR', ok(`X-A: a\rSet-Cookie: evil=1\r\n${empty}`), 'line-ending'],
    ['a name holds a bare LF', ok(`X-A\nX-B: 1\r\n${empty}`), 'line-ending'],
    ['the head ends with a bare LF', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n', 'line-ending'],
    ['every line ends with a bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n', 'line-ending'],
  ]),
  ...answerCases('limits of an answer: settings headerBytesMax, headersMax', [
    ['a head at its bound', ok(`${fieldFor(60)}${empty}`), delivers(), heads],
    ['a head past its bound', ok(`${fieldFor(61)}${empty}`), 'headers-too-large', heads],
    ['a head without end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(40_000)}`, 'headers-too-large'],
    [
      'as many fields as there may be',
      ok(`X: 1\r\nX: 2\r\n${empty}`),
      delivers({ fields: { x: ['1', '2'] } }),
      heads,
    ],
    ['a field more', ok(`X: 1\r\nX: 2\r\nX: 3\r\n${empty}`), 'too-many-headers', heads],
    ['100 fields', ok(`${'X: 1\r\n'.repeat(99)}${empty}`), delivers()],
    ['101 fields', ok(`${'X: 1\r\n'.repeat(100)}${empty}`), 'too-many-headers'],
  ]),
  ...answerCases('RFC 9110 7.6.1', [
    [
      'a field that Connection names stays here',
      ok(`Connection: X-A\r\nX-A: 1\r\nX-B: 2\r\n${empty}`),
      delivers({ fields: { 'x-a': [], 'x-b': ['2'] } }),
    ],
    [
      'a field that Connection names in another case',
      ok(`X-A: 1\r\nConnection: x-b, x-a\r\nX-B: 2\r\n${empty}`),
      delivers({ fields: { 'x-a': [], 'x-b': [] } }),
    ],
    [
      'Connection cannot name the length away',
      ok('Connection: Content-Length\r\nContent-Length: 5\r\n', 'hello'),
      delivers({ body: 'hello' }),
    ],
    [
      'Connection cannot name chunked away',
      ok('Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'),
      delivers({ body: 'hello' }),
    ],
    [
      'Keep-Alive stays here',
      ok(`Keep-Alive: timeout=99\r\n${empty}`),
      delivers({ fields: { 'keep-alive': [] } }),
    ],
    [
      'Proxy-Connection stays here',
      ok(`Proxy-Connection: close\r\n${empty}`),
      delivers({ fields: { 'proxy-connection': [] } }),
    ],
    [
      'Upgrade that nobody asked for stays here',
      ok(`Connection: Upgrade\r\nUpgrade: h2c\r\n${empty}`),
      delivers({ fields: { upgrade: [] } }),
    ],
    ['TE stays here', ok(`TE: trailers\r\n${empty}`), delivers({ fields: { te: [] } })],
  ]),
  ...answerCases('RFC 9112 9.3', [
    ['Connection: close ends the reuse, not the client', ok(`Connection: close\r\n${empty}`), deliversOnce()],
    ['Connection: Close among others', ok(`Connection: x, Close\r\n${empty}`), deliversOnce()],
    ['Connection: keep-alive', ok(`Connection: keep-alive\r\n${empty}`), delivers()],
    ['HTTP/1.0 ends the reuse', `HTTP/1.0 200 OK\r\n${empty}\r\n`, deliversOnce()],
    ['HTTP/1.0 with keep-alive', `HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n${empty}\r\n`, delivers()],
    [
      'HTTP/1.0 with keep-alive and close',
      `HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\n${empty}\r\n`,
      deliversOnce(),
    ],
  ]),
];
