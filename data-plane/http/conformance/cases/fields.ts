import { get, passes, passesAndCloses, post, postChunked, requestCases } from './request-case.ts';

const controls = {
  'a null byte': '\x00',
  SOH: '\x01',
  BEL: '\x07',
  BS: '\x08',
  'a vertical tab': '\x0b',
  'a form feed': '\x0c',
  ESC: '\x1b',
  'unit separator': '\x1f',
  DEL: '\x7f',
};
const separators = ['"', '(', ')', ',', '/', ';', '<', '=', '>', '?', '@', '[', '\\', ']', '{', '}'];
const value = (text: string) => passes({ fields: { 'x-a': [text] }, seen: { 'x-a': [text] } });
const crlfOnly = 'RFC 9112 2.2';

/** Field names, values, white space, line endings, aliases, and what the head's end judges. */
export const fieldCases = [
  ...requestCases('RFC 9110 5.1', [
    [
      'every mark of a token is a name',
      get("!#$%&'*+-.^_`|~09: v\r\n"),
      passes({ lines: ["!#$%&'*+-.^_`|~09: v"] }),
    ],
    [
      'order and case of names stay',
      get('X-b: 1\r\nx-A: 2\r\nX-B: 3\r\n'),
      passes({ lines: ['X-b: 1', 'x-A: 2', 'X-B: 3'], seen: { 'x-b': ['1', '3'] } }),
    ],
    [
      'a repeated line stays repeated',
      get('X-A: 1\r\nX-A: 1\r\n'),
      passes({ fields: { 'x-a': ['1', '1'] } }),
    ],
    ['a name of one letter', get('a: 1\r\n'), passes({ fields: { a: ['1'] } })],
    ['a name of a digit', get('1: 1\r\n'), passes({ fields: { 1: ['1'] } })],
    [
      'a name that an object has anyway',
      get('__proto__: 1\r\nconstructor: 2\r\ntoString: 3\r\n'),
      passes({ lines: ['__proto__: 1', 'constructor: 2', 'toString: 3'] }),
    ],
    ['a long name', get(`${'n'.repeat(100)}: 1\r\n`), passes({ fields: { ['n'.repeat(100)]: ['1'] } })],
    [
      'names that a known one begins with',
      get('Content-Lengthy: 1\r\nTransfer-Encodin: 2\r\nHos: 3\r\nHostt: 4\r\n'),
      passes({ lines: ['Content-Lengthy: 1', 'Transfer-Encodin: 2', 'Hos: 3', 'Hostt: 4'] }),
    ],
  ]),
  ...requestCases('RFC 9112 5.1', [
    ['a space before the colon', get('X-A : 1\r\n'), 'field-name'],
    ['a tab before the colon', get('X-A\t: 1\r\n'), 'field-name'],
    ['a space in a name', get('X A: 1\r\n'), 'field-name'],
    ['an empty name', get(': 1\r\n'), 'field-name'],
    ['a line without a colon', get('X-A\r\n'), 'field-name'],
    ['a line of a colon', get(':\r\n'), 'field-name'],
    ...separators.map((mark) => [`${mark} in a name`, get(`X${mark}A: 1\r\n`), 'field-name'] as const),
    ...Object.entries(controls).map(
      ([what, byte]) => [`${what} in a name`, get(`X${byte}A: 1\r\n`), 'field-name'] as const,
    ),
    ['obs-text in a name', get('X\xe9: 1\r\n'), 'field-name'],
    ['UTF-8 in a name', get('X\xc3\xa9: 1\r\n'), 'field-name'],
    ['a space before the colon of Host', 'GET / HTTP/1.1\r\nHost : h\r\n\r\n', 'field-name'],
    ['a space before the colon of Content-Length', post('Content-Length : 5\r\n', 'hello'), 'field-name'],
    [
      'a space before the colon of Transfer-Encoding',
      post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'),
      'field-name',
    ],
    [
      'a null byte in Transfer-Encoding',
      post('Transfer-\x00Encoding: chunked\r\n', '0\r\n\r\n'),
      'field-name',
    ],
  ]),
  ...requestCases('RFC 9110 5.5', [
    ['white space around a value goes', get('X-A: \t a \t \r\n'), value('a')],
    ['no white space before a value is needed', get('X-A:a\r\n'), value('a')],
    ['white space inside a value stays', get('X-A: a \t b\r\n'), value('a \t b')],
    ['an empty value', get('X-A:\r\n'), value('')],
    ['a value of white space is empty', get('X-A: \t \r\n'), value('')],
    ['obs-text in a value', get('X-A: \xe9\xff\x80\r\n'), value('\xe9\xff\x80')],
    ['UTF-8 in a value', get('X-A: \xe2\x82\xac\r\n'), value('\xe2\x82\xac')],
    ['colons in a value', get('X-A: a:b: c\r\n'), value('a:b: c')],
    ['a value of a colon', get('X-A::\r\n'), value(':')],
    ['commas and quotes in a value', get('X-A: "a, b", c;d=e\r\n'), value('"a, b", c;d=e')],
    ['an open quote in a value', get('X-A: "a\r\n'), value('"a')],
    ['a value that looks like a request', get('X-A: GET /b HTTP/1.1\r\n'), value('GET /b HTTP/1.1')],
    ['two cookies', get('Cookie: a=1\r\nCookie: b=2\r\n'), passes({ fields: { cookie: ['a=1', 'b=2'] } })],
    ...Object.entries(controls).map(
      ([what, byte]) => [`${what} in a value`, get(`X-A: a${byte}b\r\n`), 'field-value'] as const,
    ),
    ['a null byte as a value', get('X-A: \x00\r\n'), 'field-value'],
    ['a control byte at the end of a value', get('X-A: a\x01\r\n'), 'field-value'],
    ['a null byte in Host', 'GET / HTTP/1.1\r\nHost: h\x00.evil\r\n\r\n', 'field-value'],
  ]),
  ...requestCases('RFC 9112 5.2', [
    ['a folded line', get('X-A: a\r\n b\r\n'), 'obs-fold'],
    ['a line folded with a tab', get('X-A: a\r\n\tb\r\n'), 'obs-fold'],
    ['a fold of nothing', get('X-A: a\r\n \r\n'), 'obs-fold'],
    ['the first line is folded', 'GET / HTTP/1.1\r\n Host: h\r\n\r\n', 'obs-fold'],
    ['the first line begins with a tab', 'GET / HTTP/1.1\r\n\tHost: h\r\n\r\n', 'obs-fold'],
    ['a folded Transfer-Encoding', post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'), 'obs-fold'],
    [
      'a Transfer-Encoding hidden in a fold',
      post('X-A: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'),
      'obs-fold',
    ],
    ['a folded Host', 'GET / HTTP/1.1\r\nHost: h\r\n .evil\r\n\r\n', 'obs-fold'],
    ['a space before the empty line', 'GET / HTTP/1.1\r\nHost: h\r\n \r\n\r\n', 'obs-fold'],
  ]),
  ...requestCases(crlfOnly, [
    ['a field ends with a bare LF', get('X-A: a\nX-B: b\r\n'), 'line-ending'],
    ['a field ends with a bare CR', get('X-A: a\rX-B: b\r\n'), 'line-ending'],
    ['a field ends with CR CR LF', get('X-A: a\r\r\n'), 'line-ending'],
    ['a bare LF in a name', get('X-A\nB: b\r\n'), 'line-ending'],
    ['a bare CR in a name', get('X-A\rB: b\r\n'), 'line-ending'],
    ['a bare LF behind the colon', get('X-A:\nB: b\r\n'), 'line-ending'],
    ['a bare CR behind the colon', get('X-A: \rB: b\r\n'), 'line-ending'],
    ['the head ends with a bare LF', 'GET / HTTP/1.1\r\nHost: h\r\n\n', 'line-ending'],
    ['the head ends with two bare LF', 'GET / HTTP/1.1\r\nHost: h\n\n', 'line-ending'],
    ['the head ends with a bare CR', 'GET / HTTP/1.1\r\nHost: h\r\n\rX: 1\r\n\r\n', 'line-ending'],
    ['Host hidden behind a bare CR', 'GET / HTTP/1.1\r\nX-A: a\rHost: h\r\n\r\n', 'line-ending'],
    [
      'Transfer-Encoding hidden behind a bare LF',
      post('X-A: a\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
      'line-ending',
    ],
    [
      'Transfer-Encoding hidden behind a bare CR',
      post('X-A: a\rTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
      'line-ending',
    ],
  ]),
  ...requestCases('RFC 3875 4.1.18', [
    ['an underscored name beside its twin', get('X-A: 1\r\nX_A: 2\r\n'), 'header-alias'],
    ['an underscored name before its twin', get('X_A: 1\r\nX-A: 2\r\n'), 'header-alias'],
    ['an underscored name beside its twin in another case', get('x-a: 1\r\nX_A: 2\r\n'), 'header-alias'],
    [
      'an underscored name far from its twin',
      get('X_A: 1\r\nX-B: 2\r\nX-C: 3\r\nX-A: 4\r\n'),
      'header-alias',
    ],
    ['underscores in part beside the twin', get('X-A-B: 1\r\nX_A-B: 2\r\n'), 'header-alias'],
    [
      'a forged X_Forwarded_For',
      get('X-Forwarded-For: 1.2.3.4\r\nX_Forwarded_For: 5.6.7.8\r\n'),
      'header-alias',
    ],
    ['two spellings of one twin that is not there', get('X_A-B: 1\r\nX-A_B: 2\r\n'), 'header-alias'],
    ['a dotted name beside its twin', get('X-User: 1\r\nX.User: 2\r\n'), 'header-alias'],
    ['a dotted name beside an underscored one', get('X_User: 1\r\nX.User: 2\r\n'), 'header-alias'],
    ['every mark of a name beside the twin', get('X-A-B: 1\r\nX~A!B: 2\r\n'), 'header-alias'],
    ['Content.Length', post('Content.Length: 5\r\n', ''), 'header-alias'],
    ['a dotted name alone passes', get('X.A: 1\r\n'), passes({ lines: ['X.A: 1'] })],
    ['an underscored name alone passes', get('X_A: 1\r\n'), passes({ lines: ['X_A: 1'] })],
    [
      'an underscored name twice passes',
      get('X_A: 1\r\nX_A: 2\r\n'),
      passes({ lines: ['X_A: 1', 'X_A: 2'] }),
    ],
    [
      'underscored and dashed names that are no twins pass',
      get('X_A: 1\r\nX-B: 2\r\nXA: 3\r\n'),
      passes({ lines: ['X_A: 1', 'X-B: 2', 'XA: 3'] }),
    ],
    ['Content_Length', post('Content_Length: 5\r\n', ''), 'header-alias'],
    [
      'Content_Length beside Content-Length',
      post('Content-Length: 5\r\nContent_Length: 6\r\n', 'hello'),
      'header-alias',
    ],
    ['Transfer_Encoding', post('Transfer_Encoding: chunked\r\n', '0\r\n\r\n'), 'header-alias'],
    [
      'transfer_encoding beside Content-Length',
      post('Content-Length: 5\r\ntransfer_encoding: chunked\r\n', '0\r\n\r\n'),
      'header-alias',
    ],
    [
      'TRANSFER_ENCODING beside Transfer-Encoding',
      post('Transfer-Encoding: chunked\r\nTRANSFER_ENCODING: x\r\n', '0\r\n\r\n'),
      'header-alias',
    ],
  ]),
  ...requestCases('RFC 9110 11.6.2', [
    [
      'one Authorization',
      get('Authorization: Basic eA==\r\n'),
      passes({ fields: { authorization: ['Basic eA=='] } }),
    ],
    ['two Authorizations', get('Authorization: a\r\nAuthorization: b\r\n'), 'duplicate-authorization'],
    ['two equal Authorizations', get('Authorization: a\r\nAuthorization: a\r\n'), 'duplicate-authorization'],
    [
      'two Authorizations in two cases',
      get('authorization: a\r\nX-A: 1\r\nAUTHORIZATION: b\r\n'),
      'duplicate-authorization',
    ],
    [
      'two Proxy-Authorizations are not ours to judge',
      get('Proxy-Authorization: a\r\nProxy-Authorization: b\r\n'),
      passes(),
    ],
  ]),
  ...requestCases('RFC 9110 10.1.1', [
    [
      'Expect: 100-continue',
      post('Expect: 100-continue\r\nContent-Length: 2\r\n', 'ok'),
      passes({ body: 'ok', fields: { expect: [] } }),
    ],
    [
      'Expect: 100-Continue in another case',
      post('Expect: 100-CONTINUE\r\nContent-Length: 2\r\n', 'ok'),
      passes({ body: 'ok', fields: { expect: [] } }),
    ],
    [
      'Expect: 100-continue with a chunked body',
      post('Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n', '2\r\nok\r\n0\r\n\r\n'),
      passes({ body: 'ok' }),
    ],
    [
      'Expect: 100-continue without a body',
      get('Expect: 100-continue\r\n'),
      passes({ fields: { expect: [] } }),
    ],
    ...[
      '200-ok',
      '100',
      'continue',
      '100-continue, 200-ok',
      '100-continue;x',
      '100-continued',
      '100 continue',
      '',
    ].map(
      (expectation) =>
        [
          `Expect: ${expectation === '' ? 'nothing' : expectation}`,
          post(`Expect: ${expectation}\r\nContent-Length: 2\r\n`, 'ok'),
          'expectation',
        ] as const,
    ),
    [
      'Expect: 100-continue of HTTP/1.0 is ignored',
      'POST / HTTP/1.0\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok',
      passesAndCloses({ body: 'ok' }),
    ],
    [
      'two different Expects',
      post('Expect: 100-continue\r\nExpect: x\r\nContent-Length: 2\r\n', 'ok'),
      'expectation',
    ],
  ]),
  ...requestCases('order of judgement: first byte first', [
    ['a bad name before a bad value', get('X A: a\x00\r\n'), 'field-name'],
    ['a bad value before a bad name', get('X-A: a\x00\r\nX A: 1\r\n'), 'field-value'],
    ['a bad target before a bad version', 'GET /\\ HTTP/9\r\n\r\n', 'target-character'],
    ['a bad method before a bad target', 'G@T /\\ HTTP/9\r\n\r\n', 'method'],
    ['a bad version before a bad field', 'GET / HTTP/9\r\nX A: 1\r\n\r\n', 'version'],
    ['a bad name before a missing Host', 'GET / HTTP/1.1\r\nX A: 1\r\n\r\n', 'field-name'],
    [
      'a bad fold before two framings',
      post('Content-Length: 1\r\nTransfer-Encoding: chunked\r\nX-A: a\r\n b\r\n', ''),
      'obs-fold',
    ],
  ]),
  ...requestCases('order of judgement: at the end of the head', [
    ['Host before an alias', 'GET / HTTP/1.1\r\nX-A: 1\r\nX_A: 2\r\n\r\n', 'host-missing'],
    [
      'Host before framing',
      'POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      'host-missing',
    ],
    [
      'two Hosts before two Authorizations',
      'GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n',
      'host-repeated',
    ],
    [
      'an alias before framing',
      post('Content-Length: 1\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\nX_A: 2\r\n', ''),
      'header-alias',
    ],
    [
      'framing before two Authorizations',
      post('Authorization: a\r\nAuthorization: b\r\nContent-Length: 1\r\nContent-Length: 1\r\n', ''),
      'content-length-repeated',
    ],
    [
      'two Authorizations before Expect',
      post('Expect: x\r\nAuthorization: a\r\nAuthorization: b\r\nContent-Length: 1\r\n', ''),
      'duplicate-authorization',
    ],
    [
      'Expect before a body that is too large',
      post('Content-Length: 99999999\r\nExpect: x\r\n', ''),
      'expectation',
    ],
    [
      'both framings before a coding that is not ours',
      post('Content-Length: 1\r\nTransfer-Encoding: gzip\r\n', ''),
      'content-length-and-transfer-encoding',
    ],
  ]),
  ...requestCases('RFC 9110 7.6.1', [
    [
      'a field that Connection names is gone before the gateway sees it',
      get('Connection: X-A\r\nX-A: 1\r\nX-B: 2\r\n'),
      passes({ seen: { 'x-a': [], 'x-b': ['2'] }, fields: { 'x-a': [], 'x-b': ['2'], connection: [] } }),
    ],
    [
      'names in Connection have no case',
      get('Connection: x-a\r\nX-A: 1\r\n'),
      passes({ fields: { 'x-a': [] } }),
    ],
    [
      'several names, blanks and empty elements',
      get('Connection: ,X-A ,\tX-B,,\r\nX-A: 1\r\nx-b: 2\r\nX-AB: 3\r\n'),
      passes({ fields: { 'x-a': [], 'x-b': [], 'x-ab': ['3'] } }),
    ],
    [
      'several Connection lines',
      get('Connection: X-A\r\nX-B: 2\r\nConnection: X-B\r\nX-A: 1\r\n'),
      passes({ fields: { 'x-a': [], 'x-b': [] } }),
    ],
    ['a field named after its line', get('X-A: 1\r\nConnection: X-A\r\n'), passes({ fields: { 'x-a': [] } })],
    [
      'every line of a named field stays here',
      get('X-A: 1\r\nX-A: 2\r\nConnection: X-A\r\n'),
      passes({ fields: { 'x-a': [] } }),
    ],
    ['Connection cannot name Host away', get('Connection: Host\r\n'), passes({ fields: { host: ['h'] } })],
    [
      'Connection cannot name the length away',
      post('Connection: Content-Length\r\nContent-Length: 5\r\n', 'hello'),
      passes({ body: 'hello' }),
    ],
    [
      'Connection cannot name chunked away',
      post('Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\r\n'),
      passes({ body: 'hello' }),
    ],
    [
      'a credential that Connection names is none',
      get('Connection: Authorization\r\nAuthorization: k\r\n'),
      passes({ seen: { authorization: [] }, fields: { authorization: [] } }),
    ],
    ['Keep-Alive stays here', get('Keep-Alive: timeout=5\r\n'), passes({ fields: { 'keep-alive': [] } })],
    [
      'Proxy-Connection stays here',
      get('Proxy-Connection: keep-alive\r\n'),
      passes({ fields: { 'proxy-connection': [] } }),
    ],
    ['TE: trailers passes on', get('TE: trailers\r\n'), passes({ fields: { te: ['trailers'] } })],
    [
      'of TE only trailers passes on',
      get('TE: gzip, trailers\r\n'),
      passes({ fields: { te: ['trailers'] } }),
    ],
    ['TE of a coding stays here', get('TE: gzip\r\n'), passes({ fields: { te: [] } })],
    [
      'Upgrade that Connection does not name stays here',
      get('Upgrade: h2c\r\n'),
      passes({ fields: { upgrade: [] } }),
    ],
    [
      'HTTP2-Settings stays here',
      get('HTTP2-Settings: AAMAAABkAAQAAP__\r\n'),
      passes({ fields: { 'http2-settings': [] } }),
    ],
    [
      'hop-by-hop names have no case',
      get('KEEP-ALIVE: 1\r\nproxy-connection: 2\r\n'),
      passes({ fields: { 'keep-alive': [], 'proxy-connection': [] } }),
    ],
    [
      'a name before a byte that only looks blank names nothing',
      get('Connection: X-A\xa0\r\nX-A: 1\r\n'),
      passes({ fields: { 'x-a': ['1'] } }),
    ],
    [
      'a name in a quoted string of Connection names nothing',
      get('Connection: "X-A"\r\nX-A: 1\r\n'),
      passes({ fields: { 'x-a': ['1'] } }),
    ],
  ]),
  ...requestCases('RFC 9110 6.6.2', [
    [
      'Trailer and what it announces pass',
      post('Transfer-Encoding: chunked\r\nTrailer: X-T\r\n', '0\r\nX-T: 1\r\n\r\n'),
      passes({ fields: { trailer: ['X-T'] }, trailers: ['X-T: 1'] }),
    ],
    ['a trailer passes unannounced', postChunked('0\r\nX-T: 1\r\n\r\n'), passes({ trailers: ['X-T: 1'] })],
  ]),
];
