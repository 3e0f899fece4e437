import assert from 'node:assert/strict';
import { test } from 'node:test';

import { catalog } from '../../proto/policies/catalog.ts';
import { startPolicy } from '../../test/kit/gateway/policies.ts';

const start = (body: string, phase: 'request' | 'response' = 'request') =>
  startPolicy('policy-assign-content', { body }, { place: { phase } });

test('what the template makes takes the place of the body, which is read only when the template asks for it', async () => {
  const plain = start('{"plan": "${context.attributes.plan}"}');
  assert.equal(plain.policy.request?.needs, 'head');
  const unread = plain.call({ body: 'unread', attributes: { plan: 'gold' } });
  assert.equal(unread.pass(), undefined);
  assert.equal(await unread.sent('request'), '{"plan": "gold"}');

  const reading = start('[${request.content}]');
  assert.equal(reading.policy.request?.needs, 'buffered');
  const read = reading.call({ body: ['a', 'b'] });
  assert.equal(await read.pass(), undefined);
  assert.equal(await read.sent('request'), '[ab]');
});

test('it makes a body where there is none, and none out of nothing', async () => {
  const made = start('Łódź').call();
  assert.equal(await made.pass(), undefined);
  assert.equal(await made.sent('request'), 'Łódź');
  const emptied = start('').call({ body: 'gone' });
  assert.equal(await emptied.pass(), undefined);
  assert.equal(await emptied.sent('request'), '');
});

test('in the response phase it is the answer that it makes', async () => {
  const call = start('${response.status}: ${response.content} for ${request.method}', 'response').call();
  assert.equal(await call.answer({ status: 201, body: 'done' }), undefined);
  assert.equal(await call.sent('response'), '201: done for GET');
});

test('a template that fails ends the request with 500, and the warning says why', async () => {
  const call = start('${request.headers["X-Nope"][0]}').call();
  const verdict = await call.pass();
  assert.ok(verdict !== undefined && 'key' in verdict);
  assert.equal(verdict.key, 'ASSIGN_CONTENT_ERROR');
  assert.equal(verdict.status, 500);
  assert.deepEqual(call.warnings, ['ASSIGN_CONTENT_ERROR']);
});

test('a compressed body is not read as text, but may be replaced; what it makes is not compressed', async () => {
  const reading = start('${response.content}', 'response').call();
  const refused = await reading.answer({ headers: { 'Content-Encoding': 'gzip' }, body: 'packed' });
  assert.ok(refused !== undefined && 'key' in refused && refused.key === 'ASSIGN_CONTENT_ERROR');
  const replacing = start('plain', 'response').call();
  assert.equal(
    await replacing.answer({ headers: { 'Content-Encoding': 'gzip' }, body: 'packed' }),
    undefined,
  );
  assert.equal(replacing.response?.headers.get('content-encoding'), undefined);
  assert.equal(await replacing.sent('response'), 'plain');
});

test('a template that cannot be read is refused when it is deployed, with its place', () => {
  const { config } = catalog['policy-assign-content'];
  const whyNot = (configuration: object): unknown =>
    config.safeParse(configuration).error?.issues[0]?.message;
  assert.equal(
    whyNot({ body: '{\n  ${request.id?uper_case}\n}' }),
    'line 2, character 16: ?uper_case is unknown; did you mean ?upper_case?',
  );
  assert.equal(whyNot({}), 'is required');
  assert.equal(whyNot({ body: 'x'.repeat(256 * 1024) }), undefined);
  assert.match(String(whyNot({ body: 'x'.repeat(256 * 1024 + 1) })), /262144/);
});

test('a template of the request that names the answer is refused when it is deployed, unless it forgives that there is none', () => {
  const { config, faultsIn } = catalog['policy-assign-content'];
  const faults = (body: string, phase: 'request' | 'response') => faultsIn?.(config.parse({ body }), phase);
  assert.deepEqual(faults('a\n${response.status}', 'request'), [
    {
      path: 'body',
      message:
        'line 2, character 3: response is there in the response phase alone; (response.status)!"none" forgives that it is missing',
    },
  ]);
  const fitting = [
    '<#if response??>${response.status}</#if>',
    '${(response.status)!"none"}',
    '<#assign response = 1>${response}',
  ];
  for (const body of fitting) assert.deepEqual(faults(body, 'request'), [], body);
  assert.deepEqual(faults('${response.status}', 'response'), []);
});
