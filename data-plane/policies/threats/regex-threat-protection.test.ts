import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { type CallWish, startPolicy } from '../../../test/kit/gateway/policies.ts';
import { isWithin } from '../../../test/kit/pace.ts';

/** Where each key was found. */
const places = new Map([
  ['REGEX_THREAT_HEADER_DETECTED', 'HEADER'],
  ['REGEX_THREAT_PATH_DETECTED', 'PATH'],
  ['REGEX_THREAT_BODY_DETECTED', 'BODY'],
]);

async function verdictOf(configuration: object, wish: CallWish): Promise<string> {
  const call = startPolicy('regex-threat-protection', { regex: '.*evil.*', ...configuration }).call(wish);
  const verdict = await call.pass();
  if (verdict?.kind === 'reject') assert.deepEqual([verdict.status, verdict.message], [400, 'Bad Request']);
  return verdict?.kind === 'reject' ? (places.get(verdict.key) ?? verdict.key) : 'passes';
}

const inHeader: CallWish = { headers: { 'X-A': 'so evil' } };
const inPath: CallWish = { request: { pathInfo: '/an/evil/path' } };
const inBody: CallWish = { body: 'an evil body' };

test('what the pattern describes is refused where it is looked for, and nowhere else', async () => {
  assert.equal(await verdictOf({}, inHeader), 'HEADER');
  assert.equal(await verdictOf({}, { headers: { 'X-Evil': '1' } }), 'HEADER');
  assert.equal(await verdictOf({}, inPath), 'PATH');
  assert.equal(await verdictOf({}, { request: { query: 'a=1&b=evil' } }), 'PATH');
  assert.equal(await verdictOf({}, { request: { query: 'evil' } }), 'PATH');
  assert.equal(await verdictOf({}, inBody), 'BODY');
  assert.equal(await verdictOf({ checkHeaders: false }, inHeader), 'passes');
  assert.equal(await verdictOf({ checkPath: false }, inPath), 'passes');
  assert.equal(await verdictOf({ checkBody: false }, inBody), 'passes');
  assert.equal(
    await verdictOf({}, { headers: { A: 'b' }, body: 'good', request: { query: 'a=b' } }),
    'passes',
  );
});

test('case counts only where it is asked to', async () => {
  assert.equal(await verdictOf({}, { body: 'EVIL' }), 'BODY');
  assert.equal(await verdictOf({ caseSensitive: true }, { body: 'EVIL' }), 'passes');
});

test('the whole of a header, path or parameter is matched, of the body the whole or any part', async () => {
  const regex = 'evil';
  for (const fullMatching of [true, false]) {
    assert.equal(await verdictOf({ regex, fullMatching }, inHeader), 'passes');
    assert.equal(await verdictOf({ regex, fullMatching }, { request: { query: 'a=evil' } }), 'PATH');
    assert.equal(await verdictOf({ regex, fullMatching }, inBody), fullMatching ? 'passes' : 'BODY');
  }
});

test('no escape, double escape or line end hides anything', async () => {
  for (const pathInfo of ['/%65vil', '/%2565vil', '/%25%36%35vil', '/e/../evil;x=1', '/%C1%A5vil'])
    assert.equal(await verdictOf({}, { request: { pathInfo } }), 'PATH', pathInfo);
  for (const query of ['a=%65vil', 'a=%2565vil', '%65vil=a', 'a=1=evil', 'a=%0Aevil'])
    assert.equal(await verdictOf({}, { request: { query } }), 'PATH', query);
  assert.equal(await verdictOf({ regex: '.*drop table.*' }, { request: { query: 'a=drop+table' } }), 'PATH');
  assert.equal(await verdictOf({}, { body: 'line\r\nevil\nline' }), 'BODY');
});

test('a body hides nothing behind its charset or the escapes of its type; what is escaped in no type is text', async () => {
  const sent = async (type: string | undefined, body: string) =>
    verdictOf({ checkHeaders: false }, { headers: type === undefined ? {} : { 'Content-Type': type }, body });
  const zeros = 'so evil'
    .split('')
    .map((each) => `${each}\0`)
    .join('');
  const hidden: readonly (readonly [type: string, body: string])[] = [
    ['text/plain; charset=utf-16', zeros],
    ['application/json', zeros],
    ['application/json', `\0\0\0${'evil'.split('').join('\0\0\0')}`],
    [
      'text/plain; charset=utf-16be',
      'evil'
        .split('')
        .map((each) => `\0${each}`)
        .join(''),
    ],
    ['application/x-www-form-urlencoded', 'a=1&b=e%76il'],
    ['application/x-www-form-urlencoded', 'a=1&b=e%2576il'],
    ['application/json', String.raw`{"a":"\u0065\u0076il"}`],
    ['application/problem+json', String.raw`{"a":"\u0065v\u0069l"}`],
    ['text/xml', '<a>&#101;v&#x69;l</a>'],
    ['text/html', '<a>&#101vi&#108</a>'],
  ];
  for (const [type, body] of hidden) assert.equal(await sent(type, body), 'BODY', body);
  for (const [type, body] of hidden.slice(4)) {
    assert.equal(await sent(undefined, body), 'BODY', body);
    assert.equal(await sent('text/plain', body), 'passes', type);
  }
  const slashes = { regex: '.*</script>.*', checkHeaders: false };
  const closed = { headers: { 'Content-Type': 'application/json' }, body: String.raw`{"a":"<\/script>"}` };
  assert.equal(await verdictOf(slashes, closed), 'BODY');
  assert.equal(await sent('text/plain; charset=utf-7', '+AGU-vil'), 'BODY', 'nobody here can read it');
  assert.equal(await sent('text/plain; charset="UTF-8"', 'good'), 'passes');
  assert.equal(await sent('text/xml', '<a>&#x110000;&#99999999;&unknown;</a>'), 'passes');
});

test('a body that nobody can read is refused: compressed, or too long for its pattern', async () => {
  assert.equal(await verdictOf({}, { headers: { 'Content-Encoding': 'gzip' }, body: 'x' }), 'BODY');
  const regex = `.*(${'a?'.repeat(300)}b).*`;
  assert.equal(await verdictOf({ regex }, { body: 'x'.repeat(60_000) }), 'passes');
  assert.equal(await verdictOf({ regex }, { body: 'x'.repeat(1_000_000) }), 'BODY');
});

test('a pattern that would take exponential time elsewhere takes milliseconds', async () => {
  const startedMs = performance.now();
  assert.equal(await verdictOf({ regex: '(x+x+)+y' }, { body: 'x'.repeat(100_000) }), 'passes');
  isWithin(performance.now() - startedMs, { msMax: 2_000 });
});

test('a pattern that cannot be matched in linear time is refused when it is deployed, with its path', () => {
  const { config } = catalog['regex-threat-protection'];
  for (const regex of ['(?=a)b', '(a)\\1', '(', '', 'a'.repeat(901), undefined])
    assert.deepEqual(config.safeParse({ regex }).error?.issues[0]?.path, ['regex'], regex);
  assert.ok(config.safeParse({ regex: 'a'.repeat(900) }).success);
});
