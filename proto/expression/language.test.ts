import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';

import { expressionScope } from '../../test/kit/gateway/expression-scope.ts';
import { language } from './language.ts';
import { compileTemplate } from './template.ts';

/* What the reference makes of an expression, this makes of it; what this version has not, and what is wrong, it says when it is loaded. */

/** What a text comes to: a text, null for nothing, or why not. */
function rendered(text: string): string | null | { readonly failed: string } | { readonly refused: string } {
  const made = compileTemplate(text, z.string());
  if (made.kind === 'refused') return { refused: made.messages.join() };
  const came = made.render(expressionScope());
  if (came.kind === 'failed') return { failed: came.why };
  return came.kind === 'nothing' ? null : came.value;
}

const failed = Symbol('failed');

test('each expression is worth what it is worth in the reference', () => {
  const rows: readonly (readonly [text: string, value: string | null | typeof failed])[] = [
    // Headers and parameters: several values.
    ["{#request.headers['x-tenant'][0]}", 'acme'],
    ["{#request.headers['X-Tag']}", 'red,blue'],
    ['{#request.headers.host}', null],
    ["{#request.headers['X-Tenant'] == 'acme'}", 'false'],
    ["{#request.headers['X-Tenant'][0] == 'acme'}", 'true'],
    ["{#request.headers['X-Tag'].contains('blue')}", 'true'],
    ["{#request.headers.contains('x-tag')}", 'true'],
    ["{#request.headers.containsKey('Nope')}", 'false'],
    ["{#request.headers.getFirst('X-Tag')}", 'red'],
    ["{#request.headers.getAll('X-Tag').size()}", '2'],
    ["{#request.headers.get('Nope')}", null],
    ["{#request.headers['X-Empty']}", ''],
    ["{#request.headers['X-Tag'].toString()}", '[red, blue]'],
    ["{#request.headers.toSingleValueMap().get('X-Tag')}", 'red'],
    ['{#request.headers.names().size()}', '3'],
    ["a-{#request.headers['Nope']}-b", 'a--b'],
    ["{#request.headers['Nope'][0]}", failed],
    ["{#request.headers['Nope']?.get(0)}", null],
    ["{#request.headers['Nope']?.[0]}", null],
    ["{#request.headers['X-Tag'].get(9)}", failed],
    ["{#request.headers['Nope'] ?: #request.remoteAddress}", '10.0.0.7'],
    ["{#request.headers['X-Tag'] + '!'}", 'red,blue!'],
    ['{#request.headers}', failed],
    ['{#request.params.f[1]}', 'b'],
    ["{#request.params.get('f')}", 'a,b'],
    ["{#request.params.get('f').get(1)}", 'b'],
    ["{#request.params.get('page') == '3'}", 'false'],
    ["{#request.params.get('nope')}", null],
    ["{#request.params.getFirst('f')}", 'a'],
    ["{#request.params.get('f').?[startsWith('b')]}", 'b'],
    ["{#request.params.get('f').![concat('!')]}", 'a!,b!'],
    ["{#request.params.f[1] + '}'}{#request.params.f[0] + '{x}'}", 'b}a{x}'],
    ["{#request.params['q'][0]}", 'a b c'],
    ["{#request.params['page'][0] > 2}", failed],
    ["{T(Integer).parseInt(#request.params['page'][0]) % 2 == 1}", 'true'],
    ["{#request.params['nope'] ?: 'dflt'}", 'dflt'],
    ["{#request.params['page'] matches '[0-9]+'}", 'true'],
    ["{#request.params['__proto__'][0]}", 'p'],
    ["{#request.params['constructor']}", null],
    // The request itself.
    ['{#request.method}', 'POST'],
    ['{#request.id}/{#request.transactionId}', 'rq-1/tx-1'],
    ['{#request.contextPath}', '/shop/'],
    ['{#request.uri}', '/shop/orders/42?page=3&f=a&f=b&q=a%20b+c&__proto__=p'],
    ["{#request['path']}", '/shop/orders/42'],
    ["{#request.pathInfo matches '/orders'}", 'false'],
    ["{#request.pathInfo matches '/orders/.*'}", 'true'],
    ['{#request.paths[2]}', 'orders'],
    ['{#request.paths[0]}', ''],
    ['{#request.paths[99]}', failed],
    ["{#request.pathInfo.replaceAll('[0-9]+', 'ID')}", '/orders/ID'],
    ["{#request.pathInfo.replaceAll('/(\\w+)/(\\d+)', '$2/$1')}", '42/orders'],
    ["{#request.path.split('/')[1]}", 'shop'],
    ['{#request.timestamp}', '1795923842207'],
    ["{#request.method == 'POST' && #request.scheme == 'https'}", 'true'],
    ['{"a": "{#request.method}", "b": {"c": 1}}', '{"a": "POST", "b": {"c": 1}}'],
    ['${#request.host}', '$api.example.com'],
    ['{{#request.host}}', '{api.example.com}'],
    // JSON.
    ["{#jsonPath(#request.content, '$.customer.tags')}", 'gold,eu'],
    ["{#jsonPath(#request.content, 'customer.age')}", '35'],
    ["{#jsonPath(#request.content, '$.lines[?(@.qty > 1)].sku')}", 'a1'],
    ["{#jsonPath(#request.content, '$.lines[?(@.sku =~ /B\\d/i && @.qty == 1)].sku')}", 'b2'],
    ["{#jsonPath(#request.content, \"$.lines[?(@.sku in ['b2', 'c3'])].price\")}", '20'],
    ["{#jsonPath(#request.content, '$.lines[?(@.nope)].sku')}", ''],
    ["{#jsonPath(#request.content, '$.lines[?(!(@.qty == 2))].sku')}", 'b2'],
    ["{#jsonPath(#request.content, '$..qty')}", 'null,null,2,1'],
    ["{#jsonPath(#request.content, '$.lines[*].sku')}", 'a1,b2'],
    ["{#jsonPath(#request.content, '$.lines[-1].sku')}", 'b2'],
    ["{#jsonPath(#request.content, '$.lines[0:1].sku')}", 'a1'],
    ["{#jsonPath(#request.content, '$.lines[0,1].qty')}", '2,1'],
    ["{#jsonPath(#request.content, \"$['customer']['age']\")}", '35'],
    ["{#jsonPath(#request.content, '$.lines.length()')}", '2'],
    ["{#jsonPath(#request.content, '$.missing')}", null],
    ["{#jsonPath(#request.content, '$.missing.deep')}", failed],
    ["{#jsonPath(#request.content, '$.lines[7]')}", failed],
    ["{#jsonPath(#request.content, '$.customer')}", failed],
    ["{#jsonPath(#request.content, '$[')}", failed],
    ["{#jsonPath('no json', '$.a')}", failed],
    ["{#jsonPath(#request.content, '$.customer.age') + 1}", '36'],
    ["{#jsonPath(#request.content, '$.sum($.lines[*].price)')}", '29.5'],
    ['{#jsonPath(#request.content, \'$.concat("/", $.customer.age)\')}', '/35'],
    ["{#jsonPath(#context.attributes['claims'], '$.deep.x')}", '1.5'],
    ['{#request.jsonContent.lines.?[qty > 1].![sku]}', 'a1'],
    ['{#request.jsonContent.lines.^[qty > 0].sku}', 'a1'],
    ['{#request.jsonContent.lines.$[qty > 0].sku}', 'b2'],
    ['{#request.jsonContent.missing?.deep}', null],
    ['{#request.jsonContent.missing.deep}', failed],
    ["{#request.jsonContent.customer.tags.?[#this == 'eu']}", 'eu'],
    ["{#request.jsonContent.customer.?[key == 'age'].size()}", '1'],
    ['{#request.jsonContent.customer.__proto__}', null],
    ['{#request.jsonContent[customer][age]}', '35'],
    ['{#response.jsonContent.size()}', '0'],
    ['{#response.content}', null],
    ['{"n": "{#jsonEscape(#jsonPath(#request.content, \'$.customer.name\'))}"}', '{"n": "Ann \\"A\\" Lee"}'],
    ["{#jsonEscape('a/b\n')}", 'a\\/b\\n'],
    ["{#xmlEscape(#request.jsonContent.customer.name + '<&''')}", 'Ann &quot;A&quot; Lee&lt;&amp;&apos;'],
    ['{#jsonEscape(#request.jsonContent.customer.tags)}', 'gold eu'],
    ['{#jsonEscape(null)}', null],
    // Attributes keep their type, and are found without the prefix.
    ['{#context.attributes.plan}', 'gold'],
    ["{#context.attributes['custom']}", 'prefixed'],
    ["{#context.attributes['n'] == 7}", 'false'],
    ["{#context.attributes['i'] == 7}", 'true'],
    ["{#context.attributes['zz']}", null],
    ["{#context.attributes['zz']['k']}", failed],
    ["{#context.attributes['claims'].groups[0]}", 'a'],
    ["{#context.attributes.containsKey('plan')}", 'true'],
    ['{#context.attributes.size() == 6}', 'true'],
    ['{#context.attributes.isEmpty()}', 'false'],
    ["{#context.attributes.keySet().contains('plan')}", 'true'],
    ["{#context.attributes['roles'].contains('dev')}", 'true'],
    ["{#context.attributes['constructor']}", null],
    // The answer.
    ['{#response.status >= 200 and #response.status < 300}', 'true'],
    ["{#response.status == '204'}", 'false'],
    ['{#response.status between {200, 299}}', 'true'],
    ["{#response.headers['server'][0]}", 'x'],
    // Numbers as in Java.
    ['{(7 / 2)}', '3'],
    ['{(7.0 / 2)}', '3.5'],
    ['{(-7 / 2)}', '-3'],
    ['{(-7 % 3)}', '-1'],
    ['{(2147483647 + 1)}', '-2147483648'],
    ['{(2147483647L + 1)}', '2147483648'],
    ['{(0x1F)}', '31'],
    ['{(2.5e1)}', '25.0'],
    ['{(1e7)}', '1.0E7'],
    ['{(0.0001)}', '1.0E-4'],
    ['{(2 ^ 10)}', '1024'],
    ['{(2 ^ 40)}', '1099511627776'],
    ['{(1 / 0)}', failed],
    ['{(1 + 2 * 3 - 4)}', '3'],
    ['{((1 + 2) * 3)}', '9'],
    ['{(10 div 3 + 10 mod 3)}', '4'],
    ['{(-(3))}', '-3'],
    ["{('3' * 2)}", '33'],
    ["{('ab' * 200)}", failed],
    ["{('a' + null)}", 'anull'],
    ["{('a' + 1 + 2)}", 'a12'],
    ['{(null + 1)}', failed],
    ["{('a' + {1,2})}", 'a1,2'],
    // Comparison.
    ["{('7' == 7)}", 'false'],
    ['{(7 == 7.0)}', 'true'],
    ["{('10' < '9')}", 'true'],
    ['{(null < 1)}', 'true'],
    ["{('a' < 1)}", failed],
    ['{({1,2} == {1,2})}', 'true'],
    ['{(1 EQ 1 AND 2 NE 3)}', 'true'],
    ["{('yes' && 'on')}", 'true'],
    ["{(not 'off')}", 'true'],
    ['{(1 && true)}', failed],
    ["{('' ?: 'b')}", 'b'],
    ["{(' ' ?: 'b')}", ' '],
    ["{(true ? 'a' : 'b')}", 'a'],
    ["{(null ? 'a' : 'b')}", failed],
    ["{('abc'[1])}", 'b'],
    ["{('x' instanceof T(String))}", 'true'],
    ['{({a: 1, b: 2}.b)}', '2'],
    ['{({:}.isEmpty())}', 'true'],
    ['{({}.isEmpty())}', 'true'],
    ["{('it''s')}", "it's"],
    ['{#x}', failed],
    // Methods and types.
    ["{T(java.util.Base64).getEncoder().encodeToString('abc'.getBytes())}", 'YWJj'],
    ["{(new String(T(java.util.Base64).getDecoder().decode('YWJj')))}", 'abc'],
    ["{(new java.lang.String(T(java.util.Base64).getDecoder().decode('?')))}", failed],
    ['{T(Math).max(3, 5)}', '5'],
    ['{T(java.lang.Math).floor(3.7)}', '3.0'],
    ['{T(Math).abs(-3)}', '3'],
    ['{T(Math).round(2.5)}', '3'],
    ["{T(Integer).parseInt('x')}", failed],
    ['{T(String).valueOf(12)}', '12'],
    ["{T(String).join('-', {'a','b'})}", 'a-b'],
    ["{T(java.net.URLEncoder).encode('a b&c', 'UTF-8')}", 'a+b%26c'],
    ["{T(java.net.URLDecoder).decode('a+b%26c', 'UTF-8')}", 'a b&c'],
    ['{#request.host.substring(0, 3).toUpperCase()}', 'API'],
    ['{#request.host.substring(99)}', failed],
    ["{#request.host.indexOf('.')}", '3'],
    ['{#request.host.length() == 15}', 'true'],
    ["{#request.host.equalsIgnoreCase('API.EXAMPLE.COM')}", 'true'],
    ["{#request.host.replace('.', '-')}", 'api-example-com'],
    ["{('abc'.hashCode())}", '96354'],
    ["{('a b'.split(' ').length)}", '2'],
    ['{#request.paths.length}', '4'],
    ["{('ab'.bytes[0] == null)}", failed],
    ["{('ab'.empty)}", 'false'],
    ["{(T(java.time.LocalDate).parse('2024-02-29').year)}", '2024'],
    // Formats.
    ["{T(String).format('%s-%d-%x', 'a', 7, 255)}", 'a-7-ff'],
    ["{T(String).format('%5s|%-5s|%05d|%,d', 'a', 'b', -42, 1234567)}", '    a|b    |-0042|1,234,567'],
    ["{T(String).format('%X %S', -1, 'ab')}", 'FFFFFFFF AB'],
    ["{T(String).format('%x', -1L)}", 'ffffffffffffffff'],
    ["{T(String).format('%f %.2f %.0f %+.1f', 1.5, 2.345, 0.5, 0.25)}", '1.500000 2.35 1 +0.3'],
    ["{T(String).format('%.1f %08.3f %.3f', 0.15, -3.14159, 1e-7)}", '0.2 -003.142 0.000'],
    ["{T(String).format('%2$s%1$s%%%n', 'a', 'b')}", 'ba%\n'],
    ["{T(String).format('%s %s %.2s', null, {1, 'b'}, 'abc')}", 'null [1, b] ab'],
    ["{T(String).format('%d', 'a')}", failed],
    ["{T(String).format('%d', 1.0)}", failed],
    ["{T(String).format('%f', 1)}", failed],
    ["{T(String).format('%s %s', 'a')}", failed],
    ["{('%s!'.formatted('a'))}", 'a!'],
    // Whole numbers by their digits.
    ['{T(Integer).toHexString(255)}', 'ff'],
    ['{T(Integer).toHexString(-1)}', 'ffffffff'],
    ['{T(Integer).toBinaryString(5)}', '101'],
    ['{T(Integer).toOctalString(8)}', '10'],
    ['{T(Long).toHexString(-1)}', 'ffffffffffffffff'],
    ["{T(Integer).parseInt('ff', 16)}", '255'],
    ["{T(Integer).parseInt('-7F', 16)}", '-127'],
    ["{T(Integer).parseInt('zz', 16)}", failed],
    ["{T(Integer).parseInt('2147483648')}", failed],
    ['{T(Integer).toString(255, 16)}', 'ff'],
    ["{T(Long).parseLong('9223372036854775807')}", '9223372036854775807'],
    ["{T(Long).parseLong('9223372036854775808')}", failed],
    ["{T(Short).parseShort('32768')}", failed],
    ["{T(Float).parseFloat('1.5')}", '1.5'],
    ['{T(Integer).sum(2147483647, 1)}', '-2147483648'],
    ['{T(Math).floorDiv(-7, 2)}', '-4'],
    ['{T(java.util.Collections).max({3, 9, 4})}', '9'],
    ["{T(java.util.Collections).frequency({'a', 'b', 'a'}, 'a')}", '2'],
    // Entries of maps.
    ['{#properties.entrySet().size()}', '2'],
    ["{#properties.entrySet().![key + '=' + value]}", 'env=prod,limit=100'],
    ["{#properties.entrySet().?[#this.getValue() == 'prod'].![#this.getKey()]}", 'env'],
  ];
  for (const [text, value] of rows) {
    const came = rendered(text);
    if (text === '{#x}') assert.ok(came !== null && typeof came !== 'string' && 'refused' in came);
    else if (value === failed)
      assert.ok(
        came !== null && typeof came !== 'string' && 'failed' in came,
        `${text}: ${JSON.stringify(came)}`,
      );
    else assert.equal(came, value, text);
  }
});

test('what this version has not, and what is misspelt, is refused with its place and the nearest', () => {
  const said = (source: string): string => {
    const made = language(source);
    return made.kind === 'refused' ? `${made.at}: ${made.message}` : 'compiled';
  };
  assert.equal(said("#request.attributes['x']"), '9: #request.attributes is unknown to this version');
  assert.equal(
    said('#response.contentJson'),
    '10: #response.contentJson is unknown to this version; did you mean content?',
  );
  assert.equal(
    said("#dictionary['a']['b']"),
    '0: #dictionary is unknown to this version; did you mean #dictionaries?',
  );
  assert.equal(said('#contxt.attributes'), '0: #contxt is unknown to this version; did you mean #context?');
  assert.equal(
    said("#jsonpath(#request.content, '$.a')"),
    '0: #jsonpath(...) is unknown to this version; did you mean jsonPath?',
  );
  assert.equal(
    said("#request.path.startWith('/a')"),
    '14: the method startWith(...) is unknown to this version; did you mean startsWith?',
  );
  assert.equal(
    said('#request.path.getClass()'),
    '14: the method getClass(...) is unknown to this version; did you mean getBytes?',
  );
  assert.equal(said('T(Math).cbt(8)'), '8: T(Math).cbt(...) is unknown to this version; did you mean cbrt?');
  for (const [source, refusal] of [
    ["'x'.size()", '4: the method size(...) of a text is unknown to this version'],
    ['3.isEmpty()', '2: the method isEmpty(...) of a number is unknown to this version'],
    [
      "#request.headers['X'].toLowerCase()",
      '22: the method toLowerCase(...) of a list is unknown to this version',
    ],
    ["#request.headers['X'][0].size()", '25: the method size(...) of a text is unknown to this version'],
    [
      '#request.headers.length()',
      '17: the method length(...) of what holds headers or parameters is unknown to this version',
    ],
    ["#properties['a'].keySet()", '17: the method keySet(...) of a text is unknown to this version'],
    ["#dictionaries['a']['b'].keySet()", '24: the method keySet(...) of a text is unknown to this version'],
    [
      '#request.path.split("/").indexOf("a")',
      '25: the method indexOf(...) of a list is unknown to this version',
    ],
    ['(#request.path + 1).longValue()', '20: the method longValue(...) of a text is unknown to this version'],
    [
      '#response.status.startsWith("2")',
      '17: the method startsWith(...) of a number is unknown to this version',
    ],
    ['#request.path.lenght', '14: a member lenght of a text is unknown to this version'],
    ['#request.ssl.client.cm', '20: a member cm of a map is unknown to this version'],
    [
      '#request.ssl.clients',
      '13: a member clients of a map is unknown to this version; did you mean client?',
    ],
    [
      "T(String).format('%q', 'a')",
      '17: the format %q is unknown to this version, which has %s, %d, %x, %f, %n and %%',
    ],
    [
      "T(String).format('%tY', 'a')",
      '17: the format %t is unknown to this version, which has %s, %d, %x, %f, %n and %%',
    ],
    [
      "'%e'.formatted(1.5)",
      '0: the format %e is unknown to this version, which has %s, %d, %x, %f, %n and %%',
    ],
    ["T(String).format('%#x', 1)", '17: the format %#x has a flag that %x does not take here'],
    ["T(String).format('%999s', 1)", '17: the format %999s is wider than 256, or has more than 100 digits'],
  ] as const)
    assert.equal(said(source).replace(/; did you mean (?!client).*$/, ''), refusal, source);
  // What each request may have another of is told when it is there.
  for (const source of [
    "#context.attributes['a'].foo",
    "#jsonPath('', '$').size()",
    '#request.jsonContent.a.trim()',
  ])
    assert.equal(said(source), 'compiled', source);
  assert.match(said('T(java.lang.Runtime).getRuntime()'), /^0: T\(java\.lang\.Runtime\) is unknown/);
  assert.equal(
    said('new java.util.Dat()'),
    '0: new java.util.Dat(...) is unknown to this version; did you mean java.util.Date?',
  );
  assert.equal(
    said('#request'),
    '0: #request has no value of its own; one of its members is expected behind it: id, transactionId, method, uri, path, pathInfo, contextPath, paths, pathInfos, pathParams, pathParamsRaw, host, scheme, version, remoteAddress, localAddress, headers, params, timestamp, ssl, content, jsonContent, xmlContent',
  );
  assert.equal(said('path'), "0: path stands for nothing; a variable is written #path, a text 'path'");
  assert.equal(said("#request.path = 'x'"), '14: nothing can be assigned; == compares');
  assert.equal(said('3000000000'), '0: a number over 2147483647 needs an L behind it');
  assert.equal(said("'open"), '0: a text is not closed');
  assert.equal(said('#request.path =='), '16: ends too early');
  assert.equal(said('(1'), '2: ")" is expected, the end found');
  assert.equal(said("#request.path matches '(?=a)'").slice(0, 24), '22: the pattern "(?=a)" ');
  assert.match(said(`${'('.repeat(200)}1${')'.repeat(200)}`), /nested deeper than 100/);
  assert.match(said('!'.repeat(500) + 'true'), /nested deeper than 100/);
  assert.match(said(Array(1_500).fill('1').join('+')), /more than 2000 pieces/);
  assert.match(said('x'.repeat(10_001)), /longer than 10000 characters/);
});

test('an expression that reads a body says so, whatever else it reads', () => {
  const needs = (source: string) => {
    const made = language(source);
    return made.kind === 'compiled' ? made.needs : made.message;
  };
  assert.equal(needs("#request.headers['content'][0]"), 'head');
  assert.equal(needs("true ? 'a' : #request.content"), 'buffered');
  assert.equal(needs("#response['jsonContent'].a"), 'buffered');
});
