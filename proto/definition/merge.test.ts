import assert from 'node:assert/strict';
import { test } from 'node:test';

import { consoleExport } from './console-fixture.ts';
import { differencesOf, mergeReimport } from './merge.ts';
import type { Json } from './opened.ts';

const nobody = { subscribedPlans: new Set<string>() };

const flow = (name: string, path: string, more: object = {}): Json => ({
  name,
  selectors: [{ type: 'HTTP', path, pathOperator: 'EQUALS', methods: ['GET'] }],
  request: [],
  ...more,
});
const mock = { policy: 'mock', configuration: { content: 'x' } };

/** An API as it was imported, without ids. */
const base: Json = {
  name: 'Tides',
  description: 'old',
  tags: ['a', 'b'],
  flows: [flow('list', '/tides'), flow('one', '/tides/:id')],
  plans: [{ name: 'Open', security: { type: 'KEY_LESS' }, flows: [] }],
};
/** What has become of it here: ids, a plan and its flows, a step. */
const ours: Json = {
  ...base,
  id: 'api-1',
  tags: ['a', 'b', 'mine'],
  flows: [flow('list', '/tides', { id: 'f1' }), flow('one', '/tides/:id', { id: 'f2', request: [mock] })],
  plans: [
    { id: 'p1', name: 'Open', security: { type: 'KEY_LESS' }, flows: [flow('limit', '/', { id: 'f3' })] },
    { id: 'p2', name: 'Keys', security: { type: 'API_KEY' }, flows: [flow('limit', '/', { id: 'f4' })] },
  ],
};

const names = (list: unknown): readonly unknown[] => (list as Json[]).map(({ name }) => name);

test('what only one side changed is as that side has it', () => {
  const theirs = {
    ...base,
    description: 'new',
    tags: ['b', 'c'],
    flows: [...(base['flows'] as Json[]), flow('new', '/new')],
  };
  const { merged, conflicts } = mergeReimport({ base, ours, theirs }, nobody);
  assert.deepEqual(conflicts, []);
  assert.equal(merged['description'], 'new');
  assert.deepEqual(merged['tags'], ['b', 'c', 'mine']);
  assert.deepEqual(names(merged['flows']), ['list', 'one', 'new']);
  assert.deepEqual((merged['flows'] as Json[])[1]?.['request'], [mock], 'what was added here stays');
});

test('an import of the same again changes nothing, and one of ours neither', () => {
  assert.deepEqual(mergeReimport({ base, ours, theirs: base }, nobody), { merged: ours, conflicts: [] });
  assert.deepEqual(mergeReimport({ base, ours, theirs: ours }, nobody), { merged: ours, conflicts: [] });
});

test('ids stay, and a path that was renamed keeps its flow, its steps and the plans', () => {
  const theirs = {
    ...base,
    id: 'foreign',
    flows: [flow('list', '/tables'), flow('one', '/tides/:id', { id: 'other' })],
  };
  const { merged, conflicts } = mergeReimport({ base, ours, theirs }, nobody);
  assert.deepEqual(conflicts, []);
  assert.equal(merged['id'], 'api-1');
  const flows = merged['flows'] as Json[];
  assert.deepEqual(
    flows.map(({ id }) => id),
    ['f1', 'f2'],
  );
  assert.partialDeepStrictEqual(flows[0], { selectors: [{ path: '/tables' }] });
  assert.deepEqual(merged['plans'], ours['plans']);
});

test('flows of plans are never lost to an import that has none, with or without a base', () => {
  const theirs = { ...base, plans: [{ name: 'Open', description: 'd', security: { type: 'KEY_LESS' } }] };
  for (const known of [base, undefined]) {
    const { merged } = mergeReimport({ base: known, ours, theirs }, nobody);
    const [open] = merged['plans'] as Json[];
    assert.deepEqual(names(open?.['flows']), ['limit']);
    assert.equal(open?.['description'], 'd');
  }
  const withFlows = { ...ours, plans: [{ ...(ours['plans'] as Json[])[0] }] };
  const emptied = { ...ours, plans: [{ ...(ours['plans'] as Json[])[0], flows: [] }] };
  const { merged, conflicts } = mergeReimport({ base: withFlows, ours: withFlows, theirs: emptied }, nobody);
  assert.deepEqual(names((merged['plans'] as Json[])[0]?.['flows']), ['limit']);
  assert.deepEqual(
    conflicts.map(({ path, stands }) => [path, stands]),
    [['plans[0].flows', 'ours']],
  );
});

test('a plan with subscriptions is neither taken away, nor closed, nor of another kind; one without is', () => {
  const [open, keys] = ours['plans'] as readonly [Json, Json];
  const subscribed = { subscribedPlans: new Set(['p2']) };
  const merge = (plans: readonly Json[], options: typeof nobody) =>
    mergeReimport({ base: ours, ours, theirs: { ...ours, plans } }, options);
  const kept = merge([open], subscribed);
  assert.deepEqual(names(kept.merged['plans']), ['Open', 'Keys']);
  assert.match(kept.conflicts[0]?.reason ?? '', /it has subscriptions/);
  assert.deepEqual(names(merge([open], nobody).merged['plans']), ['Open']);
  const jwt = { ...keys, status: 'CLOSED', security: { type: 'JWT' } };
  const before = { ...ours, plans: [open, { ...keys, status: 'PUBLISHED' }] };
  const { merged, conflicts } = mergeReimport(
    { base: before, ours: before, theirs: { ...ours, plans: [open, jwt] } },
    subscribed,
  );
  assert.deepEqual(merged['plans'], before.plans);
  assert.deepEqual(
    conflicts.map(({ path }) => path),
    ['plans[1].security', 'plans[1].status'],
  );
});

test('where both sides changed the same, the import stands and it is told', () => {
  const mine = { ...ours, description: 'mine' };
  const { merged, conflicts } = mergeReimport(
    { base, ours: mine, theirs: { ...base, description: 'theirs' } },
    nobody,
  );
  assert.equal(merged['description'], 'theirs');
  assert.deepEqual(conflicts, [{ path: 'description', stands: 'theirs', reason: 'both sides changed it' }]);
});

test('what one side took away and the other changed is not lost, and is told', () => {
  const [list, one] = base['flows'] as readonly [Json, Json];
  const changed = { ...one, request: [mock] };
  const byThem = mergeReimport(
    { base, ours: { ...base, flows: [list, changed] }, theirs: { ...base, flows: [list] } },
    nobody,
  );
  assert.deepEqual(byThem.merged['flows'], [list, changed]);
  const byUs = mergeReimport(
    { base, ours: { ...base, flows: [list] }, theirs: { ...base, flows: [list, changed] } },
    nobody,
  );
  assert.deepEqual(byUs.merged['flows'], [list, changed]);
  assert.deepEqual(
    [...byThem.conflicts, ...byUs.conflicts].map(({ stands }) => stands),
    ['ours', 'theirs'],
  );
  const gone = mergeReimport({ base, ours: { ...base, flows: [list] }, theirs: base }, nobody);
  assert.deepEqual(gone.merged['flows'], [list], 'what was taken away here stays away');
});

test('without a base nothing is taken away', () => {
  const { merged } = mergeReimport({ base: undefined, ours, theirs: { name: 'New', flows: [] } }, nobody);
  assert.equal(merged['name'], 'New');
  assert.deepEqual(merged['flows'], ours['flows']);
  assert.deepEqual(merged['plans'], ours['plans']);
});

test('items of one name stay as many as they are', () => {
  const twice = { ...base, flows: [flow('', '/a'), flow('', '/a'), flow('same', '/b'), flow('same', '/b')] };
  assert.deepEqual(
    mergeReimport({ base: twice, ours: twice, theirs: { ...twice, description: 'n' } }, nobody).merged,
    {
      ...twice,
      description: 'n',
    },
  );
});

test('differences are told by place, before and after', () => {
  const changed = structuredClone(consoleExport.api) as unknown as {
    name: string;
    flows: Json[];
    tags: string[];
  };
  changed.name = 'Tides';
  changed.flows.unshift(flow('first', '/first'));
  assert.deepEqual(differencesOf(consoleExport.api, changed), [
    { path: 'name', before: 'Tide tables', after: 'Tides' },
    { path: 'flows[0]', after: flow('first', '/first') },
  ]);
  assert.deepEqual(differencesOf(changed, { ...changed, tags: ['x'] }), [{ path: 'tags[0]', after: 'x' }]);
  assert.deepEqual(differencesOf({ flows: [flow('a', '/a')] }, { flows: [] }), [
    { path: 'flows[0]', before: flow('a', '/a') },
  ]);
});

test('no key of a definition reaches a prototype', () => {
  const hostile = JSON.parse(
    '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}',
  ) as Json;
  const { merged } = mergeReimport({ base: hostile, ours: { ...ours, ...hostile }, theirs: hostile }, nobody);
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  assert.equal(Object.getPrototypeOf(merged), Object.prototype);
});
