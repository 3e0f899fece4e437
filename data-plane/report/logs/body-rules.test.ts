import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { isWithin } from '../../../test/kit/pace.ts';
import { createBodyRules } from './body-rules.ts';

const shown = (rules: readonly object[], text: string, isCut = false): string | undefined => {
  const { bodyRules } = catalog['policy-data-logging-masking'].config.parse({ bodyRules: rules });
  return createBodyRules(
    bodyRules.map(({ path, type, regex, replacer }) => ({
      path: path === '' ? undefined : path,
      regex: regex === '' ? undefined : regex,
      named: type === 'CUSTOM' ? undefined : type,
      replacer,
    })),
  )(text, { isCut });
};

test('a path replaces all that is there, with a type or a regex what they find in the texts there', () => {
  const card = '{"card":{"no":4111111111111111,"who":"Ada"},"also":"4111111111111111"}';
  assert.equal(shown([{ path: '$.card' }], card), '{"card":"*","also":"4111111111111111"}');
  assert.equal(
    shown([{ path: '$.card', type: 'CREDIT_CARD', replacer: 'card' }], card),
    '{"card":{"no":"card","who":"Ada"},"also":"4111111111111111"}',
  );
  assert.equal(
    shown([{ path: '$.card.who', type: 'CUSTOM', regex: '^.', replacer: '$1' }], card),
    '{"card":{"no":4111111111111111,"who":"$1da"},"also":"4111111111111111"}',
  );
  assert.equal(shown([{ path: '$.card' }], 'no JSON'), 'no JSON');
  assert.equal(shown([{ path: '$.card' }], '{"card":{"no":41'), undefined, 'cut JSON is not shown');
});

test('JSON is masked however it comes: twice named, as events, in a form of parts, behind a guard, escaped, URL-encoded', () => {
  const pin = [{ path: '$..pin' }];
  const rows: readonly (readonly [text: string, expected: string | undefined])[] = [
    ['{"a":{"pin":1},"a":{"x": 2}}', '{"a":{"x":2}}'],
    ['{"pin":"one","pin":"two"}', '{"pin":"*"}'],
    ['{ "x": "a:b\\"c:d" }', '{ "x": "a:b\\"c:d" }'],
    [
      'data: {"pin":1}\n\ndata:{"pin":2}\n\ndata: [DONE]\n\n',
      'data: {"pin":"*"}\n\ndata:{"pin":"*"}\n\ndata: [DONE]\n\n',
    ],
    ['event: x\r\ndata: [{"pin":1}]\r\n\r\n', 'event: x\r\ndata: [{"pin":"*"}]\r\n\r\n'],
    ['data: {\ndata: "pin": 1}\n\n', undefined],
    [
      '--b\r\nContent-Type: application/json\r\n\r\n{"pin":1}\r\n--b--',
      '--b\r\nContent-Type: application/json\r\n\r\n{"pin":"*"}\r\n--b--',
    ],
    ['\uFEFF{"pin":1}', undefined],
    ['{"n":1}\n{"pin":1}', undefined],
    ['\u001e{"pin":1}\n', undefined],
    [')]}\',\n{"pin":1}', undefined],
    ['data: [1,{"pin":1}]\n\n', 'data: [1,{"pin":"*"}]\n\n'],
    ['42["event",{"pin":1}]', undefined],
    ['x=1; callback({"pin":1})', undefined],
    ['/* why */ {"pin":1}', undefined],
    ['at noon: {"pin":1}', undefined],
    ['x {\n  "pin" : 1\n}', undefined],
    ['--b\r\n\r\n[1,\r\n{"pin":1}]\r\n--b--', undefined],
    ['<a>{"pin":1}</a>', undefined],
    ['payload=%7B%22pin%22+%3a1%7D', undefined],
    ['name="Ada": [INFO] {x}', undefined],
    ['name="Ada"; [INFO] {x}\n[INFO] "x"', 'name="Ada"; [INFO] {x}\n[INFO] "x"'],
    ['while(1);{"pin":1}', undefined],
    ['callback({"pin":1})', undefined],
    ['/**/ callback([{"pin":1}]);', undefined],
    ['a (text) [INFO] of: nobody', 'a (text) [INFO] of: nobody'],
  ];
  for (const [text, expected] of rows) assert.equal(shown(pin, text), expected, text);
  assert.equal(shown(pin, 'data: {"pin":1}\n\ndata: {"pi', true), 'data: {"pin":"*"}\n\n');
  const mail = [
    { type: 'EMAIL', replacer: '@' },
    { type: 'URI', replacer: '/' },
  ];
  const found: readonly (readonly [text: string, expected: string])[] = [
    ['{"m":"ada\\u0040shop.example"}', '{"m":"@"}'],
    ['{"u":"https:\\/\\/shop.example\\/a", "n": 1.0}', '{"u":"/","n":1}'],
    ['{"u":"C:\\/a", "n": 1.0}', '{"u":"C:\\/a", "n": 1.0}'],
    ['name=Ada+L&mail=ada%40shop.example&x=%zz', 'name=Ada+L&mail=@&x=%zz'],
    ['{"m":"ada\\u0040shop', '{"m":"ada\\u0040shop'],
  ];
  for (const [text, expected] of found) assert.equal(shown(mail, text), expected, text);
});

test('paths of XML name elements and attributes, in any namespace', () => {
  const order =
    '<o:order xmlns:o="urn:o" id="7"><card kind=\'a"b\'><o:no>4111</o:no><cvc/></card><!-- kept --><x><no>5<b>6</b></no></x></o:order>';
  const rows: readonly (readonly [path: string, expected: string])[] = [
    ['/order/card', order.replace('<o:no>4111</o:no><cvc/>', '*')],
    ['//no', order.replace('4111', '*').replace('5<b>6</b>', '*')],
    ['//o:no/text()', order.replace('4111', '*')],
    ['/order/@id', order.replace('"7"', '"*"')],
    ['//@kind', order.replace('a"b', '*')],
    ['/*/*/no', order.replace('4111', '*').replace('5<b>6</b>', '*')],
    ['//x//b', order.replace('6', '*')],
    ['/card', order],
  ];
  for (const [path, expected] of rows) assert.equal(shown([{ path }], order), expected, path);
  assert.equal(shown([{ path: '//b' }, { path: '//x' }], order), order.replace('<no>5<b>6</b></no>', '*'));
  assert.equal(
    shown([{ path: '//x', regex: '5' }, { path: '//b' }], order),
    order.replace('6', '*').replace('>5<', '>*<'),
    'what is replaced whole is so within what is looked through as well',
  );
  for (const broken of ['<a><no>1', '<a><no>1</a>', '<html><br>'])
    assert.equal(shown([{ path: '//no' }], broken), undefined, broken);
  assert.equal(shown([{ path: '//no' }], '{"no":1}'), '{"no":1}');
  const inside = '<a><no>4111</no></a>';
  for (const holder of [
    `--b\r\nContent-Type: application/xop+xml\r\n\r\n<?xml version="1.0"?>\n${inside}\r\n--b--`,
    `--b\n\n  <a><no>41`,
    `data: ${inside}\n\n`,
    `event: x\ndata:${inside}\n\n`,
    `said: ${inside}`,
    `xml=${encodeURIComponent(inside)}`,
  ])
    assert.equal(shown([{ path: '//no' }], holder), undefined, holder);
  for (const none of ['a < b, c > d', 'from <x', '{"x":"<a></a>"}', 'a=1&b=%3Cx'])
    assert.equal(shown([{ path: '//no' }], none), none, none);
});

test('types find what they are named for, and nothing near it', () => {
  const rows: readonly (readonly [type: string, text: string, expected: string])[] = [
    ['CREDIT_CARD', 'v 4111 1111 1111 1111, 4111-1111-1111-1111.', 'v *, *.'],
    ['CREDIT_CARD', 'm 5500005555555559 2221000000000009 a 378282246310005', 'm * * a *'],
    ['CREDIT_CARD', 'x 41111111111111112345 1234567812345678', 'x 41111111111111112345 1234567812345678'],
    ['EMAIL', 'to <ada.b+c@mail.shop.example>, ada@localhost', 'to <*>, ada@localhost'],
    ['IP', 'from 192.0.2.7:80, [2001:db8::7]:443, ::ffff:192.0.2.1', 'from *:80, [*]:443, *'],
    ['IP', '12:30:45 1.2.3 1.2.3.4.5 300.1.1.1 a::b::c', '12:30:45 1.2.3 1.2.3.4.5 300.1.1.1 a::b::c'],
    ['URI', 'see https://a.example/b?c=d and "mailto:a@b.example"', 'see * and "*"'],
    ['URI', 'file:///etc/x ftp://h/p, http:/no', '* * http:/no'],
  ];
  for (const [type, text, expected] of rows) assert.equal(shown([{ type }], text), expected, text);
});

test('rules take time that grows with the body alone', () => {
  const types = ['CREDIT_CARD', 'EMAIL', 'IP', 'URI'].map((type) => ({ type }));
  const paths = [{ path: '//a//b' }, { path: '$..a' }, { path: '//*', type: 'EMAIL' }];
  for (const piece of [
    'a',
    '1',
    '4111 ',
    'a@',
    'a.',
    ':',
    '1.',
    'http://',
    '<a>',
    '<a b="',
    '-',
    '@a.',
    'a=%41&',
    'data: {"a":1}\n',
    '(',
    '\n{"',
    '\n',
    '" ',
    '[, ',
    '\ndata:',
  ]) {
    const text = piece.repeat(Math.floor(64_000 / piece.length));
    const before = performance.now();
    shown([...types, ...paths], text);
    isWithin(performance.now() - before, { msMax: 5_000, what: piece });
  }
});
