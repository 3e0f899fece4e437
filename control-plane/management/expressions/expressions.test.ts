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

  const roots = JSON.parse((await call('GET', `${path}/roots`)).text) as {
    readonly name: string;
    readonly place?: string;
  }[];
  assert.equal((await check({ text: '', kind: 'TEMPLATE', places: ['nowhere'] })).status, 400);
  assert.ok(roots.some(({ name }) => name === 'request'));

  const words = JSON.parse((await call('GET', `${path}/words`)).text) as Words;
  assert.deepEqual(
    ['request.headers', 'request.headers[]', 'request.headers[][]', 'request.ssl.client.dn'].map(
      (each) => words.kinds[each],
    ),
    ['lines', 'list', 'text', 'text'],
  );
  assert.ok(words.methods['text']?.includes('toLowerCase'));
  assert.ok(words.types['Math']?.includes('abs'));
  assert.equal(words.results['toLowerCase'], 'text');
  assert.match(words.attributes['plan'] ?? '', /id/);
  // What is offered is accepted.
  for (const [name, kind] of Object.entries(words.kinds).filter(([each]) => !each.includes('[]'))) {
    const places = roots.filter((each) => each.place !== undefined && name.startsWith(`${each.name}.`));
    const asked = { text: `{#${name}}`, kind: 'TEMPLATE', phase: 'RESPONSE' };
    const { body: judged } = await check({ ...asked, places: places.map((each) => each.name) });
    assert.deepEqual(judged['faults'], [], `${name}, ${kind}`);
    if (places.length > 0) assert.equal((await check(asked)).body['ok'], false, 'elsewhere it is refused');
  }
});

interface Words {
  readonly kinds: Readonly<Record<string, string>>;
  readonly methods: Readonly<Record<string, readonly string[]>>;
  readonly types: Readonly<Record<string, readonly string[]>>;
  readonly results: Readonly<Record<string, string>>;
  readonly attributes: Readonly<Record<string, string>>;
}

test('a text of nothing but expressions is judged within its bounds', async (t) => {
  const { call } = await openOffice(t, sqlite);
  const text = '{#a}'.repeat(16_384);
  const { status, body } = await call('POST', `${path}/_check`, { body: { text, kind: 'TEMPLATE' } });
  assert.equal(status, 200);
  assert.equal((body['faults'] as object[]).length, 100, 'the first hundred are told');
});
