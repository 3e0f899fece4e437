import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openOffice } from '../../../test/kit/control-plane/office.ts';
import { sqlite } from '../../../test/kit/servers/databases.ts';

const path = '/management/v2/organizations/DEFAULT/expressions';

test('an expression is judged before anybody deploys it, with the place of each fault', async (t) => {
  const { call } = await openOffice(t, sqlite);
  const check = (body: object) => call('POST', `${path}/_check`, { body });
  const text = "on {#request.headrs['X-A']} and {#response.content}";
  const { status, body } = await check({ text, kind: 'TEMPLATE' });
  assert.equal(status, 200);
  const [fault] = body['faults'] as { readonly at: number; readonly message: string }[];
  assert.deepEqual(
    [body['ok'], fault?.at, body['needsBody'], body['roots']],
    [false, text.indexOf('headrs'), true, ['response']],
  );
  assert.match(fault?.message ?? '', /headers/);
  assert.match(JSON.stringify(body['warnings']), /no response yet/);
  const rule = await check({ text: "#request.method == 'GET'", kind: 'SELECTION_RULE', phase: 'RESPONSE' });
  assert.deepEqual([rule.body['ok'], rule.body['warnings']], [true, []]);
  assert.equal((await check({ text: 'x', kind: 'OTHER' })).status, 400);
  assert.equal((await check({ text: 'x'.repeat(65_537), kind: 'TEMPLATE' })).status, 400);

  const roots = JSON.parse((await call('GET', `${path}/roots`)).text) as { readonly name: string }[];
  assert.ok(roots.some(({ name }) => name === 'request'));
});

test('a text of nothing but expressions is judged within its bounds', async (t) => {
  const { call } = await openOffice(t, sqlite);
  const text = '{#a}'.repeat(16_384);
  const { status, body } = await call('POST', `${path}/_check`, { body: { text, kind: 'TEMPLATE' } });
  assert.equal(status, 200);
  assert.equal((body['faults'] as object[]).length, 100, 'the first hundred are told');
});
