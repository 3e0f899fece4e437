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
