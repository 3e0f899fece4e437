import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  areFlows,
  blankFlow,
  conditionOf,
  type Design,
  faultsAt,
  flowsOf,
  moved,
  placeOf,
  replaced,
  selecting,
  stepsOf,
  summaryOf,
  without,
  withFlows,
  withStep,
  wordsOf,
} from './flows.ts';
import { begun, changed, redone, undone } from './history.ts';

const step = (policy: string) => ({ policy, enabled: true, configuration: {} });
const design: Design = {
  api: { name: 'a', flows: [{ ...blankFlow, request: [step('one'), step('two'), step('three')] }] },
  plans: { gold: [] },
};
const place = { owner: 'api', flow: 0, lane: 'request', step: 0 } as const;
const policiesOf = (of: Design): readonly string[] =>
  stepsOf(flowsOf(of, 'api')[0], 'request').map(({ policy }) => policy ?? '');

test('steps are put in, replaced, moved and taken out; the design before stays as it was', () => {
  assert.deepEqual(policiesOf(withStep(design, { ...place, step: 3 }, step('four'))), [
    'one',
    'two',
    'three',
    'four',
  ]);
  assert.deepEqual(policiesOf(withStep(design, place, step('zero'))), ['zero', 'one', 'two', 'three']);
  assert.deepEqual(policiesOf(replaced(design, { ...place, step: 1 }, step('2'))), ['one', '2', 'three']);
  assert.deepEqual(policiesOf(without(design, { ...place, step: 1 })), ['one', 'three']);
  assert.deepEqual(policiesOf(moved(design, place, 3)), ['two', 'three', 'one']);
  assert.deepEqual(policiesOf(moved(design, { ...place, step: 2 }, 0)), ['three', 'one', 'two']);
  for (const nowhere of [0, 1, 4, -1]) assert.equal(moved(design, place, nowhere), design);
  assert.deepEqual(policiesOf(design), ['one', 'two', 'three']);
});

test('flows of a plan are its own', () => {
  const after = withFlows(design, { plan: 'gold' }, [blankFlow]);
  assert.deepEqual(flowsOf(after, { plan: 'gold' }), [blankFlow]);
  assert.equal(after.api, design.api);
  assert.deepEqual(flowsOf(after, { plan: 'silver' }), []);
});

test('what somebody typed elsewhere is drawn only when it can be', () => {
  for (const value of [[], [{}], [blankFlow], [{ request: [{ policy: 5 }] }]]) assert.ok(areFlows(value));
  for (const value of [
    undefined,
    {},
    [1],
    [null],
    [[]],
    [{ request: {} }],
    [{ response: ['x'] }],
    [{ selectors: [0] }],
  ])
    assert.ok(!areFlows(value), JSON.stringify(value));
});

test('a flow says which requests it takes; an empty condition is none', () => {
  assert.deepEqual(wordsOf(blankFlow), { methods: 'ANY', path: '/**' });
  const exact = selecting(blankFlow, {
    http: { type: 'HTTP', path: '/orders', pathOperator: 'EQUALS', methods: ['GET', 'POST'] },
    condition: '{#request.ssl}',
  });
  assert.deepEqual(wordsOf(exact), { methods: 'GET POST', path: '/orders' });
  assert.equal(conditionOf(exact), '{#request.ssl}');
  assert.equal(selecting(exact, { condition: '' }).selectors?.length, 1);
});

test('a step is said in its first settings, without secrets', () => {
  assert.equal(
    summaryOf({ rate: { limit: 100, periodTime: 1, periodTimeUnit: 'SECONDS' } }),
    '100 per second',
  );
  assert.equal(
    summaryOf({ quota: { limit: 0, dynamicLimit: '{#x}', periodTime: 5, periodTimeUnit: 'MINUTES' } }),
    '{#x} per 5 minutes',
  );
  assert.equal(summaryOf({ addHeaders: [{}, {}], removeHeaders: [] }), 'add headers: 2');
  assert.equal(summaryOf({ password: '********', user: 'me' }), 'me');
  assert.equal(summaryOf({ password: '********.Ab-d_f123456', user: 'me' }), 'me');
  assert.equal(summaryOf(undefined), '');
});

test('a fault is found at its step, and in it at its field', () => {
  const faults = [
    { location: 'flows[0].request[1].configuration.rate.limit', message: 'is too much' },
    { location: 'flows[0].request[10].policy', message: 'is not known' },
    { location: 'flows[0].request[1]', message: 'is wrong' },
  ];
  const at = placeOf({ flow: 0, lane: 'request', step: 1 });
  assert.deepEqual(faultsAt(faults, at), [
    { path: 'configuration.rate.limit', message: 'is too much' },
    { path: '', message: 'is wrong' },
  ]);
  assert.deepEqual(faultsAt(faults, `${at}.configuration`), [{ path: 'rate.limit', message: 'is too much' }]);
});

test('changes are undone one by one, what was typed at one go as one', () => {
  let history = begun('');
  history = changed(history, 'a', { atMs: 0 });
  history = changed(history, 'ab', { subject: 'name', atMs: 10 });
  history = changed(history, 'abc', { subject: 'name', atMs: 1_000 });
  history = changed(history, 'abcd', { subject: 'name', atMs: 3_000 });
  const seen: string[] = [];
  for (let back = undone(history); back.now !== seen.at(-1); back = undone(back)) seen.push(back.now);
  assert.deepEqual(seen, ['abc', 'a', '']);
  assert.equal(redone(undone(history)).now, 'abcd');
  assert.equal(redone(history).now, 'abcd');
  const other = changed(undone(history), 'x', { atMs: 4_000 });
  assert.deepEqual(other.future, []);
  let long = begun(0);
  for (let at = 1; at <= 101; at += 1) long = changed(long, at, { atMs: at });
  assert.equal(long.past.length, 100);
});

test('a document in a step is told by its length, not by its text', () => {
  const sourceYaml = `openapi: 3.0.0\n${'# more\n'.repeat(40)}`;
  assert.equal(summaryOf({ sourceYaml, basePath: '/v1' }), 'source yaml: 41 lines, /v1');
  assert.equal(summaryOf({ script: 'x'.repeat(81) }), 'script: 81 characters');
  assert.equal(summaryOf({ body: 'x'.repeat(80) }), 'x'.repeat(80));
});
