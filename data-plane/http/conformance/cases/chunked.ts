import type { RefusalReason } from '../../message/refusal.ts';
import { passes, post, postChunked, requestCases } from './request-case.ts';

type Broken = readonly [what: string, body: string, reason: RefusalReason];
/** A chunked body that breaks after the gateway has its head. */
const broken = ([what, body, reason]: Broken) => [what, postChunked(body), { broken: reason }] as const;
const hello = passes({ body: 'hello' });
const end = '0\r\n\r\n';

const forbiddenTrailers = [
  'Content-Length',
  'Transfer-Encoding',
  'Host',
  'Authorization',
  'Trailer',
  'TE',
  'Connection',
  'Content-Type',
  'Cookie',
  'Set-Cookie',
  'Cache-Control',
  'Expect',
  'Max-Forwards',
  'Range',
  'Content_Length',
];

/** Chunk sizes, extensions, data and trailers of request bodies. */
export const chunkedCases = [
  ...requestCases('RFC 9112 7.1', [
    ['several chunks', postChunked(`1\r\nh\r\n2\r\nel\r\n2\r\nlo\r\n${end}`), hello],
    ['a size with zeros before it', postChunked(`0005\r\nhello\r\n${end}`), hello],
    ['a size of 13 digits', postChunked(`0000000000005\r\nhello\r\n${end}`), hello],
    ['a size in capitals', postChunked(`A\r\n0123456789\r\n${end}`), passes({ body: '0123456789' })],
    ['a size in small letters', postChunked(`a\r\n0123456789\r\n${end}`), passes({ body: '0123456789' })],
    [
      'a size of two digits',
      postChunked(`1F\r\n${'x'.repeat(31)}\r\n${end}`),
      passes({ body: 'x'.repeat(31) }),
    ],
    ['the last chunk of several zeros', postChunked('5\r\nhello\r\n000\r\n\r\n'), hello],
    ['the last chunk of 13 zeros', postChunked('5\r\nhello\r\n0000000000000\r\n\r\n'), hello],
    ['data of line endings', postChunked(`4\r\n\r\n\r\n\r\n${end}`), passes({ body: '\r\n\r\n' })],
    ['data that looks like the last chunk', postChunked(`5\r\n${end}\r\n${end}`), passes({ body: end })],
    [
      'data that looks like a request',
      postChunked(`11\r\nGET /b HTTP/1.1\r\n\r\n${end}`),
      passes({ body: 'GET /b HTTP/1.1\r\n' }),
    ],
    [
      'data of bytes beyond ASCII',
      postChunked(`4\r\n\x00\xff\x80\x7f\r\n${end}`),
      passes({ body: '\x00\xff\x80\x7f' }),
    ],
    ...(
      [
        ['no size', `\r\nhello\r\n${end}`, 'chunk-size'],
        ['a size of no digit', `g\r\nhello\r\n${end}`, 'chunk-size'],
        ['a size that ends in no digit', `5g\r\nhello\r\n${end}`, 'chunk-size'],
        ['a negative size', `-5\r\nhello\r\n${end}`, 'chunk-size'],
        ['a size of minus zero', '-0\r\n\r\n', 'chunk-size'],
        ['a size with a plus', `+5\r\nhello\r\n${end}`, 'chunk-size'],
        ['a size with 0x', `0x5\r\nhello\r\n${end}`, 'chunk-size'],
        ['a size with 0X', `0X5\r\nhello\r\n${end}`, 'chunk-size'],
        ['a size behind a space', ` 5\r\nhello\r\n${end}`, 'chunk-size'],
        ['a size behind a tab', `\t5\r\nhello\r\n${end}`, 'chunk-size'],
        ['a size of 14 digits', `00000000000005\r\nhello\r\n${end}`, 'chunk-size'],
        ['a size of 17 digits that overflows to 5', `10000000000000005\r\nhello\r\n${end}`, 'chunk-size'],
        ['a size of 33 digits', `${'f'.repeat(33)}\r\nhello\r\n${end}`, 'chunk-size'],
        ['a size of 100 zeros', `${'0'.repeat(100)}\r\n\r\n`, 'chunk-size'],
        ['a size with an underscore', `1_0\r\nhello\r\n${end}`, 'chunk-size'],
        ['a size with a dot', `5.0\r\nhello\r\n${end}`, 'chunk-size'],
        ['a size with a comma', `5,5\r\nhello\r\n${end}`, 'chunk-size'],
        ['a size in quotes', `"5"\r\nhello\r\n${end}`, 'chunk-size'],
        ['a size of a null byte', `\x005\r\nhello\r\n${end}`, 'chunk-size'],
        ['a size before a null byte', `5\x00\r\nhello\r\n${end}`, 'chunk-size'],
        ['a size of obs-text', `\xb5\r\nhello\r\n${end}`, 'chunk-size'],
        ['a size before a vertical tab', `5\x0b\r\nhello\r\n${end}`, 'chunk-size'],
        ['a bad second size', `5\r\nhello\r\nx\r\n${end}`, 'chunk-size'],
        ['a second size that is missing', `5\r\nhello\r\n\r\n${end}`, 'chunk-size'],
        ['a size before a space', `5 \r\nhello\r\n${end}`, 'chunk-extension'],
        ['a size before a tab', `5\t\r\nhello\r\n${end}`, 'chunk-extension'],
        ['the last size before a space', '0 \r\n\r\n', 'chunk-extension'],
        ['two sizes in one line', `5 5\r\nhello\r\n${end}`, 'chunk-extension'],
        ['data longer than said', `5\r\nhello!\r\n${end}`, 'chunk-data'],
        ['data with the next size right behind it', `5\r\nhello0\r\n\r\n`, 'chunk-data'],
        ['data with a space behind it', `5\r\nhello \r\n${end}`, 'chunk-data'],
        ['data of one byte less: LF ends it', `5\r\nhell\r\n${end}`, 'line-ending'],
        ['data of two bytes less: the next size ends it', `5\r\nhel\r\n${end}`, 'chunk-data'],
      ] as const satisfies readonly Broken[]
    ).map(broken),
  ]),
  ...requestCases(
    'RFC 9112 2.2',
    (
      [
        ['a size that ends with a bare LF', `5\nhello\r\n${end}`, 'line-ending'],
        ['a size that ends with a bare CR', `5\rhello\r\n${end}`, 'line-ending'],
        ['a size that ends with CR CR LF', `5\r\r\nhello\r\n${end}`, 'line-ending'],
        ['an extension that ends with a bare LF', `5;a\nhello\r\n${end}`, 'line-ending'],
        ['an extension that ends with a bare CR', `5;a\rhello\r\n${end}`, 'line-ending'],
        ['a bare LF first', `\n5\r\nhello\r\n${end}`, 'line-ending'],
        ['data that ends with a bare LF', `5\r\nhello\n${end}`, 'line-ending'],
        ['data that ends with a bare CR', `5\r\nhello\r${end}`, 'line-ending'],
        ['the last size ends with a bare LF', '0\n\r\n', 'line-ending'],
        ['the last chunk ends with a bare LF', '0\r\n\n', 'line-ending'],
        ['the last chunk ends with two bare LF', '0\n\n', 'line-ending'],
        ['the last chunk ends with a bare CR', '0\r\n\rX\r\n', 'line-ending'],
        ['a trailer ends with a bare LF', '0\r\nX-T: 1\n\r\n', 'line-ending'],
        ['a trailer holds a bare CR', '0\r\nX-T: 1\rX-U: 2\r\n\r\n', 'line-ending'],
      ] as const satisfies readonly Broken[]
    ).map(broken),
  ),
  ...requestCases('RFC 9112 7.1.1', [
    ...[
      'a',
      'a=b',
      'a="b c"',
      'a;b=c;d',
      'a=""',
      'a="\\""',
      'a="\\\\"',
      'a=";"',
      "!#$%&'*+-.^_`|~=1",
      'a="b";c="d"',
    ].map(
      (extension) =>
        [`extension ;${extension}`, postChunked(`5;${extension}\r\nhello\r\n${end}`), hello] as const,
    ),
    ['an extension of the last chunk', postChunked('5\r\nhello\r\n0;a=b\r\n\r\n'), hello],
    ['an extension of 256 bytes', postChunked(`5;${'a'.repeat(255)}\r\nhello\r\n${end}`), hello],
    [
      '16 extensions of 256 bytes',
      postChunked(`${`1;${'a'.repeat(255)}\r\nx\r\n`.repeat(16)}${end}`),
      passes({ body: 'x'.repeat(16) }),
    ],
    ...(
      [
        ['an extension without a name', `5;\r\nhello\r\n${end}`, 'chunk-extension'],
        ['an extension of a value only', `5;=b\r\nhello\r\n${end}`, 'chunk-extension'],
        ['an extension with an empty value', `5;a=\r\nhello\r\n${end}`, 'chunk-extension'],
        ['two semicolons', `5;;a\r\nhello\r\n${end}`, 'chunk-extension'],
        ['a semicolon at the end', `5;a;\r\nhello\r\n${end}`, 'chunk-extension'],
        ['two equals signs', `5;a=b=c\r\nhello\r\n${end}`, 'chunk-extension'],
        ['a space before the semicolon', `5 ;a\r\nhello\r\n${end}`, 'chunk-extension'],
        ['a space behind the semicolon', `5; a\r\nhello\r\n${end}`, 'chunk-extension'],
        ['a space before the equals sign', `5;a =b\r\nhello\r\n${end}`, 'chunk-extension'],
        ['a space behind the equals sign', `5;a= b\r\nhello\r\n${end}`, 'chunk-extension'],
        ['a space behind the value', `5;a=b \r\nhello\r\n${end}`, 'chunk-extension'],
        ['a tab behind the semicolon', `5;\ta\r\nhello\r\n${end}`, 'chunk-extension'],
        ['an open quote', `5;a="b\r\nhello\r\n${end}`, 'chunk-extension'],
        ['an open quote over the line ending', `5;a="\r\nhello\r\n"\r\n${end}`, 'chunk-extension'],
        ['an escaped quote that does not close', `5;a="b\\"\r\nhello\r\n${end}`, 'chunk-extension'],
        ['text behind a quoted string', `5;a="b"c\r\nhello\r\n${end}`, 'chunk-extension'],
        ['a separator in a name', `5;a/b\r\nhello\r\n${end}`, 'chunk-extension'],
        ['a null byte in an extension', `5;a\x00\r\nhello\r\n${end}`, 'chunk-extension'],
        ['a control byte in a quoted string', `5;a="\x01"\r\nhello\r\n${end}`, 'chunk-extension'],
        ['obs-text in an extension', `5;\xe9\r\nhello\r\n${end}`, 'chunk-extension'],
        ['an extension of 257 bytes', `5;${'a'.repeat(256)}\r\nhello\r\n${end}`, 'chunk-extension'],
        ['an extension of 2 KiB', `5;${'a'.repeat(2_048)}\r\nhello\r\n${end}`, 'chunk-extension'],
        [
          'a flood of extensions',
          `${`1;${'a'.repeat(255)}\r\nx\r\n`.repeat(17)}1;aaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nx\r\n${end}`,
          'chunk-extension',
        ],
      ] as const satisfies readonly Broken[]
    ).map(broken),
  ]),
  ...requestCases('RFC 9112 7.1.2', [
    [
      'trailers keep order, case and repetition',
      postChunked('5\r\nhello\r\n0\r\nX-b: 1\r\nx-A: 2\r\nX-b: 1\r\n\r\n'),
      passes({ body: 'hello', trailers: ['X-b: 1', 'x-A: 2', 'X-b: 1'] }),
    ],
    [
      'white space around the value of a trailer goes',
      postChunked('0\r\nX-T: \t1 \r\n\r\n'),
      passes({ trailers: ['X-T: 1'] }),
    ],
    ['obs-text in a trailer', postChunked('0\r\nX-T: \xe9\r\n\r\n'), passes({ trailers: ['X-T: \xe9'] })],
    ['an empty trailer', postChunked('0\r\nX-T:\r\n\r\n'), passes({ trailers: ['X-T:'] })],
    ...(
      [
        ['a space before the colon of a trailer', '0\r\nX-T : 1\r\n\r\n', 'field-name'],
        ['a trailer without a name', '0\r\n: 1\r\n\r\n', 'field-name'],
        ['a trailer without a colon', '0\r\nX-T\r\n\r\n', 'field-name'],
        ['a request where a trailer belongs', '0\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n', 'field-name'],
        ['a control byte in a trailer', '0\r\nX-T: \x01\r\n\r\n', 'field-value'],
        ['a null byte in a trailer', '0\r\nX-T: a\x00\r\n\r\n', 'field-value'],
        ['a folded trailer', '0\r\nX-T: a\r\n b\r\n\r\n', 'obs-fold'],
        ['a trailer section that begins with a space', '0\r\n X-T: a\r\n\r\n', 'obs-fold'],
      ] as const satisfies readonly Broken[]
    ).map(broken),
  ]),
  ...requestCases('RFC 9110 6.5.1', [
    ...forbiddenTrailers.map((name) =>
      broken([`${name} is no trailer`, `0\r\n${name}: 1\r\n\r\n`, 'trailer-field']),
    ),
    broken([
      'a forbidden trailer in another case',
      '0\r\nX-T: 1\r\ntRANSFER-eNCODING: chunked\r\n\r\n',
      'trailer-field',
    ]),
    broken([
      'a forbidden trailer behind another',
      '5\r\nhello\r\n0\r\nX-T: 1\r\nHost: evil\r\n\r\n',
      'trailer-field',
    ]),
  ]),
  ...requestCases('RFC 9112 8', [
    ['a client that ends before the size', postChunked(''), { unfinished: true, isSeen: true }],
    ['a client that ends in a size', postChunked('5'), { unfinished: true, isSeen: true }],
    ['a client that ends behind a size', postChunked('5\r\n'), { unfinished: true, isSeen: true }],
    ['a client that ends in data', postChunked('5\r\nhel'), { unfinished: true, isSeen: true }],
    ['a client that ends behind data', postChunked('5\r\nhello\r\n'), { unfinished: true, isSeen: true }],
    [
      'a client that ends in the last chunk',
      postChunked('5\r\nhello\r\n0\r\n'),
      { unfinished: true, isSeen: true },
    ],
    [
      'a client that ends in the trailers',
      postChunked('5\r\nhello\r\n0\r\nX-T: 1\r\n'),
      { unfinished: true, isSeen: true },
    ],
    [
      'a client that ends in a length',
      post('Content-Length: 5\r\n', 'hell'),
      { unfinished: true, isSeen: true },
    ],
    [
      'a client that ends before the body',
      post('Content-Length: 5\r\n', ''),
      { unfinished: true, isSeen: true },
    ],
    ['a client that ends in the head', 'GET / HTTP/1.1\r\nHost: h\r\n', { unfinished: true }],
    ['a client that ends in the request line', 'GET / HTT', { unfinished: true }],
    ['a client that ends behind an empty line', '\r\n', { unfinished: true }],
  ]),
];
