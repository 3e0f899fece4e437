import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { startPolicy } from '../../../test/kit/gateway/policies.ts';

const envelope =
  '<s:Envelope><s:Body>{#xmlEscape(#jsonPath(#request.content, "$.name"))}</s:Body></s:Envelope>';
const start = (configuration: object = {}) => startPolicy('rest-to-soap', { envelope, ...configuration });

test('the envelope is sent by POST as XML, with what the body held', async () => {
  const call = start({ soapAction: '"urn:x"', charset: 'UTF-8' }).call({
    headers: { 'Content-Type': 'application/json', SOAPAction: 'of the caller' },
    body: '{"name":"<Ann> & co"}',
    request: { method: 'PUT', query: 'a=1' },
  });
  assert.equal(await call.pass(), undefined);
  assert.equal(await call.sent('request'), '<s:Envelope><s:Body>&lt;Ann&gt; &amp; co</s:Body></s:Envelope>');
  assert.deepEqual(
    [
      call.request.method,
      call.request.headers.get('content-type'),
      call.request.headers.getAll('soapaction'),
    ],
    ['POST', 'text/xml; charset=UTF-8', ['"urn:x"']],
  );
});

test('an envelope that asks nothing of the body does not wait for it', () => {
  const started = start({ envelope: '<a/>' });
  assert.equal(started.policy.request?.needs, 'head');
  const call = started.call({ body: ['long'] });
  assert.equal(call.pass(), undefined);
  assert.equal(call.request.headers.get('content-type'), 'text/xml');
});

test('the query goes, and stands in an attribute; with preserveQueryParams it goes on', () => {
  const query = 'a=1&b=x%20y&a=2';
  const gone = start({ envelope: '<a/>' }).call({ request: { query } });
  assert.equal(gone.pass(), undefined);
  assert.equal(gone.request.query, undefined);
  const expected = new Map([
    ['a', ['1', '2']],
    ['b', ['x y']],
  ]);
  assert.deepEqual(gone.attributes.get('rest-to-soap.query-parameters'), expected);
  const kept = start({ envelope: '<a/>', preserveQueryParams: true }).call({ request: { query } });
  assert.equal(kept.pass(), undefined);
  assert.deepEqual([kept.request.query, kept.attributes.size], [query, 0]);
});

test('the path goes only with stripPath', () => {
  for (const stripPath of [false, true]) {
    const call = start({ envelope: '<a/>', stripPath }).call({ request: { pathInfo: '/items' } });
    assert.equal(call.pass(), undefined);
    assert.equal(call.request.pathInfo, stripPath ? '' : '/items');
  }
});

test('an envelope that fails, or comes to nothing, ends the request with 500 REST_TO_SOAP_FAILURE', async () => {
  for (const broken of ["{#request.headers['X-Nope']}", '<a>{(1 / 0)}</a>']) {
    const call = start({ envelope: broken }).call();
    const verdict = await call.pass();
    assert.ok(verdict?.kind === 'reject', broken);
    assert.deepEqual([verdict.key, verdict.status], ['REST_TO_SOAP_FAILURE', 500]);
    assert.deepEqual(call.warnings, ['REST_TO_SOAP_FAILURE']);
  }
});

test('a configuration that cannot be sent is refused when it is deployed, with its field', () => {
  const { config, faultsIn } = catalog['rest-to-soap'];
  const fault = (configuration: object): unknown => config.safeParse(configuration).error?.issues[0]?.path;
  assert.deepEqual(fault({}), ['envelope']);
  assert.deepEqual(fault({ envelope: 'x'.repeat(256 * 1024 + 1) }), ['envelope']);
  assert.equal(fault({ envelope: 'x'.repeat(256 * 1024) }), undefined);
  assert.deepEqual(fault({ envelope: '<a/>', soapAction: 'a\r\nb: c' }), ['soapAction']);
  assert.deepEqual(fault({ envelope: '<a/>', charset: 'utf-8\r\n' }), ['charset']);
  assert.deepEqual(fault({ envelope: '{#nobody.knows}' }), ['envelope']);
  const charset = (name: string) => faultsIn?.(config.parse({ envelope: '<a/>', charset: name }), 'request');
  assert.deepEqual(charset('utf8'), []);
  assert.equal(charset('UTF-16')?.[0]?.path, 'charset');
});
