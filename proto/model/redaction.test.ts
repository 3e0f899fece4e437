import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

import { isWithin } from '../../test/kit/pace.ts';
import { hidingTargets } from './redaction-fixtures.ts';
import { createRedactor } from './redaction.ts';

const redactor = createRedactor(['X-Gravitee-Api-Key', 'meinSchlüssel', 'kundennummer']);

test('the value of a parameter that carries a key is masked, however its name is written and wherever it stands', () => {
  for (const uri of hidingTargets) {
    assert.doesNotMatch(redactor.uri(uri), /SECRET/, uri);
    assert.doesNotMatch(redactor.text(`GET ${uri} failed`), /SECRET/, uri);
  }
});

test('what carries no key stays as it is, byte for byte', () => {
  const kept = [
    '/orders',
    '/orders?limit=10&sort=name',
    '/orders?keyword=tokens&tokenize=1&monkey=1&api-keys-total=3',
    '/a=b;c=d/e',
    '/a%20b?q=%F0%9F%98%80&&=&x',
    '/orders?api-key',
    '/orders?api-key=',
    '',
    '?',
    '=',
  ];
  for (const uri of kept) assert.equal(redactor.uri(uri), uri);
  assert.equal(redactor.uri('/x?a=1&api-key=SECRET&b=2'), '/x?a=1&api-key=***&b=2');
  assert.equal(redactor.uri('/x?api-key=SECRET&token=SECRET'), '/x?api-key=***&token=***');
  assert.equal(redactor.text('GET "/x?token=SECRET" took 3 ms'), 'GET "/x?token=***" took 3 ms');
});

test('any text is taken in time that grows with its length alone, and twice masked is once masked', () => {
  const piece = fc.constantFrom(
    'api-key',
    '=',
    '%3D',
    '%25',
    '&',
    ';',
    '?',
    '/',
    '%',
    '[',
    '@',
    '//',
    ':',
    'a',
    ' ',
    '😀',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const once = redactor.uri(pieces.join(''));
      assert.equal(redactor.uri(once), once);
    }),
  );
  for (const part of ['a=', '%25', 'api-key=', '%', '=', '//', '//a:', '[', '&=', 'Bearer ']) {
    const long = part.repeat(100_000);
    const start = performance.now();
    redactor.uri(long);
    redactor.text(long);
    isWithin(performance.now() - start, { msMax: 2_000, what: part });
  }
});

test('a body shows no value of a member or an element that carries a key, cut or whole, and everything else as it was', () => {
  const rows: readonly (readonly [body: string, shown: string])[] = [
    ['{"user":"ann","password":"SECRET"}', '{"user":"ann","password":"***"}'],
    ['{"access_token" : "SE\\"CRET", "expires_in": 3}', '{"access_token" : "***", "expires_in": 3}'],
    ['{"pass\\u0077ord":"SECRET"}', '{"pass\\u0077ord":"***"}'],
    ['{"a":["x","y"],"token":12345,"z":null}', '{"a":["x","y"],"token":"***","z":null}'],
    ['{"client_secret":"SECR', '{"client_secret":"***"'],
    ['{"url":"https://x/?api-key=SECRET&a=1"}', '{"url":"https://x/?api-key=***&a=1"}'],
    ['grant_type=password&password=SECRET&scope=a', 'grant_type=password&password=***&scope=a'],
    [
      '<a><wsse:Password Type="t">SECRET</wsse:Password></a>',
      '<a><wsse:Password Type="t">***</wsse:Password></a>',
    ],
    ['<token>SECR', '<token>***'],
    ['{"Authorization":"Bearer SECRETSECRET"}', '{"Authorization":"***"}'],
    [
      String.raw`{"body":"{\"user\":\"ann\",\"password\":\"SECRET\",\"a\":1}"}`,
      String.raw`{"body":"{\"user\":\"ann\",\"password\":\"***\",\"a\":1}"}`,
    ],
    ['Digest user="ann", token="SECRET", a="b"', 'Digest user="ann", token="***", a="b"'],
    [String.raw`{"q":"log in, password=\"SECRET\""}`, String.raw`{"q":"log in, password=\"***\""}`],
    ['{"m":"\u007f\n{\\"token\\":[\\"SECRET\\"]}"}', '{"m":"\u007f\\n{\\"token\\":\\"***\\"}"}'],
    ['log in by Bearer SECRETSECRET now', 'log in by Bearer *** now'],
    ['{"password":["SECRET",{"a":"]"}],"b":1}', '{"password":"***","b":1}'],
    ['{"token":{"value":"}SECRET\\""},"b":1}', '{"token":"***","b":1}'],
    ['{"token":{"value":["SECRET", "b', '{"token":"***"'],
    ['{"token":[}"SECRET"]}', '{"token":"***"'],
    ['6" of {"password":"SECRET"}', '6" of {"password":"***"}'],
    ['{"a":1}\n{"password": ["SECRET"]}\n', '{"a":1}\n{"password": "***"}\n'],
    [
      String.raw`{"m":"{\"\\u0070assword\":[\"SECRET\"],\"a\":\"é\"}","n":"a\/b"}`,
      String.raw`{"m":"{\"\\u0070assword\":\"***\",\"a\":\"é\"}","n":"a\/b"}`,
    ],
    [String.raw`{"m":"{\"token\":[\"SECRET\",\"é\u00`, String.raw`{"m":"{\"token\":\"***\"`],
    [
      String.raw`{"m":"\u003ca password=\u0022SECRET\u0022/\u003e"}`,
      String.raw`{"m":"<a password=\"***\"/>"}`,
    ],
    ['<w:Password><![CDATA[SECRET]]></w:Password><b>c</b>', '<w:Password>***</w:Password><b>c</b>'],
    ['<password><v>SECRET</v></password><v>x</v>', '<password>***</password><v>x</v>'],
    ['<password><!-- </password> -->SECRET</password>', '<password>***</password>'],
    ['<password><![CDATA[</password>]]>SECRET</password>', '<password>***</password>'],
    ['<token><token>x</token>SECRET</token>', '<token>***</token>'],
    ['<token><token a="/>"/>SECRET</token>', '<token>***</token>'],
    ['<a b="c" w:password = "SECRET" d=\'e\'/>', '<a b="c" w:password = "***" d=\'e\'/>'],
    ["<a disabled password='SECRET>'>x</a>", "<a disabled password='***'>x</a>"],
    ['<a password="SECR', '<a password="***'],
    ['<token value="SECRET"/><b c="d"/>', '<token value="***"/><b c="d"/>'],
    ['<!-- <password>SECRET</password> --><a/>', '<!-- <password>***</password> --><a/>'],
    ['<password><v>SECR', '<password>***'],
    ["a=1&password=it's<SECRET>&b=2", 'a=1&password=***&b=2'],
    [
      '--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nSECRET\r\nSECRET\r\n--b\r\nContent-Disposition: form-data; name="a"; filename="token"\r\n\r\nkept\r\n--b--\r\n',
      '--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n***\r\n--b\r\nContent-Disposition: form-data; name="a"; filename="token"\r\n\r\nkept\r\n--b--\r\n',
    ],
    [
      '--b\nContent-Disposition: form-data; name=token\n\nSECR',
      '--b\nContent-Disposition: form-data; name=token\n\n***',
    ],
  ];
  for (const [body, shown] of rows) assert.equal(redactor.body(body), shown);
  for (const body of [
    '{"tokens":3,"keyword":"x","nested":{"a":"b"}}',
    '<p>token</p>',
    '[":","password"]',
    '',
  ])
    assert.equal(redactor.body(body), body);
  const hostile = [
    '"'.repeat(50_000),
    '"a":'.repeat(20_000),
    `"a"${' '.repeat(50_000)}`.repeat(2),
    '<a '.repeat(20_000),
    '\\\\'.repeat(50_000),
    '"\\u'.repeat(120_000),
    '"password":['.repeat(20_000),
    '"a\\n'.repeat(20_000),
    '"\\"'.repeat(30_000),
    '<token>'.repeat(20_000),
    '<token><!--'.repeat(20_000),
    '<a b="'.repeat(20_000),
    '<a b='.repeat(20_000),
    '<password '.repeat(20_000),
    '--b\n'.repeat(30_000),
    `--b\n${' name= '.repeat(20_000)}\n\n`,
    nestedText(12),
  ];
  for (const body of [...hostile, `"password":"${'\\'.repeat(100_001)}`]) {
    const before = performance.now();
    redactor.body(body);
    isWithin(performance.now() - before, { msMax: 1_000, what: body.slice(0, 20) });
  }
});

/** JSON in JSON in JSON. */
function nestedText(levels: number): string {
  let text = '{"password":"SECRET"}';
  for (let level = 0; level < levels; level += 1) text = JSON.stringify({ text });
  return text;
}

test('JSON in strings of JSON shows no value however deep, within the bound or past it', () => {
  for (let levels = 0; levels <= 8; levels += 1)
    assert.doesNotMatch(redactor.body(nestedText(levels)), /SECRET/, String(levels));
});
