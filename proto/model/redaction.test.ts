import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';

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
    assert.ok(performance.now() - start < 2_000, part);
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
    ['log in by Bearer SECRETSECRET now', 'log in by Bearer *** now'],
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
  ];
  for (const body of [...hostile, `"password":"${'\\'.repeat(100_001)}`]) {
    const before = performance.now();
    redactor.body(body);
    assert.ok(performance.now() - before < 1_000, body.slice(0, 20));
  }
});
