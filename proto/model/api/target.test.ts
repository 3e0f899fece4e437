import assert from 'node:assert/strict';
import { test } from 'node:test';

import { judgeOfTargets } from './target.ts';

/** `{}` is where a request brings something: always the same, or one after the other. */
const judged = (
  written: string,
  brought: string | readonly string[],
  known: readonly string[] = [],
): boolean => {
  const judge = judgeOfTargets(({ host, port }) => known.includes(`${host}:${port}`));
  const pieces = written
    .split('{}')
    .flatMap((text, index) => [
      ...(index === 0
        ? []
        : [{ text: typeof brought === 'string' ? brought : (brought[index - 1] ?? ''), isOwn: false }]),
      { text, isOwn: true },
    ]);
  return judge(pieces) === undefined;
};

const outside = [
  '.evil.example',
  '@evil.example',
  ':22',
  ':@evil.example',
  '\\@evil.example',
  '\\evil.example',
  '/evil',
  '?',
  '#',
  '\r\nHost: evil',
  '\t',
  '\n',
  ' ',
  '。evil.example',
  '．evil.example',
  '｡evil.example',
  '%2eevil.example',
  '%40evil.example',
  '%2f',
  '\u00ad',
  'ⓔvil',
  '[::1]',
];

test('a host of which a request says a part may be called only below a name of the definition, one label deep', () => {
  for (const brought of outside) {
    assert.equal(judged('http://a{}', brought), brought === '/evil', JSON.stringify(brought));
    assert.equal(judged('http://{}', brought), false, JSON.stringify(brought));
    assert.equal(judged('http://{}.internal/a', brought), false, JSON.stringify(brought));
    assert.equal(judged('http://10.0.0.{}/a', brought), false, JSON.stringify(brought));
    assert.equal(judged('http://a:{}/a', brought), false, JSON.stringify(brought));
  }
  for (const [written, brought, may] of [
    ['http://{}.internal', 'fr', true],
    ['https://{}.internal:8443/a', 'fr', true],
    ['http://api-{}.internal.?a', 'FR-1', true],
    ['http://{}.{}.eu.internal/', 'fr', true],
    ['grpcs://{}.internal/', 'fr', true],
    ['http://{}.internal', '-fr', false],
    ['http://{}.internal', 'a.b', false],
    ['http://{}internal', 'fr', false],
    ['http://{}.1', '127.0.0', false],
    ['http://{}.0.0.1/', '127', false],
    ['http://{}.0x1', '127', false],
    ['http://{}.internal:80{}', '80', false],
    ['http://{}.internal{}', 'fr', false],
    ['http://a{}/', 'b', false],
    ['http://{}/', 'localhost', false],
    ['http://{}/', '2130706433', false],
    ['http://10.0.0.{}/', '7', false],
    ['http://a:{}/', '81', false],
    ['http://{}@a/', 'user', false],
    ['{}://a/', 'https', false],
    ['{}', 'http://a/', false],
    ['{}', 'http:a/', false],
    ['{}', ' http:\\\\a/', false],
    ['{}', 'ht\ttp://a/', false],
    ['{}', 'GRPC://a/', false],
    ['{}/b', 'http://a', false],
    ['http{}/b', '://a', false],
    ['http:{}/b', '//a', false],
  ] as const)
    assert.equal(judged(written, brought), may, `${written} ${brought}`);
});

test('what several places bring together is no name of the definition', () => {
  for (const [written, brought, may] of [
    ['http://{}{}', ['a', '.evil.example'], false],
    ['http://{}.{}', ['a', 'evil.example'], false],
    ['http://{}.{}', ['a', 'evil.'], false],
    ['http://a{}{}', ['b', '.evil'], false],
    ['grpc://{}.{}/', ['a', 'evil.example'], false],
    ['http://{}.internal{}', ['fr', '.evil.example'], false],
    ['http://{}.internal{}', ['fr', '-evil.example'], false],
    ['http://{}.internal{}', ['fr', ':22'], false],
    ['http://{}.internal.{}', ['fr', ':22'], false],
    ['http://{}{}.internal', ['a.b.', 'c'], false],
    ['http://{}.internal{}', ['fr', '/b/c'], true],
    ['http://{}.internal{}', ['fr', ''], true],
    ['http://{}.internal/{}', ['fr', 'b.c:d'], true],
    ['http://{}-{}.internal/', ['fr', '1'], true],
  ] as const)
    assert.equal(judged(written, brought), may, `${written} ${brought.join(' ')}`);
});

test('spaces and controls that parsers of URLs pass over make no name of a scheme', () => {
  for (const lead of [' http:', '  http://', '\thttp://', '\n grpc://', 'ht\ttp://', 'http\r\n:'])
    for (const brought of ['evil.example', '//evil.example', '@evil.example/'])
      assert.equal(judged(`${lead}{}`, brought), false, JSON.stringify(lead + brought));
  assert.equal(judged(' http://a/{}', 'b'), true);
  assert.equal(judged(' http://{}.internal', 'fr'), true);
  assert.equal(judged(' http://{}.internal', 'a.b'), false);
  assert.equal(judged('second one:/{}', 'a'), true);
});

test('path and query are a request’s to choose, within the segment or query that asks for it', () => {
  for (const [written, brought, may] of [
    ['http://a/{}', 'b/c;d=e', true],
    ['http://a/{}', '@evil', true],
    ['http://a/{}', '//evil', true],
    ['http://a?{}', '../x?y=@evil', true],
    ['one:/{}', 'b/c', true],
    ['http://a{}', '/b/c', true],
    ['https://a:8443{}/d', '/b', true],
    ['http://[::1]{}?c', '/b', true],
    ['http://a{}{}', '/b', true],
    ['http://a{}b', '/b', false],
    ['http://a.{}', '/b', false],
    ['http://a:{}', '/b', false],
    ['http://{}', '/b', false],
    ['http://{}{}', '/b', false],
    ['http://a{}', '/../b', false],
    ['http://a{}', '/b?c', false],
    ['http://a{}', '/b\\c', false],
    ['http://a/{}', '../b', false],
    ['http://a/{}', 'b?c', false],
    ['http://a/{}', '\\\\evil', false],
    ['http://a/{}', 'b\r\nc', false],
    ['one:/{}', '..%2fb', false],
  ] as const)
    assert.equal(judged(written, brought), may, `${written} ${brought}`);
});

test('a name of something of the definition is a request’s to choose: it is looked up there', () => {
  assert.equal(judged('{}', 'second:/a'), true);
  assert.equal(judged('{}:/a', 'second'), true);
  assert.equal(judged('{}:/a', 'http'), false, 'the URL parser takes http:/a for http://a');
});

test('a whole address, or its host or port, may be chosen where it is known by host and port', () => {
  const known = ['b.example:80', 'b.example:8443', '::1:80'];
  for (const [written, brought, may] of [
    ['{}', 'http://b.example/a?b=c', true],
    ['{}', 'HTTP://B.EXAMPLE:080/a', true],
    ['{}', 'grpc://b.example', true],
    ['{}', 'http://[::1]/', true],
    ['http://b.example:{}/', '8443', true],
    ['http://b{}/', '.example', true],
    ['{}', 'https://b.example/', false],
    ['{}', 'grpcs://b.example', false],
    ['{}', 'http://b.example:81/', false],
    ['{}', 'http://b.example@c.example/', false],
    ['{}', 'http://user@b.example/', false],
    ['{}', 'http://b.example\\@c.example/', false],
    ['{}', 'http://c.example/b.example', false],
  ] as const)
    assert.equal(judged(written, brought, known), may, `${written} ${brought}`);
});
