import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startPolicy } from '../../../test/kit/gateway/policies.ts';

async function made(xml: string): Promise<string | undefined> {
  const call = startPolicy('xml-json', {}).call({ body: xml });
  const verdict = await call.pass();
  if (verdict === undefined) return call.sent('request');
  assert.ok(verdict.kind === 'reject');
  assert.deepEqual([verdict.key, verdict.status], ['XML_INVALID_PAYLOAD', 400]);
  assert.deepEqual(call.warnings, ['XML_INVALID_PAYLOAD']);
  return undefined;
}

const nested = (levels: number): string => '<a>'.repeat(levels) + '</a>'.repeat(levels);

test('elements, attributes and texts become JSON as in the reference', async () => {
  for (const [xml, json] of [
    ['<a>x</a>', '{"a":"x"}'],
    ['<?xml version="1.0"?><!-- c --><a><b>1</b></a>', '{"a":{"b":1}}'],
    ['<a id="7" at="">x</a>', '{"a":{"id":7,"at":"","content":"x"}}'],
    ['<a><b>1</b><c/><b>2</b></a>', '{"a":{"b":[1,2],"c":""}}'],
    ['<a>x<b/>y</a>', '{"a":{"content":["x","y"],"b":""}}'],
    ['<a> <![CDATA[<x>]]> </a>', '{"a":"<x>"}'],
    ['<a>one<!-- c -->two</a>', '{"a":"onetwo"}'],
    ['<n:a xmlns:n="urn:x"><n:b>1</n:b></n:a>', '{"n:a":{"xmlns:n":"urn:x","n:b":1}}'],
    ['<a><b>True</b><b>NULL</b><b>false</b></a>', '{"a":{"b":[true,null,false]}}'],
    ['<a><b>007</b><b>-1</b><b>1.10</b><b>1e2</b><b>1.</b></a>', '{"a":{"b":["007",-1,1.1,100,"1."]}}'],
    ['<a><b>12345678901234567890</b><b>1e999</b></a>', '{"a":{"b":[12345678901234567890,"1e999"]}}'],
    ['<a>&lt;&#65;&quot;</a>', '{"a":"<A\\""}'],
    ['<a><content>x</content><b/></a>', '{"a":{"content":"x","b":""}}'],
    ['<a><__proto__>x</__proto__><constructor/></a>', '{"a":{"__proto__":"x","constructor":""}}'],
  ] as const)
    assert.equal(await made(xml), json, xml);
});

test('what is no XML, or has a document type, is refused with 400 XML_INVALID_PAYLOAD, and an answer with 500', async () => {
  const bomb = '<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;">]><a>&c;</a>';
  const foreign = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>';
  for (const xml of ['{"a":1}', '<a>', '<a></b>', '<a/><b/>', '<a b=1/>', '<a>&b;</a>', ' ', bomb, foreign])
    assert.equal(await made(xml), undefined, xml);
  const answer = startPolicy('xml-json', {}, { place: { phase: 'response' } }).call();
  const verdict = await answer.answer({ body: '<a>' });
  assert.ok(verdict?.kind === 'reject');
  assert.deepEqual([verdict.key, verdict.status], ['XML_INVALID_PAYLOAD', 500]);
});

test('it is 100 elements deep, not 101, and has 200,000 elements, not one more', async () => {
  assert.equal((await made(nested(100)))?.length, '{"a":""}'.length * 100 - 2 * 99);
  assert.equal(await made(nested(101)), undefined);
  assert.ok((await made(`<r>${'<a/>'.repeat(199_999)}</r>`)) !== undefined);
  assert.equal(await made(`<r>${'<a/>'.repeat(200_000)}</r>`), undefined);
});

test('a body is read in the charset that its Content-Type says, and goes on in UTF-8 as JSON; what is empty stays empty', async () => {
  const policy = startPolicy('xml-json', {});
  const call = policy.call({ headers: { 'Content-Type': 'text/xml; charset="iso-8859-2"' } });
  call.request.content = Buffer.from([...Buffer.from('<a>'), 0xa3, ...Buffer.from('</a>')]);
  assert.equal(await call.pass(), undefined);
  assert.equal(await call.sent('request'), '{"a":"Ł"}');
  assert.equal(call.request.headers.get('content-type'), 'application/json;charset=UTF-8');
  const broken = policy.call();
  broken.request.content = Buffer.from([0x3c, 0xff]);
  assert.ok((await broken.pass())?.kind === 'reject');
  const empty = policy.call({ headers: { 'Content-Type': 'text/xml' } });
  assert.equal(await empty.pass(), undefined);
  assert.equal(empty.request.headers.get('content-type'), 'text/xml');
});
