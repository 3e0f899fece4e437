import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../../proto/policies/catalog.ts';
import { startPolicy } from '../../../test/kit/gateway/policies.ts';

const rename = JSON.stringify([{ operation: 'shift', spec: { a: 'b' } }]);
const json = { 'Content-Type': 'application/vnd.acme+JSON; charset=utf-8' };
const start = (configuration: object = {}, phase: 'request' | 'response' = 'request') =>
  startPolicy('json-to-json', { specification: rename, ...configuration }, { place: { phase } });

test('a body of JSON is transformed, of the request and of the answer, and says then that it is JSON', async () => {
  const asked = start().call({ headers: json, body: ['{"a":', '1}'] });
  assert.equal(await asked.pass(), undefined);
  assert.equal(await asked.sent('request'), '{"b":1}');
  assert.equal(asked.request.headers.get('content-type'), 'application/json');

  const answered = start({}, 'response').call();
  assert.equal(await answered.answer({ headers: json, body: '{"a":12345678901234567890}' }), undefined);
  assert.equal(await answered.sent('response'), '{"b":12345678901234567890}');
});

test('without overrideContentType it says what it said', async () => {
  const call = start({ overrideContentType: false }).call({ headers: json, body: '{"a":1}' });
  assert.equal(await call.pass(), undefined);
  assert.equal(call.request.headers.get('content-type'), json['Content-Type']);
});

test('a body that says it is no JSON, or says nothing, passes unread; what is empty stays empty', async () => {
  for (const headers of [{ 'Content-Type': 'text/plain' }, {}]) {
    const call = start().call({ headers, body: ['{"a":', '1}'] });
    assert.equal(call.pass(), undefined);
    assert.equal(call.isRead, false);
    assert.equal(await call.sent('request'), '{"a":1}');
  }
  const answered = start({}, 'response').call();
  assert.equal(answered.answer({ headers: { 'Content-Type': 'image/png' }, body: ['x'] }), undefined);
  const empty = start().call({ headers: json });
  assert.equal(await empty.pass(), undefined);
  assert.equal(await empty.sent('request'), '');
});

test('a body in another charset is read in it, and goes on in UTF-8', async () => {
  const policy = start();
  const call = policy.call({ headers: { 'Content-Type': 'application/json; charset=ISO-8859-1' } });
  call.request.content = Buffer.from('{"a":"Gdaé"}', 'latin1');
  assert.equal(await call.pass(), undefined);
  assert.equal(await call.sent('request'), '{"b":"Gdaé"}');
});

test('what cannot be transformed ends with 500 JSON_INVALID_SPECIFICATION, and a warning', async () => {
  const deep = `${'{"a":'.repeat(70)}1${'}'.repeat(70)}`;
  const of = (name: string) => ({ 'Content-Type': `application/json; charset=${name}` });
  for (const [headers, body] of [
    [json, '{"a":'],
    [json, deep],
    [of('nobody-knows'), '{"a":1}'],
    [{ ...json, 'Content-Encoding': 'gzip' }, '{"a":1}'],
  ] as const) {
    const call = start().call({ headers, body });
    const verdict = await call.pass();
    assert.ok(verdict?.kind === 'reject', body);
    assert.deepEqual([verdict.key, verdict.status], ['JSON_INVALID_SPECIFICATION', 500]);
    assert.deepEqual(call.warnings, ['JSON_INVALID_SPECIFICATION']);
  }
});

test('an expression in the specification is worked out per request; where it makes no specification, the request ends', async () => {
  const specification = '[{"operation":"default","spec":{"plan":"{#context.attributes[\'plan\']}"}}]';
  const started = start({ specification });
  const call = started.call({ headers: json, body: '{}', attributes: { plan: 'gold' } });
  assert.equal(await call.pass(), undefined);
  assert.equal(await call.sent('request'), '{"plan":"gold"}');
  const broken = started.call({ headers: json, body: '{}', attributes: { plan: '"' } });
  const verdict = await broken.pass();
  assert.ok(verdict?.kind === 'reject' && verdict.key === 'JSON_INVALID_SPECIFICATION');
});

test('a specification that nobody can run is refused when it is deployed, with every place', () => {
  const { config } = catalog['json-to-json'];
  const whyNot = (specification: unknown): readonly string[] =>
    config
      .safeParse({ specification })
      .error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
  assert.deepEqual(whyNot('[{"operation":"shift","spec":{"a":1}},{"operation":"x.Y"}]').length, 2);
  assert.match(whyNot('{')[0] ?? '', /^specification: is no JSON/);
  assert.match(whyNot(' ')[0] ?? '', /^specification: is empty/);
  assert.match(whyNot(undefined)[0] ?? '', /^specification: /);
  assert.deepEqual(whyNot(`[]${' '.repeat(256 * 1024 - 2)}`), []);
  assert.match(whyNot(`[]${' '.repeat(256 * 1024 - 1)}`)[0] ?? '', /262144/);
});
