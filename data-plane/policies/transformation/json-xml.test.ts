import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { startPolicy } from '../../../test/kit/gateway/policies.ts';

async function made(json: string, configuration: object = {}): Promise<string | undefined> {
  const call = startPolicy('json-xml', configuration).call({ body: json });
  const verdict = await call.pass();
  if (verdict === undefined) return call.sent('request');
  assert.ok(verdict.kind === 'reject');
  assert.deepEqual([verdict.key, verdict.status], ['JSON_INVALID_PAYLOAD', 400]);
  return undefined;
}

test('members become elements as in the reference', async () => {
  for (const [json, xml] of [
    ['{"a":1,"b":"x"}', '<root><a>1</a><b>x</b></root>'],
    ['{"a":[1,{"b":2}]}', '<root><a>1</a><a><b>2</b></a></root>'],
    ['{"a":[[1,2],[]]}', '<root><a><array>1</array><array>2</array></a><a></a></root>'],
    ['{"a":"","b":null,"c":true,"d":{}}', '<root><a/><b>null</b><c>true</c><d></d></root>'],
    ['{"a":{"content":"x","b":1}}', '<root><a>x<b>1</b></a></root>'],
    ['{"a":{"content":["x",1]}}', '<root><a>x\n1</a></root>'],
    ['{"a":"<&>\\"\'"}', '<root><a>&lt;&amp;&gt;&quot;&apos;</a></root>'],
    [
      '{"n:a":12345678901234567890,"Łódź":1.10}',
      '<root><n:a>12345678901234567890</n:a><Łódź>1.1</Łódź></root>',
    ],
    ['{}', '<root></root>'],
  ] as const)
    assert.equal(await made(json), xml, json);
  assert.equal(await made('{"a":1}', { rootElement: ':order' }), '<:order><a>1</a></:order>');
});

test('what is no object of JSON, or cannot be XML, is refused with 400 JSON_INVALID_PAYLOAD, and an answer with 500', async () => {
  const injected = ['{"a><evil/><a":1}', '{"a b":1}', '{"":1}', '{"1a":1}', '{"a":{"-b":1}}'];
  const characters = ['{"a":"\\u0001"}', '{"a":"\\ud800"}', '{"a":"\\uffff"}', '{"a":{"content":{}}}'];
  for (const json of ['{', '[1]', '1', 'null', '<a/>', ...injected, ...characters])
    assert.equal(await made(json), undefined, json);
  const answer = startPolicy('json-xml', {}, { place: { phase: 'response' } }).call();
  const verdict = await answer.answer({ body: '[]' });
  assert.ok(verdict?.kind === 'reject');
  assert.deepEqual([verdict.key, verdict.status], ['JSON_INVALID_PAYLOAD', 500]);
});

test('it is 100 levels deep, not 101, and as long as 32 Mi characters, not one more', async () => {
  const deep = (levels: number): string => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels);
  assert.ok((await made(deep(100))) !== undefined);
  assert.equal(await made(deep(101)), undefined);
  const list = (extra: number): string =>
    JSON.stringify({ [`a${'b'.repeat(16_379)}`]: Array(1_023).fill(1), c: 'x'.repeat(extra) });
  const room = 32 * 1024 * 1024 - 1_023 * (2 * 16_380 + 6) - '<root><c></c></root>'.length;
  assert.equal((await made(list(room)))?.length, 32 * 1024 * 1024);
  assert.equal(await made(list(room + 1)), undefined);
});

test('it says that it is XML; what is empty stays empty', async () => {
  const policy = startPolicy('json-xml', {});
  const call = policy.call({ headers: { 'Content-Type': 'application/json' }, body: ['{"a"', ':1}'] });
  assert.equal(await call.pass(), undefined);
  assert.equal(call.request.headers.get('content-type'), 'application/xml;charset=UTF-8');
  const empty = policy.call({ headers: { 'Content-Type': 'application/json' } });
  assert.equal(await empty.pass(), undefined);
  assert.equal(await empty.sent('request'), '');
});

test('a rootElement that is none is refused when it is deployed', () => {
  const whyNot = (rootElement: string): unknown =>
    catalog['json-xml'].config.safeParse({ rootElement }).error?.issues[0]?.path;
  assert.equal(whyNot('_a'), undefined);
  for (const name of ['', '1a', '-a', 'a b', 'a>', 'x'.repeat(201)])
    assert.deepEqual(whyNot(name), ['rootElement']);
});
