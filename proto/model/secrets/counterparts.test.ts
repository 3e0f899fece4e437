import assert from 'node:assert/strict';
import test from 'node:test';

import { createDataKey, mask, sealText } from '../../trust/sealed-text.ts';
import { counterpartsOf, unclear } from './counterparts.ts';

const key = createDataKey();
const sealed = (text: string): string =>
  sealText(key, text, { organization: 'o', environment: 'e', kind: 'api', id: 'a', field: 'f' });

type Item = Readonly<Record<string, unknown>>;
/** A header of a kept list; two of the same number keep the same secret. */
const kept = new Map<string, string>();
function keptOf(secret: string): string {
  const text = kept.get(secret) ?? sealed(secret);
  kept.set(secret, text);
  return text;
}

/** A step; `secret` is what it keeps. */
const step = (policy: string, secret?: string, more: Item = {}): Item => ({
  policy,
  ...(secret !== undefined && { configuration: { token: secret === mask ? mask : keptOf(secret) } }),
  ...more,
});
const m = (policy: string, more: Item = {}): Item => step(policy, mask, more);

/** Index of the kept step for each mask that was sent; `none` stands for nothing kept. */
function told(before: readonly Item[], after: readonly Item[]): readonly unknown[] {
  const found = counterpartsOf({ steps: after }, { steps: before });
  return after.flatMap((item, index) => {
    if (!JSON.stringify(item).includes(mask)) return [];
    const place = found.get(`/steps/${index}/configuration/token`);
    if (place === undefined) return ['none'];
    return [place === unclear ? 'unclear' : Number(/\d+/.exec(place)?.[0])];
  });
}

const named = (name: string) => ({ name });

for (const [promise, before, after, expected] of [
  ['deleted neighbour', [step('a', '1'), step('b', '2')], [m('b')], [1]],
  ['swap', [step('a', '1'), step('b', '2')], [m('b'), m('a')], [1, 0]],
  ['insert in front', [step('a', '1'), step('b', '2')], [step('c'), m('a'), m('b')], [0, 1]],
  [
    'a copy has the secret of what it copies',
    [step('a', '1'), step('b', '2')],
    [m('a'), m('a'), m('b')],
    [0, 0, 1],
  ],
  ['one is edited where it stands', [step('a', '1'), step('b', '2')], [m('a', { x: 1 }), m('b')], [0, 1]],
  ['the only one is edited', [step('a', '1')], [m('b')], [0]],
  [
    'edited beside one without secrets that went',
    [step('a', '1'), step('b')],
    [m('a', { x: 1 }), step('c')],
    [0],
  ],
  ['edited and moved', [step('a', '1'), step('b', '2')], [m('b'), m('a', { x: 1 })], [1, 'unclear']],
  [
    'two are edited',
    [step('a', '1'), step('b', '2')],
    [m('a', { x: 1 }), m('b', { x: 1 })],
    ['unclear', 'unclear'],
  ],
  ['edited, and a neighbour went', [step('a', '1'), step('b', '2')], [m('b', { x: 1 })], ['unclear']],
  [
    'edited, and the neighbour is another',
    [step('a', '1'), step('b', '2')],
    [m('b'), m('c')],
    [1, 'unclear'],
  ],
  [
    'edited, and the neighbour has a new secret',
    [step('a', '1'), step('b', '2')],
    [m('a', { x: 1 }), step('b', 'new')],
    ['unclear'],
  ],
  ['edited where none is kept', [step('a'), step('b', '2')], [m('a'), m('b')], ['none', 1]],
  ['nothing is kept in the list', [], [m('a')], ['none']],
  ['equal ones as they were', [step('a', '1'), step('a', '2')], [m('a'), m('a')], [0, 1]],
  ['equal ones, one fewer', [step('a', '1'), step('a', '2')], [m('a')], ['unclear']],
  [
    'equal ones, one more',
    [step('a', '1'), step('a', '2')],
    [m('a'), m('a'), m('a')],
    ['unclear', 'unclear', 'unclear'],
  ],
  [
    'equal ones, one with a new secret',
    [step('a', '1'), step('a', '2')],
    [m('a'), step('a', 'new')],
    ['unclear'],
  ],
  [
    'equal ones, moved',
    [step('a', '1'), step('a', '2'), step('b')],
    [m('a'), step('b'), m('a')],
    ['unclear', 'unclear'],
  ],
  ['equal ones of one secret', [step('a', '1'), step('a', '1')], [m('a')], [0]],
  [
    'names whatever else changed',
    [step('a', '1', named('x')), step('a', '2', named('y'))],
    [m('c', named('y'))],
    [1],
  ],
  [
    'names alike, told by what they are',
    [step('a', '1', named('x')), step('b', '2', named('x'))],
    [m('b', named('x'))],
    [1],
  ],
  [
    'names alike, and all else',
    [step('a', '1', named('x')), step('a', '2', named('x'))],
    [m('a', named('x'))],
    ['unclear'],
  ],
  ['renamed', [step('a', '1', named('x'))], [m('a', named('y'))], ['none']],
  [
    'an own name for each of them',
    [step('a', '1'), step('a', '2')],
    [m('a', named('x')), m('a', named('y'))],
    [0, 1],
  ],
  [
    'an own name in the place of an empty one',
    [step('a', '1', named('')), step('a', '2')],
    [m('a', named('x')), m('a', named('y'))],
    [0, 1],
  ],
  ['an own name, and a neighbour went', [step('a', '1'), step('b', '2')], [m('b', named('y'))], [1]],
  [
    'names that changed places',
    [step('a', '1', named('x')), step('b', '2', named('y'))],
    [m('a', named('y')), m('b', named('x'))],
    [1, 0],
  ],
  [
    'ids before names',
    [step('a', '1', { id: '1', name: 'x' }), step('a', '2', { id: '2', name: 'x' })],
    [m('a', { id: '2', name: 'z' })],
    [1],
  ],
  [
    'another id of the same name',
    [step('a', '1', { id: '1', name: 'x' })],
    [m('a', { id: '2', name: 'x' })],
    ['unclear'],
  ],
  [
    'fields in another order, and nulls',
    [step('a', '1', { x: 1, y: 2 }), step('b', '2')],
    [m('b'), { y: 2, x: 1, z: null, ...m('a') }],
    [1, 0],
  ],
  [
    'names of objects',
    [step('a', '1', named('__proto__')), step('a', '2', named('constructor'))],
    [m('a', named('constructor'))],
    [1],
  ],
] as const)
  test(`whose secret a mask is: ${promise}`, () => assert.deepEqual(told(before, after), expected));

test('lists in lists go by the same rule, and a mask in what cannot be told is none of its neighbours', () => {
  const flow = (path: string, ...request: readonly Item[]): Item => ({ selectors: [{ path }], request });
  const before = { flows: [flow('/a', step('a', '1')), flow('/b', step('a', '2'), step('b', '3'))] };
  const token = (at: string) => `/flows/${at}/configuration/token`;
  assert.deepEqual(
    [...counterpartsOf({ flows: [flow('/b', m('b'), m('a')), flow('/a', m('a'))] }, before)],
    [
      [token('0/request/0'), unclear],
      [token('0/request/1'), unclear],
      [token('1/request/0'), token('0/request/0')],
    ],
    'both stand elsewhere, and one is edited',
  );
  assert.deepEqual(
    [...counterpartsOf({ flows: [flow('/a', m('a')), flow('/b', m('b'), m('a'))] }, before)],
    [
      [token('0/request/0'), token('0/request/0')],
      [token('1/request/0'), token('1/request/1')],
      [token('1/request/1'), token('1/request/0')],
    ],
  );
});

test('a configuration as JSON text is the same as the object that is kept', () => {
  const resource = (configuration: unknown): Item => ({ type: 'oauth2', configuration });
  const before = {
    resources: [resource({ clientSecret: sealed('1'), a: 1 }), resource({ clientSecret: sealed('2') })],
  };
  const sent = { resources: [resource(`{"clientSecret":"${mask}"}`)] };
  assert.deepEqual(
    [...counterpartsOf(sent, before)],
    [['/resources/0/configuration/clientSecret', '/resources/1/configuration/clientSecret']],
  );
});

test('a list of secrets alone keeps its places while it has as many', () => {
  const before = {
    resources: [{ type: 'oauth2', configuration: { clientSecret: [sealed('1'), sealed('2')] } }],
  };
  const sent = (...clientSecret: readonly string[]) => ({
    resources: [{ type: 'oauth2', configuration: { clientSecret } }],
  });
  assert.deepEqual(
    [...counterpartsOf(sent(mask, mask), before).values()],
    ['/resources/0/configuration/clientSecret/0', '/resources/0/configuration/clientSecret/1'],
  );
  assert.deepEqual([...counterpartsOf(sent(mask), before).values()], [unclear]);
});

test('many items are told in time that grows with them', () => {
  const many = Array.from({ length: 20_000 }, (_, index) => step('a', `${index % 3}`));
  const masked = many.map(() => m('a'));
  assert.equal(told(many, masked).at(-1), 19_999);
  assert.equal(told(many, masked.slice(1)).at(-1), 'unclear');
  const edited = masked.map((item, index) => ({ ...item, index }));
  assert.equal(told(many, edited).at(-1), 'unclear');
});
